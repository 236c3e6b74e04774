"""The blocking router: plain calls from any thread, and no way to wait for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import pytest

from pointsman.blocking import BlockingRouter
from pointsman.model.errors import DeliveryError, NotFound, RefusedError, SettingsError, UsageError
from pointsman.model.message import Message
from pointsman.model.outcome import Cause, Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import ClassSettings, LimitSettings, PoolSettings, Settings, WorkerSettings
from pointsman.model.states import Status

WATCHDOG_S = 30.0


def echo(work: Mapping[str, Any]) -> str:
    """Answer with the text."""
    return f"did {work['text']}"


class Gate:
    """An async worker that answers once it is let to, and says when it has begun."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()
        self.open = asyncio.Event()

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.begun.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return f"did {work['text']}"

    def let(self, router: BlockingRouter) -> None:
        """Let it answer."""
        router._loop.call_soon_threadsafe(self.open.set)


def running(target: Any, **sections: Any) -> BlockingRouter:
    """Return a router with one worker."""
    limits = LimitSettings(rate_per_min=1_000_000, burst=1_000_000, flood_copies=1_000_000)
    return BlockingRouter(Settings(**{"limits": limits, **sections}), workers={"coders": {"w": target}})


def test_a_message_is_answered() -> None:
    """By every way there is: send, ask, begin."""
    with running(echo) as router:
        result = router.send("x", class_="tactical")
        assert isinstance(result, Result)
        assert (result.text, result.worker) == ("did x", "w")
        assert router.ask(Message(text="y", class_="tactical")).text == "did y"
        begun = router.begin("z", class_="tactical").result(WATCHDOG_S)
        assert isinstance(begun, Result)
        assert begun.text == "did z"
        assert router.result(result.id).status is Status.DELIVERED
        assert router.counts().delivered == 3


def test_refusals_and_errors_come_through() -> None:
    """As values and exceptions, as from the async router."""
    with running(echo) as router:
        refused = router.send("x", priority="urgent")
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.INVALID
        with pytest.raises(RefusedError, match="invalid"):
            router.ask("x", priority="urgent")
        with pytest.raises(NotFound):
            router.result("f" * 32)
        assert not router.cancel("f" * 32)


def test_settings_can_be_reloaded() -> None:
    """All of them or none; the function stays a worker."""
    with running(echo) as router:
        changed = router.reload(Settings(limits=LimitSettings(burst=7)))["changed"]
        assert "limits.burst" in changed
        with pytest.raises(SettingsError):
            router.reload(Settings(classes={"a": ClassSettings(pool="nowhere")}))
        assert router.ask("x", class_="tactical").text == "did x"


def test_many_threads_get_their_own_answers() -> None:
    """16 threads, 25 messages each, through one router."""

    def send(thread: int) -> list[str]:
        return [router.ask(f"{thread}/{number}", class_="tactical").text for number in range(25)]

    with running(echo) as router, ThreadPoolExecutor(16) as threads:
        futures = [threads.submit(send, thread) for thread in range(16)]
        for thread, future in enumerate(futures):
            assert future.result(WATCHDOG_S) == [f"did {thread}/{number}" for number in range(25)]


def test_cancelling_the_future_cancels_the_message() -> None:
    """At its worker: the call is cancelled there, and the message ends as cancelled."""
    gate = Gate()
    with running(gate) as router:
        future = router.begin("x", class_="tactical")
        assert gate.begun.wait(WATCHDOG_S)
        assert future.cancel()
        assert gate.cancelled.wait(WATCHDOG_S)
        assert router.counts().cancelled == 1
        with pytest.raises(CancelledError):
            future.result(0.0)


def test_a_message_can_be_cancelled_by_another_thread() -> None:
    """Its sender learns of it."""
    gate = Gate()
    with running(gate) as router:
        future = router.begin("x", class_="tactical")
        assert gate.begun.wait(WATCHDOG_S)
        (message_id,) = router._router.house.running
        assert router.cancel(message_id)
        result = future.result(WATCHDOG_S)
        assert isinstance(result, Result)
        assert (result.status, result.cause) == (Status.CANCELLED, Cause.SENDER)


def test_stopping_lets_what_is_in_hand_end() -> None:
    """The sender gets its answer, and the stop was clean."""
    gate = Gate()
    router = running(gate)
    router.start()
    future = router.begin("x", class_="tactical")
    assert gate.begun.wait(WATCHDOG_S)
    with ThreadPoolExecutor(1) as threads:
        stopping = threads.submit(router.stop, WATCHDOG_S)
        gate.let(router)
        assert stopping.result(WATCHDOG_S)
    result = future.result(0.0)
    assert isinstance(result, Result)
    assert result.text == "did x"


def test_calls_that_wait_are_answered_when_it_stops() -> None:
    """Blocked threads come back with how their message ended; what comes later is told that it is over."""
    gate = Gate()
    router = running(gate)
    router.start()
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(router.send, f"{number}", class_="tactical") for number in range(8)]
        assert gate.begun.wait(WATCHDOG_S)
        while router.counts().admitted < 8:
            pass
        assert not router.stop(0.0)
        for call in calls:
            result = call.result(WATCHDOG_S)
            assert isinstance(result, Result)
            assert (result.status, result.cause) == (Status.CANCELLED, Cause.SHUTDOWN)
    assert router.stop(0.0)
    with pytest.raises(UsageError, match="is stopped"):
        router.send("x")


def test_no_call_hangs_that_comes_while_it_stops() -> None:
    """Threads that go on sending through the stop all get an answer: a result, a refusal, or that it is over."""
    router = running(echo)
    router.start()
    begun = threading.Barrier(9)

    def hammer() -> set[str]:
        seen: set[str] = set()
        begun.wait(WATCHDOG_S)
        while True:
            try:
                result = router.send("x", class_="tactical")
            except UsageError as error:
                return seen | ({"over"} if "stopped" in str(error) else {str(error)})
            seen.add(result.reason.value if isinstance(result, Refused) else result.status.value)

    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(hammer) for _ in range(8)]
        begun.wait(WATCHDOG_S)
        router.ask("y", class_="tactical")
        router.stop(0.0)
        seen = set().union(*(call.result(WATCHDOG_S) for call in calls))
    assert "over" in seen
    assert seen <= {"delivered", "draining", "cancelled", "over"}


def test_a_call_is_handed_over_before_or_after_the_end_and_not_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at the state and handing over are one step under the lock that the end takes; a lost call would hang."""
    hand_over = asyncio.run_coroutine_threadsafe
    locked: list[bool] = []
    with running(echo) as router:

        def watched(*args: Any) -> Any:
            locked.append(router._lock.locked())
            return hand_over(*args)

        monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", watched)
        router.counts()
    assert locked
    assert all(locked)


def test_work_that_the_stop_leaves_behind_is_told_so() -> None:
    """A call that the router itself would never answer does not wait for ever."""
    router = running(echo)
    router.start()

    async def never() -> None:
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: router._call(never()))
        while not any("never" in repr(task) for task in asyncio.all_tasks(router._loop)):
            pass
        router.stop(0.0)
        with pytest.raises(UsageError, match="stopped while this call waited"):
            waiting.result(WATCHDOG_S)


@pytest.mark.parametrize(
    "call",
    [
        lambda router: router.send("inner"),
        lambda router: router.ask("inner"),
        lambda router: router.begin("inner"),
        lambda router: router.counts(),
        lambda router: router.stop(),
    ],
)
def test_an_async_worker_must_not_call_its_own_router(call: Callable[[BlockingRouter], object]) -> None:
    """It would wait for itself; it is told so, its message fails with those words, and the router goes on."""
    routers: list[BlockingRouter] = []

    async def calling(work: Mapping[str, Any]) -> str:
        call(routers[0])
        return "never"

    with running(calling) as router:
        routers.append(router)
        with pytest.raises(DeliveryError, match="would wait for itself"):
            router.ask("x", class_="tactical", redeliver="never")
        assert router.counts().dead == 1


def test_a_worker_in_a_thread_of_its_own_may_call_its_router() -> None:
    """It does not stand in the loop's way."""
    routers: list[BlockingRouter] = []

    def calling(work: Mapping[str, Any]) -> str:
        if work["text"] == "inner":
            return "deep"
        return f"outer of {routers[0].ask('inner', class_='tactical').text}"

    with running(calling) as router:
        routers.append(router)
        assert router.ask("x", class_="tactical").text == "outer of deep"


def test_it_is_used_in_the_right_order() -> None:
    """Not before it was started, not twice, not afterwards; each error says what to do."""
    router = running(echo)
    with pytest.raises(UsageError, match="is new: use it inside"):
        router.send("x")
    assert router.stop()
    router.start()
    with pytest.raises(UsageError, match="is running"):
        router.start()
    assert router.stop()
    for use in (router.start, router.counts):
        with pytest.raises(UsageError, match="is stopped"):
            use()


def test_a_start_that_fails_leaves_no_thread_behind() -> None:
    """The error passes, and the router cannot be used."""
    pools = {"planners": PoolSettings(workers=[WorkerSettings(id="n", transport="callable")]), "coders": PoolSettings()}
    router = BlockingRouter(Settings(pools=pools))
    with pytest.raises(UsageError, match="no function was given"):
        router.start()
    assert not router._thread.is_alive()
    assert router._loop.is_closed()
    with pytest.raises(UsageError, match="is stopped"):
        router.counts()


def test_an_error_in_the_block_cancels_what_is_in_hand() -> None:
    """Nobody waits for it any more."""
    gate = Gate()
    router = running(gate)
    futures = []

    def fail() -> None:
        with router:
            futures.append(router.begin("x", class_="tactical"))
            assert gate.begun.wait(WATCHDOG_S)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    result = futures[0].result(0.0)
    assert isinstance(result, Result)
    assert result.cause is Cause.SHUTDOWN
