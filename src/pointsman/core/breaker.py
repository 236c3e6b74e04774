"""When a worker gets no messages because its last ones failed, and how it is tried again.

What counts as a failure is decided elsewhere (a busy worker's refusal, a cancelled call and a message's own fault are
reported as None), and so is what becomes of a worker that is held back; this object only answers for one worker.

    closed      passes every call. `failures` bad ones in a row open it, and so does a share of `failure_share` or more
                of at least `min_calls` calls in the last `window_s`: a worker that fails every other call never fails
                five in a row. Only a bad call opens it.
    open        passes none, for a pause. `advance` ends the pause; nothing else does, whatever comes of calls that
                were still out.
    half_open   passes `permits` calls at once. `successes` good ones close it, one bad one opens it again with twice
                the pause.
    forced_open an operator's "no"; only an operator leaves it.
    disabled    an operator's "yes": passes every call and counts none; only an operator leaves it.

Each call carries the permit it was given. Permits of different periods are different numbers, so the outcome of a call
from before a change of state is known as such and ignored: an old success does not close a breaker, an old failure does
not open it. A trial call whose outcome never comes holds its permit no longer than the longest pause, so no state is
without an exit; should the outcome still come while trials go on, it counts.

Flapping makes the pause longer: each opening doubles it, each healthy period (one window or one first pause, whichever
is longer) spent closed takes one doubling back. Pauses are jittered by a fifth, so that routers that lost a worker at
the same moment do not come back to it at the same moment. They never exceed `open_max_s`.

Method after python-hyper/h11 (`h11/_state.py`): all that may change the state stands in one table. Rules after
resilience4j (`CircuitBreakerConfig`) and Finagle's failure accrual; figures from the study "balancing", section 6.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pointsman.core.failure_window import FailureWindow
from pointsman.model.states import IllegalStep

if TYPE_CHECKING:
    from random import Random

    from pointsman.model.settings import BreakerSettings


class BreakerState(StrEnum):
    """State of a circuit breaker; the values are API."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"


_OPERATOR: Final = {
    "force_open": BreakerState.FORCED_OPEN,
    "disable": BreakerState.DISABLED,
    "reset": BreakerState.CLOSED,
}

TRANSITIONS: Final[dict[BreakerState, dict[str, BreakerState]]] = {
    BreakerState.CLOSED: {"trip": BreakerState.OPEN, **_OPERATOR},
    BreakerState.OPEN: {"pause_over": BreakerState.HALF_OPEN, **_OPERATOR},
    BreakerState.HALF_OPEN: {"trip": BreakerState.OPEN, "heal": BreakerState.CLOSED, **_OPERATOR},
    BreakerState.FORCED_OPEN: dict(_OPERATOR),
    BreakerState.DISABLED: dict(_OPERATOR),
}
"""Every legal step: state -> event -> state."""

ADMITS_ALL: Final = 1 << 30
"""What `admits` answers where there is no bound."""

JITTER_SHARE: Final = 0.2
"""Share by which a pause may be shorter or longer than planned."""

_PASSING: Final = frozenset({BreakerState.CLOSED, BreakerState.DISABLED})


class CircuitBreaker:
    """The breaker of one worker: `acquire` before each call, `record` once after it, `advance` when due.

    The state changes only in `record`, `advance` and the operator's verbs. Whoever steers a `WorkerLoad` by it sets
    `open = admits(now) > 0` and `ceiling = in_flight + admits(now)` after each change of state, and while it is half
    open after whatever changes one of the two: each `acquire`, `record`, `start` and `finish`.
    """

    __slots__ = (
        "_closed_at",
        "_closed_permit",
        "_doublings",
        "_first_trial",
        "_issued",
        "_open_until",
        "_rng",
        "_run",
        "_settings",
        "_state",
        "_successes",
        "_trials",
        "_window",
    )

    def __init__(self, settings: BreakerSettings, rng: Random) -> None:
        """Start closed, with nothing held against the worker."""
        self._settings = settings
        self._rng = rng
        self._state = BreakerState.CLOSED
        self._issued = 0
        self._closed_permit = 0  # the permit all calls of this closed period share; -1 in every other state
        self._first_trial = 0  # trial permits of this half-open period are this one and those above
        self._trials: dict[int, float] = {}  # trial permit -> when it was given, oldest first; without lost ones
        self._successes = 0
        self._run = 0
        self._window = FailureWindow(settings.window_s)
        self._closed_at = 0.0
        self._open_until = 0.0
        self._doublings = 0

    @property
    def state(self) -> BreakerState:
        """The state it is in; time alone does not change it, see `advance`."""
        return self._state

    def acquire(self, now: float) -> int | None:
        """Return the permit for one call that begins at `now`, or None if it must not be made.

        Every permit must come back through `record`, whatever became of the call.
        """
        if self._closed_permit >= 0:
            return self._closed_permit
        if self._state is BreakerState.HALF_OPEN and self.admits(now):
            self._reclaim(now)
            self._issued += 1
            self._trials[self._issued] = now
            return self._issued
        if self._state is BreakerState.DISABLED:
            return self._issued
        return None

    def record(self, permit: int, now: float, ok: bool | None) -> bool:
        """Take a permit back with what came of its call; whether the state changed.

        Args:
            permit: as `acquire` gave it. One from before the last change of state is ignored.
            now: monotonic seconds at which the call ended.
            ok: None where the outcome says nothing about the worker: the permit returns and nothing is counted.
        """
        if permit == self._closed_permit:
            if ok:
                self._run = 0
                self._window.add(now, False)
            elif ok is not None:
                self._run += 1
                self._window.add(now, True)
                if self._run >= self._settings.failures or self._too_many():
                    self._open(now)
                    return True
            return False
        if self._state is BreakerState.HALF_OPEN and permit >= self._first_trial:
            self._trials.pop(permit, None)
            return ok is not None and self._judge_trial(now, ok)
        return False

    def advance(self, now: float) -> bool:
        """Do what time asks for: end the pause, take back lost permits. Whether the state or `admits` changed."""
        if self._state is BreakerState.OPEN and now >= self._open_until:
            self._move("pause_over")
            self._first_trial = self._issued + 1
            self._successes = 0
            return True
        return self._reclaim(now)

    def wakes_at(self) -> float | None:
        """Return the monotonic seconds at which `advance` has something to do, or None while only calls can."""
        if self._state is BreakerState.OPEN:
            return self._open_until
        if self._trials:
            return next(iter(self._trials.values())) + self._settings.open_max_s
        return None

    def admits(self, now: float) -> int:
        """Return how many calls it would let through at `now`, 0..`ADMITS_ALL`; none of them is made by asking."""
        if self._state in _PASSING:
            return ADMITS_ALL
        if self._state is not BreakerState.HALF_OPEN:
            return 0
        lost_after_s = self._settings.open_max_s
        return self._settings.permits - sum(given + lost_after_s > now for given in self._trials.values())

    def force_open(self) -> None:
        """Let nothing through until an operator says otherwise; calls that are out no longer count."""
        self._move("force_open")

    def disable(self) -> None:
        """Let everything through and count nothing until an operator says otherwise."""
        self._move("disable")

    def reset(self) -> None:
        """Close it and forget everything: what failed, how long the pause has grown, calls that are out."""
        self._move("reset")
        self._begin_closed(0.0)
        self._doublings = 0
        self._open_until = 0.0

    def describe(self, now: float) -> dict[str, Any]:
        """Return what an operator wants to see: state, failures, the window, trials, seconds to the next step."""
        calls, failures = self._window.totals(now)
        wakes_at = self.wakes_at()
        return {
            "state": self._state.value,
            "failures_in_row": self._run,
            "window_calls": calls,
            "window_failures": failures,
            "trials_out": len(self._trials),
            "trials_good": self._successes,
            "wakes_in_s": None if wakes_at is None else max(0.0, wakes_at - now),
        }

    def _too_many(self) -> bool:
        window = self._window
        settings = self._settings
        return window.calls >= settings.min_calls and window.failures >= settings.failure_share * window.calls

    def _judge_trial(self, now: float, ok: bool) -> bool:
        if not ok:
            self._open(now)
            return True
        self._successes += 1
        if self._successes < self._settings.successes:
            return False
        self._move("heal")
        self._begin_closed(now)
        return True

    def _open(self, now: float) -> None:
        settings = self._settings
        if self._state is BreakerState.CLOSED:
            healthy_s = max(settings.window_s, settings.open_s)
            self._doublings = max(0, self._doublings - int((now - self._closed_at) / healthy_s))
        self._move("trip")
        # The cap leaves room for the jitter, so that the longest pauses differ too. 2.0**1024 would overflow.
        longest_s = settings.open_max_s / (1.0 + JITTER_SHARE)
        planned_s = min(longest_s, settings.open_s * 2.0 ** min(self._doublings, 64))
        pause_s = planned_s * (1.0 + JITTER_SHARE * (2.0 * self._rng.random() - 1.0))
        self._open_until = max(self._open_until, now + pause_s)
        self._doublings += 1

    def _begin_closed(self, now: float) -> None:
        self._issued += 1
        self._closed_permit = self._issued
        self._closed_at = now
        self._run = 0
        self._window.clear()

    def _reclaim(self, now: float) -> bool:
        """Take back the permits whose calls have been out for longer than the longest pause; whether there were any."""
        # The sum that `wakes_at` makes, so that rounding cannot leave a permit out at the moment it is due.
        lost_after_s = self._settings.open_max_s
        lost = [permit for permit, given in self._trials.items() if given + lost_after_s <= now]
        for permit in lost:
            del self._trials[permit]
        return bool(lost)

    def _move(self, event: str) -> None:
        """Take the step the table knows; what belonged to the state that is left is dropped."""
        try:
            self._state = TRANSITIONS[self._state][event]
        except KeyError:
            allowed = ", ".join(sorted(TRANSITIONS[self._state]))
            raise IllegalStep(f"a breaker that is {self._state} cannot {event}; allowed: {allowed}") from None
        self._closed_permit = -1
        self._trials.clear()
