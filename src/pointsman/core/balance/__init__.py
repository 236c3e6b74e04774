"""The balancers by name: `pools.*.balancer` in the settings. Each keeps the contract of `ports.Balancer`.

A new one needs its file, its line here and its name in `model.settings.CHOICES`; the conformance table in the tests
does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pointsman.core.balance.adaptive import Adaptive
from pointsman.core.balance.least_loaded import LeastLoaded
from pointsman.core.balance.p2c import PowerOfTwo
from pointsman.core.balance.round_robin import RoundRobin

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    AnyBalancer = Adaptive | PowerOfTwo | LeastLoaded | RoundRobin

BALANCERS: Final[dict[str, Callable[[Random], AnyBalancer]]] = {
    "adaptive": Adaptive,
    "p2c": PowerOfTwo,
    "least_loaded": LeastLoaded,
    "round_robin": lambda _rng: RoundRobin(),
}
"""Name -> maker of an empty balancer, given the rng that breaks its ties."""
