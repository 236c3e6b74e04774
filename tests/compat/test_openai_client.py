"""The official `openai` client, unchanged: each case runs against the provider and through the router, and comes to the
same. The provider makes its ids of the bytes it was sent, so equal answers prove equal requests.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pydantic
import pytest

from tests.compat.openai_cases import ASKS, CALLED, HELLO, MODEL, SEEN, STREAMED, STREAMED_BY_HELPER, WEATHER
from tests.compat.provider import openai as speech
from tests.compat.provider.plan import Gate, Plan
from tests.compat.provider.server import Provider
from tests.compat.sides import Sides

PROTOCOLS = ("openai",)
KEY = "sk-client-0123456789"


@functools.cache
def client(url: str) -> Any:
    """A client as an application makes it; only the base URL is ours. Untyped, as the cases are plain dicts."""
    return openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, organization="org-1", max_retries=0, timeout=10.0)


@asynccontextmanager
async def async_client(url: str) -> AsyncIterator[Any]:
    """The same for asyncio."""
    made = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, organization="org-1", max_retries=0, timeout=10.0)
    async with made:
        yield made


class Trip(pydantic.BaseModel):
    """What the model is to fill in."""

    city: str
    stops: list[int]
    fast: bool


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_completion_is_the_same_through_the_router(sides: Sides, ask: dict[str, Any]) -> None:
    """Whatever is asked for: parsed answer, request id and the bytes that the provider was sent."""

    def case(url: str) -> Any:
        answer = client(url).chat.completions.create(model=MODEL, **ask)
        return answer.model_dump(), answer._request_id

    found, request_id = sides.compare(case)
    assert found["object"] == "chat.completion"
    assert request_id.startswith("req_")


@pytest.mark.parametrize("ask", STREAMED.values(), ids=STREAMED)
def test_a_stream_is_the_same_through_the_router(sides: Sides, ask: dict[str, Any]) -> None:
    """Every chunk of `create(stream=True)`, in order, with unknown fields."""

    def case(url: str) -> Any:
        stream = client(url).chat.completions.create(model=MODEL, stream=True, **ask)
        return [chunk.model_dump() for chunk in stream], stream.response.headers["x-request-id"]

    chunks, _ = sides.compare(case)
    assert len(chunks) >= 3


@pytest.mark.parametrize("name", STREAMED_BY_HELPER)
def test_the_stream_helper_sees_the_same_events(sides: Sides, name: str) -> None:
    """`.stream()` accumulates: deltas, finished contents and calls, the final completion."""

    def case(url: str) -> Any:
        with client(url).chat.completions.stream(model=MODEL, **STREAMED[name]) as stream:
            events = [event.to_dict() for event in stream]
            return events, stream.get_final_completion().to_dict()

    events, final = sides.compare(case)
    assert {event["type"] for event in events} >= {"chunk"}
    assert final["choices"]


def test_a_model_of_pydantic_is_filled_in_the_same(sides: Sides) -> None:
    """`.parse()` sends a strict schema and returns an instance."""

    def case(url: str) -> Any:
        answer = client(url).chat.completions.parse(model=MODEL, messages=HELLO, response_format=Trip)
        return answer.choices[0].message.parsed

    assert sides.compare(case) == Trip(city="Zürich 🚆", stops=[7, 7], fast=True)


@pytest.mark.parametrize(
    "ask",
    [
        {"input": "Grüße 🚆"},
        {"input": ["a", "b", "ç"], "dimensions": 4, "encoding_format": "float", "user": "u"},
        {"input": [101, 102, 103], "encoding_format": "base64"},
        {"input": [[1, 2], [3]], "extra_body": {"input_type": "query"}},
    ],
    ids=["text", "floats", "base64", "tokens"],
)
def test_embeddings_are_the_same_through_the_router(sides: Sides, ask: dict[str, Any]) -> None:
    """As floats, and as base64 whether the client or its user asks for it."""

    def case(url: str) -> Any:
        return client(url).embeddings.create(model="text-embedding-mock", **ask).model_dump(warnings=False)

    assert sides.compare(case)["data"]


def test_the_models_of_the_router_are_listed(sides: Sides) -> None:
    """What may be sent as `model`: `auto`, classes, aliases, pools and workers' models, as the client parses them."""
    listed = client(sides.router.url).models.list()
    assert {"auto", "strategic", "strong", "tactical", "fast", "planners", "gpt-mock", "gpt-mock-mini"} <= {
        model.id for model in listed
    }


@pytest.mark.parametrize(
    ("model", "reached"),
    [
        ("gpt-mock", "gpt-mock"),
        ("gpt-mock-mini", "gpt-mock-mini"),
        ("strategic", "gpt-mock"),
        ("strong", "gpt-mock"),
        ("planners", "gpt-mock"),
        ("tactical", "gpt-mock-mini"),
        ("fast", "gpt-mock-mini"),
    ],
)
def test_a_model_name_forces_where_a_message_goes(sides: Sides, model: str, reached: str) -> None:
    """A worker's model, a class, an alias or a pool; the provider is asked for the worker's model."""
    sides.provider.reset()
    answer = client(sides.router.url).chat.completions.create(model=model, messages=HELLO)
    assert [seen.json["model"] for seen in sides.provider.seen] == [reached]
    assert answer.model == f"{reached}-2026-08-07"


def test_auto_lets_the_router_decide_and_the_answer_says_who(sides: Sides) -> None:
    """Class and worker stand in headers that the client can read."""
    sides.provider.reset()
    raw = client(sides.router.url).chat.completions.with_raw_response.create(model="auto", messages=HELLO)
    reached = sides.provider.seen[0].json["model"]
    assert raw.headers["x-pointsman-worker"] == f"at-{reached}"
    assert raw.headers["x-pointsman-class"] in {"strategic", "tactical"}
    assert raw.parse().choices[0].message.content


def test_a_raw_response_has_the_providers_headers(sides: Sides) -> None:
    """`with_raw_response` gives status, bytes and rate-limit headers, and parses to the same."""

    def case(url: str) -> Any:
        raw = client(url).chat.completions.with_raw_response.create(model=MODEL, messages=CALLED, tools=[WEATHER])
        limits = {
            name: value for name, value in raw.headers.items() if name.startswith(("x-ratelimit", "openai", "cf-"))
        }
        return raw.http_response.content, raw.status_code, limits, raw.parse().model_dump()

    _, status, limits, _ = sides.compare(case)
    assert status == 200
    assert limits["x-ratelimit-remaining-tokens"] == "1999734"


def test_a_raw_stream_has_the_same_lines(sides: Sides) -> None:
    """`with_streaming_response` reads the body line by line."""

    def case(url: str) -> Any:
        opened = client(url).chat.completions.with_streaming_response.create(model=MODEL, messages=HELLO, stream=True)
        with opened as response:
            return response.headers["content-type"], [*response.iter_lines()]

    media, lines = sides.compare(case)
    assert media == "text/event-stream; charset=utf-8"
    assert lines[-2:] == ["data: [DONE]", ""]


def pieced(size: int) -> Plan:
    """A stream in pieces that cut characters and events in two."""
    plan = speech.complete({"model": MODEL, "messages": HELLO, "stream": True}, "k", sizes)
    return speech.slices(plan, size)


sizes = Provider().prompts.take(HELLO)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_pieces_of_any_size_make_the_same_chunks(sides: Sides, size: int) -> None:
    """One byte at a time, half characters, several events in one piece."""

    def case(url: str) -> Any:
        return [
            chunk.model_dump()
            for chunk in client(url).chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        ]

    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in sides.compare(case, pieced(size)))
    assert text == f"{speech.TEXT} #0"


def test_the_first_chunk_comes_while_the_provider_still_writes(sides: Sides) -> None:
    """Nothing is held back: the provider goes on only after the client has the first chunk."""
    whole = pieced(4096).body
    first = whole.index(b"\n\n") + 2

    def case(url: str) -> Any:
        gate = Gate()
        sides.provider.play(pieced(4096).with_pieces([whole[:first], gate, whole[first:]]))
        stream = client(url).chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        chunks = [next(stream).model_dump()]
        gate.open()
        return chunks + [chunk.model_dump() for chunk in stream]

    assert len(sides.compare(case)) > 3


@pytest.mark.real_loop(timeout_s=30)
async def test_the_async_client_comes_to_the_same(sides: Sides) -> None:
    """Plain, streamed, by the helper, and an embedding, on one connection pool."""

    async def case(url: str) -> Any:
        async with async_client(url) as made:
            plain = await made.chat.completions.create(model=MODEL, messages=SEEN)
            stream = await made.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
            chunks = [chunk.model_dump() async for chunk in stream]
            async with made.chat.completions.stream(model=MODEL, messages=HELLO, tools=[WEATHER]) as helper:
                events = [event.to_dict() async for event in helper]
            vector = await made.embeddings.create(model="text-embedding-mock", input="x")
            return plain.model_dump(), chunks, events, vector.model_dump()

    _, chunks, events, _ = await sides.compare_async(case)
    assert len(chunks) >= 3
    assert events


def test_a_stream_that_is_closed_early_closes_the_provider_too(sides: Sides) -> None:
    """The worker stops working for nobody, and its slot is free again."""

    def case(url: str) -> Any:
        with client(url).chat.completions.create(model=MODEL, messages=HELLO, stream=True) as stream:
            next(stream)
        return sides.provider.wait_for(1)[0].left_early()

    assert sides.compare(case, pieced(64).silent_after(700)) is True
    sides.router.must_be_idle()
