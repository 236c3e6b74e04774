"""Anthropic's messages, with the whole router behind them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.model.settings import LimitSettings
from pointsman.ports import Attempt
from tests.http.service import Service, put_in_place, service

PATH = "/v1/messages"
FIX = {"model": "auto", "max_tokens": 64, "messages": [{"role": "user", "content": "fix the typo in line 12"}]}


class Peer:
    """A worker that speaks the protocol itself. Stands in for the transport."""

    def __init__(self, status: int = 200, body: bytes = b'{"type":"message"}') -> None:
        self.answer = (status, body)
        self.seen: list[tuple[str, bytes | None, tuple[tuple[str, str], ...]]] = []

    async def open(self) -> None:
        """Nothing to open."""

    async def send(self, attempt: Attempt) -> Outcome:
        """Answer."""
        status, body = self.answer
        envelope = attempt.envelope
        self.seen.append((envelope.endpoint, envelope.body, envelope.headers))
        attempt.reply.start(status, [("content-type", "application/json"), ("request-id", "req_1")])
        await attempt.reply.write(body)
        if status < 400:
            return Delivered(attempt.worker)
        return Failed(Failure.MESSAGE_FAULT, f"status {status}", attempt.worker, sent=True, status=status)

    async def probe(self) -> bool:
        """Always there."""
        return True

    async def close(self) -> None:
        """Nothing to close."""


def install(run: Service, peer: Peer) -> Peer:
    """Put the peer in the place of the coders' worker."""
    put_in_place(run, peer, "anthropic")
    return peer


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [
        (PATH, "/messages"),
        (f"{PATH}?beta=true", "/messages?beta=true"),
        (f"{PATH}/count_tokens", "/messages/count_tokens"),
    ],
)
async def test_path_query_bytes_and_vendor_headers_reach_the_worker(target: str, endpoint: str) -> None:
    """And its answer comes back as it is, with its request id."""
    body = b'{ "model":"tactical", "x": [1.50], "messages":[{"role":"user","content":"fix it"}],"max_tokens":5 }'
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "a,b", "x-api-key": "secret"}
    async with service() as run:
        peer = install(run, Peer())
        answered = await run.client.post(target, body, headers)
    passed = (("anthropic-version", "2023-06-01"), ("anthropic-beta", "a,b"))
    assert peer.seen == [(endpoint, body, passed)]
    assert (answered.status, answered.body) == (200, b'{"type":"message"}')
    assert answered.headers["request-id"] == "req_1"


async def test_a_native_workers_reply_becomes_a_message() -> None:
    """Whole, as their clients expect it; instructions beside the chat list reach the worker as its first turn."""
    seen: list[Any] = []

    async def worker(work: dict[str, Any]) -> str:
        seen.append(work["messages"])
        return "did it"

    async with service({"coders": {"c1": worker}}) as run:
        answered = await run.client.post(PATH, {**FIX, "model": "tactical", "system": "Be brief."})
    found = answered.json()
    assert found.pop("id").startswith("msg_")
    assert found == {
        "type": "message",
        "role": "assistant",
        "model": "tactical",
        "content": [{"type": "text", "text": "did it"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    assert seen == [[{"role": "system", "content": "Be brief."}, *FIX["messages"]]]  # type: ignore[misc]


async def test_a_native_workers_reply_becomes_a_stream() -> None:
    """Each event with its name, as their clients read them."""
    async with service() as run:
        answered = await run.client.post(PATH, {**FIX, "stream": True})
    events = [event.split(b"\n") for event in answered.body.split(b"\n\n")[:-1]]
    names = [json.loads(data.removeprefix(b"data: "))["type"] for _, data in events]
    assert [name.removeprefix(b"event: ").decode() for name, _ in events] == names
    assert names == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize(
    ("fields", "status", "kind", "code"),
    [
        ({"model": "claude-9"}, 404, "not_found_error", "model_not_found"),
        ({"messages": None}, 400, "invalid_request_error", "invalid"),
        ({"stream": "yes"}, 400, "invalid_request_error", "invalid"),
        ({"model": 5}, 400, "invalid_request_error", "invalid"),
    ],
)
async def test_what_is_refused_is_refused_in_their_language(
    fields: dict[str, Any], status: int, kind: str, code: str
) -> None:
    """With our stable code in theirs."""
    async with service() as run:
        answered = await run.client.post(PATH, {**FIX, **fields})
    error = answered.json()
    assert (answered.status, error["type"], error["error"]["type"]) == (status, "error", kind)
    assert error["error"]["code"] == code
    assert answered.headers["x-should-retry"] == "false"


async def test_a_limit_is_told_as_theirs() -> None:
    """With the headers their clients look at."""
    async with service(limits=LimitSettings(rate_per_min=6, burst=1, flood_copies=9)) as run:
        await run.client.post(PATH, FIX)
        answered = await run.client.post(PATH, FIX)
    assert (answered.status, answered.json()["error"]["type"]) == (429, "rate_limit_error")
    assert int(answered.headers["retry-after"]) >= 1
    assert answered.headers["x-should-retry"] == "true"


async def test_a_workers_own_refusal_passes_unchanged() -> None:
    """Status and body are the worker's; the client must not send it again."""
    answer = b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}'
    async with service() as run:
        install(run, Peer(400, answer))
        answered = await run.client.post(PATH, {**FIX, "model": "tactical"})
    assert (answered.status, answered.body) == (400, answer)
    assert answered.headers["x-should-retry"] == "false"
