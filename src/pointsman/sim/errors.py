"""What can go wrong in a simulation. Each says what was found, and which tasks or errors were involved.

They are faults of the simulated program or of its bounds, never outcomes that code should react to.
"""

from __future__ import annotations


class SimError(RuntimeError):
    """A simulation that cannot go on, or that did not end cleanly."""


class Deadlock(SimError):
    """Tasks wait, nothing is ready, and no timer is set: a real loop would hang for ever."""


class TimeLimit(SimError):
    """The next timer lies beyond `max_time_s`: a periodic task hides a deadlock, or the bound is low."""


class StepLimit(SimError):
    """More than `max_steps` callbacks ran: a task spins without waiting, or the bound is low."""


class LeakedTasks(SimError):
    """The main task ended and left others behind, which nobody will ever await."""


class StrayErrors(SimError):
    """Errors that reached nobody: a callback raised, or a task failed and its result was never read.

    As in asyncio, an unread failure shows once nothing refers to the task any more: keep a failed task in a
    global, and it is not seen.
    """


class NotSimulated(SimError):
    """Code reached for the real world: sockets, pipes, signals, subprocesses, other threads."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} on a SimLoop, which has no I/O and no other threads. Give the code a simulated part "
            "instead, or run it on a real event loop (in our tests: mark the test `real_loop`)."
        )
