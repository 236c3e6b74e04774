"""Which worker an attempt gets, where not any worker is as good as another: and whether it rather waits for one.

A worker is *preferred* where it served the conversation last: it is taken where it can take the message now, and waited
for, for a while, where it is well and merely busy; after that any worker will do. A worker is *unsuitable* where it
cannot serve the message at all: while those that can are merely busy, the message waits for them as long as it lives.
Neither overrides anybody's health: who is broken, drained or held back, or has failed this very message, is not waited
for, and whoever waits for it looks again at once.

An attempt that waits has given its slot back, and does not come between others and what was promised to them. How many
may wait is bounded (`core.parking`); where there is no room a preference is forgotten, and a message that only busy
workers can serve goes back into its queue for a moment.
"""

from __future__ import annotations

from collections.abc import Set

from pointsman.core.suitable import NOBODY, Need
from pointsman.ports import Attempt, Clock
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.parking import Seat
from pointsman.runtime.pool import Pool


def choose(pool: Pool, now: float, failed: Set[str], barred: Set[str]) -> Endpoint | None:
    """Return a worker that can take a message now, or None.

    Args:
        pool: whose worker.
        now: monotonic seconds.
        failed: ids of workers that have failed the message; taken only if no other is open.
        barred: ids of workers that are not taken at all.
    """
    if not failed:
        return pool.pick(now, barred)
    avoid = failed | barred
    endpoint = pool.pick(now, avoid)
    if endpoint is None and not pool.others_open(avoid):
        endpoint = pool.pick(now, barred)
    return endpoint


def first_choice(pool: Pool, now: float, need: Need | None, preferred: str) -> Endpoint | None:
    """Return whom a message would be given to now, or None: what a dry run shows."""
    unsuitable = NOBODY if need is None else pool.roster.unsuitable(need)
    worker = pool.find(preferred) if preferred else None
    if worker is not None and worker.up and worker.load.available > 0 and worker.id not in unsuitable:
        return worker
    return pool.pick(now, unsuitable)


class Wanted:
    """What one attempt looks for.

    Args:
        attempt: the attempt.
        pool: whose workers.
        clock: time.
        need: what a worker must be able to do; None where any will do.
        unsuitable: ids of the workers that cannot.
        preferred: the worker that it would rather have, or None.
    """

    __slots__ = ("_attempt", "_clock", "_need", "_pool", "_preferred", "_unsuitable")

    def __init__(
        self,
        attempt: Attempt,
        pool: Pool,
        clock: Clock,
        need: Need | None,
        unsuitable: frozenset[str],
        preferred: Endpoint | None,
    ) -> None:
        self._attempt = attempt
        self._pool = pool
        self._clock = clock
        self._need = need
        self._unsuitable = unsuitable
        self._preferred = preferred

    def preferred_now(self, failed: Set[str], unreached: Set[str]) -> Endpoint | None:
        """Return the preferred worker if it can take the message now; what mostly happens, and costs least."""
        preferred = self._preferred
        if preferred is None or preferred.load.available <= 0 or preferred.id in unreached:
            return None
        return preferred if self._is_wanted(preferred, failed, self._unsuitable) else None

    async def find(self, failed: Set[str], unreached: Set[str]) -> Endpoint | None:
        """Return a worker that is to be given the message at once, if need be after a wait.

        None where there is nobody, and where the message's time to live ended first. No other task may run between the
        return and the start of the worker's stack, which takes the slot.

        Args:
            failed: as for `choose`.
            unreached: ids of the workers that this attempt could not reach.
        """
        barred = self._unsuitable | unreached if unreached else self._unsuitable
        seat = Seat(self._need)
        found = self._look(seat, failed, barred)
        if found is not None or not seat.waits:
            return found
        return await self._wait(seat, failed, barred)

    async def _wait(self, seat: Seat, failed: Set[str], barred: Set[str]) -> Endpoint | None:
        attempt, pool, monotonic = self._attempt, self._pool, self._clock.monotonic
        began = monotonic()
        expires_at = attempt.envelope.expires_at
        try:
            if attempt.claimed:
                attempt.claimed = False
                pool.give_back()
            while True:
                until = min(self._patience_ends, expires_at) if seat.worker else expires_at
                await seat.wait(until - monotonic())
                if monotonic() >= expires_at:
                    return None
                granted = pool.parking.collect(seat)
                if granted is not None and granted.load.open:
                    return granted
                found = self._look(seat, failed, barred)
                if found is not None or not seat.waits:
                    return found
        finally:
            pool.parking.close(seat)
            attempt.parked_s += monotonic() - began

    @property
    def _patience_ends(self) -> float:
        return self._attempt.started_at + self._pool.patience_s

    def _look(self, seat: Seat, failed: Set[str], barred: Set[str]) -> Endpoint | None:
        """Return a worker to be taken now; or let the seat wait in a line; or neither, where there is nobody."""
        pool, now, lot = self._pool, self._clock.monotonic(), self._pool.parking.lot
        # What is promised to others is not for one that has given its own slot back.
        may_take = not seat.number or pool.free > 0
        preferred = self._preferred
        if preferred is not None and self._is_wanted(preferred, failed, barred):
            if may_take and preferred.load.available > 0:
                return preferred
            has_room = seat.number > 0 or lot.has_room(preferred.id, preferred.load.limit)
            if has_room and now < self._patience_ends:
                lot.wait_for(seat, preferred.id)
                return None
        found = choose(pool, now, failed, barred) if may_take else None
        if found is None and self._may_wait_for_any(seat, failed, barred):
            lot.wait_for_any(seat)
        else:
            lot.leave(seat)
        return found

    @staticmethod
    def _is_wanted(preferred: Endpoint, failed: Set[str], barred: Set[str]) -> bool:
        """Whether it is well, and has not failed this message: it may be busy."""
        return preferred.up and preferred.load.open and preferred.id not in failed and preferred.id not in barred

    def _may_wait_for_any(self, seat: Seat, failed: Set[str], barred: Set[str]) -> bool:
        """Whether to wait for whichever suitable worker comes free first, instead of going back into the queue."""
        pool = self._pool
        if barred is not self._unsuitable or (failed and pool.others_open(failed | barred)):
            # A slot that comes free might be one of those that are avoided.
            return False
        if not pool.others_open(barred):
            return False
        if seat.number:
            return True
        return bool(self._unsuitable) and pool.parking.lot.has_room(self._need, pool.slots_of(barred))


def wanted(attempt: Attempt, pool: Pool, clock: Clock, need: Need | None, preferred: str) -> Wanted | None:
    """Return what an attempt looks for, or None where one worker is as good as another.

    `preferred` is the id of the worker that it would rather have, or empty.
    """
    unsuitable = NOBODY if need is None else pool.roster.unsuitable(need)
    worker = pool.find(preferred) if preferred else None
    if not unsuitable and worker is None:
        return None
    return Wanted(attempt, pool, clock, need, unsuitable, worker)
