"""The rounds: looks at every component when it is due and when somebody asks, and tells how each stands.

Every deep check has a task and a time-out of its own, so that one that hangs delays no other, and a component is never
looked at twice at once: whoever asks while a check runs is given its answer. A check that goes on after its time-out
and its cancellation is not started again beside itself. When a component is due is decided in `core.health_schedule`,
what follows from a finding in `core.health_board`; what is looked at, in the other files of this folder.

Others use it so: `latest()` gives a `HealthResult` for each component, with `component` (`pool:coders`), `kind`
(`pool`), `status`, `output`, `at_wall` and `took_s` of its last deep check; `status()` is the worst of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pointsman.core.health_board import Board
from pointsman.core.health_history import History
from pointsman.core.health_schedule import Schedule
from pointsman.model.events import HealthChecked
from pointsman.model.health import Finding, HealthMark, HealthMove, HealthResult, HealthStatus, failed
from pointsman.runtime.health.fleet import fleet_checks
from pointsman.runtime.health.loop_lag import LoopCheck
from pointsman.runtime.health.memory import Memory
from pointsman.runtime.health.premises import Check, Premises
from pointsman.runtime.health.standing import standing_checks

if TYPE_CHECKING:
    from random import Random

log = logging.getLogger("pointsman.health")

_GRACE_S: Final = 0.05
"""How long a check that was cancelled may take to end before its component's failure is told."""

_ON_DEMAND: Final = 2.0
"""So many times the planned checks of one component are remembered at most, as some may be asked for."""


class Health:
    """The health of one router. Nothing runs before `run`, and nothing is written before `open_journal`.

    Args:
        house: the router; its settings say how often, when this is made.
        rng: spreads the checks.
        beside: directory that the journal's name starts from.
    """

    def __init__(self, house: Premises, rng: Random, beside: Path) -> None:
        of = self.settings = house.settings.health
        self._house = house
        self._schedule = Schedule(of.check_s, rng)
        history = History(of.keep_s, ceil(_ON_DEMAND * max(1.0, of.keep_s / of.check_s)))
        self._board = Board(history, 2.0 * of.check_timeout_s)
        self._memory = Memory(history, beside / of.journal, house.clock, house.tasks)
        self._checks: dict[str, Check] = {}
        self._fleet: set[str] = set()
        self._running: dict[str, asyncio.Future[None]] = {}
        self._loop_check = LoopCheck(house.clock)
        for check in (*standing_checks(house, beside), self._loop_check):
            self.add(check)

    def add(self, check: Check) -> None:
        """Look at another component too. Raises UsageError where it depends on one that is not there."""
        self._board.join(
            check.component, check.kind, self._house.clock.wall(), depends_on=check.depends_on, needs=check.needs
        )
        self._checks[check.component] = check

    def _follow_fleet(self) -> None:
        """Let pools and workers that came join, and those that went leave."""
        found = {check.component: check for check in fleet_checks(self._house.pools)}
        for component in self._fleet - found.keys():
            del self._checks[component]
            self._board.leave(component)
            self._schedule.leave(component)
        for component, check in found.items():
            if self._checks.get(component) != check:
                self.add(check)
        self._fleet = set(found)

    # What others ask.

    def latest(self, component: str | None = None) -> list[HealthResult]:
        """Return how every component stands, or one, or those of a kind. Raises NotFound."""
        return self._board.latest(component)

    def status(self) -> HealthStatus:
        """Return the worst of all."""
        return self._board.status()

    @property
    def trouble(self) -> str:
        """What is wrong with the journal, for people; empty while all is well."""
        return self._memory.trouble

    def history(self, component: str | None = None, since_wall: float = 0.0, limit: int = 1_000) -> list[HealthMark]:
        """Return past deep checks, the newest first; of a component that has gone too."""
        return self._memory.history.find(component, since_wall, limit)

    async def check(self, component: str | None = None) -> list[HealthResult]:
        """Look deeply now, or join the looks that run; then as `latest`. Takes little longer than the time-out.

        Raises:
            NotFound: there is no such component.
        """
        self._follow_fleet()
        names = [result.component for result in self._board.latest(component)]
        answers = [self._start(name) for name in names]
        if answers:
            await asyncio.wait(answers)
        self._probe_all()
        return self._board.latest(component)

    # The rounds.

    async def open_journal(self) -> None:
        """Keep what is found in the journal, and remember what stands in it. Never raises for a bad file."""
        await self._memory.open()

    def close(self) -> None:
        """Let the journal go; once no task runs any more."""
        self._memory.close()

    async def run(self) -> None:
        """Make rounds for ever."""
        clock = self._house.clock
        probe_at = clock.monotonic()
        while True:
            due = min(probe_at, self._schedule.next_due())
            await clock.sleep_until(due)
            now = clock.monotonic()
            self._follow_fleet()
            for component in self._checks:
                self._schedule.join(component, now)
            if now >= probe_at:
                self._loop_check.late_s = max(0.0, now - probe_at)
                probe_at = now + self.settings.probe_s
                self._probe_all()
                self._memory.history.forget(clock.wall())
            for component in self._schedule.due(now):
                self._start(component)

    def _probe_all(self) -> None:
        wall = self._house.clock.wall()
        for component, check in self._checks.items():
            self._tell(self._board.note(component, check.probe(), wall))

    def _start(self, component: str) -> asyncio.Future[None]:
        """Begin a deep look, or join the one that runs; returns what is done once there is a finding."""
        running = self._running.get(component)
        if running is not None:
            if running.done():
                self._record(component, failed("an earlier look still hangs, and was not begun again"), 0.0)
            return running
        answered = self._running[component] = asyncio.get_running_loop().create_future()
        guard = self._guard(self._checks[component], answered)
        self._house.tasks.spawn(guard, f"health of {component}", partial(self._over, component, answered))
        return answered

    def _over(self, component: str, answered: asyncio.Future[None]) -> None:
        del self._running[component]
        if not answered.done():
            answered.set_result(None)

    async def _guard(self, check: Check, answered: asyncio.Future[None]) -> None:
        found: list[Finding] = []

        async def look() -> None:
            found.append(await check.look())

        clock, timeout_s = self._house.clock, self.settings.check_timeout_s
        began = clock.monotonic()
        work = self._house.tasks.spawn(look(), f"look at {check.component}")
        await asyncio.wait({work}, timeout=timeout_s)
        late = not work.done()
        if late:
            work.cancel()
            await asyncio.wait({work}, timeout=_GRACE_S)
        finding = found[0] if found else _why_none(work, timeout_s, late=late)
        self._record(check.component, finding, clock.monotonic() - began)
        answered.set_result(None)
        if not work.done():
            await asyncio.wait({work})

    def _record(self, component: str, finding: Finding, took_s: float) -> None:
        if component not in self._board:
            return
        clock, history = self._house.clock, self._memory.history
        moves = self._board.record(component, finding, clock.wall(), took_s)
        [result] = self._board.latest(component)
        self._house.emit(HealthChecked(clock.monotonic(), component, result.status, took_s))
        marks = (history.last(name) for name in dict.fromkeys((component, *(move.component for move in moves))))
        self._memory.add([mark for mark in marks if mark is not None])
        self._tell(moves)

    def _tell(self, moves: Iterable[HealthMove]) -> None:
        for move in moves:
            level = logging.WARNING if move.now is HealthStatus.FAIL else logging.INFO
            log.log(level, "%s: %s, was %s: %s", move.component, move.now, move.was, move.output)


def _why_none(work: asyncio.Task[None], timeout_s: float, *, late: bool) -> Finding:
    """Return the finding for a look that found nothing."""
    if late:
        return failed(f"did not answer within {timeout_s:g} s", timeout_s, "s", timeout_s)
    fault = None if work.cancelled() else work.exception()
    why = "was cancelled" if fault is None else f"{type(fault).__name__}: {fault}"
    return failed(f"the check itself failed: {why}; see the log")
