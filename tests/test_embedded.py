"""The router as a library: what a sender gets back, whatever happens to its message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.embedded import Router
from pointsman.model.errors import Conflict, DeliveryError, NotFound, RefusedError, UsageError
from pointsman.model.message import Message
from pointsman.model.outcome import Cause, Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import ClassSettings, PoolSettings, RetrySettings, Settings
from pointsman.model.states import Status
from pointsman.sim import SimClock


async def echo(work: Mapping[str, Any]) -> str:
    """Answer with the text."""
    return f"did: {work['text']}"


async def silent(work: Mapping[str, Any]) -> str:
    """Never answer."""
    await asyncio.sleep(1e6)
    return "never"


class Flaky:
    """Fails a number of times, then answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.attempts: list[int] = []

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.attempts.append(work["attempt"])
        if len(self.attempts) <= self.failures:
            raise ConnectionError("not today")
        return "at last"


def ended(result: Result | Refused) -> Result:
    """Return the result, which must be one."""
    assert isinstance(result, Result), result
    return result


async def test_a_message_is_answered() -> None:
    """The reply, the class, the worker and the count of attempts come back."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        result = ended(await router.send("fix the typo in line 12"))
    assert result.text == "did: fix the typo in line 12"
    assert (result.message_class, result.pool, result.worker, result.attempts) == ("tactical", "coders", "w", 1)


async def test_the_convenient_form_returns_the_reply_or_raises() -> None:
    """`ask` gives the reply; a refusal and a bad end are exceptions with stable codes."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        assert (await router.ask("add a test", class_="tactical")).text == "did: add a test"
        with pytest.raises(RefusedError) as refused:
            await router.ask("add a test", priority="urgent")
        assert refused.value.code == "invalid"
    async with Router(workers={"coders": {"w": silent}}, clock=SimClock()) as router:
        with pytest.raises(DeliveryError):
            await router.ask("add a test", class_="tactical", timeout_s=1.0, redeliver="never")


async def test_a_failure_is_tried_again_on_another_attempt() -> None:
    """The attempt number rises, and the sender only sees the answer."""
    flaky = Flaky(2)
    async with Router(workers={"coders": {"w": flaky}}, clock=SimClock()) as router:
        result = ended(await router.send("x", class_="tactical"))
        decision = router.decision(result.id)
    assert (result.text, flaky.attempts) == ("at last", [1, 2, 3])
    assert decision is not None
    assert [record.result for record in decision.attempts] == ["worker_error", "worker_error", "delivered"]


async def test_attempts_are_used_up() -> None:
    """After the last attempt the message is dead, with the worker's words, and can be replayed under a new id."""
    flaky = Flaky(3)
    async with Router(workers={"coders": {"w": flaky}}, clock=SimClock()) as router:
        result = ended(await router.send("x", class_="tactical"))
        assert (result.status, result.cause) == (Status.DEAD, Cause.ATTEMPTS_USED_UP)
        assert "not today" in result.detail
        again = ended(await router.replay(result.id))
        assert again.text == "at last"
        assert again.id != result.id
        decision = router.decision(again.id)
        assert decision is not None
        assert decision.replay_of == result.id
        with pytest.raises(NotFound):
            await router.replay(result.id)


async def test_redeliver_unsent_never_runs_twice() -> None:
    """A worker that failed after it was sent the message is the only one, under `unsent`."""
    flaky = Flaky(1)
    async with Router(workers={"coders": {"w": flaky, "v": flaky}}, clock=SimClock()) as router:
        result = ended(await router.send("x", class_="tactical", redeliver="unsent"))
    assert (result.status, len(flaky.attempts)) == (Status.DEAD, 1)


async def test_a_message_expires_while_it_waits() -> None:
    """Its sender hears of it when its time is over, not later, and no worker ever sees it."""
    clock = SimClock()
    async with Router(workers={"coders": {"w": silent}}, clock=clock) as router:
        blockers = [asyncio.ensure_future(router.send("x", class_="tactical", client="blocker")) for _ in range(4)]
        await asyncio.sleep(1.0)
        began = clock.monotonic()
        result = ended(await router.send("y", class_="tactical", ttl_s=3.0))
        assert (result.status, result.cause, result.attempts) == (Status.EXPIRED, Cause.TTL, 0)
        assert 3.0 <= clock.monotonic() - began < 3.1
        await router.stop(0.0)
        await asyncio.gather(*blockers)


async def test_a_sender_that_leaves_cancels_its_message_everywhere() -> None:
    """The worker's call is cancelled, the slot is free, the message ends as cancelled."""
    stopped = asyncio.Event()

    async def watch(work: Mapping[str, Any]) -> str:
        try:
            await asyncio.sleep(1e6)
        finally:
            stopped.set()
        return "never"

    async with Router(workers={"coders": {"w": watch}}, clock=SimClock()) as router:
        sender = asyncio.ensure_future(router.send("x", class_="tactical"))
        await asyncio.sleep(1.0)
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        await stopped.wait()
        await asyncio.sleep(0)
        counts = await router.counts()
        assert (counts.cancelled, counts.in_flight, router.house.pools["coders"].free) == (1, 0, 4)


async def test_a_sender_may_stop_waiting_and_ask_later() -> None:
    """After `wait_s` it has the id; the reply is there when the worker is done."""

    async def slow(work: Mapping[str, Any]) -> str:
        await asyncio.sleep(10.0)
        return "done"

    async with Router(workers={"coders": {"w": slow}}, clock=SimClock()) as router:
        early = ended(await router.send("x", class_="tactical", wait_s=1.0))
        assert (early.status, early.ended) == (Status.LEASED, False)
        assert (await router.result(early.id)).status is Status.LEASED
        await asyncio.sleep(10.0)
        late = await router.result(early.id)
        assert (late.status, late.text) == (Status.DELIVERED, "done")
        with pytest.raises(NotFound):
            await router.result("f" * 32)


async def test_a_class_without_workers_is_refused_at_once() -> None:
    """A waiting sender hears no_worker, retryable, instead of waiting."""
    async with Router(clock=SimClock()) as router:
        refused = await router.send("x", class_="tactical")
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable) == (Refusal.NO_WORKER, True)


async def test_a_stored_message_is_refused_by_name() -> None:
    """The memory engine keeps nothing, and says so."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        for fields in ({"durable": True}, {"wait": False}, {"delay_s": 5.0}):
            refused = await router.submit(Message(text="x", class_="tactical", **fields))
            assert isinstance(refused, Refused)
            assert (refused.reason, refused.retryable) == (Refusal.NOT_STORED, False)


def with_fallback(after_s: float = 5.0, on: tuple[str, ...] = ("down",)) -> Settings:
    """Return settings in which coders may help planners."""
    strategic = ClassSettings(pool="planners", fallback=["coders"], fallback_on=list(on), fallback_after_s=after_s)
    return Settings(classes={"strategic": strategic, "tactical": ClassSettings(pool="coders")})


async def test_another_pool_helps_once_the_own_one_has_been_down() -> None:
    """Not before `fallback_after_s`, and the result says that it was a fallback."""
    clock = SimClock()
    async with Router(with_fallback(), workers={"coders": {"w": echo}, "planners": {"p": echo}}, clock=clock) as router:
        router.house.fleet.drain("p")
        began = clock.monotonic()
        result = ended(await router.send("x", class_="strategic"))
        assert (result.pool, result.worker, result.fallback) == ("coders", "w", True)
        assert 5.0 <= clock.monotonic() - began < 5.1
        router.house.fleet.drain("p", draining=False)
        result = ended(await router.send("y", class_="strategic"))
        assert (result.pool, result.fallback) == ("planners", False)


async def test_a_strict_message_waits_for_its_own_pool() -> None:
    """It is never handed to a helper, and is served at home when home is back."""
    clock = SimClock()
    async with Router(with_fallback(), workers={"coders": {"w": echo}, "planners": {"p": echo}}, clock=clock) as router:
        router.house.fleet.drain("p")
        strict = asyncio.ensure_future(router.send("x", class_="strategic", strict=True))
        await asyncio.sleep(60.0)
        assert not strict.done()
        router.house.fleet.drain("p", draining=False)
        assert ended(await strict).pool == "planners"


async def test_busy_is_enough_where_settings_say_so() -> None:
    """With fallback_on busy, a full pool's messages go to the helper."""
    settings = with_fallback(1.0, ("down", "busy"))
    workers = {"coders": {"w": echo}, "planners": {"p": silent}}
    async with Router(settings, workers=workers, clock=SimClock()) as router:
        blockers = [asyncio.ensure_future(router.send("b", class_="strategic", strict=True)) for _ in range(4)]
        await asyncio.sleep(0.1)
        result = ended(await router.send("x", class_="strategic"))
        assert (result.pool, result.fallback) == ("coders", True)
        for blocker in blockers:
            blocker.cancel()
        await asyncio.gather(*blockers, return_exceptions=True)


async def test_a_worker_that_joins_serves_what_waits() -> None:
    """A message that found every worker drained is served as soon as one joins."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        router.house.fleet.drain("w")
        waiting = asyncio.ensure_future(router.send("x", class_="tactical"))
        await asyncio.sleep(5.0)
        await router.add_worker("coders", echo, id="v")
        assert ended(await waiting).worker == "v"
        router.remove_worker("v")
        assert [worker.id for worker in router.workers("coders")] == ["w"]


async def test_draining_lets_what_is_in_hand_end() -> None:
    """Stopping waits for the worker's answer; what comes after is refused as draining."""

    async def slow(work: Mapping[str, Any]) -> str:
        await asyncio.sleep(3.0)
        return "done"

    router = Router(workers={"coders": {"w": slow}}, clock=SimClock())
    await router.start()
    sender = asyncio.ensure_future(router.send("x", class_="tactical"))
    await asyncio.sleep(1.0)
    stop = asyncio.ensure_future(router.stop(10.0))
    await asyncio.sleep(0.5)
    refused = await router.send("late", class_="tactical")
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.DRAINING
    assert await stop
    assert ended(await sender).text == "done"


async def test_a_drain_that_takes_too_long_cancels_what_is_left() -> None:
    """Every sender gets an answer, also then."""
    router = Router(workers={"coders": {"w": silent}}, clock=SimClock())
    await router.start()
    senders = [asyncio.ensure_future(router.send(f"x{number}", class_="tactical")) for number in range(6)]
    await asyncio.sleep(1.0)
    assert not await router.stop(2.0)
    results = [ended(result) for result in await asyncio.gather(*senders)]
    assert {result.status for result in results} == {Status.CANCELLED}


async def test_a_preview_decides_and_sends_nothing() -> None:
    """It names class, pool and worker, and nothing reaches the worker or the accounts."""
    flaky = Flaky(0)
    async with Router(workers={"coders": {"w": flaky}}, clock=SimClock()) as router:
        preview = router.preview("rename foo to bar in utils.py")
        assert not isinstance(preview, Refused)
        assert (preview.message_class, preview.pool, preview.worker) == ("tactical", "coders", "w")
        refused = router.preview("x", priority="urgent")
        assert isinstance(refused, Refused)
        assert (await router.counts()).admitted == 0
    assert flaky.attempts == []


async def test_wrong_use_is_named() -> None:
    """Unknown fields, a second start, a nameless worker: each says what to do."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        with pytest.raises(UsageError, match="colour"):
            await router.send("x", colour="red")
        with pytest.raises(UsageError, match="belong into the Message"):
            await router.send(Message(text="x"), priority="low")
        with pytest.raises(UsageError, match="runs already"):
            await router.start()
        with pytest.raises(UsageError, match="needs an id"):
            await router.add_worker("coders", echo)
        with pytest.raises(NotFound, match="nowhere"):
            await router.add_worker("nowhere", echo, id="v")


async def test_a_pool_may_set_its_own_patience() -> None:
    """max_attempts of the pool is the number of hand-outs."""
    flaky = Flaky(9)
    pools = {"planners": PoolSettings(), "coders": PoolSettings(retry=RetrySettings(max_attempts=5, base_s=0.01))}
    async with Router(Settings(pools=pools), workers={"coders": {"w": flaky}}, clock=SimClock()) as router:
        result = ended(await router.send("x", class_="tactical"))
    assert result.status is Status.DEAD
    assert len(flaky.attempts) >= 5


async def test_a_decision_of_a_live_message_says_where_it_is() -> None:
    """Waiting, at a worker, or between two attempts; and afterwards how it ended."""
    pools = {"planners": PoolSettings(), "coders": PoolSettings(retry=RetrySettings(base_s=20.0))}

    async def slowly(work: Mapping[str, Any]) -> str:
        await asyncio.sleep(10.0)
        if work["attempt"] == 1:
            raise ConnectionError("not today")
        return "done"

    async with Router(Settings(pools=pools), workers={"coders": {"w": slowly}}, clock=SimClock()) as router:
        senders = [asyncio.ensure_future(router.send("x", class_="tactical", client=f"{n}")) for n in range(5)]
        await asyncio.sleep(1.0)
        ids = [view.id for view in reversed(await router.house.engine.find())]
        seen = [decision.status for one in ids if (decision := router.decision(one))]
        assert seen == ["leased"] * 4 + ["queued"]
        await asyncio.sleep(10.0)
        first = router.decision(ids[0])
        assert first is not None
        assert (first.status, [record.result for record in first.attempts]) == ("delayed", ["worker_error"])
        await asyncio.wait(senders)
        last = router.decision(ids[0])
        assert last is not None
        assert last.status == "delivered"
        assert router.decision("f" * 32) is None


async def test_a_cancelled_message_is_remembered_with_the_worker_that_had_it() -> None:
    """Its decision record is whole, though its end was told before its attempt had ended."""
    async with Router(workers={"coders": {"w": silent}}, clock=SimClock()) as router:
        sender = asyncio.ensure_future(router.send("x", class_="tactical"))
        await asyncio.sleep(1.0)
        (message_id,) = router.house.running
        assert await router.cancel(message_id)
        assert ended(await sender).status is Status.CANCELLED
        await asyncio.sleep(0.1)
        decision = router.decision(message_id)
        assert decision is not None
        assert (decision.status, decision.worker, decision.queued_s) == ("cancelled", "w", 0.0)
        assert [record.result for record in decision.attempts] == ["cancelled"]


async def test_submitting_never_loses_a_reply_in_silence() -> None:
    """A message whose sender would wait is submitted as one whose sender does not: it would have to be stored."""
    flaky = Flaky(0)
    async with Router(workers={"coders": {"w": flaky}}, clock=SimClock()) as router:
        for message in (Message(text="x", class_="tactical", wait=True), "x"):
            refused = await router.submit(message)
            assert isinstance(refused, Refused)
            assert refused.reason is Refusal.NOT_STORED
    assert flaky.attempts == []


async def test_a_worker_that_could_not_join_changes_nothing() -> None:
    """The function under that id is still the one that was there; one that was added and removed is forgotten."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        for pool in ("coders", "nowhere"):
            with pytest.raises((Conflict, NotFound)):
                await router.add_worker(pool, silent, id="w")
        assert router.house.local == {"w": echo}
        await router.add_worker("coders", silent, id="v")
        router.remove_worker("v")
        assert router.house.local == {"w": echo}
        router.remove_worker("w")
        await router.reload(Settings())
        assert ended(await router.send("x", class_="tactical")).text == "did: x"


@pytest.mark.parametrize("message", [5, None, b"x", ["x"]])
async def test_what_is_no_message_is_named(message: Any) -> None:
    """Neither a text nor a Message: the error says what was got."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        with pytest.raises(UsageError, match="a text or a Message"):
            await router.send(message)


@pytest.mark.parametrize("client", ["", "a\nb", 5, None, [], "x" * 257])
async def test_what_is_no_client_is_named(client: Any) -> None:
    """A client is a short printable name, as over HTTP."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        with pytest.raises(UsageError, match="a client is"):
            await router.send("x", client=client)


async def test_a_streamed_message_that_is_sent_comes_back_whole() -> None:
    """`send` returns the end of a message, however its worker was asked to answer."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        result = await router.send("x", class_="tactical", stream=True)
    assert isinstance(result, Result)
    assert result.delivered


@pytest.mark.parametrize("workers", [{"coders": echo}, {"coders": {"c": 5}}, {"coders": {"bad id\n": echo}}, [echo]])
def test_bad_workers_are_named_at_once(workers: Any) -> None:
    """Not when the first message ends dead."""
    with pytest.raises(UsageError):
        Router(workers=workers)


async def test_a_router_in_process_knows_its_service_levels() -> None:
    """Counted since its start; a router that has only begun has met nothing."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        await router.ask("fix it", class_="tactical")
        report = router.slo(3600.0)
        levels = {level.name: level for level in report.levels}
        assert (levels["success"].n, levels["overhead"].n, report.verdict) == (1, 1, "not_measured")
        assert (report.window_s, report.journal) == (3600.0, "")
        assert (levels["memory"].observed or 0.0) > 1e6


async def test_a_program_can_ask_how_every_component_is() -> None:
    """As the last looks found it, or after a look now; nothing is written to a file."""
    async with Router(workers={"coders": {"c1": lambda work: "done"}}, clock=SimClock()) as router:
        before = {result.component: result for result in await router.health()}
        assert before["engine"].at_wall is None
        after = await router.health("worker", check=True)
        assert [(one.component, one.status.value, one.took_s) for one in after] == [("worker:c1", "pass", 0.0)]
        [planners] = await router.health("pool:planners")
        assert (planners.status.value, "has no worker" in planners.output) == ("warn", True)
        with pytest.raises(NotFound):
            await router.health("nope")
