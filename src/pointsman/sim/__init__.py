"""Simulation in virtual time: the event loop and what lives in it. The router itself never imports this."""

from pointsman.sim.clock import SimClock
from pointsman.sim.errors import (
    Deadlock,
    LeakedTasks,
    NotSimulated,
    SimError,
    StepLimit,
    StrayErrors,
    TimeLimit,
)
from pointsman.sim.loop import SimLoop
from pointsman.sim.running import run

__all__ = [
    "Deadlock",
    "LeakedTasks",
    "NotSimulated",
    "SimClock",
    "SimError",
    "SimLoop",
    "StepLimit",
    "StrayErrors",
    "TimeLimit",
    "run",
]
