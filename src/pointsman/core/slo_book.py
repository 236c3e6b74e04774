"""Counts what happens towards the objectives, and sorts it by the time at which it happened.

Decides when the stretch at hand is over (with each minute of the wall clock), for how long the router has measured, and
what of that is not written down yet. Takes two clocks: `mono` says how much time went by, `wall` where in the calendar.

**Covered** is what both clocks agree on. A machine that slept, or a wall clock that was set forward, leaves a gap that
was not measured; a clock that was set back covers nothing twice.
"""

from __future__ import annotations

from collections import deque
from math import floor, inf
from typing import Final, NamedTuple

from pointsman.core.slo_lines import Hour, Line, RolledBack, bounds_of, hour_of
from pointsman.core.slo_rings import HOUR_S, MINUTE_S, Rings
from pointsman.core.slo_shares import ERRORS
from pointsman.core.slo_tally import CANDIDATE, CLASSIFICATION, LEGACY, Layout, Tally
from pointsman.model.message import Envelope
from pointsman.model.outcome import Cause, Failure, Refused
from pointsman.model.states import Status

_CHECK_GRACE_S: Final = 60.0
_FORGOTTEN_S: Final = 86_400.0
_ROLLBACKS_KEPT: Final = 50


class Instant(NamedTuple):
    """Both clocks at one moment, seconds."""

    mono: float
    wall: float


class Book:
    """Everything that was counted.

    Args:
        layout: which counts there are.
        window_s: longest window that may be asked for, seconds.
        check_s: time between two deep checks of a component.

    Attributes:
        rings: past minutes and hours.
        until: monotonic seconds at which `turn` is due; infinite before `begin`.
        rollbacks: instants (Unix seconds) and how long each took.
    """

    def __init__(self, layout: Layout, window_s: float, check_s: float) -> None:
        self.layout = layout
        self.rings = Rings(layout, window_s)
        self.until = inf
        self.rollbacks: deque[tuple[float, float]] = deque(maxlen=_ROLLBACKS_KEPT)
        self._check_s = check_s
        self._tally = Tally(layout)
        self._turned: Instant | None = None
        self._unwritten: dict[float, tuple[Tally, float]] = {}
        self._new_rollbacks: list[RolledBack] = []
        self._checked: dict[str, float] = {}
        self._ordered: float | None = None

    # Time.

    def begin(self, now: Instant) -> None:
        """Measure from now on."""
        self._turned = now
        self.until = now.mono + MINUTE_S - now.wall % MINUTE_S

    def turn(self, now: Instant) -> None:
        """Sort in what was counted since the last turn. May be called at any time, and must be once a minute."""
        was = self._turned
        if was is None:
            return
        since = max(was.wall, now.wall - (now.mono - was.mono))
        if floor(now.wall / MINUTE_S) > floor(was.wall / MINUTE_S):
            self._judge_checks(now.mono)
        if any(self._tally.counts):
            self.rings.add(was.wall, self._tally)
            self._of_hour(was.wall).add(self._tally.counts, self._tally.sums)
            self._tally.clear()
        self._cover(since, now.wall)
        self.begin(now)

    def _of_hour(self, wall: float) -> Tally:
        return self._unwritten.setdefault(wall - wall % HOUR_S, (Tally(self.layout), 0.0))[0]

    def _cover(self, since: float, until: float) -> None:
        self.rings.cover(since, until)
        while since < until:
            start = since - since % HOUR_S
            end = min(until, start + HOUR_S)
            tally, measured_s = self._unwritten.get(start) or (Tally(self.layout), 0.0)
            self._unwritten[start] = (tally, measured_s + end - since)
            since = end

    def _judge_checks(self, now: float) -> None:
        """Count a minute for or against the checks of components."""
        if not self._checked:
            return
        oldest = min(self._checked.values())
        self._tally.count("health_stale" if now - oldest > self._check_s + _CHECK_GRACE_S else "health_fresh")
        for component in [name for name, at in self._checked.items() if now - at > _FORGOTTEN_S]:
            del self._checked[component]

    # What happened.

    def ended(self, envelope: Envelope, status: Status, cause: Cause | None, overhead_s: float, total_s: float) -> None:
        """A message ended. One that no worker was given says nothing about the time the router adds."""
        tally = self._tally
        if envelope.attempt:
            tally.handed_out(overhead_s, envelope.classify_s)
        if envelope.classification is not None:
            tally.time(CLASSIFICATION, envelope.classify_s)
        name = "delivered"
        if status is not Status.DELIVERED:
            name = "message_fault" if cause is Cause.MESSAGE_FAULT else str(status)
            trail = envelope.trail
            if trail and trail[-1].result == Failure.ROUTER_ERROR and name in ERRORS:
                tally.count("router_error")
        tally.counts[self.layout.places[name]] += 1
        if envelope.lane and name != "cancelled":
            tally.time(CANDIDATE, total_s)
            if name not in ERRORS:
                tally.count("candidate_ok")

    def refused(self, envelope: Envelope, refused: Refused) -> None:
        """A message was not accepted."""
        place = self.layout.refusals[refused.reason]
        self._tally.counts[place] += 1
        if envelope.lane and place in (self.layout.places["unavailable"], self.layout.places["refused_under_load"]):
            self._tally.count("candidate_refused")

    def faulted(self) -> None:
        """A request was answered 500."""
        self._tally.count("fault")

    def incident(self, kind: str) -> None:
        """Something happened that must never happen."""
        self._tally.count(kind if kind in self.layout.places else "other_incident")

    def fell_back(self) -> None:
        """The old router answered what this one could not."""
        self._tally.count("fell_back")

    def checked(self, component: str, now: float) -> None:
        """A component was looked at."""
        self._checked[component] = now

    def left(self, worker: str) -> None:
        """A worker is gone, and nobody will look at it again."""
        self._checked.pop(f"worker:{worker}", None)

    def ordered_back(self, now: float) -> None:
        """Somebody ordered everything back to the old router."""
        self._ordered = now

    def moved_on(self) -> None:
        """The rollout took another step, so that an order to roll back is over."""
        self._ordered = None

    def legacy_answered(self, now: Instant, took_s: float, *, ok: bool) -> None:
        """The old router answered; the first one it was given after an order ends a rollback."""
        self._tally.time(LEGACY, took_s)
        if ok:
            self._tally.count("legacy_ok")
        if self._ordered is not None and now.mono - took_s >= self._ordered:
            line = RolledBack(now.wall, now.mono - took_s - self._ordered)
            self._ordered = None
            self.rollbacks.append((line.at, line.took_s))
            self._new_rollbacks.append(line)

    # What is written, and read again.

    def unwritten(self) -> list[Line]:
        """Return what has come since the last call, up to the last turn, as lines; it counts as written then."""
        lines: list[Line] = [hour_of(at, measured_s, tally) for at, (tally, measured_s) in self._unwritten.items()]
        lines += self._new_rollbacks
        self._unwritten.clear()
        self._new_rollbacks.clear()
        return lines

    def recall(self, past: Hour | RolledBack, tally: Tally | None, now: float) -> None:
        """Take in a line of the journal; what is older than the window, or lies in the future, is left out."""
        if not now - (self.rings.hours.keep + 1) * HOUR_S < past.at <= now:
            return
        if isinstance(past, RolledBack):
            self.rollbacks.append((past.at, past.took_s))
        else:
            start = past.at - past.at % HOUR_S
            self.rings.hours.cover(start, start + min(past.measured_s, HOUR_S))
            if tally is not None:
                self.rings.hours.add(start, tally)

    def summary(self) -> list[Line]:
        """Return all that is kept, as the lines of a journal that begins anew."""
        hours = [hour_of(one.since, one.measured_s, one.tally) for one in self.rings.hours.places(-inf, HOUR_S, inf)]
        return [bounds_of(self.layout), *hours, *(RolledBack(*one) for one in self.rollbacks)]
