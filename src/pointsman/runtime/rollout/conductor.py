"""The rollout of one router: tells every message who answers it, and takes orders to change that.

Brings together what decides: which step may follow (`core.rollout.stages`, `permission`), in what order it is written
and in force (`course`), who gets a message (`lanes`), when it goes back by itself (`core.rollout.guard`), and what
holds everything at the legacy from outside (`kill_switch`).

A record that cannot be believed, or that another process holds, is an alarm: everything goes to the legacy, and no verb
does anything. Where another process holds it, this one takes over when that ends. An observer of events.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from pointsman.core.rollout import outcomes
from pointsman.core.rollout.guard import Evidence, Guard, evidence
from pointsman.core.rollout.permission import Standing, require, require_usable, stage_min_s
from pointsman.core.rollout.stages import Position
from pointsman.core.rollout.tally import Tally
from pointsman.model.errors import Conflict
from pointsman.model.events import (
    Emit,
    Ended,
    Event,
    FellBackToLegacy,
    MessageRefused,
    Mirrored,
    RolloutMoved,
    SecurityIncident,
)
from pointsman.model.rollout import Assignment, Entry, Order, RolloutStatus, State
from pointsman.model.settings_operations import RolloutSettings
from pointsman.ports import Clock
from pointsman.runtime.notifier import LocalNotifier
from pointsman.runtime.observers import Observers
from pointsman.runtime.rollout.course import Course
from pointsman.runtime.rollout.kill_switch import Kill, KillSwitch
from pointsman.runtime.rollout.lanes import Lanes
from pointsman.runtime.rollout.own_thread import OwnThread
from pointsman.runtime.rollout.recorder import Recorder
from pointsman.runtime.rollout.reporting import report

log = logging.getLogger("pointsman.rollout")

LOOK_EVERY_S: Final = 1.0
"""Between two looks at the kill file."""

_TOPIC: Final = "rollout"


class Rollout:
    """Who answers, this router or the one that was there before; and the verbs that change it.

    Args:
        settings: the rules.
        clock: time.
        emit: takes events.
        beside: directory that the names of the record and the kill file start from.
        has_legacy: there is an old router beyond that of `settings.legacy`, such as a function.
        environment_kill: value of POINTSMAN_ROLLOUT_KILL as the process began.

    Attributes:
        is_configured: there is a legacy. If not, everything is ours and every verb answers `Conflict`.
        settings: the rules in force.
        kill: what holds everything at the legacy, or None.
        guard, tally, course: the parts; `reporting` reads them.
    """

    def __init__(
        self,
        settings: RolloutSettings,
        clock: Clock,
        emit: Emit,
        beside: Path,
        has_legacy: bool,
        environment_kill: str = "",
    ) -> None:
        self.is_configured = has_legacy or settings.legacy is not None
        self.settings = settings
        self.kill: Kill | None = None
        self.guard = Guard(settings.guard)
        self.tally = Tally()
        recorder = Recorder(beside / settings.record)
        self.course = Course(recorder, settings, clock, self.tally, self._stepped, self._alarm_changed)
        self._lanes = Lanes(self.tally)
        self._clock = clock
        self._emit = emit
        self._switch = KillSwitch(beside / settings.kill_file, environment_kill)
        self._thread = OwnThread("rollout kill switch")
        self._bell = LocalNotifier(clock)
        self._refresh()

    # The message path.

    def assign(self, key: str, *, client: str, path: str) -> Assignment:
        """Return who answers a message, and count it. Ask once a message.

        Args:
            key: its conversation, or else its client.
            client: who sent it.
            path: where it came in; empty in process.
        """
        return self._lanes.assign(key, client, path)

    def look_up(self, key: str, *, client: str, path: str = "") -> Assignment:
        """Return who would answer a message; counts nothing."""
        return self._lanes.look_up(key, client, path)

    @property
    def serves_legacy_only(self) -> bool:
        """Everything goes to the legacy and nothing is mirrored, whatever the key."""
        return self._lanes.legacy_only

    # The verbs. Each returns the state that it led to.

    async def start(self, order: Order) -> RolloutStatus:
        """Let the candidate look on. Raises Conflict, Locked, UsageError, RecordUnusable; nothing has changed then."""
        return await self._take("start", order)

    async def promote(self, order: Order) -> RolloutStatus:
        """Go on to the next stage. Raises as `start`, and TooEarly, which `force` with a reason overrules."""
        return await self._take("promote", order)

    async def pause(self, order: Order) -> RolloutStatus:
        """Hold the stage with its share as it is; the guard goes on. Raises as `start`."""
        return await self._take("pause", order)

    async def resume(self, order: Order) -> RolloutStatus:
        """Hold it no longer. Raises as `start`."""
        return await self._take("resume", order)

    async def ack(self, order: Order) -> RolloutStatus:
        """Acknowledge a rollback, by somebody and for a reason; unlocks. Raises as `start`."""
        return await self._take("ack", order)

    async def rollback(self, order: Order) -> RolloutStatus:
        """Give everything back to the legacy, then write it down; see `rollback_now`.

        A write that fails is no error of this call, as the rollback is in force: the status has an `alarm` then.
        """
        self.rollback_now(order)
        await self.course.flush()
        return self.status()

    def rollback_now(self, order: Order, event: str = "rollback", figures: Evidence | None = None) -> None:
        """Give everything back to the legacy with the next message. Harmless where that has been done.

        Args:
            order: who and why; `expected_seq` is not looked at.
            event: `rollback`, or `trip` by the guard.
            figures: those that led to it.

        Raises:
            Conflict: nothing is under way that could be rolled back; everything goes to the legacy already.
        """
        course = self.course
        if course.recorder.may_heal:
            course.roll_back(event, order, figures or {})
            return
        require_usable(self.standing())
        if not course.is_under_way and course.position.state is not State.ROLLED_BACK:
            raise Conflict("nothing is under way: everything goes to the legacy already; legal now: start")
        course.roll_back(event, order, figures or {})

    async def _take(self, event: str, order: Order) -> RolloutStatus:
        require(event, order, self.standing())
        await self.course.take(event, order)
        return self.status()

    # What can be seen.

    def status(self) -> RolloutStatus:
        """Return the rollout as it is now."""
        return report(self)

    def history(self, limit: int = 100) -> list[Entry]:
        """Return the newest `limit` entries, the newest first."""
        return self.course.recorder.entries[: -limit - 1 : -1] if limit > 0 else []

    def standing(self) -> Standing:
        """Return what the answer to a verb depends on."""
        course = self.course
        return Standing(
            configured=self.is_configured,
            alarm=course.recorder.alarm,
            kill=f"{self.kill.actor}: {self.kill.reason}" if self.kill is not None else "",
            position=course.position,
            head=course.recorder.head,
            elapsed_s=course.time.elapsed_s(),
            min_s=stage_min_s(self.settings, course.position),
            wall=self._clock.wall(),
        )

    # What happens.

    def listen(self, observers: Observers) -> None:
        """Hear of events from now on; without a legacy of none."""
        if self.is_configured:
            observers.add(self.observe, Ended, MessageRefused, FellBackToLegacy, Mirrored)

    def observe(self, event: Event) -> None:
        """Count an event, and let the guard see it."""
        if isinstance(event, Mirrored):
            self.tally.mirrored(event)
        elif isinstance(event, FellBackToLegacy):
            self.tally.fell_back(event.reason)
        if not self._lanes.is_guarded:
            return
        seen = outcomes.seen(event)
        verdict = self.guard.observe(seen) if seen is not None else None
        if verdict is not None:
            self.rollback_now(Order(actor="guard", reason=verdict.detail), "trip", evidence(verdict))

    def use(self, settings: RolloutSettings) -> None:
        """Go by other settings from now on; those that need a restart are as they were."""
        if settings.guard != self.settings.guard:
            self.guard.use(settings.guard)
        self.settings = self.course.settings = settings
        self._refresh()

    # Life.

    async def open(self) -> None:
        """Read the record and take its lock. Never raises for a record: that is an alarm, and everything is legacy."""
        if self.is_configured:
            self.kill = await self._thread(self._switch.look)
            await self._load()

    async def _load(self) -> None:
        await self.course.load()
        self._refresh()
        self._obey_kill()

    async def run(self) -> None:
        """Look at the kill file once a second, write down what could not be written, for ever."""
        while self.is_configured:
            await self._bell.wait(_TOPIC, self._clock.monotonic() + LOOK_EVERY_S)
            if not self.course.is_flushing:
                await self.course.flush()
            kill = await self._thread(self._switch.look)
            if kill != self.kill:
                self._kill_changed(kill)
                await self.course.flush()
            if self.course.recorder.may_heal:
                await self._load()

    async def close(self) -> None:
        """Write down what is not, and let the record go; idempotent."""
        if self.is_configured:
            await self.course.close()
        self._thread.close()

    def _kill_changed(self, kill: Kill | None) -> None:
        if kill is None:
            log.warning("rollout: the kill switch is off again; a rollback must still be acknowledged")
        else:
            log.warning("rollout: everything to the legacy by %s: %s", kill.actor, kill.reason)
        self.kill = kill
        self._refresh()
        self._obey_kill()

    def _obey_kill(self) -> None:
        if self.kill is not None and not self.course.recorder.alarm:
            self.course.roll_back("rollback", Order(actor=self.kill.actor, reason=self.kill.reason), {})

    def _stepped(self, was: Position, event: str, order: Order) -> None:
        now = self.course.position
        if event == "start":
            self.guard.forget()
            self.tally.begin_rollout()
        elif event not in {"pause", "resume"}:
            self.tally.begin_stage()
        self._refresh()
        if event in {"rollback", "trip"}:
            self._bell.notify(_TOPIC)
        at = self._clock.monotonic()
        self._emit(RolloutMoved(at, event, was.state, now.state, now.stage, now.share, order.actor))

    def _alarm_changed(self) -> None:
        self._refresh()
        recorder = self.course.recorder
        if recorder.alarm:
            log.error("rollout: everything goes to the legacy: %s", recorder.alarm)
        if recorder.tampered:
            recorder.tampered = False
            self._emit(SecurityIncident(self._clock.monotonic(), "record_tampered"))

    def _refresh(self) -> None:
        """Let the message path know what is in force."""
        if not self.is_configured:
            self._lanes.all_ours()
            return
        course = self.course
        entries = course.recorder.entries
        salt = entries[0].rollout_id if entries else ""
        self._lanes.use(course.position, salt, self.settings, alarm=bool(course.alarm), killed=self.kill is not None)
