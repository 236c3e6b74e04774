"""What one decision costs without any I/O: limiter, breaker, queue, pick and bookkeeping, at 10 to 10,000 workers."""

from __future__ import annotations

import random
import time

from benchmarks.report import figure, heading
from pointsman.core.balance import BALANCERS
from pointsman.core.breaker import CircuitBreaker
from pointsman.core.bucket import TokenBucket
from pointsman.core.load import FleetMean, WorkerLoad
from pointsman.core.schedule import Scheduler, Ticket
from pointsman.model.settings import BreakerSettings

SIZES = (10, 100, 1000, 10_000)
DECISIONS = 4000
ROUNDS = 7


def measure() -> None:
    """Print microseconds of a decision for each balancer and fleet size, sizes interleaved."""
    heading("Decision: limiter + breaker + queue + pick + done, four slots a worker, half of them taken")
    for name in BALANCERS:
        benches = {size: _Bench(name, size) for size in SIZES}
        best = dict.fromkeys(SIZES, float("inf"))
        for _ in range(ROUNDS):
            for size, bench in benches.items():
                best[size] = min(best[size], bench.round())
        for size, cost_us in best.items():
            figure(f"{name}, {size:,} workers", cost_us, "us", 8.0 if size == 100 else None)
        figure(f"{name}, 10,000 against 100 workers", best[10_000] / best[100], "times", 2.5)


class _Bench:
    def __init__(self, balancer: str, size: int) -> None:
        rng = random.Random(1)
        self.balancer = BALANCERS[balancer](rng)
        mean = FleetMean()
        self.loads = [WorkerLoad(f"w{number}", 4, mean) for number in range(size)]
        self.breakers = {load.id: CircuitBreaker(BreakerSettings(), rng) for load in self.loads}
        self.bucket = TokenBucket(1_000_000_000, 1_000_000_000, 100_000)
        self.scheduler = Scheduler()
        self.busy: list[WorkerLoad] = []
        for load in self.loads:
            self.balancer.add(load)
        for load in self.loads:
            for _ in range(2):
                load.start()
                self.balancer.update(load)
                self.busy.append(load)
        rng.shuffle(self.busy)
        self.rng = rng
        self.tickets = [
            Ticket(id=f"{number:032x}", level=2, client=f"c{number % 50}", expires_at=1e9, queued_at=0.0)
            for number in range(DECISIONS)
        ]
        self.now = 1000.0

    def round(self) -> float:
        """Return microseconds of CPU of one decision."""
        tickets = [
            Ticket(id=one.id, level=one.level, client=one.client, expires_at=1e9, queued_at=0.0) for one in self.tickets
        ]
        take, push, pop = self.bucket.take, self.scheduler.push, self.scheduler.pop
        pick, update, busy, breakers = self.balancer.pick, self.balancer.update, self.busy, self.breakers
        now = self.now
        begun = time.process_time()
        for position, ticket in enumerate(tickets):
            now += 0.001
            take(ticket.client, now)
            push(ticket)
            pop(now)
            load = pick(now)
            assert load is not None
            breaker = breakers[load.id]
            permit = breaker.acquire(now)
            load.start()
            update(load)
            at = position % len(busy)
            done, busy[at] = busy[at], load
            done.finish(now, 0.5, True)
            update(done)
            assert permit is not None
            breaker.record(permit, now, True)
        cost = time.process_time() - begun
        self.now = now
        return cost / len(tickets) * 1e6


if __name__ == "__main__":
    measure()
