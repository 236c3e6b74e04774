"""The key of a message is the conversation that its envelope will have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.http import compat_anthropic, compat_openai, messages
from pointsman.http.auth import Identity
from pointsman.http.channel import AsgiChannel
from pointsman.http.exchange import Context, Request
from pointsman.http.sticky import conversation
from pointsman.runtime.tasks import Tasks
from tests.http.service import Service, service

TURNS = [{"role": "user", "content": "hello"}]


def request(run: Service, path: str) -> Request:
    """A request of client `a`."""

    async def nothing(*_: Any) -> Any: ...

    scope = {"method": "POST", "path": path, "query_string": b"", "headers": []}
    made = Request(
        AsgiChannel(scope, nothing, nothing), Context(run.surface, Tasks(run.surface.clock), 0.0, lambda: b"")
    )
    made.identity = Identity("a")
    return made


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/messages", {"text": "x", "conversation_id": "c-1"}),
        ("/api/v1/messages", {"text": "x"}),
        ("/v1/chat/completions", {"messages": TURNS}),
        ("/v1/chat/completions", {"messages": [{"role": "system", "content": "be"}, *TURNS], "prompt_cache_key": "k"}),
        ("/v1/chat/completions", {"messages": []}),
        ("/v1/embeddings", {"input": "x", "model": "tactical"}),
        ("/v1/messages", {"messages": TURNS, "system": "be", "metadata": {"user_id": "u"}}),
        ("/v1/messages", {"messages": TURNS, "system": [{"type": "text", "text": "be"}], "metadata": 3}),
    ],
)
async def test_the_key_is_the_conversation_of_the_envelope(path: str, body: dict[str, Any]) -> None:
    """Both are worked out of the same parts, so that pins, preferences and lanes agree."""
    makers = {
        "/api/v1/messages": messages.envelope_of,
        "/v1/chat/completions": compat_openai.chat_envelope,
        "/v1/embeddings": compat_openai.embeddings_envelope,
        "/v1/messages": lambda asked, raw: compat_anthropic.messages_envelope(asked, raw, "/messages"),
    }
    raw = json.dumps(body).encode()
    async with service() as run:
        envelope = makers[path](request(run, path), raw)
    assert conversation(path, raw, "a") == envelope.message.conversation_id


@pytest.mark.parametrize("path", ["/api/v1/messages", "/v1/chat/completions", "/v1/embeddings", "/v1/messages"])
@pytest.mark.parametrize("body", [b"", b"{", b"\x00", b"\xff\xfe", b"[1]", b'"x"', b"[" * 100_000])
def test_what_is_no_such_body_is_said_to_be_none(path: str, body: bytes) -> None:
    """The old router may know what to do with it."""
    with pytest.raises(ValueError):
        conversation(path, body, "a")


def test_a_batch_has_no_conversation() -> None:
    """Its lines may belong to many."""
    assert conversation("/api/v1/messages/batch", b"\x00", "a") is None
