"""Many messages in one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.model.settings import LimitSettings, ServerSettings
from tests.http.asgi import Answered, certain
from tests.http.service import Service, service, silent

PATH = "/api/v1/messages/batch"
LINES = {"content-type": "application/x-ndjson"}


async def send(run: Service, *lines: bytes, headers: Mapping[str, str] = LINES) -> Answered:
    """Send lines."""
    return certain(await run.client.call("POST", PATH, b"\n".join(lines), headers))


async def test_answers_come_in_the_order_of_the_lines() -> None:
    """Whoever is done first, and with the number of the line."""

    async def by_length(work: Mapping[str, Any]) -> Any:
        await asyncio.sleep(1.0 / len(work["text"]))
        return work["text"]

    async with service({"coders": {"w1": by_length, "w2": by_length, "w3": by_length}}) as run:
        texts = ["fix", "fix it", "fix it now"]
        answered = await send(run, *(json.dumps({"text": text, "class": "tactical"}).encode() for text in texts))
        assert (answered.status, answered.headers["content-type"]) == (200, "application/x-ndjson")
        assert answered.body.endswith(b"\n")
        found = [json.loads(line) for line in answered.body.splitlines()]
        assert [one["line"] for one in found] == [1, 2, 3]
        assert [one["reply"]["text"] for one in found] == texts
        assert {one["status"] for one in found} == {"delivered"}


async def test_a_bad_line_spoils_no_other() -> None:
    """Its problem stands in its place; empty lines are skipped but counted."""
    async with service() as run:
        answered = await send(run, b'{"text": "fix it"}', b"{", b"", b'{"text": 5}\r', b'{"text": "fix it"}', b"")
        found = [json.loads(line) for line in answered.body.splitlines()]
    assert [one["line"] for one in found] == [1, 2, 4, 5]
    assert [one["status"] for one in found] == ["delivered", 400, 400, "delivered"]
    assert [one.get("code") for one in found] == [None, "invalid", "invalid", None]
    assert found[2]["field"] == "text"


async def test_limits_hold_for_each_line() -> None:
    """In order: the first ones get through."""
    async with service(limits=LimitSettings(rate_per_min=1, burst=2, flood_copies=100)) as run:
        answered = await send(run, *[b'{"text": "fix it"}'] * 3)
        found = [json.loads(line) for line in answered.body.splitlines()]
    assert [one["status"] for one in found] == ["delivered", "delivered", 429]
    assert found[2]["retry_after_s"] > 0


async def test_a_line_has_the_bound_of_a_message() -> None:
    """And the whole the bound of a large body."""
    small = ServerSettings(native_body_bytes=100, compatible_body_bytes=1_000)
    async with service(server=small) as run:
        long = json.dumps({"text": "x" * 100}).encode()
        answered = await send(run, b'{"text": "fix it"}', long)
        found = [json.loads(line) for line in answered.body.splitlines()]
        assert [one["status"] for one in found] == ["delivered", 413]
        whole = await send(run, *[long] * 9)
        assert whole.problem()["code"] == "too_large"


@pytest.mark.parametrize("lines", [[], [b"", b" "], [b'{"text": "a"}'] * 1_001])
async def test_too_few_and_too_many_lines_are_refused(lines: list[bytes]) -> None:
    """1 to 1,000 messages."""
    async with service() as run:
        problem = (await send(run, *lines)).problem()
    assert (problem["code"], problem["status"]) == ("invalid", 400)


async def test_only_json_lines_are_taken() -> None:
    """A JSON array is no batch, and one key cannot stand for many messages."""
    async with service() as run:
        wrong = await send(run, b"[]", headers={"content-type": "application/json"})
        assert wrong.problem()["code"] == "unsupported_media_type"
        assert (await send(run, b'{"text": "fix it"}', headers={"content-type": "application/jsonl"})).status == 200
        keyed = await send(run, b'{"text": "a"}', headers={**LINES, "idempotency-key": "k"})
        assert keyed.problem()["field"] == "idempotency-key"


async def test_a_client_that_hangs_up_cancels_them_all() -> None:
    """What waits and what is out."""
    async with service({"coders": {"w": silent}}) as run:
        hang_up = asyncio.Event()
        body = b"\n".join([b'{"text": "fix it", "class": "tactical"}'] * 3)
        task = asyncio.create_task(run.client.call("POST", PATH, body, LINES, hang_up=hang_up))
        await run.settle()
        counts = await run.surface.engine.counts()
        assert (counts.in_flight, counts.waiting) == (1, 2)
        hang_up.set()
        assert await task is None
        counts = await run.surface.engine.counts()
        assert (counts.cancelled, counts.in_flight, counts.waiting) == (3, 0, 0)
