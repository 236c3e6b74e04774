"""What the tests of all balancers share: loads, a message there and back, a measure of fairness, a count of work."""

from __future__ import annotations

from random import Random

from pointsman.core.balance import BALANCERS
from pointsman.core.load import FleetMean, WorkerLoad
from pointsman.ports import Balancer


class CountedLoad(WorkerLoad):
    """A load that counts how often anybody looks at it: work is counted, not timed."""

    looks = 0

    @property
    def available(self) -> int:
        CountedLoad.looks += 1
        return super().available

    def cost(self, now: float) -> float:
        CountedLoad.looks += 1
        return super().cost(now)


def make(name: str, seed: int = 1) -> Balancer:
    """An empty balancer."""
    return BALANCERS[name](Random(seed))


def loads(count: int, limit: int = 4, kind: type[WorkerLoad] = WorkerLoad) -> list[WorkerLoad]:
    """Idle loads of one fleet, named w0, w1, ..."""
    mean = FleetMean()
    return [kind(f"w{number}", limit, mean) for number in range(count)]


def fleet(name: str, count: int, limit: int = 4, seed: int = 1) -> tuple[Balancer, list[WorkerLoad]]:
    """A balancer with idle loads in it."""
    balancer, members = make(name, seed), loads(count, limit)
    for load in members:
        balancer.add(load)
    return balancer, members


def start(balancer: Balancer, load: WorkerLoad) -> None:
    """Hand the worker a message and say so."""
    load.start()
    balancer.update(load)


def finish(
    balancer: Balancer, load: WorkerLoad, now: float, service_s: float | None = 1.0, ok: bool | None = True
) -> None:
    """Take one back and say so."""
    load.finish(now, service_s, ok)
    balancer.update(load)


def chi_square(counts: list[int]) -> float:
    """Distance of the counts from all being equal; with ten of them above 27.9 in one case of a thousand."""
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 for count in counts) / expected


CHI_SQUARE_OF_TEN: float = 27.88
"""Exceeded by chance with p = 0.001 at nine degrees of freedom."""
