"""What of a request stays with one router while a rollout shares the messages out: its conversation, if it has one.

Only what names the conversation is read of a body. A body in which it cannot be found, because it is no such body, is
not one that this router could answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from pointsman.core.conversation import derive_id
from pointsman.http.messages import PATH


class _Native(msgspec.Struct, frozen=True, gc=False):
    conversation_id: str | None = None


class _Chat(msgspec.Struct, frozen=True):
    messages: list[Any]
    system: Any = None
    metadata: Any = None
    prompt_cache_key: Any = None


class _Other(msgspec.Struct, frozen=True, gc=False):
    """An object of which nothing matters here."""


_NATIVE: Final = msgspec.json.Decoder(_Native)
_CHAT: Final = msgspec.json.Decoder(_Chat)
_OTHER: Final = msgspec.json.Decoder(_Other)


def conversation(path: str, body: bytes, client: str) -> str | None:
    """Return the conversation that a message belongs to, the same as in its envelope; None where it has none.

    Args:
        path: where it was sent to.
        body: of the request.
        client: who sent it.

    Raises:
        ValueError: it is no body of such a request.
    """
    try:
        return _READERS.get(path, _none)(body, client)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _native(body: bytes, client: str) -> str | None:
    return _NATIVE.decode(body).conversation_id


def _openai(body: bytes, client: str) -> str | None:
    chat = _CHAT.decode(body)
    return derive_id(client, chat.messages, None, chat.prompt_cache_key) if chat.messages else None


def _anthropic(body: bytes, client: str) -> str | None:
    chat = _CHAT.decode(body)
    messages = [{"role": "system", "content": chat.system}, *chat.messages] if chat.system else chat.messages
    hint = chat.metadata.get("user_id") if isinstance(chat.metadata, dict) else None
    return derive_id(client, messages, None, hint) if messages else None


def _other(body: bytes, client: str) -> str | None:
    _OTHER.decode(body)
    return None


def _none(body: bytes, client: str) -> str | None:
    return None


_READERS: Final[dict[str, Callable[[bytes, str], str | None]]] = {
    PATH: _native,
    "/v1/chat/completions": _openai,
    "/v1/embeddings": _other,
    "/v1/messages": _anthropic,
    "/v1/messages/count_tokens": _anthropic,
}
