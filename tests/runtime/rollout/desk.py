"""A rollout on a desk: its files in a directory of the test, its events in a list, and words for what is done to it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pointsman.model.events import Ended, Event, RolloutMoved
from pointsman.model.outcome import Cause
from pointsman.model.rollout import Order, RolloutStatus
from pointsman.model.settings_operations import RolloutSettings
from pointsman.model.states import Status
from pointsman.ports import Clock
from pointsman.runtime.rollout.conductor import Rollout
from pointsman.sim import SimClock
from pointsman.testing.make import envelope

LENA = Order(actor="lena", reason="because")
QUICK: dict[str, Any] = {"min_shadow_s": 0.0, "min_stage_s": 0.0, "min_full_s": 0.0}


class Desk:
    """A rollout and what it said."""

    def __init__(self, where: Path, *, clock: SimClock | None = None, kill: str = "", **fields: Any) -> None:
        self.where = where
        self.clock = clock or SimClock()
        self.events: list[Event] = []
        self.settings = RolloutSettings(**{**QUICK, **fields})
        self.rollout = Rollout(
            self.settings, self.clock, self.events.append, beside=where, has_legacy=True, environment_kill=kill
        )

    @property
    def record(self) -> Path:
        """Where the record is."""
        return self.where / self.settings.record

    @property
    def kill_file(self) -> Path:
        """Where the kill file would be."""
        return self.where / self.settings.kill_file

    @property
    def stage(self) -> str:
        """Where the rollout stands."""
        return self.rollout.status().stage

    def moves(self) -> list[str]:
        """Return the events of the steps that came into force."""
        return [event.event for event in self.events if isinstance(event, RolloutMoved)]

    async def go(self, *verbs: str) -> RolloutStatus:
        """Open it where it is not, and take these steps."""
        if not self.rollout.course.recorder._file.is_open:
            await self.rollout.open()
        for verb in verbs:
            await getattr(self.rollout, verb)(LENA)
        return self.rollout.status()

    async def again(self, **fields: Any) -> Desk:
        """Return what a new process finds; this one has ended without a word, and lost its lock."""
        self.rollout.course.recorder.close()
        desk = Desk(self.where, clock=self.clock, **{**QUICK, **fields})
        await desk.rollout.open()
        return desk

    def lanes(self, count: int = 1000) -> dict[str, int]:
        """Return how many of so many keys are given to whom."""
        given: dict[str, int] = {}
        for number in range(count):
            lane = self.rollout.look_up(f"key-{number}", client="someone").lane
            given[lane.value] = given.get(lane.value, 0) + 1
        return given

    def end(self, client: str, *, well: bool, lane: str = "candidate") -> None:
        """Let the rollout see a message of the candidate end."""
        of = envelope(client=client)
        of.lane = lane
        status, cause = (Status.DELIVERED, None) if well else (Status.DEAD, Cause.ATTEMPTS_USED_UP)
        self.rollout.observe(Ended(self.clock.monotonic(), of, status, cause, "", 0.001, 0.1))


def slow_disk(rollout: Rollout, rng: random.Random, clock: Clock) -> None:
    """Let each call to the disk take a while before and after it is done, so that others come in between."""

    async def aside(call: Callable[..., Any], *args: Any) -> Any:
        await clock.sleep_until(clock.monotonic() + rng.random())
        try:
            return call(*args)
        finally:
            await clock.sleep_until(clock.monotonic() + rng.random())

    rollout.course.recorder._aside = aside
