"""What tests of programs that use Pointsman may import: clocks that tests own, and the simulated event loop.

Names are loaded on first use, so that importing one does not pay for all.

    from pointsman.testing import FakeClock          # time moves when the test says so
    from pointsman.testing import SimClock, run      # a whole program in virtual time: run(main)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman.sim import SimClock, SimLoop, run
    from pointsman.testing.clock import FakeClock

__all__ = ["FakeClock", "SimClock", "SimLoop", "run"]

_HOMES = {
    "FakeClock": "pointsman.testing.clock",
    "SimClock": "pointsman.sim",
    "SimLoop": "pointsman.sim",
    "run": "pointsman.sim",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
