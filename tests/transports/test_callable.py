"""Python callables as workers: what they are given, what they may return and raise."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from typing import Any

import pytest

from pointsman.model.message import Message
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.testing.attempts import WORKER, RecordingSink, make_attempt
from pointsman.transports.callable import CallableTransport, MessageFault, Target, WorkerBusy


async def send(target: Target, attempt: Any = None) -> tuple[Any, Any]:
    """Send one message; return outcome and reply."""
    transport = CallableTransport(target, max_in_flight=2)
    await transport.open()
    attempt = attempt or make_attempt()
    outcome = await transport.send(attempt)
    await transport.close()
    assert isinstance(attempt.reply, RecordingSink)
    return outcome, attempt.reply.value


@pytest.mark.parametrize(
    ("returned", "reply"),
    [
        ("yes", {"text": "yes"}),
        ("", {"text": ""}),
        ({"text": "t", "cost": 3}, {"text": "t", "cost": 3}),
        ([1, {"a": None}], [1, {"a": None}]),
        (None, None),
        (7, 7),
    ],
)
async def test_text_becomes_a_reply_and_json_is_one(returned: Any, reply: Any) -> None:
    """From an async callable, a plain one, a partial, an object, and one that returns an awaitable."""

    async def work(_: dict[str, Any]) -> Any:
        return returned

    def plain(_: dict[str, Any]) -> Any:
        return returned

    def awaitable(given: dict[str, Any]) -> Any:
        return work(given)

    class Agent:
        async def __call__(self, _: dict[str, Any]) -> Any:
            return returned

        async def method(self, _: dict[str, Any]) -> Any:
            return returned

    targets: list[Target] = [work, plain, functools.partial(work), Agent(), Agent().method, awaitable]
    for target in targets:
        assert await send(target) == (Delivered(WORKER), reply)


async def test_a_callable_is_given_the_message() -> None:
    """The same object as every other worker."""
    given: list[dict[str, Any]] = []

    async def work(message: dict[str, Any]) -> str:
        given.append(message)
        return "ok"

    await send(work, make_attempt("plan", number=3, attempt=2, temperature=1))
    assert given[0] == {
        "id": f"{3:032x}",
        "attempt": 2,
        "class": "tactical",
        "priority": "normal",
        "deadline_s": 60.0,
        "text": "plan",
        "metadata": {},
        "params": {"temperature": 1},
    }


async def test_what_a_callable_changes_is_its_own() -> None:
    """The next attempt sees the message as it was sent."""

    async def work(message: dict[str, Any]) -> str:
        message["messages"][0]["content"] = "changed"
        message["metadata"]["new"] = 1
        message["params"]["list"].append(2)
        return "ok"

    attempt = make_attempt()
    attempt.envelope.message = Message(messages=[{"role": "user", "content": "hi"}], params={"list": [1]})
    outcome, _ = await send(work, attempt)
    assert outcome == Delivered(WORKER)
    assert attempt.envelope.message == Message(messages=[{"role": "user", "content": "hi"}], params={"list": [1]})


def raising(error: BaseException) -> list[Target]:
    """An async and a plain callable that raise this."""

    async def work(_: dict[str, Any]) -> str:
        raise error

    def plain(_: dict[str, Any]) -> str:
        raise error

    return [work, plain]


class Unprintable(Exception):
    """Raises even when it is looked at."""

    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (WorkerBusy(2), Failed(Failure.WORKER_BUSY, "the worker says that it is busy", WORKER, 2.0, sent=False)),
        (WorkerBusy(), Failed(Failure.WORKER_BUSY, "the worker says that it is busy", WORKER, None, sent=False)),
        (MessageFault("no such file"), Failed(Failure.MESSAGE_FAULT, "no such file", WORKER, sent=True)),
        (MessageFault(), Failed(Failure.MESSAGE_FAULT, "the worker refused the message", WORKER, sent=True)),
        (KeyError("x"), Failed(Failure.WORKER_ERROR, "KeyError: 'x'", WORKER, sent=True)),
        (SystemExit(3), Failed(Failure.WORKER_ERROR, "SystemExit: 3", WORKER, sent=True)),
        (
            Unprintable(),
            Failed(Failure.WORKER_ERROR, f"{__name__}.Unprintable: <exception str() failed>", WORKER, sent=True),
        ),
    ],
    ids=["busy 2", "busy", "fault", "fault without words", "error", "exit", "unprintable"],
)
async def test_whatever_is_raised_becomes_a_failure(error: BaseException, failed: Failed) -> None:
    """In the loop and in a thread; the router lives on."""
    for target in raising(error):
        assert await send(target) == (failed, None)


@pytest.mark.real_loop(timeout_s=10)
async def test_an_iterators_end_does_not_hang() -> None:
    """A future cannot hold StopIteration."""
    for target in raising(StopIteration()):
        outcome, _ = await send(target)
        assert outcome.reason is Failure.WORKER_ERROR
        assert "StopIteration" in outcome.detail


@pytest.mark.parametrize("returned", [object(), {"a": threading.Lock()}, "\ud800", {1: {2: object()}}])
async def test_what_is_no_json_is_garbage(returned: Any) -> None:
    """It could not be sent to anybody."""

    async def work(_: dict[str, Any]) -> Any:
        return returned

    outcome, value = await send(work)
    assert outcome.reason is Failure.WORKER_GARBAGE
    assert "expected text or a JSON value, got" in outcome.detail
    assert value is None


async def test_a_callable_that_cancels_itself_has_failed() -> None:
    """Nobody cancelled the attempt, so its message must not be taken for cancelled."""
    for target in raising(asyncio.CancelledError())[:1]:
        outcome, _ = await send(target)
        assert outcome.reason is Failure.WORKER_ERROR


async def test_a_time_out_reaches_the_callable() -> None:
    """As a cancellation, which passes through."""
    cleaned: list[str] = []

    async def work(_: dict[str, Any]) -> str:
        try:
            await asyncio.sleep(3600)
        finally:
            cleaned.append("yes")
        return "late"

    transport = CallableTransport(work, max_in_flight=1)
    await transport.open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await transport.send(make_attempt())
    assert cleaned == ["yes"]


@pytest.mark.real_loop(timeout_s=10)
async def test_context_variables_reach_a_thread() -> None:
    """As asyncio.to_thread does it."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")

    def plain(_: dict[str, Any]) -> str:
        return variable.get()

    _, reply = await send(plain)
    assert reply == {"text": "set"}


@pytest.mark.real_loop(timeout_s=20)
async def test_plain_callables_run_beside_the_loop_and_no_more_than_allowed() -> None:
    """Two at once of three; the loop turns meanwhile."""
    running = threading.Semaphore(0)
    go_on = threading.Event()
    most = [0, 0]
    lock = threading.Lock()

    def plain(_: dict[str, Any]) -> str:
        with lock:
            most[0] += 1
            most[1] = max(most)
        running.release()
        go_on.wait()
        with lock:
            most[0] -= 1
        return threading.current_thread().name

    transport = CallableTransport(plain, max_in_flight=2)
    await transport.open()
    attempts = [make_attempt(number=number) for number in range(3)]
    tasks = [asyncio.create_task(transport.send(attempt)) for attempt in attempts]
    for _ in range(2):
        await asyncio.to_thread(running.acquire)
    go_on.set()
    assert await asyncio.gather(*tasks) == [Delivered(WORKER)] * 3
    assert most == [0, 2]
    assert all(attempt.reply.value["text"].startswith("pointsman-callable") for attempt in attempts)  # type: ignore[attr-defined]
    await transport.close()


@pytest.mark.real_loop(timeout_s=20)
async def test_closing_takes_what_no_thread_has_begun() -> None:
    """The function that runs ends by itself; its answer still counts."""
    began, go_on = threading.Event(), threading.Event()
    calls: list[str] = []

    def plain(work: dict[str, Any]) -> str:
        calls.append(work["text"])
        began.set()
        go_on.wait()
        return "done"

    transport = CallableTransport(plain, max_in_flight=1)
    await transport.open()
    first = asyncio.create_task(transport.send(make_attempt("first")))
    second = asyncio.create_task(transport.send(make_attempt("second", number=2)))
    await asyncio.to_thread(began.wait)
    await transport.close()
    outcome = await second
    assert isinstance(outcome, Failed)
    assert outcome.reason is Failure.WORKER_ERROR
    go_on.set()
    assert await first == Delivered(WORKER)
    assert calls == ["first"]
