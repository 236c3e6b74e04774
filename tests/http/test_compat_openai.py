"""OpenAI's chat completions, with the whole router behind them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.http import compat_openai
from pointsman.model.outcome import Delivered, Failed, Failure, Outcome, Reply
from pointsman.model.result import Result
from pointsman.model.settings import LimitSettings
from pointsman.model.states import Status
from pointsman.ports import Attempt
from tests.http.asgi import Answered
from tests.http.service import Service, echo, put_in_place, service, silent

PATH = "/v1/chat/completions"
FIX = {"model": "auto", "messages": [{"role": "user", "content": "fix the typo in line 12"}]}


class Peer:
    """A worker that speaks the protocol itself: its answer's bytes pass through. Stands in for the transport."""

    def __init__(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.answer = (status, body, headers)
        self.seen: list[bytes | None] = []

    async def open(self) -> None:
        """Nothing to open."""

    async def send(self, attempt: Attempt) -> Outcome:
        """Answer."""
        status, body, headers = self.answer
        self.seen.append(attempt.envelope.body)
        attempt.reply.start(status, headers)
        await attempt.reply.write(body)
        if status < 400:
            return Delivered(attempt.worker)
        return Failed(Failure.MESSAGE_FAULT, f"status {status}", attempt.worker, sent=True, status=status)

    async def probe(self) -> bool:
        """Always there."""
        return True

    async def close(self) -> None:
        """Nothing to close."""


def install(run: Service, peer: Peer) -> None:
    """Put the peer in the place of the coders' worker."""
    put_in_place(run, peer, "openai")


async def ask(run: Service, headers: Mapping[str, str] | None = None, **fields: Any) -> Answered:
    """Ask for a completion."""
    return await run.client.post(PATH, {**FIX, **fields}, headers)


async def test_a_native_workers_reply_becomes_a_completion() -> None:
    """Whole, as their clients expect it."""
    async with service() as run:
        answered = await ask(run)
        found = answered.json()
        message_id = answered.headers["x-pointsman-message-id"]
        created = found.pop("created")
        assert abs(created - run.surface.clock.wall()) < 2.0
        assert found == {
            "id": f"chatcmpl-{message_id}",
            "object": "chat.completion",
            "model": "tactical",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "did: fix the typo in line 12"},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }
        assert answered.headers["x-pointsman-class"] == "tactical"
        assert answered.headers["x-pointsman-worker"] == "c1"
        assert float(answered.headers["x-pointsman-overhead-ms"]) >= 0.0
        assert "x-pointsman-fallback" not in answered.headers


async def test_bytes_pass_both_ways_unchanged() -> None:
    """The worker sees the sender's bytes, the sender the worker's, unknown fields and odd spelling included."""
    body = (
        b'{ "max_tokens":5,"seed":9223372036854775807, "messages":[{"role":"user","content":"fix it"}] ,"x":{"y":[1]}}'
    )
    answer = b'{"choices" : [],  "odd":1e3}'
    peer = Peer(200, answer, ("content-type", "application/json; odd"), ("content-encoding", "identity"))
    async with service() as run:
        install(run, peer)
        answered = await run.client.post(PATH, body)
    assert (answered.status, answered.body, peer.seen) == (200, answer, [body])
    assert answered.headers["content-type"] == "application/json; odd"
    assert answered.headers["content-encoding"] == "identity"
    assert answered.headers["x-pointsman-worker"] == "c1"


async def test_a_workers_own_refusal_passes_unchanged() -> None:
    """Status and body are the worker's; the client must not send it again."""
    answer = b'{"error": {"message": "context too long"}}'
    async with service() as run:
        install(run, Peer(413, answer, ("content-type", "application/json")))
        answered = await ask(run)
    assert (answered.status, answered.body) == (413, answer)
    assert answered.headers["x-should-retry"] == "false"
    assert answered.headers["x-pointsman-message-id"]


@pytest.mark.parametrize(
    ("fields", "headers", "message_class", "cause"),
    [
        ({}, {}, "tactical", "model"),
        ({"model": None}, {}, "tactical", "model"),
        ({"model": "strategic"}, {}, "strategic", "hint"),
        ({"model": "strong"}, {}, "strategic", "hint"),
        ({"model": "planners"}, {}, "strategic", "hint"),
        ({}, {"x-pointsman-class": "strategic"}, "strategic", "hint"),
        ({"model": "strategic"}, {"x-pointsman-class": "strong"}, "strategic", "hint"),
    ],
)
async def test_model_and_header_say_which_class(
    fields: dict[str, Any], headers: dict[str, str], message_class: str, cause: str
) -> None:
    """`auto` and none let the router decide; a class, an alias or a pool insists."""
    async with service() as run:
        answered = await ask(run, headers, **fields)
        assert answered.status == 200
        assert answered.headers["x-pointsman-class"] == message_class
        message_id = answered.headers["x-pointsman-message-id"]
        record = (await run.client.get(f"/api/v1/messages/{message_id}/decision")).json()
        assert record["cause"] == cause


async def test_what_a_sender_says_in_headers_counts() -> None:
    """There is no other place for it here."""
    async with service() as run:
        headers = {
            "x-pointsman-client": "team-a",
            "x-pointsman-priority": "low",
            "x-pointsman-conversation": "c 1",
        }
        message_id = (await ask(run, headers)).headers["x-pointsman-message-id"]
        record = (await run.client.get(f"/api/v1/messages/{message_id}/decision")).json()
    assert (record["client"], record["priority"], record["conversation_id"]) == ("team-a", "low", "c 1")


@pytest.mark.parametrize(
    ("fields", "headers", "status", "code"),
    [
        ({"model": "gpt-4"}, {}, 404, "model_not_found"),
        ({"model": 5}, {}, 400, "invalid"),
        ({"model": "a\x1b[0m"}, {}, 404, "model_not_found"),
        ({"stream": "yes"}, {}, 400, "invalid"),
        ({"messages": None}, {}, 400, "invalid"),
        ({"messages": []}, {}, 400, "invalid"),
        ({"messages": ["hello"]}, {}, 400, "invalid"),
        ({"model": "strategic"}, {"x-pointsman-class": "fast"}, 400, "invalid"),
        ({"model": "strategic"}, {"x-pointsman-class": "nope"}, 400, "invalid"),
        ({}, {"x-pointsman-class": "nope"}, 422, "unknown_class"),
        ({}, {"x-pointsman-priority": "urgent"}, 400, "invalid"),
        ({}, {"x-pointsman-ttl": "soon"}, 400, "invalid"),
        ({}, {"x-pointsman-ttl": "0"}, 400, "invalid"),
        ({}, {"x-pointsman-client": "a b"}, 400, "invalid"),
        ({}, {"content-type": "text/plain"}, 415, "unsupported_media_type"),
    ],
)
async def test_what_is_refused_is_refused_in_their_language(
    fields: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    """With our stable code in theirs."""
    async with service() as run:
        answered = await ask(run, headers, **fields)
    assert (answered.status, answered.openai_error()["code"]) == (status, code)
    assert answered.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"messages": {}}', b'{"messages": [], }', b"\xff"])
async def test_what_is_no_json_is_refused_in_their_language(body: bytes) -> None:
    """Said here, because no worker could read it either."""
    async with service() as run:
        answered = await run.client.post(PATH, body)
    assert (answered.status, answered.openai_error()["code"]) == (400, "invalid")


async def test_stream_false_and_null_are_taken() -> None:
    """Clients send both."""
    async with service() as run:
        assert (await ask(run, stream=False)).status == 200
        assert (await ask(run, stream=None)).status == 200


async def test_a_limit_says_when_to_come_again() -> None:
    """With the headers their clients look at."""
    async with service(limits=LimitSettings(rate_per_min=6, burst=1, flood_copies=9)) as run:
        await ask(run)
        answered = await ask(run)
    assert (answered.status, answered.openai_error()["type"]) == (429, "rate_limit_error")
    assert int(answered.headers["retry-after"]) >= 1
    assert answered.headers["x-should-retry"] == "true"
    assert answered.headers["x-pointsman-message-id"]


async def test_a_message_that_dies_says_so() -> None:
    """502, not to be sent again: the router has tried already."""

    async def fail(work: Mapping[str, Any]) -> Any:
        raise ConnectionError("not today")

    async with service({"coders": {"w": fail}}) as run:
        answered = await ask(run)
    assert (answered.status, answered.openai_error()["code"]) == (502, "attempts_used_up")
    assert answered.headers["x-should-retry"] == "false"
    assert answered.headers["x-pointsman-worker"] == "w"


async def test_a_fallback_is_told() -> None:
    """When another pool helped out."""
    async with service({"coders": {"c1": lambda work: "helped"}}) as run:
        answered = await ask(run, model="strategic")
    assert answered.status == 200
    assert answered.headers["x-pointsman-fallback"] == "true"
    assert answered.headers["x-pointsman-class"] == "strategic"


async def test_a_client_that_hangs_up_cancels_its_message() -> None:
    """As on the native API."""
    async with service({"coders": {"w": silent}}) as run:
        hang_up = asyncio.Event()
        headers = {"content-type": "application/json"}
        task = asyncio.create_task(run.client.call("POST", PATH, json.dumps(FIX).encode(), headers, hang_up=hang_up))
        await run.settle()
        hang_up.set()
        assert await task is None
        assert (await run.surface.engine.counts()).cancelled == 1


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ({"text": "a", "usage": None}, "a"),
        ("plain", "plain"),
        ({"answer": [1, "é"]}, '{"answer":[1,"é"]}'),
        ({"text": 5}, '{"text":5}'),
        (None, "null"),
        (["a\nb"], '["a\\nb"]'),
    ],
)
def test_the_content_is_the_text_or_the_value_as_json(value: Any, content: str) -> None:
    """Nothing a worker said is lost."""
    assert compat_openai.text_of(Reply(value=value)) == content


def test_a_reply_that_is_missing_is_empty_json() -> None:
    """A worker in this process may return nothing."""
    assert compat_openai.text_of(Result(id="x", status=Status.DELIVERED).reply) == "null"


async def test_models_are_listed() -> None:
    """Everything that `model` may be, once."""
    async with service() as run:
        found = (await run.client.get("/v1/models")).json()
    assert found["object"] == "list"
    names = ["auto", "strategic", "tactical", "strong", "fast", "planners", "coders"]
    assert [one["id"] for one in found["data"]] == names
    assert all(set(one) == {"id", "object", "created", "owned_by"} for one in found["data"])


async def test_an_unknown_model_is_not_found_in_the_language_of_who_asks() -> None:
    """Both clients ask at the same path."""
    async with service() as run:
        asked = await run.client.get("/v1/models/nope", {"anthropic-version": "2023-06-01"})
        assert (asked.status, asked.json()["type"], asked.json()["error"]["type"]) == (404, "error", "not_found_error")
        assert (await run.client.get("/v1/models/nope")).openai_error()["code"] == "model_not_found"


async def test_models_are_listed_in_the_language_of_who_asks() -> None:
    """Both official clients ask at the same path; Anthropic's says who it is."""
    async with service() as run:
        found = (await run.client.get("/v1/models", {"anthropic-version": "2023-06-01"})).json()
    assert set(found) == {"data", "has_more", "first_id", "last_id"}
    assert {
        "type": "model",
        "id": "auto",
        "display_name": "auto",
        "created_at": found["data"][0]["created_at"],
    } in found["data"]


async def test_a_workers_model_forces_that_worker() -> None:
    """Its name stands in the list, leads to the class of its pool, and to no worker of another model."""
    peer = Peer(200, b'{"choices": []}', ("content-type", "application/json"))
    async with service({"coders": {"c0": echo, "c1": echo}}) as run:
        put_in_place(run, peer, "openai", "gpt-a")
        listed = [one["id"] for one in (await run.client.get("/v1/models")).json()["data"]]
        assert listed[-1] == "gpt-a"
        for number in range(5):
            answered = await ask(run, model="gpt-a", user=str(number))
            assert (answered.status, answered.headers["x-pointsman-class"]) == (200, "tactical")
            assert answered.headers["x-pointsman-worker"] == "c1"


async def test_a_native_workers_reply_becomes_a_stream() -> None:
    """Two chunks and the end, where the client asked for one."""
    async with service() as run:
        answered = await ask(run, stream=True)
    assert answered.headers["content-type"].startswith("text/event-stream")
    first, second, done, rest = answered.body.split(b"\n\n")
    assert json.loads(first[6:])["choices"][0]["delta"]["content"] == "did: fix the typo in line 12"
    assert json.loads(second[6:])["choices"][0]["finish_reason"] == "stop"
    assert (done, rest) == (b"data: [DONE]", b"")


async def test_embeddings_go_where_their_model_says() -> None:
    """The body as it is; there is nothing to classify."""
    answer = b'{"object":"list","data":[{"embedding":[0.1]}]}'
    peer = Peer(200, answer, ("content-type", "application/json"))
    body = b'{"model":"tactical","input":["one","two"]}'
    async with service() as run:
        install(run, peer)
        answered = await run.client.post("/v1/embeddings", body)
    assert (answered.status, answered.body, peer.seen) == (200, answer, [body])


@pytest.mark.parametrize("model", [None, "auto"])
async def test_embeddings_without_a_model_are_refused(model: str | None) -> None:
    """Words to embed ask for nothing, so no class could be found."""
    async with service() as run:
        answered = await run.client.post("/v1/embeddings", {"model": model, "input": "one"})
    assert (answered.status, answered.openai_error()["param"]) == (400, "model")
