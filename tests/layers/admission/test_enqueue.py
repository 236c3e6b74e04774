"""The leaf of admission: what is accepted is queued, and everyone who may serve it is told."""

from __future__ import annotations

from pointsman.engines.local.engine import LocalEngine
from pointsman.layers.admission.enqueue import Enqueue
from pointsman.model.outcome import Accepted, Refused
from pointsman.model.settings import EngineSettings
from pointsman.sim import SimClock
from pointsman.testing.make import envelope


class Told:
    """Remembers which topics were notified."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def notify(self, topic: str) -> None:
        self.topics.append(topic)

    async def wait(self, topic: str, until: float | None) -> None:
        raise AssertionError("admission never waits")


async def test_queues_and_tells() -> None:
    """The pool and its helpers are woken, and the reaper learns when the message expires."""
    clock = SimClock()
    engine = LocalEngine(EngineSettings(max_queued=1), clock, ("coders",))
    await engine.open()
    told, due = Told(), list[float]()
    enqueue = Enqueue(engine, told, {"coders": ("coders", "planners")}, due.append, clock)
    message = envelope(at=clock.monotonic())
    assert await enqueue(message) == Accepted(message.id)
    assert told.topics == ["coders", "planners"]
    assert due == [message.expires_at]


async def test_tells_nobody_of_what_was_refused() -> None:
    """A full queue refuses, and nobody is woken for nothing."""
    clock = SimClock()
    engine = LocalEngine(EngineSettings(max_queued=1), clock, ("coders",))
    await engine.open()
    told = Told()
    enqueue = Enqueue(engine, told, {"coders": ("coders",)}, lambda at: None, clock)
    await enqueue(envelope(at=clock.monotonic(), id="a" * 32))
    told.topics.clear()
    assert isinstance(await enqueue(envelope(at=clock.monotonic(), id="b" * 32)), Refused)
    assert told.topics == []
