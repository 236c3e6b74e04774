"""How many tokens a message will take, guessed before it is sent: what budgets and quotas reserve.

Decides by size alone, as no tokenizer fits every model: four bytes of text are a token, the rule of thumb that
providers give for English (other languages and code take more tokens a byte, base64 would take far fewer). Output is
the most that the sender asks for. A guess, rather too high: what a message really took is counted when it has ended.
"""

from __future__ import annotations

from typing import Final

from pointsman.core.chat import count_bytes, count_text_bytes
from pointsman.core.usage import tokens_in
from pointsman.model.message import Envelope

ATTACHMENT_TOKENS: Final = 2_000
"""Tokens of an image or a document in base64: providers count pictures by their area, not by their bytes."""

_SMALL: Final = 16_384
"""A body up to this size holds no picture that would matter."""

_ATTACHED: Final = (b";base64,", b'"base64"')
"""What marks an attachment: a data URL (OpenAI), a source of type base64 (Anthropic)."""

_MAXIMA: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")

_FREE: Final = "/messages/count_tokens"
_NO_OUTPUT: Final = "/embeddings"


def estimate_tokens(envelope: Envelope, default_output: int) -> tuple[int, int]:
    """Return input and output tokens that a message is expected to take.

    Args:
        envelope: the message; valid.
        default_output: output tokens where it names no maximum.
    """
    body = envelope.body
    if body is None:
        return _tokens(_text_bytes(envelope)), _asked(envelope.message.params) or default_output
    if envelope.endpoint.startswith(_FREE):
        return 0, 0
    attached = sum(body.count(mark) for mark in _ATTACHED) if len(body) > _SMALL else 0
    size = _text_bytes(envelope) if attached else len(body)
    input_tokens = _tokens(size) + attached * ATTACHMENT_TOKENS
    if envelope.endpoint.startswith(_NO_OUTPUT):
        return input_tokens, 0
    asked = envelope.max_output_tokens
    return input_tokens, asked if asked > 0 else default_output


def _tokens(size_bytes: int) -> int:
    return tokens_in(size_bytes) or 1


def _text_bytes(envelope: Envelope) -> int:
    messages = envelope.message.messages
    return count_bytes(envelope.ask) if messages is None else count_text_bytes(messages)


def _asked(params: dict[str, object]) -> int:
    """Return the most output tokens that a native message asks for, 0 where it names none."""
    if not params:
        return 0
    for name in _MAXIMA:
        value = params.get(name)
        if type(value) is int and value > 0:
            return value
    return 0
