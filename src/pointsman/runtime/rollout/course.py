"""Where a rollout stands, in memory and on the disk, and which of the two comes first.

- A rollback is in force first, in memory, for the very next message, and written down afterwards. Where that fails
  there is an alarm, and it is tried again until it succeeds. It waits for nobody and outranks everything: whatever was
  asked for before it, and has not come into force, never does.
- Any other step is written down first, and is on the disk, before it is in force: a restart never knows less than what
  messages have seen.
- A rollback that the record cannot tell of, as its line was cut off or another process held the file, is taken when
  the record is read.
- A step applies to the state that its caller saw, or not at all: of two who promote at the same moment one is told so.

What may follow on what is decided by `core.rollout.stages` and `permission`. One writer at a time; a step that is being
written comes to its end even if its caller goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from pointsman.core.rollout.guard import Evidence
from pointsman.core.rollout.permission import stage_min_s
from pointsman.core.rollout.record import position_of, tidy
from pointsman.core.rollout.stages import BEGINNING, SERVING, Position, step
from pointsman.core.rollout.tally import Tally
from pointsman.model.errors import Conflict, RecordUnusable
from pointsman.model.rollout import Entry, Order, State
from pointsman.model.settings_operations import RolloutSettings
from pointsman.ports import Clock
from pointsman.runtime.rollout.recorder import Recorder
from pointsman.runtime.rollout.stage_time import StageTime

log = logging.getLogger("pointsman.rollout")

PATIENCE_S: Final = 5.0
"""For how long somebody who rolls back waits for the disk; the rollback is in force from the first moment."""

_ROLLED_BACK: Final = Position(State.ROLLED_BACK, State.ROLLED_BACK.value, 0.0)


class _Unwritten(NamedTuple):
    """A rollback that is in force and not on the disk."""

    order: Order
    event: str
    figures: Evidence
    at: float
    realised_share: float | None


class Course:
    """The way of one rollout through its states.

    Args:
        recorder: the record.
        settings: the rules; `use` changes them.
        clock: time.
        tally: asked for the realised share of the stage that ends.
        on_step: told of each step as it comes into force: where the rollout stood, the event, who asked.
        on_alarm: told when `alarm` has changed.

    Attributes:
        position: where the rollout stands: what is in force.
        time: for how long its stage has lasted.
    """

    def __init__(
        self,
        recorder: Recorder,
        settings: RolloutSettings,
        clock: Clock,
        tally: Tally,
        on_step: Callable[[Position, str, Order], None],
        on_alarm: Callable[[], None],
    ) -> None:
        self.position = BEGINNING
        self.time = StageTime(clock)
        self.settings = settings
        self.recorder = recorder
        self._clock = clock
        self._tally = tally
        self._on_step = on_step
        self._on_alarm = on_alarm
        self._turn = asyncio.Lock()
        self._moves = 0
        self._target: Position | None = None
        self._unwritten: _Unwritten | None = None
        self._unwritten_why = ""
        self._flushes = 0
        self._asked: Order | None = None

    @property
    def alarm(self) -> str:
        """What is wrong with the record, or empty."""
        return self.recorder.alarm or self._unwritten_why

    @property
    def is_under_way(self) -> bool:
        """There is something to roll back: the candidate sees messages, or a step to that is being written."""
        target = self._target.state if self._target is not None else self.position.state
        return self.position.state in SERVING or (target in SERVING and self.position.state is not State.ROLLED_BACK)

    async def load(self) -> None:
        """Read the record. What is wrong with it stands in `alarm`."""
        await asyncio.shield(self._load())

    async def _load(self) -> None:
        async with self._turn:
            had = self.recorder.alarm
            await self.recorder.open()
            if not self.recorder.alarm:
                self.position = position_of(self.recorder.head)
                self.time.restore(_stage_began(self.recorder.entries))
                self._catch_up()
            self._moves += 1
            if self.recorder.alarm != had:
                self._on_alarm()

    def _catch_up(self) -> None:
        """Take the rollback that the record does not hold."""
        if self._asked is None and self.recorder.torn_rollback:
            self._asked = Order(actor="record", reason="the record was cut off within what may have been a rollback")
        if self._asked is not None:
            self.roll_back("rollback", self._asked, {})
        self._asked, self.recorder.torn_rollback = None, False

    async def take(self, event: str, order: Order) -> None:
        """Take a step that the caller has seen to be legal now.

        Raises:
            Conflict: somebody else took one in the meantime.
            RecordUnusable: it cannot be written down. Nothing has changed, in either case.
        """
        await asyncio.shield(self._take(event, order, self._moves))

    async def _take(self, event: str, order: Order, moves: int) -> None:
        async with self._turn:
            await self._write_rollback()
            if self._moves != moves:
                raise self._overtaken(event)
            was = self.position
            self._target = step(was, event, self.settings.stages)
            try:
                await self._write(self._draft(was, self._target, event, order))
                target = self._target
            finally:
                self._target = None
            if self._unwritten is not None:
                # It is on record, and the rollback that overruled it will follow it there.
                raise self._overtaken(event)
            self._move(target, event, order)

    def _draft(self, was: Position, now: Position, event: str, order: Order) -> Entry:
        forced = event == "promote" and self.time.elapsed_s() < stage_min_s(self.settings, was)
        share = self._tally.realised_share()
        return self.recorder.draft(was, now, event, order, self._clock.wall(), share, forced=forced)

    def _overtaken(self, event: str) -> Conflict:
        return Conflict(
            f"somebody else moved the rollout while {event!r} was under way, to {self.position.stage!r}, and that"
            " stands: look at the status and ask again"
        )

    def roll_back(self, event: str, order: Order, figures: Evidence) -> None:
        """Give everything back to the legacy at once, where there is anything to; `flush` writes it down.

        While the record is not ours yet everything is at the legacy, and nobody knows what it says: then it is taken as
        soon as that is read.
        """
        if self.recorder.may_heal:
            self._asked = order
        elif self.is_under_way:
            self._unwritten = _Unwritten(order, event, figures, self._clock.wall(), self._tally.realised_share())
            self._move(_ROLLED_BACK, event, order)

    async def flush(self) -> None:
        """Write down a rollback that is not, for a few seconds at most. Where that fails there is an alarm."""
        if self._unwritten is None:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.shield(self._flush())
        except TimeoutError:
            # It may have been written meanwhile, and only the step behind it keeps the disk busy.
            if self._unwritten is not None:
                self._tell_unwritten("the disk does not answer")

    async def _flush(self) -> None:
        self._flushes += 1
        try:
            async with self._turn:
                with contextlib.suppress(RecordUnusable):
                    await self._write_rollback()
        finally:
            self._flushes -= 1

    @property
    def is_flushing(self) -> bool:
        """Somebody still waits for the disk with a rollback; another who does would change nothing."""
        return self._flushes > 0

    async def close(self) -> None:
        """Write down what is not, and let the record go; idempotent. A disk that does not answer is not waited for."""
        await self.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S), self._turn:
                self.recorder.close()

    async def _write(self, draft: Entry) -> None:
        try:
            await self.recorder.write(draft)
        except RecordUnusable:
            if self.recorder.alarm:
                self._on_alarm()
            raise

    async def _write_rollback(self) -> None:
        """Write down a rollback that is in force. Raises RecordUnusable where that fails; it holds all the same."""
        pending = self._unwritten
        if pending is None:
            return
        was = position_of(self.recorder.head)
        if was.state in SERVING:
            order, at, share = pending.order, pending.at, pending.realised_share
            draft = self.recorder.draft(was, _ROLLED_BACK, pending.event, order, at, share, evidence=pending.figures)
            try:
                await self._write(draft)
            except RecordUnusable as error:
                self._tell_unwritten(str(error))
                raise
        else:
            # The start that it overruled never got into the record, so there is nothing to roll back.
            self.position = was
            self._moves += 1
        self._unwritten, self._unwritten_why = None, ""
        self._on_alarm()

    def _tell_unwritten(self, why: str) -> None:
        if not self._unwritten_why:
            log.error("rollout: a rollback is in force but not written down, and is tried again: %s", why)
        self._unwritten_why = f"a rollback is in force but not written down yet: {why}"
        self._on_alarm()

    def _move(self, now: Position, event: str, order: Order) -> None:
        was, self.position = self.position, now
        self._moves += 1
        if event not in {"pause", "resume"}:
            self.time.begin()
        log.warning("rollout: %s by %s: %s -> %s", event, tidy(order.actor) or "nobody named", was.stage, now.stage)
        self._on_step(was, event, order)


def _stage_began(entries: list[Entry]) -> float | None:
    """Return the Unix seconds at which the stage of the last entry began, or None without any."""
    return next((entry.at for entry in reversed(entries) if entry.event not in {"pause", "resume"}), None)
