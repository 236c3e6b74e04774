"""What a worker is given, in the words of the product page, and how its JSON is read. The same for every transport.

The trace context is derived, not drawn: a message without a trace of its own is one, under its id, and each attempt has
a span number that follows from id and attempt. Source: W3C Trace Context, 3.2.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pointsman.core.usage import anthropic_figures, openai_figures
from pointsman.model.message import PRIORITIES
from pointsman.model.usage import Usage
from pointsman.ports import Attempt

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()

_SPAN_MASK = (1 << 64) - 1


def to_work(attempt: Attempt) -> dict[str, Any]:
    """Return the object a worker is given.

    Returns:
        `id`, `attempt` (1.., rises with each hand-out), `class` (empty if none was given), `priority`, `deadline_s`
        (seconds this attempt may last), `text` or `messages`, `metadata`, `params`. Trap: the last three belong to the
        message and must not be changed.
    """
    envelope = attempt.envelope
    message = envelope.message
    work = {
        "id": envelope.id,
        "attempt": attempt.lease.attempt,
        "class": envelope.classification.message_class if envelope.classification else "",
        "priority": PRIORITIES[envelope.level],
        "deadline_s": attempt.timeout_s,
    }
    if message.messages is not None:
        work["messages"] = message.messages
    else:
        work["text"] = message.text if message.text is not None else envelope.ask
    work["metadata"] = message.metadata
    work["params"] = message.params
    return work


def encode_work(attempt: Attempt) -> bytes:
    """Return the same object as JSON, on one line."""
    return _encoder.encode(to_work(attempt))


def encode_json(value: Any) -> bytes:
    """Return any JSON value as bytes, on one line.

    Raises:
        ValueError: it is not one; the text says why.
    """
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
        raise ValueError(str(error)) from None


def decode_json(data: bytes) -> Any:
    """Read what a worker sent.

    Raises:
        ValueError: it is no JSON, or nested too deep to be read; the text says where.
    """
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise ValueError(str(error)) from None


def decode_lenient(data: bytes) -> Any:
    """Read JSON that may hold half a surrogate pair, or more digits than we would take: what others read, passes.

    Many times slower than `decode_json`, and for what that one refuses.

    Raises:
        ValueError: it is no JSON all the same, or nested too deep to be read.
    """
    try:
        return json.loads(data.decode(), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def usage_in(value: Any) -> Usage | None:
    """Return what a native worker says it took: `usage` in the words of OpenAI or Anthropic, whole; else None."""
    said = value.get("usage") if isinstance(value, dict) else None
    for read in (openai_figures, anthropic_figures):
        figures = read(said)
        if figures.input is not None and figures.output is not None:
            return Usage(figures.input, figures.cached, figures.written, figures.output)
    return None


def traceparent(attempt: Attempt) -> str:
    """Return the `traceparent` header of an attempt."""
    envelope = attempt.envelope
    span = (int(envelope.id[16:], 16) ^ attempt.lease.attempt) & _SPAN_MASK
    return f"00-{envelope.trace_id or envelope.id}-{span or 1:016x}-01"
