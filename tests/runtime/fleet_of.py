"""A pool with real endpoints around given transports, as assembly would build it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from pointsman import stack
from pointsman.core.balance import BALANCERS
from pointsman.core.breaker import CircuitBreaker
from pointsman.core.load import FleetMean, WorkerLoad
from pointsman.layers.endpoint.breaker import Breaker
from pointsman.layers.endpoint.limit import Limit
from pointsman.layers.endpoint.send import Send
from pointsman.layers.endpoint.timeout import Timeout
from pointsman.layers.endpoint.track import Track
from pointsman.model.events import Event
from pointsman.model.outcome import Delivered, Outcome
from pointsman.model.settings import BreakerSettings, WorkerSettings
from pointsman.ports import Attempt, Clock
from pointsman.runtime.deadlines import Deadlines
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.pool import Pool


class Scripted:
    """A transport that answers with the given outcomes, one after the other, the last one for ever."""

    def __init__(self, *outcomes: Outcome, hold: asyncio.Event | None = None) -> None:
        self.outcomes = list(outcomes)
        self.hold = hold
        self.sent: list[Attempt] = []
        self.opened = 0
        self.closed = False

    async def open(self) -> None:
        self.opened += 1

    async def send(self, attempt: Attempt) -> Outcome:
        self.sent.append(attempt)
        if self.hold is not None:
            await self.hold.wait()
        if not self.outcomes:
            return Delivered(attempt.worker)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]

    async def probe(self) -> bool:
        return True

    async def close(self) -> None:
        self.closed = True


class Yard:
    """One pool, what it emitted, how often it woke its dispatcher and how often it called for help."""

    def __init__(self, clock: Clock, *, breaker: BreakerSettings | None = None) -> None:
        self.clock = clock
        self.rng = random.Random(1)
        self.deadlines = Deadlines(clock)
        self.events: list[Event] = []
        self.wakes = 0
        self.calls_for_help = 0
        self.breaker = breaker or BreakerSettings()
        balancer = BALANCERS["adaptive"](self.rng)
        self.pool = Pool("coders", balancer, FleetMean(), clock, self.events.append, self._woken, self._called_for_help)

    def _woken(self) -> None:
        self.wakes += 1

    def _called_for_help(self) -> None:
        self.calls_for_help += 1

    def endpoint(self, worker_id: str, transport: Scripted, /, slots: int = 1, **settings: Any) -> Endpoint:
        """Build a worker with its own stack; it has not joined."""
        endpoint = Endpoint(
            WorkerSettings(id=worker_id, max_in_flight=slots, **settings),
            WorkerLoad(worker_id, slots, self.pool.mean),
            CircuitBreaker(self.breaker, self.rng),
            transport,
        )
        layers = (
            Track(endpoint, self.pool, self.clock),
            Breaker(endpoint, self.pool, self.clock),
            Limit(endpoint),
            Timeout(endpoint, self.deadlines, self.clock),
        )
        endpoint.deliver = stack.build(layers, Send(endpoint))
        return endpoint

    def join(self, worker_id: str, transport: Scripted, /, slots: int = 1, **settings: Any) -> Endpoint:
        """Build a worker and let it join."""
        endpoint = self.endpoint(worker_id, transport, slots, **settings)
        self.pool.join(endpoint)
        return endpoint
