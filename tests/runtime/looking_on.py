"""A shadow with a stack that does as it is told, and a clock that computing moves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from pointsman.core.rollout.compare import Heard
from pointsman.model.decision import Classification
from pointsman.model.events import Event, Mirrored
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Accepted, Receipt
from pointsman.model.settings_operations import ShadowSettings
from pointsman.runtime.shadow import Shadow
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock

AGREES = Heard(True, "tactical")
ROOM = ShadowSettings(core_share_max=1.0)


class BusyClock(SimClock):
    """Virtual time in which `compute` takes time without letting anybody else run."""

    def __init__(self) -> None:
        super().__init__()
        self._computed_s = 0.0

    def compute(self, for_s: float) -> None:
        """Hold the event loop."""
        self._computed_s += for_s

    def monotonic(self) -> float:
        """Virtual seconds, and those spent computing."""
        return super().monotonic() + self._computed_s


def envelope(number: int = 1, text: str = "fix the typo") -> Envelope:
    """Return a message that nobody has looked at."""
    return Envelope(f"{number:032x}", Message(text=text), "someone", received_at=0.0, received_wall=float(number))


async def decide(envelope: Envelope) -> Receipt:
    """Give every message the same class."""
    envelope.ask = envelope.message.text or ""
    envelope.classification = Classification("tactical", 0.9, {"tactical": 0.9}, "rule")
    return Accepted(envelope.id)


async def hang(envelope: Envelope) -> Receipt:
    """Never decide."""
    await asyncio.Event().wait()
    raise AssertionError


class Told:
    """A stack that decides as it is told. Implements `runtime.shadow.Stack`."""

    def __init__(self, decide: Callable[[Envelope], Awaitable[Receipt]] = decide) -> None:
        self.decide = decide
        self.seen: list[str] = []

    def might_choose(self, envelope: Envelope, worker: str) -> bool:
        """Only one worker is thinkable."""
        return worker == "coder-1"

    def resolve_class(self, name: str) -> str | None:
        """Know one alias."""
        return {"coder": "tactical", "tactical": "tactical"}.get(name)


class LookingOn:
    """A shadow, its events and its parts."""

    def __init__(
        self,
        decide: Callable[[Envelope], Awaitable[Receipt]] = decide,
        settings: ShadowSettings = ROOM,
    ) -> None:
        self.clock = BusyClock()
        self.tasks = Tasks(self.clock)
        self.events: list[Event] = []
        self.shadow = Shadow(self.clock, self.tasks, self.events.append, random.Random(1))
        self.shadow.use(Told(decide), settings)

    async def __aenter__(self) -> LookingOn:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shadow.close()
        await self.tasks.close()
        self.check()

    def offer(self, number: int = 1, heard: Heard = AGREES, size_bytes: int = 100) -> None:
        """Offer a message."""
        self.shadow.offer(lambda: envelope(number), heard, size_bytes)

    async def rest(self, for_s: float = 0.0) -> None:
        """Let it work, and then so many seconds pass."""
        await self.clock.sleep(for_s)
        while self.shadow.waiting:
            await self.clock.sleep(0.001)
        await self.clock.sleep(0.001)

    def ends(self) -> Counter[tuple[str, str]]:
        """Return how many messages came to which end."""
        return Counter((event.outcome, event.kind) for event in self.events if isinstance(event, Mirrored))

    def check(self) -> None:
        """At rest each message sampled has come to one end, and each end was told of once."""
        shadow, ends = self.shadow, self.ends()
        assert shadow.waiting == shadow.waiting_bytes == 0
        assert shadow.sampled == shadow.compared + shadow.dropped + shadow.timed_out == ends.total()
        for outcome, count in (
            ("compared", shadow.compared),
            ("dropped", shadow.dropped),
            ("timed_out", shadow.timed_out),
        ):
            assert sum(times for (one, _), times in ends.items() if one == outcome) == count
