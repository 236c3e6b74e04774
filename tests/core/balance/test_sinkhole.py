"""A worker that fails fast must not attract the traffic that it fails: balancer and breaker together.

A discrete-event simulation of late binding: messages wait in one queue, a free worker is picked, one of the workers
goes bad for 40 % of the run. Time is virtual, and nothing is left to chance but what the seed decides.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from random import Random

import pytest

from pointsman.core.balance import BALANCERS
from pointsman.core.breaker import BreakerState, CircuitBreaker
from pointsman.core.load import FleetMean, WorkerLoad
from pointsman.model.settings import BreakerSettings

DURATION_S = 300.0
BAD_FROM_S, BAD_TO_S = 0.3 * DURATION_S, 0.7 * DURATION_S
SIGMA = 1.2


class Worker:
    def __init__(self, number: int, slots: int, mean: FleetMean, rng: Random) -> None:
        self.speed = 0.67 if number % 2 else 1.33
        self.load = WorkerLoad(f"w{number}", slots, mean)
        self.breaker = CircuitBreaker(BreakerSettings(), rng)


class Fleet:
    """Twenty workers behind one queue; worker w0 goes bad."""

    def __init__(self, balancer: str, slots: int, rho: float, rate: float, fault_s: float, with_breaker: bool) -> None:
        self.rng, mean = Random(5), FleetMean()
        self.workers = {f"w{number}": Worker(number, slots, mean, self.rng) for number in range(20)}
        self.balancer = BALANCERS[balancer](self.rng)
        for worker in self.workers.values():
            self.balancer.add(worker.load)
        self.per_s = rho * slots * sum(worker.speed for worker in self.workers.values())
        self.rate, self.fault_s, self.with_breaker = rate, fault_s, with_breaker
        self.events: list[tuple[float, int, str, tuple]] = []
        self.waiting: deque[float] = deque()
        self.messages = self.failures = self.sequence = 0
        self.failed_at: list[float] = []

    def at(self, when: float, what: str, *of: object) -> None:
        self.sequence += 1
        heappush(self.events, (when, self.sequence, what, of))

    def run(self) -> Fleet:
        self.at(0.0, "arrive")
        while self.events:
            now, _, what, of = heappop(self.events)
            if what == "arrive":
                self.messages += 1
                self.waiting.append(self.rng.lognormvariate(-SIGMA * SIGMA / 2, SIGMA))
                if now < DURATION_S:
                    self.at(now + self.rng.expovariate(self.per_s), "arrive")
            elif what == "wake":
                of[0].breaker.advance(now)
                self.announce(of[0], now)
            else:
                self.end(now, *of)
            self.dispatch(now)
        return self

    def dispatch(self, now: float) -> None:
        while self.waiting and (load := self.balancer.pick(now)) is not None:
            worker = self.workers[load.id]
            permit = worker.breaker.acquire(now)
            assert permit is not None, "an open breaker keeps its worker out of the choice"
            took_s, ok = self.waiting.popleft() / worker.speed, True
            if load.id == "w0" and BAD_FROM_S <= now < BAD_TO_S and self.rng.random() < self.rate:
                took_s, ok = self.fault_s, False
            load.start()
            self.announce(worker, now)
            self.at(now + took_s, "end", worker, permit, took_s, ok)

    def end(self, now: float, worker: Worker, permit: int, took_s: float, ok: bool) -> None:
        if not ok:
            self.failures += 1
            self.failed_at.append(now)
        worker.load.finish(now, took_s, ok)
        if self.with_breaker and worker.breaker.record(permit, now, ok) and worker.breaker.state is BreakerState.OPEN:
            self.at(worker.breaker.wakes_at() or now, "wake", worker)
        self.announce(worker, now)

    def announce(self, worker: Worker, now: float) -> None:
        admits = worker.breaker.admits(now)
        worker.load.open, worker.load.ceiling = admits > 0, worker.load.in_flight + admits
        self.balancer.update(worker.load)


def run(
    balancer: str, slots: int = 4, rho: float = 0.8, rate: float = 1.0, fault_s: float = 0.001, breaker: bool = True
):
    """The fleet after its run, with nothing left in hand."""
    fleet = Fleet(balancer, slots, rho, rate, fault_s, breaker).run()
    assert all(worker.load.in_flight == 0 for worker in fleet.workers.values())
    return fleet


@pytest.mark.parametrize("rho", [0.6, 0.9])
@pytest.mark.parametrize(("rate", "fault_s", "share"), [(1.0, 0.001, 0.0015), (1.0, 30.0, 0.0015), (0.5, 0.001, 0.003)])
def test_a_bad_worker_fails_few_messages(rho, rate, fault_s, share):
    """Fast failures, hangs and half failures, also where it is the only free one (failure modes 1, 2 and 3)."""
    fleet = run("adaptive", rho=rho, rate=rate, fault_s=fault_s)
    assert 0 < fleet.failures <= share * fleet.messages


def test_after_the_first_seconds_a_fast_failing_worker_gets_next_to_nothing():
    """At most 0.3 % of the messages of any minute that begins two seconds after it went bad (failure mode 1)."""
    fleet = run("adaptive", rho=0.9)
    late = [when for when in fleet.failed_at if when > BAD_FROM_S + 2.0]
    worst = max((sum(begin <= when < begin + 60.0 for when in late) for begin in late), default=0)
    assert worst <= 0.003 * 60.0 * fleet.per_s


def test_it_takes_both_success_in_the_cost_and_the_breaker():
    """Least loaded alone loses a large share, the costs alone a fraction of that, both together next to nothing."""
    blind, costs, both = run("least_loaded", breaker=False), run("adaptive", breaker=False), run("adaptive")
    assert blind.failures > 0.10 * blind.messages
    assert costs.failures < 0.2 * blind.failures
    assert both.failures < 0.2 * costs.failures


@pytest.mark.parametrize("balancer", BALANCERS)
def test_with_a_breaker_no_balancer_is_a_sinkhole(balancer):
    """Whatever the rule: an open breaker takes the worker out of the choice."""
    fleet = run(balancer, slots=1, rho=0.7)
    assert fleet.failures <= 0.005 * fleet.messages


def test_the_bad_worker_gets_work_again_once_it_is_well():
    """Held back, tried, let in again: before the run ends it works like the others."""
    fleet = run("adaptive", rho=0.7)
    worker = fleet.workers["w0"]
    assert worker.breaker.state is BreakerState.CLOSED
    assert worker.load.estimate(DURATION_S)[1] > 0.9
