"""One worker as the router sees it: its settings, live load, breaker, transport and its own little delivery stack."""

from __future__ import annotations

from dataclasses import dataclass, field

from pointsman.core.breaker import BreakerState, CircuitBreaker
from pointsman.core.load import WorkerLoad
from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.model.settings import WorkerSettings
from pointsman.ports import Attempt, Deliver, Transport


async def _not_built(attempt: Attempt) -> Outcome:
    """Stand in until the endpoint stack is built; a worker that has not joined takes nothing."""
    return Failed(Failure.WORKER_LEFT, f"worker for attempt {attempt.lease.attempt} has not joined its pool")


@dataclass(slots=True, eq=False)
class Endpoint:
    """A worker in its pool.

    Attributes:
        settings: how it was described.
        load: what it is doing; read by the balancer.
        breaker: whether it may be called.
        transport: how it is spoken to.
        origin: `file`, or `api` for a worker that joined at run time.
        deliver: its endpoint stack, built when it joins.
        draining: it takes nothing new; what it has in hand goes on.
        held_until: monotonic seconds until which it asked to be left alone (429, 503).
        paused_until: the same for the provider account that it draws from; infinite until that says otherwise.
        was_state: breaker state last announced.
        up: it counts as up, see `Pool.down_since`.
        free: slots it adds to the pool's sum.
        reserved: slots promised to attempts that waited for it and have not come to take them yet.
        planned: monotonic seconds of the wake-up planned for it last.
    """

    settings: WorkerSettings
    load: WorkerLoad
    breaker: CircuitBreaker
    transport: Transport
    origin: str = "file"
    deliver: Deliver = field(default=_not_built)
    draining: bool = False
    held_until: float = 0.0
    paused_until: float = 0.0
    was_state: str = BreakerState.CLOSED
    up: bool = False
    free: int = 0
    reserved: int = 0
    planned: float = 0.0

    @property
    def rests_until(self) -> float:
        """Monotonic seconds until which it is to be left alone, for either reason."""
        return self.held_until if self.held_until > self.paused_until else self.paused_until

    @property
    def id(self) -> str:
        """The worker's id."""
        return self.settings.id

    def reserve(self, slots: int) -> None:
        """Promise so many slots, or take promises back (below 0); tell the pool, unless a slot is taken at once."""
        self.reserved += slots
        self.load.ceiling -= slots
