"""The provider's model of a prompt cache, by which conversations are measured."""

from __future__ import annotations

import json
from typing import Any

from tests.compat.provider.answers import provider as make_provider
from tests.compat.provider.prompt_cache import PromptCache
from tests.compat.provider.server import Provider
from tests.compat.raw import RawClient
from tests.compat.shapes.requests import CHAT, MESSAGES

TURN = "x" * 400


def test_only_the_longest_known_beginning_is_cached() -> None:
    """A part that was seen after another beginning does not count."""
    cache = PromptCache()
    assert cache.take([TURN + "a", TURN + "b"]) == (200, 0)
    assert cache.take([TURN + "a", TURN + "b", TURN + "c"]) == (300, 200)
    assert cache.take([TURN + "a", TURN + "c", TURN + "b"]) == (300, 100)
    assert cache.take([TURN + "b"]) == (100, 0)
    assert cache.cached_share == 300 / 900
    cache.forget()
    assert cache.take([TURN + "a"]) == (100, 0)


def ask(provider: Provider, path: str, turns: int, **more: Any) -> dict[str, Any]:
    """Send the first turns of a conversation and return the usage."""
    messages = [{"role": ("user", "assistant")[turn % 2], "content": f"{turn} {TURN}"} for turn in range(turns)]
    sent = json.dumps({"model": "m", "max_tokens": 9, "messages": messages, **more}).encode()
    with RawClient(provider.url) as client:
        usage: dict[str, Any] = json.loads(client.ask(path, sent).body)["usage"]
    return usage


def test_a_conversation_at_one_server_is_cached_and_one_that_hops_is_not() -> None:
    """In the terms of both protocols; Anthropic's caches only what is marked."""
    with make_provider() as one, make_provider() as other:
        first, second = ask(one, CHAT, 1), ask(one, CHAT, 3)
        assert first["prompt_tokens_details"]["cached_tokens"] == 0
        assert second["prompt_tokens_details"]["cached_tokens"] == first["prompt_tokens"]
        assert ask(other, CHAT, 3)["prompt_tokens_details"]["cached_tokens"] == 0
        one.reset()
        marked = {"cache_control": {"type": "ephemeral"}}
        written = ask(one, MESSAGES, 1, **marked)["cache_creation_input_tokens"]
        usage = ask(one, MESSAGES, 3, **marked)
        assert (usage["cache_read_input_tokens"], usage["input_tokens"]) == (written, 0)
        assert ask(one, MESSAGES, 3)["cache_read_input_tokens"] == 0
