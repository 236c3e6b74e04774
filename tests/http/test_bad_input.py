"""Everything bad that may come by HTTP, and what it gets: a status, a stable code, a problem. The router goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.http.asgi import certain
from tests.http.service import service, silent

MESSAGES = "/api/v1/messages"
JSON = {"content-type": "application/json"}
DEEP = 100_000

BODIES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "invalid"),
    "malformed JSON": (b'{"text": "a"', 400, "invalid"),
    "wrong type": (b'{"text": 5}', 400, "invalid"),
    "not an object": (b'["text"]', 400, "invalid"),
    "unknown field": (b'{"text": "a", "txt": "b"}', 400, "invalid"),
    "duplicate key": (b'{"text": "a", "text": "b"}', 400, "invalid"),
    "duplicate key inside": (b'{"text": "a", "metadata": {"a": {"b": 1, "b": 2}}}', 400, "invalid"),
    "NaN": (b'{"text": "a", "ttl_s": NaN}', 400, "invalid"),
    "infinity": (b'{"text": "a", "metadata": {"a": 1e999}}', 400, "invalid"),
    "integer beyond 2^53": (b'{"text": "a", "metadata": {"a": 9007199254740993}}', 400, "invalid"),
    "integer of 10,000 digits": (b'{"text": "a", "ttl_s": ' + b"9" * 10_000 + b"}", 400, "invalid"),
    "nesting of 100,000": (b'{"metadata": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}", 400, "invalid"),
    "nesting that never ends": (b'{"metadata": {"a": ' + b'{"a":' * DEEP, 400, "invalid"),
    "nesting of 40": (b'{"text": "a", "metadata": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}", 400, "invalid"),
    "invalid UTF-8": (b'{"text": "\xc3\x28"}', 400, "invalid"),
    "lone surrogate": (b'{"text": "\\udead"}', 400, "invalid"),
    "surrogate as bytes": (b'{"text": "\xed\xa0\x80"}', 400, "invalid"),
    "byte order mark": (b'\xef\xbb\xbf{"text": "a"}', 400, "invalid"),
    "raw control character": (b'{"text": "a\x00b"}', 400, "invalid"),
    "escaped control character": (b'{"text": "a\\u001b[31mb"}', 422, "harmful"),
    "hidden direction": (b'{"text": "a\\u202eb"}', 422, "harmful"),
    "neither text nor messages": (b"{}", 400, "invalid"),
    "both text and messages": (b'{"text": "a", "messages": [{"role": "user", "content": "b"}]}', 400, "invalid"),
    "messages that are none": (b'{"messages": [{"rolle": "user"}]}', 400, "invalid"),
    "text above 256 KiB": (b'{"text": "' + b"a" * 300_000 + b'"}', 413, "too_large"),
    "TTL of 0": (b'{"text": "a", "ttl_s": 0}', 400, "invalid"),
    "negative TTL": (b'{"text": "a", "ttl_s": -1}', 400, "invalid"),
    "enormous TTL": (b'{"text": "a", "ttl_s": 1e300}', 400, "invalid"),
    "TTL as text": (b'{"text": "a", "ttl_s": "300"}', 400, "invalid"),
    "unknown class": (b'{"text": "a", "class": "magical"}', 422, "unknown_class"),
    "unknown priority": (b'{"text": "a", "priority": "urgent"}', 400, "invalid"),
    "unknown redeliver": (b'{"text": "a", "redeliver": "sometimes"}', 400, "invalid"),
    "wait_s above 600": (b'{"text": "a", "wait_s": 601}', 400, "invalid"),
    "conversation with a line end": (b'{"text": "a", "conversation_id": "a\\nb"}', 400, "invalid"),
    "65 keys": (b'{"text": "a", "metadata": {' + b",".join(b'"%d": 1' % n for n in range(65)) + b"}}", 400, "invalid"),
    "must be stored": (b'{"text": "a", "durable": true}', 422, "not_stored"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", [MESSAGES, "/api/v1/decisions"])
async def test_a_bad_body_gets_a_problem(name: str, path: str) -> None:
    """The same for sending and for the dry run, but for what only sending asks; and a good message still passes."""
    body, status, code = BODIES[name]
    async with service() as run:
        answered = await run.client.post(path, body)
        if path == MESSAGES or code != "not_stored":
            problem = answered.problem()
            assert (problem["status"], problem["code"], problem["retryable"]) == (status, code, False)
            assert b"Traceback" not in answered.body
        assert (await run.surface.engine.counts()).admitted == 0
        assert (await run.client.post(path, {"text": "fix it"})).status == 200


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"x-pointsman-class": "strategic"}, "class"),
        ({"x-pointsman-priority": "low"}, "priority"),
        ({"x-pointsman-ttl": "5"}, "ttl_s"),
        ({"x-pointsman-conversation": "d"}, "conversation_id"),
        ({"x-pointsman-client": "a b"}, "x-pointsman-client"),
        ({"x-pointsman-ttl": "1e3"}, "x-pointsman-ttl"),
        ({"content-length": "five"}, "content-length"),
    ],
)
async def test_a_bad_header_gets_a_problem(headers: dict[str, str], field: str) -> None:
    """Contradictions of the body above all."""
    body = {"text": "fix it", "class": "tactical", "priority": "high", "ttl_s": 6, "conversation_id": "c"}
    async with service() as run:
        problem = (await run.client.post(MESSAGES, body, headers)).problem()
        assert (problem["status"], problem["code"], problem["field"]) == (400, "invalid", field)
        assert (await run.surface.engine.counts()).admitted == 0


async def test_a_header_that_stands_twice_gets_a_problem() -> None:
    """It would leave open which one counts."""
    async with service() as run:
        twice = [*JSON.items(), ("x-pointsman-class", "fast"), ("x-pointsman-class", "strong")]
        problem = certain(await run.client.call("POST", MESSAGES, b'{"text": "a"}', twice)).problem()
    assert (problem["code"], problem["field"]) == ("invalid", "x-pointsman-class")


@pytest.mark.parametrize("declared", [True, False])
async def test_ten_megabytes_are_read_and_refused(declared: bool) -> None:
    """To the last byte, so that the sender hears the answer."""
    async with service() as run:
        chunks = iter([b"a" * 65_536] * 160)
        headers = {**JSON, **({"content-length": str(160 * 65_536)} if declared else {})}
        answered = certain(await run.client.call("POST", MESSAGES, chunks, headers))
        assert (answered.problem()["status"], answered.problem()["code"]) == (413, "too_large")
        assert answered.headers["connection"] == "close"
        assert (await run.client.post(MESSAGES, {"text": "fix it"})).status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("message_id", "status", "code"),
    [
        ("0" * 32, 404, "not_found"),
        ("nonsense", 404, "not_found"),
        ("a" * 129, 400, "invalid"),
        ("a\x00b", 400, "invalid"),
        ("a\r\nb", 400, "invalid"),
        ("\u202e", 400, "invalid"),
        ("..", 400, "invalid"),
    ],
)
async def test_a_bad_id_gets_a_problem(method: str, message_id: str, status: int, code: str) -> None:
    """Unknown is 404; what can be no id is 400."""
    async with service() as run:
        problem = certain(await run.client.call(method, f"{MESSAGES}/{message_id}")).problem()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"].isprintable()


async def garbage(work: Mapping[str, Any]) -> Any:
    """Answer what is no JSON."""
    return {1.5: object()}


async def breaks(work: Mapping[str, Any]) -> Any:
    """Fail in the middle."""
    await asyncio.sleep(0.1)
    raise ConnectionResetError("closed mid-reply")


async def late(work: Mapping[str, Any]) -> Any:
    """Answer after the message's time-out."""
    await asyncio.sleep(30.0)
    return "too late"


@pytest.mark.parametrize(
    ("worker", "status", "code"),
    [(garbage, 502, "attempts_used_up"), (breaks, 502, "attempts_used_up"), (late, 502, "attempts_used_up")],
)
async def test_a_bad_worker_gets_its_sender_a_problem(worker: Any, status: int, code: str) -> None:
    """After all attempts, with the last reason; the message is a dead letter, not lost."""
    async with service({"coders": {"w": worker}}) as run:
        message = {"text": "fix it", "class": "tactical", "timeout_s": 1}
        problem = (await run.client.post(MESSAGES, message)).problem()
        assert (problem["status"], problem["code"]) == (status, code)
        letters = (await run.client.get("/api/v1/dead-letters")).json()["dead_letters"]
        assert [one["id"] for one in letters] == [problem["id"]]
        counts = await run.surface.engine.counts()
        assert (counts.admitted, counts.dead, counts.in_flight, counts.waiting) == (1, 1, 0, 0)


async def test_a_worker_that_never_answers_leaves_its_sender_with_the_id() -> None:
    """202 after the wait; the message goes on."""
    async with service({"coders": {"w": silent}}) as run:
        answered = await run.client.post(MESSAGES, {"text": "fix it", "class": "tactical", "wait_s": 1})
        assert (answered.status, answered.json()["status"]) == (202, "leased")
