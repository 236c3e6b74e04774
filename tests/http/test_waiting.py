"""Waiting for a result on behalf of a client that may hang up."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from pointsman.http.waiting import ClientGone, Link, while_linked, while_listening
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock


class Work:
    """Something that takes a while, and notices when it is cancelled."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.ended = ""

    async def run(self) -> str:
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "done"
        return "result"


async def test_a_client_that_stays_gets_the_result() -> None:
    """And the link is free for the next request."""
    link, work = Link(), Work(1.0)
    assert await while_linked(work.run(), link) == "result"
    assert link.task is None
    link.lose()
    assert asyncio.current_task() is not None
    await asyncio.sleep(0)


async def test_a_client_that_goes_ends_the_work() -> None:
    """The work has cleaned up before anybody hears of it, and the task that waited goes on uncancelled."""
    link, work = Link(), Work(10.0)
    asyncio.get_running_loop().call_later(1.0, link.lose)
    with pytest.raises(ClientGone):
        await while_linked(work.run(), link)
    assert work.ended == "cancelled"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(1.0)


async def test_a_client_that_has_gone_before_starts_nothing() -> None:
    """The work never begins."""
    link, work = Link(), Work(1.0)
    link.lose()
    with pytest.raises(ClientGone):
        await while_linked(work.run(), link)
    assert work.ended == ""


async def test_a_client_that_goes_as_the_result_comes_is_noticed() -> None:
    """In the same turn of the loop: no answer, and no cancellation left over."""
    link, done = Link(), asyncio.get_running_loop().create_future()

    async def work() -> str:
        return str(await done)

    def both() -> None:
        done.set_result("result")
        link.lose()

    asyncio.get_running_loop().call_later(1.0, both)
    with pytest.raises(ClientGone):
        await while_linked(work(), link)
    await asyncio.sleep(1.0)


async def test_a_cancellation_by_somebody_else_passes_through() -> None:
    """Only the client's own going becomes `ClientGone`."""
    link, work = Link(), Work(10.0)
    task = asyncio.create_task(while_linked(work.run(), link))
    await asyncio.sleep(1.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.ended == "cancelled"


async def test_both_at_once_are_a_cancellation() -> None:
    """A server that shuts down must not take its own cancellation for the client's."""
    link, work = Link(), Work(10.0)
    task = asyncio.create_task(while_linked(work.run(), link))
    await asyncio.sleep(1.0)
    link.lose()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_without_a_link_a_task_listens() -> None:
    """Events that are no disconnect are passed over; the listener ends with the work."""
    tasks = Tasks(SimClock())
    events = ["http.request", "http.disconnect"]

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(1.0)
        return {"type": events.pop(0)}

    work = Work(10.0)
    with pytest.raises(ClientGone):
        await while_listening(work.run(), receive, tasks)
    assert (work.ended, events) == ("cancelled", [])
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_a_listener_does_not_outlive_the_work() -> None:
    """A client that stays costs nothing afterwards."""
    tasks = Tasks(SimClock())

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    assert await while_listening(Work(1.0).run(), receive, tasks) == "result"
    await asyncio.sleep(0.001)
    assert len(tasks) == 0
