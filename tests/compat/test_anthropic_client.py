"""The official `anthropic` client, unchanged: each case runs against the provider and through the router, and comes to
the same. The provider makes its ids of the bytes it was sent, so equal answers prove equal requests.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import pytest

from tests.compat.anthropic_cases import ASKS, BASE, BY_HELPER, HELLO, MODEL, READ, SEARCH, SEEN, THINKING, WEATHER
from tests.compat.provider import anthropic as speech
from tests.compat.provider.plan import Gate, Plan, cut_up
from tests.compat.provider.prompt_cache import Tokens
from tests.compat.sides import Sides

PROTOCOLS = ("anthropic",)
BETA = {"beta": "true"}
KEY = "sk-ant-client-0123456789"


@functools.cache
def client(url: str) -> Any:
    """A client as an application makes it; only the base URL is ours. Untyped, as the cases are plain dicts."""
    return anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0, timeout=10.0)


@asynccontextmanager
async def async_client(url: str) -> AsyncIterator[Any]:
    """The same for asyncio."""
    async with anthropic.AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0, timeout=10.0) as made:
        yield made


def dump(value: Any) -> Any:
    """Everything a parsed answer holds, unknown fields and blocks included."""
    return value.model_dump(warnings=False)


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_message_is_the_same_through_the_router(sides: Sides, ask: dict[str, Any]) -> None:
    """Whatever is asked for: parsed answer, request id and the bytes that the provider was sent."""

    def case(url: str) -> Any:
        answer = client(url).messages.create(model=MODEL, **{**BASE, **ask})
        return dump(answer), answer._request_id

    found, request_id = sides.compare(case)
    assert found["type"] == "message"
    assert request_id.startswith("req_")


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_stream_is_the_same_through_the_router(sides: Sides, ask: dict[str, Any]) -> None:
    """Every event of `create(stream=True)`, in order."""

    def case(url: str) -> Any:
        stream = client(url).messages.create(model=MODEL, stream=True, **{**BASE, **ask})
        return [dump(event) for event in stream], stream.response.headers["request-id"]

    events, _ = sides.compare(case)
    assert [events[0]["type"], events[-1]["type"]] == ["message_start", "message_stop"]


@pytest.mark.parametrize("name", BY_HELPER)
def test_the_stream_helper_sees_the_same_events(sides: Sides, name: str) -> None:
    """`.stream()` accumulates text, tool input, thinking with its signature, citations, and the final message."""

    def case(url: str) -> Any:
        with client(url).messages.stream(model=MODEL, **{**BASE, **ASKS[name]}) as stream:
            events = [dump(event) for event in stream]
            return events, dump(stream.get_final_message()), stream.request_id

    events, final, _ = sides.compare(case)
    assert events[-1]["type"] == "message_stop"
    assert final["usage"]["output_tokens"] > 0


def test_text_streams_piece_by_piece(sides: Sides) -> None:
    """`text_stream`, as most applications read it."""

    def case(url: str) -> Any:
        with client(url).messages.stream(model=MODEL, messages=HELLO, **BASE) as stream:
            return [*stream.text_stream]

    assert "".join(sides.compare(case)) == speech.TEXT


def test_the_beta_api_reaches_the_provider_as_such(sides: Sides) -> None:
    """`?beta=true`, which older clients send, and the `anthropic-beta` header arrive, unknown betas too."""

    def case(url: str) -> Any:
        betas = ["interleaved-thinking-2025-05-14", "something-2027-01-01"]
        ask: dict[str, Any] = {"model": MODEL, "messages": HELLO, "betas": betas, "extra_query": BETA, **BASE}
        plain = client(url).beta.messages.create(**ask)
        events = [dump(event) for event in client(url).beta.messages.create(**ask, stream=True)]
        with client(url).beta.messages.stream(**ask, tools=[WEATHER]) as stream:
            final = dump(stream.get_final_message())
        return dump(plain), events, final, [seen.target for seen in sides.provider.seen]

    targets = sides.compare(case)[-1]
    assert targets == ["/v1/messages?beta=true"] * 3
    assert sides.provider.seen[0].header("anthropic-beta") == "interleaved-thinking-2025-05-14,something-2027-01-01"


@pytest.mark.parametrize(
    "ask",
    [
        {"messages": HELLO},
        {"messages": SEEN, "system": "x", "tools": [WEATHER]},
        {"messages": READ, "thinking": THINKING, "tools": [SEARCH], "extra_body": {"x_future": 1}},
    ],
    ids=["plain", "images", "documents"],
)
def test_tokens_are_counted_by_the_provider(sides: Sides, ask: dict[str, Any]) -> None:
    """`count_tokens`, in the stable and in the beta API."""

    def case(url: str) -> Any:
        counted = client(url).messages.count_tokens(model=MODEL, **ask)
        beta = client(url).beta.messages.count_tokens(model=MODEL, betas=["x-2024-11-01"], extra_query=BETA, **ask)
        return counted.input_tokens, beta.input_tokens, [seen.target for seen in sides.provider.seen]

    stable, beta, targets = sides.compare(case)
    assert stable == beta > 0
    assert targets == ["/v1/messages/count_tokens", "/v1/messages/count_tokens?beta=true"]


def test_a_bearer_token_does_as_well_as_a_key(sides: Sides) -> None:
    """The client's `auth_token` goes as `authorization`, to a worker with `auth = "passthrough"`."""

    def case(url: str) -> Any:
        made: Any = anthropic.Anthropic(base_url=url, auth_token="token-1", max_retries=0)
        with made:
            answer = made.messages.create(model=MODEL, messages=HELLO, **BASE)
        return dump(answer), sides.provider.seen[0].header("authorization"), sides.provider.seen[0].header("x-api-key")

    assert sides.compare(case)[1:] == ("Bearer token-1", None)


def test_the_models_of_the_router_are_listed(sides: Sides) -> None:
    """In Anthropic's shape, as the client parses it."""
    listed = {model.id: model.display_name for model in client(sides.router.url).models.list()}
    assert {"auto", "strategic", "strong", "planners", "claude-mock", "claude-mock-mini"} <= listed.keys()
    assert all(listed.values())


@pytest.mark.parametrize(
    ("model", "reached"),
    [
        ("claude-mock", "claude-mock"),
        ("claude-mock-mini", "claude-mock-mini"),
        ("strategic", "claude-mock"),
        ("strong", "claude-mock"),
        ("planners", "claude-mock"),
        ("fast", "claude-mock-mini"),
    ],
)
def test_a_model_name_forces_where_a_message_goes(sides: Sides, model: str, reached: str) -> None:
    """A worker's model, a class, an alias or a pool; the provider is asked for the worker's model."""
    sides.provider.reset()
    answer = client(sides.router.url).messages.create(model=model, messages=HELLO, **BASE)
    assert [seen.json["model"] for seen in sides.provider.seen] == [reached]
    assert answer.model == reached


def test_auto_lets_the_router_decide_and_the_answer_says_who(sides: Sides) -> None:
    """Class and worker stand in headers that the client can read."""
    sides.provider.reset()
    raw = client(sides.router.url).messages.with_raw_response.create(model="auto", messages=HELLO, **BASE)
    reached = sides.provider.seen[0].json["model"]
    assert raw.headers["x-pointsman-worker"] == f"at-{reached}"
    assert raw.headers["x-pointsman-class"] in {"strategic", "tactical"}


def test_a_raw_response_has_the_providers_headers(sides: Sides) -> None:
    """`with_raw_response` gives status, bytes and rate-limit headers, and parses to the same."""

    def case(url: str) -> Any:
        raw = client(url).messages.with_raw_response.create(model=MODEL, messages=READ, **BASE)
        told = {name: value for name, value in raw.headers.items() if name.startswith(("anthropic", "via", "cf-"))}
        return raw.http_response.content, raw.status_code, told, dump(raw.parse())

    _, status, told, _ = sides.compare(case)
    assert status == 200
    assert told["anthropic-ratelimit-requests-remaining"] == "3999"
    assert told["via"] == "1.1 google"


def whole_stream() -> Plan:
    """A stream with signed thinking and a tool, as one piece of bytes."""
    ask = {"model": MODEL, "messages": HELLO, "stream": True, "thinking": THINKING, "tools": [WEATHER], **BASE}
    return speech.answer(ask, "k", Tokens(9, 4))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_pieces_of_any_size_make_the_same_events(sides: Sides, size: int) -> None:
    """One byte at a time, half characters, several events in one piece."""
    plan = whole_stream().with_pieces(cut_up(whole_stream().body, size))

    def case(url: str) -> Any:
        return [dump(event) for event in client(url).messages.create(model=MODEL, messages=HELLO, stream=True, **BASE)]

    deltas = [event["delta"] for event in sides.compare(case, plan) if event["type"] == "content_block_delta"]
    assert "".join(delta.get("thinking") or "" for delta in deltas) == speech.THOUGHT
    assert [delta["signature"] for delta in deltas if delta.get("signature")] == [speech.SIGNATURE]


def test_the_first_event_comes_while_the_provider_still_writes(sides: Sides) -> None:
    """Nothing is held back: the provider goes on only after the client has the first event."""
    first, *rest = whole_stream().pieces

    def case(url: str) -> Any:
        gate = Gate()
        sides.provider.play(whole_stream().with_pieces([first, gate, *rest]))
        stream = client(url).messages.create(model=MODEL, messages=HELLO, stream=True, **BASE)
        events = [dump(next(stream))]
        gate.open()
        return events + [dump(event) for event in stream]

    assert sides.compare(case)[-1]["type"] == "message_stop"


@pytest.mark.real_loop(timeout_s=30)
async def test_the_async_client_comes_to_the_same(sides: Sides) -> None:
    """Plain, streamed, by the helper, beta and counted, on one connection pool."""

    async def case(url: str) -> Any:
        async with async_client(url) as made:
            plain = await made.messages.create(model=MODEL, messages=SEEN, **BASE)
            stream = await made.messages.create(model=MODEL, messages=HELLO, stream=True, **BASE)
            events = [dump(event) async for event in stream]
            async with made.messages.stream(model=MODEL, messages=HELLO, tools=[WEATHER], **BASE) as helper:
                final = await helper.get_final_message()
            beta = await made.beta.messages.create(model=MODEL, messages=HELLO, betas=["x"], **BASE)
            counted = await made.messages.count_tokens(model=MODEL, messages=HELLO)
            return dump(plain), events, dump(final), dump(beta), counted.input_tokens

    assert (await sides.compare_async(case))[-1] > 0


def test_a_stream_that_is_closed_early_closes_the_provider_too(sides: Sides) -> None:
    """The worker stops working for nobody, and its slot is free again."""
    size = len(whole_stream().pieces[0]) + 10  # type: ignore[arg-type]

    def case(url: str) -> Any:
        with client(url).messages.create(model=MODEL, messages=HELLO, stream=True, **BASE) as stream:
            next(stream)
        return sides.provider.wait_for(1)[0].left_early()

    assert sides.compare(case, whole_stream().silent_after(size)) is True
    sides.router.must_be_idle()
