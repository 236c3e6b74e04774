"""What a case is given, and how it joins the suite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from pointsman.model.errors import PointsmanError
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Accepted
from pointsman.model.states import Status
from pointsman.ports import Clock, Engine, Lease, Source

Error = TypeVar("Error", bound=PointsmanError)

LEASE_S: Final = 30.0
"""Length of a lease that the engine under test must be set to, seconds."""

MAX_QUEUED: Final = 50
"""Messages that may wait at once in the engine under test."""


class Bench:
    """An open engine and what a case needs around it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.made = 0

    def envelope(
        self,
        *,
        queue: str = "a",
        client: str = "c",
        level: int = 2,
        ttl_s: float = 300.0,
        serial_key: str = "",
        **fields: Any,
    ) -> Envelope:
        """Return a fresh envelope as admission would leave it."""
        self.made += 1
        now = self.clock.monotonic()
        return Envelope(
            id=f"{self.made:032x}",
            message=Message(text=f"text {self.made}", **fields),
            client=client,
            received_at=now,
            received_wall=self.clock.wall(),
            ask=f"text {self.made}",
            level=level,
            ttl_s=ttl_s,
            expires_at=now + ttl_s,
            pool=queue,
            serial_key=serial_key,
        )

    async def put(self, **options: Any) -> Envelope:
        """Enqueue a fresh envelope and return it."""
        envelope = self.envelope(**options)
        receipt = await self.engine.put(envelope)
        assert receipt == Accepted(envelope.id), receipt
        return envelope

    async def take(self, want: int = 1, queue: str = "a") -> list[Lease]:
        """Lease from one queue."""
        return await self.engine.lease((Source(queue),), want)

    async def take_one(self, queue: str = "a") -> Lease:
        """Lease the one message that must be there."""
        leases = await self.take(1, queue)
        assert len(leases) == 1, f"expected one message in queue {queue}, got {len(leases)}"
        return leases[0]

    async def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        await self.clock.sleep_until(self.clock.monotonic() + seconds)

    async def status(self, envelope: Envelope) -> Status | None:
        """Return where a message is."""
        view = await self.engine.get(envelope.id)
        return view.status if view else None


Case = Callable[[Bench], Awaitable[None]]
CASES: Final[dict[str, Case]] = {}
"""Every case by name."""


def case(function: Case) -> Case:
    """Add a case."""
    CASES[getattr(function, "__name__", repr(function))] = function
    return function


async def error_of(kind: type[Error], work: Awaitable[object]) -> Error:
    """Return the error of this kind that `work` must raise."""
    try:
        await work
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, and the call went through")


async def adds_up(bench: Bench) -> None:
    """Assert the accounting identity."""
    counts = await bench.engine.counts()
    ended = counts.delivered + counts.failed + counts.dead + counts.expired + counts.cancelled
    assert counts.admitted == ended + counts.waiting + counts.in_flight, counts
