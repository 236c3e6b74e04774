"""The native API for messages, with the whole router behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.http.waiting import EXTENSION, Link
from pointsman.model.settings import EngineSettings, LimitSettings, ValidationSettings
from pointsman.transports.callable import MessageFault
from tests.http.asgi import Client, certain
from tests.http.service import Service, echo, service, silent

PATH = "/api/v1/messages"
FIX = {"text": "fix the typo in line 12"}


def only(worker: Any) -> dict[str, dict[str, Any]]:
    """Return workers by pool: this one alone, for tactical messages."""
    return {"coders": {"w": worker}}


async def begin(run: Service, message: Mapping[str, Any]) -> tuple[asyncio.Task[Any], str]:
    """Send a message and return the request's task and the message's id once it has been accepted."""
    before = {one["id"] for one in (await run.client.get(PATH)).json()["messages"]}
    task = asyncio.create_task(run.client.post(PATH, message))
    await run.settle()
    listed = (await run.client.get(PATH)).json()["messages"]
    [new] = [one["id"] for one in listed if one["id"] not in before]
    return task, new


async def test_a_message_is_answered() -> None:
    """With the worker's reply as it is, and the decision in short."""
    async with service() as run:
        answered = await run.client.post(PATH, FIX)
        assert (answered.status, answered.headers["content-type"]) == (200, "application/json")
        found = answered.json()
        assert set(found) == {"id", "status", "reply", "decision"}
        assert found["status"] == "delivered"
        assert found["reply"] == {"text": "did: fix the typo in line 12"}
        decision = found["decision"]
        assert decision.pop("confidence") > 0.6
        assert decision.pop("overhead_ms") >= 0.0
        assert decision == {
            "class": "tactical",
            "cause": "model",
            "pool": "coders",
            "worker": "c1",
            "fallback": False,
            "attempts": 1,
        }


async def test_the_senders_names_reach_the_router() -> None:
    """Client, class, priority, conversation and trace from headers."""
    async with service() as run:
        headers = {
            "x-pointsman-client": "team-a",
            "x-pointsman-class": "strong",
            "x-pointsman-priority": "high",
            "x-pointsman-conversation": "c-1",
            "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01",
        }
        message_id = (await run.client.post(PATH, FIX, headers)).json()["id"]
        record = (await run.client.get(f"{PATH}/{message_id}/decision")).json()
    assert (record["client"], record["class"], record["cause"]) == ("team-a", "strategic", "hint")
    assert (record["priority"], record["conversation_id"], record["trace_id"]) == ("high", "c-1", "ab" * 16)


async def test_a_sender_who_waited_in_vain_gets_the_id_and_later_the_reply() -> None:
    """202 after `wait_s`, then the reply by id."""

    async def slow(work: Mapping[str, Any]) -> Any:
        await asyncio.sleep(5.0)
        return "late"

    async with service(only(slow)) as run:
        began = run.surface.clock.monotonic()
        answered = await run.client.post(PATH, {**FIX, "wait_s": 2})
        assert run.surface.clock.monotonic() - began == pytest.approx(2.0)
        found = answered.json()
        assert (answered.status, found["status"]) == (202, "leased")
        assert answered.headers["location"] == f"{PATH}/{found['id']}"
        state = (await run.client.get(answered.headers["location"])).json()
        assert (state["status"], state["class"], state["attempts"]) == ("leased", "tactical", 1)
        assert "reply" not in state
        await asyncio.sleep(4.0)
        state = (await run.client.get(answered.headers["location"])).json()
        assert (state["status"], state["reply"], state["worker"]) == ("delivered", {"text": "late"}, "w")
        assert state["client"] == "local"
        assert state["ended"] >= state["created"]


async def test_the_settings_say_how_long_a_sender_waits() -> None:
    """Where it names no time of its own."""
    async with service(only(silent), validation=ValidationSettings(wait_s=7.0)) as run:
        began = run.surface.clock.monotonic()
        answered = await run.client.post(PATH, FIX)
        assert answered.status == 202
        assert run.surface.clock.monotonic() - began == pytest.approx(7.0)


@pytest.mark.parametrize("message", [{"wait": False}, {"durable": True}, {"delay_s": 5}])
async def test_what_cannot_be_kept_is_not_promised(message: dict[str, Any]) -> None:
    """The memory engine refuses by name."""
    async with service() as run:
        problem = (await run.client.post(PATH, {**FIX, **message})).problem()
    assert (problem["status"], problem["code"], problem["retryable"]) == (422, "not_stored", False)


async def test_an_idempotency_key_needs_a_store() -> None:
    """As `durable` does."""
    async with service() as run:
        assert (await run.client.post(PATH, FIX, {"idempotency-key": "k"})).problem()["code"] == "not_stored"
        assert (await run.client.post(PATH, FIX, {"idempotency-key": "\x7f"})).problem()["code"] == "invalid"


async def test_a_message_that_its_worker_refuses_is_a_502() -> None:
    """With the worker's words, and not to be sent again."""

    async def refuse(work: Mapping[str, Any]) -> Any:
        raise MessageFault("no such repository")

    async with service(only(refuse)) as run:
        problem = (await run.client.post(PATH, FIX)).problem()
        assert (problem["status"], problem["code"], problem["retryable"]) == (502, "message_fault", False)
        assert "no such repository" in problem["detail"]
        assert (problem["ended"], problem["attempts"]) == ("failed", 1)
        assert problem["instance"] == f"{PATH}/{problem['id']}"
        state = (await run.client.get(problem["instance"])).json()
        assert (state["status"], state["cause"]) == ("failed", "message_fault")


async def test_a_message_that_nobody_can_deliver_is_a_502() -> None:
    """After all attempts."""

    async def fail(work: Mapping[str, Any]) -> Any:
        raise ConnectionError("not today")

    async with service(only(fail)) as run:
        problem = (await run.client.post(PATH, FIX)).problem()
    assert (problem["status"], problem["code"], problem["ended"]) == (502, "attempts_used_up", "dead")
    assert problem["attempts"] == 3


async def test_a_message_that_waits_too_long_is_a_504() -> None:
    """Its time to live ended in the queue."""
    async with service(only(silent)) as run:
        first, _ = await begin(run, FIX)
        problem = (await run.client.post(PATH, {**FIX, "ttl_s": 1})).problem()
        assert (problem["status"], problem["code"], problem["ended"]) == (504, "ttl", "expired")
        assert problem["retryable"]
        first.cancel()
        await asyncio.wait([first])


async def test_a_cancelled_message_is_a_499_for_its_sender() -> None:
    """And 200 for whoever cancelled it."""
    async with service(only(silent)) as run:
        task, message_id = await begin(run, FIX)
        gone = await run.client.delete(f"{PATH}/{message_id}")
        assert (gone.status, gone.json()) == (200, {"id": message_id, "status": "cancelled"})
        problem = (await task).problem()
        assert (problem["status"], problem["code"], problem["ended"]) == (499, "sender", "cancelled")
        again = (await run.client.delete(f"{PATH}/{message_id}")).problem()
        assert (again["status"], again["code"]) == (409, "conflict")


async def test_a_worker_that_answers_what_is_no_json_is_no_traceback() -> None:
    """Whatever a function in this process returns."""
    async with service(only(lambda work: object())) as run:
        assert (await run.client.post(PATH, FIX)).problem()["status"] == 502


@pytest.mark.parametrize("linked", [True, False])
async def test_a_client_that_hangs_up_cancels_its_message(linked: bool) -> None:
    """By the server's link, or by a listener where there is none."""
    link, hang_up = Link(), asyncio.Event()
    async with service(only(silent)) as run:
        client = Client(run.app, {EXTENSION: link} if linked else None)
        task = asyncio.create_task(
            client.call("POST", PATH, b'{"text": "fix it"}', {"content-type": "application/json"}, hang_up=hang_up)
        )
        await run.settle()
        assert (await run.surface.engine.counts()).in_flight == 1
        if linked:
            link.lose()
        hang_up.set()
        assert await task is None
        counts = await run.surface.engine.counts()
        assert (counts.in_flight, counts.cancelled) == (0, 1)


async def test_a_client_that_goes_before_its_body_is_whole_sends_nothing() -> None:
    """No message comes of half a body."""
    async with service() as run:
        hang_up = asyncio.Event()
        hang_up.set()
        body = iter([b'{"text": ', b""])
        assert await run.client.call("POST", PATH, [], {"content-type": "application/json"}, hang_up=hang_up) is None
        assert list(body)
        assert (await run.surface.engine.counts()).admitted == 0


async def test_limits_say_when_to_come_again() -> None:
    """429 with Retry-After."""
    async with service(limits=LimitSettings(rate_per_min=60, burst=1, flood_copies=100)) as run:
        assert (await run.client.post(PATH, FIX)).status == 200
        refused = await run.client.post(PATH, FIX)
        problem = refused.problem()
        assert (problem["status"], problem["code"], problem["retryable"]) == (429, "rate_limited", True)
        await asyncio.sleep(float(refused.headers["retry-after"]))
        assert (await run.client.post(PATH, FIX)).status == 200
        assert (await run.client.post(PATH, FIX, {"x-pointsman-client": "other"})).status == 200


async def test_without_workers_a_sender_hears_so_at_once() -> None:
    """503 `no_worker`."""
    async with service({}) as run:
        problem = (await run.client.post(PATH, FIX)).problem()
    assert (problem["status"], problem["code"], problem["retryable"]) == (503, "no_worker", True)
    assert problem["retry_after_s"] > 0


async def test_a_full_queue_says_so() -> None:
    """507 `queue_full`."""
    async with service(only(silent), engine=EngineSettings(max_queued=1)) as run:
        tasks = [(await begin(run, FIX))[0] for _ in range(2)]
        problem = (await run.client.post(PATH, FIX)).problem()
        assert (problem["status"], problem["code"]) == (507, "queue_full")
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_router_that_drains_says_so() -> None:
    """503 `draining`, with Retry-After; `/readyz` says no."""
    async with service() as run:
        run.house.close_doors()
        problem = (await run.client.post(PATH, FIX)).problem()
        assert (problem["status"], problem["code"]) == (503, "draining")
        assert (await run.client.get("/readyz")).problem()["status"] == 503


async def test_messages_are_found() -> None:
    """By status, client, conversation and time; each filter alone and all of them without text."""
    async with service() as run:
        await run.client.post(PATH, {**FIX, "conversation_id": "c-1"}, {"x-pointsman-client": "a"})
        since = run.surface.clock.wall() + 0.5
        await asyncio.sleep(1.0)
        await run.client.post(PATH, {"text": "secret words"}, {"x-pointsman-client": "b"})

        async def clients(query: str) -> list[str]:
            answered = await run.client.get(f"{PATH}?{query}")
            assert answered.status == 200, answered.body
            assert b"secret" not in answered.body
            return [one["client"] for one in answered.json()["messages"]]

        assert await clients("") == ["b", "a"]
        assert await clients("client=a") == ["a"]
        assert await clients("conversation_id=c-1") == ["a"]
        assert await clients("status=delivered&limit=1") == ["b"]
        assert await clients("status=dead") == []
        assert await clients(f"since={since}") == ["b"]
        assert await clients("since=2026-01-01T00:00:00Z") == ["b", "a"]
        assert await clients("since=2026-01-01T00%3A00%3A00%2B02:00") == ["b", "a"]
        assert await clients("since=2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=gone", "status"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=1e3", "limit"),
        ("limit=%D9%A3", "limit"),
        ("since=yesterday", "since"),
        ("since=2026-01-01", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("since=" + "9" * 400, "since"),
        ("since=-1", "since"),
        ("Client=a", "Client"),
        ("client=a&client=b", "client"),
    ],
)
async def test_a_search_that_is_not_understood_is_refused(query: str, field: str) -> None:
    """Naming the parameter."""
    async with service() as run:
        problem = (await run.client.get(f"{PATH}?{query}")).problem()
    assert (problem["status"], problem["code"], problem["field"]) == (400, "invalid", field)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("what", ["", "/decision"])
async def test_an_unknown_message_is_not_found(method: str, what: str) -> None:
    """404 for an id that never was; 400 for what is no id."""
    async with service() as run:
        answered = certain(await run.client.call(method, f"{PATH}/{'0' * 32}{what}"))
        if method == "DELETE" and what:
            assert answered.problem()["code"] == "method_not_allowed"
        else:
            assert answered.problem()["code"] == "not_found"
            odd = certain(await run.client.call(method, f"{PATH}/a\x1bb{what}"))
            assert odd.problem()["code"] == "invalid"


async def test_a_decision_is_shown_while_the_message_lives() -> None:
    """What has been decided so far."""
    async with service(only(silent)) as run:
        task, message_id = await begin(run, FIX)
        record = (await run.client.get(f"{PATH}/{message_id}/decision")).json()
        assert (record["id"], record["status"], record["class"]) == (message_id, "leased", "tactical")
        assert record["total_s"] is None
        task.cancel()
        await asyncio.wait([task])


async def test_a_dry_run_sends_nothing() -> None:
    """It answers as the product page gives it, and nothing was admitted."""
    async with service() as run:
        found = (await run.client.post("/api/v1/decisions", FIX)).json()
        assert set(found) >= {
            "class", "confidence", "probabilities", "cause", "pool", "worker", "evidence", "candidates", "would_refuse",
        }  # fmt: skip
        assert (found["class"], found["pool"], found["worker"]) == ("tactical", "coders", "c1")
        assert (await run.surface.engine.counts()).admitted == 0
        hinted = await run.client.post("/api/v1/decisions", FIX, {"x-pointsman-class": "strategic"})
        assert hinted.json()["cause"] == "hint"
        harmful = (await run.client.post("/api/v1/decisions", {"text": "a\u202eb"})).problem()
        assert (harmful["status"], harmful["code"]) == (422, "harmful")


async def test_the_empty_message_goes_to_the_fallback_class() -> None:
    """A message that says nothing has a route, too."""
    async with service() as run:
        found = (await run.client.post(PATH, {"text": ""})).json()
    assert (found["status"], found["decision"]["class"], found["decision"]["cause"]) == (
        "delivered",
        "strategic",
        "abstain",
    )


async def test_what_a_message_weighs_is_its_body() -> None:
    """Bytes, not characters."""
    async with service(only(echo), engine=EngineSettings(max_queued_bytes=1_000)) as run:
        heavy = '{"text": "%s", "class": "tactical"}' % ("é" * 600)
        assert (await run.client.post(PATH, heavy.encode())).problem()["code"] == "queue_full"
        assert (await run.client.post(PATH, FIX)).status == 200
