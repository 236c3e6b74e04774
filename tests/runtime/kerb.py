"""A pool whose workers are kept busy at will, and attempts that look for one, as a dispatcher would start them."""

from __future__ import annotations

import asyncio

from pointsman.core.affinity import PreferredWorkers
from pointsman.layers.delivery.pick import Pick
from pointsman.model.message import Envelope
from pointsman.model.outcome import Outcome
from pointsman.model.settings import BreakerSettings
from pointsman.ports import Attempt
from pointsman.runtime.endpoint import Endpoint
from pointsman.sim import SimClock
from pointsman.testing.make import attempt, envelope
from tests.runtime.fleet_of import Scripted, Yard

PATIENCE_S = 2.0


class Kerb:
    """Pool `coders`, the leaf of delivery over it, and what its conversations prefer."""

    def __init__(self, *, breaker: BreakerSettings | None = None) -> None:
        self.clock = SimClock()
        self.yard = Yard(self.clock, breaker=breaker)
        self.pool = self.yard.pool
        self.pool.patience_s = PATIENCE_S
        self.preferred = PreferredWorkers(3600.0, 100)
        self.pick = Pick({"coders": self.pool}, self.preferred, self.clock)
        self.holds: list[asyncio.Event] = []
        self.others: list[asyncio.Future[Outcome]] = []
        self.made = 0

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self.clock.monotonic()

    def join(
        self, name: str, *outcomes: Outcome, slots: int = 1, transport: str = "http", model: str | None = None
    ) -> Endpoint:
        """Let a worker join."""
        return self.yard.join(name, Scripted(*outcomes), slots, transport=transport, model=model)

    def prefer(self, worker: str, conversation: str = "talk") -> None:
        """A conversation was served by a worker."""
        self.preferred.note("coders", "someone", conversation, worker, self.now)

    async def occupy(self, endpoint: Endpoint) -> asyncio.Event:
        """Take one slot of a worker until the event is set."""
        transport = endpoint.transport
        assert isinstance(transport, Scripted)
        hold = asyncio.Event()
        self.holds.append(hold)
        before, transport.hold = transport.hold, hold
        self.others.append(asyncio.ensure_future(endpoint.deliver(attempt(at=self.now, timeout_s=1e6))))
        await asyncio.sleep(0)
        transport.hold = before
        return hold

    def message(self, conversation: str | None = "talk", **fields: object) -> Envelope:
        """Return a message of a conversation."""
        self.made += 1
        return envelope(
            f"text {self.made}",
            at=self.now,
            id=f"{self.made:032x}",
            conversation_id=conversation,
            **fields,  # type: ignore[arg-type]
        )

    def start(self, message: Envelope | None = None) -> tuple[Attempt, asyncio.Task[Outcome]]:
        """Begin the attempt of a message that a dispatcher has leased for a free slot."""
        out = attempt(message or self.message(), at=self.now)
        self.pool.claim()
        out.claimed = True
        return out, asyncio.ensure_future(self._carry(out))

    async def _carry(self, out: Attempt) -> Outcome:
        try:
            return await self.pick(out)
        finally:
            if out.claimed:
                out.claimed = False
                self.pool.give_back()

    async def promised(self, endpoint: Endpoint) -> None:
        """Return in the very turn of the loop in which a slot of a worker is promised to somebody."""
        for _ in range(50):
            if endpoint.reserved:
                return
            await asyncio.sleep(0)
        raise AssertionError("nobody was promised anything")

    async def end(self) -> None:
        """Let everything end; nobody waits, and nothing is held."""
        for hold in self.holds:
            hold.set()
        await self.clock.sleep(1.0)
        lot = self.pool.parking.lot
        assert (len(lot), lot.counted) == (0, 0)
        assert self.pool.free == sum(one.load.available for one in self.pool)
        assert [(one.load.in_flight, one.reserved) for one in self.pool] == [(0, 0)] * len(self.pool)
        assert all(one.load.ceiling == one.load.limit for one in self.pool if one.up)
