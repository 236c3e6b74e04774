"""The breaker against a small reference that keeps every call and counts anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pointsman.core.breaker import ADMITS_ALL, CircuitBreaker
from pointsman.model.settings import BreakerSettings


@dataclass
class Out:
    """A permit that was given: in which period, and when."""

    permit: int
    period: int
    given_at: float


@dataclass
class Reference:
    """The rules of the module's head, written for reading and not for speed."""

    settings: BreakerSettings
    state: str = "closed"
    period: int = 0
    calls: list[tuple[int, bool]] = field(default_factory=list)  # tenth of the window it ended in, whether it failed
    outcomes: list[bool] = field(default_factory=list)  # of this period
    out: list[Out] = field(default_factory=list)
    openings: int = 0
    closed_at: float = 0.0
    until: float = 0.0

    def move(self, state: str) -> None:
        self.state = state
        self.period += 1
        self.calls, self.outcomes = [], []

    def tenth(self, now: float) -> int:
        return int(now * (10 / self.settings.window_s))

    def trials_out(self, now: float) -> int:
        return sum(o.period == self.period and o.given_at + self.settings.open_max_s > now for o in self.out)

    def admits(self, now: float) -> int:
        if self.state in {"closed", "disabled"}:
            return ADMITS_ALL
        return self.settings.permits - self.trials_out(now) if self.state == "half_open" else 0

    def planned_pause(self, now: float) -> float:
        """Seconds before jitter; counts the opening."""
        if self.state == "closed":
            healthy = max(self.settings.window_s, self.settings.open_s)
            self.openings = max(0, self.openings - int((now - self.closed_at) / healthy))
        self.openings += 1
        return min(self.settings.open_s * 2 ** (self.openings - 1), self.settings.open_max_s / 1.2)

    def opens(self, now: float, ok: bool) -> bool:
        """Count one outcome of the period; whether it opens the breaker."""
        self.outcomes.append(ok)
        self.calls.append((self.tenth(now), not ok))
        if ok:
            return False
        if self.state == "half_open":
            return True
        last = self.outcomes[-self.settings.failures :]
        if len(last) == self.settings.failures and not any(last):
            return True
        inside = [bad for tenth, bad in self.calls if tenth > self.tenth(now) - 10]
        return len(inside) >= self.settings.min_calls and sum(inside) >= self.settings.failure_share * len(inside)


OUTCOMES = st.sampled_from([True, False, False, None])


class BreakerMachine(RuleBasedStateMachine):
    """Any order of calls, outcomes, time and operator's verbs."""

    @initialize(
        failures=st.integers(1, 3),
        failure_share=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
        min_calls=st.integers(1, 8),
        permits=st.integers(1, 3),
        successes=st.integers(1, 3),
        open_max_s=st.sampled_from([5.0, 30.0]),
        seed=st.integers(0, 99),
    )
    def begin(self, seed, **chosen):
        self.now = 0.0
        self.reference = Reference(BreakerSettings(window_s=4.0, open_s=2.0, **chosen))
        self.breaker = CircuitBreaker(self.reference.settings, Random(seed))

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.4, 1.0, 3.0, 9.0, 40.0]))
    def pass_time(self, seconds):
        self.now += seconds

    @rule(times=st.integers(1, 5))
    def acquire(self, times):
        for _ in range(times):
            expected = self.reference.admits(self.now) > 0
            permit = self.breaker.acquire(self.now)
            assert (permit is not None) == expected
            if permit is not None:
                self.reference.out.append(Out(permit, self.reference.period, self.now))

    @precondition(lambda self: self.reference.out)
    @rule(data=st.data(), ok=OUTCOMES)
    def record(self, data, ok):
        # Mostly one of the newest: old ones are ignored after the first change of state.
        last = len(self.reference.out) - 1
        self._record(self.reference.out.pop(data.draw(st.integers(max(0, last - 3), last) | st.just(0))), ok)

    @rule(ok=OUTCOMES, times=st.integers(1, 4))
    def call(self, ok, times):
        for _ in range(times):
            if self.reference.admits(self.now) > 0:
                self.acquire(1)
                self._record(self.reference.out.pop(), ok)

    def _record(self, out, ok):
        reference = self.reference
        was = self.breaker.state
        moved = self.breaker.record(out.permit, self.now, ok)
        assert moved == (self.breaker.state is not was)
        if ok is None or out.period != reference.period or reference.state not in {"closed", "half_open"}:
            assert not moved
        elif reference.opens(self.now, ok):
            self._expect_opening()
        elif reference.state == "half_open" and len(reference.outcomes) == reference.settings.successes:
            reference.move("closed")
            reference.closed_at = self.now

    def _expect_opening(self):
        planned_s = self.reference.planned_pause(self.now)
        self.reference.move("open")
        until = self.breaker.wakes_at()
        assert until is not None
        assert 0.8 * planned_s <= until - self.now + 1e-9
        assert until - self.now <= 1.2 * planned_s + 1e-9
        self.reference.until = until

    @rule()
    def advance(self):
        reference = self.reference
        admitted = len(self.breaker._trials)
        moved = self.breaker.advance(self.now)
        if reference.state == "open" and self.now >= reference.until:
            assert moved
            reference.move("half_open")
        else:
            assert moved == (len(self.breaker._trials) < admitted)

    @precondition(lambda self: self.reference.state == "open")
    @rule()
    def wait_and_advance(self):
        self.now = max(self.now, self.reference.until)
        self.advance()

    @rule(verb=st.sampled_from(["force_open", "disable", "reset"]), often=st.integers(0, 5))
    def operate(self, verb, often):
        held = self.reference.state in {"forced_open", "disabled"}
        if held or often == 0:
            verb = "reset" if held and often else verb
            getattr(self.breaker, verb)()
            self.reference.move({"force_open": "forced_open", "disable": "disabled", "reset": "closed"}[verb])
            if verb == "reset":
                self.reference.openings = 0
                self.reference.closed_at = 0.0

    @invariant()
    def agrees(self):
        if not hasattr(self, "reference"):
            return
        assert self.breaker.state == self.reference.state
        assert self.breaker.admits(self.now) == self.reference.admits(self.now)

    @invariant()
    def has_an_exit(self):
        """Open: at the end of the pause. Half open with all permits out: when the oldest is taken back."""
        if not hasattr(self, "reference"):
            return
        wakes_at = self.breaker.wakes_at()
        if self.reference.state == "open":
            assert wakes_at == self.reference.until
        elif self.reference.state == "half_open" and not self.breaker.admits(self.now):
            assert wakes_at is not None
            assert self.breaker.admits(wakes_at) > 0


BreakerMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
TestBreakerAgainstReference = BreakerMachine.TestCase
