"""The shadow: this router decides about messages that the old one answers, and the two decisions are compared.

Nothing here is awaited by anybody's message. An offer is a few comparisons; one task takes what was offered, one at a
time, and lets everything else run in between. It is bounded by count and by bytes and sheds itself
(`core.rollout.shedding`); what it may touch is decided by the stack it is given (`layers.shadow_stack`).

Each message offered is *sampled*, and comes to exactly one of three ends: compared, dropped or timed out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from hashlib import blake2b
from types import coroutine
from typing import TYPE_CHECKING, Protocol

from pointsman.core.rollout.agreement import Agreement, AgreementView
from pointsman.core.rollout.compare import Decided, Heard, compare
from pointsman.core.rollout.samples import Sample, Samples
from pointsman.core.rollout.shedding import CoreBudget, Fuse
from pointsman.model.events import Emit, Mirrored
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refused
from pointsman.model.settings_operations import ShadowSettings
from pointsman.ports import Clock
from pointsman.runtime.tasks import Tasks
from pointsman.runtime.trial import Trial, try_out

if TYPE_CHECKING:
    import random

log = logging.getLogger("pointsman.shadow")

ENTRY_BYTES = 4096
"""What a message that waits takes beside its own bytes, roughly: so that the bound is one of memory."""

_LONGEST_NAME = 64
"""Characters kept of a name that the old router gave."""

_UNLISTED = ("match", "uncompared")
"""Kinds of which no sample is kept: there is nothing to look at."""


class Stack(Protocol):
    """Decides about a message and does nothing to it."""

    def decide(self, envelope: Envelope) -> Awaitable[Receipt]:
        """Fill in class and pool as admission would, and return what it would answer."""
        ...

    def might_choose(self, envelope: Envelope, worker: str) -> bool:
        """Whether a worker is one that a message so decided might be given to."""
        ...

    def resolve_class(self, name: str) -> str | None:
        """Return the class that a name or alias stands for, or None."""
        ...


@dataclass(slots=True, eq=False)
class _Waiting:
    """A message that waits to be looked at; `envelope` is filled once it was read."""

    make: Callable[[], Envelope]
    heard: Heard
    size_bytes: int
    envelope: Envelope | None = None


class Shadow:
    """Compares decisions, off the path of every message.

    `use` says by what it decides, and within which bounds; nothing is offered before.

    Args:
        clock: time.
        tasks: starts the one task.
        emit: takes one `Mirrored` for each message offered.
        rng: chance, of which differences are kept; nobody else's, so that looking on changes no other draw.

    Attributes:
        sampled, compared, dropped, timed_out: messages so far; the first is the sum of the others, and of those that
            wait or are looked at now.
    """

    _stack: Stack
    _settings: ShadowSettings
    _budget: CoreBudget

    def __init__(self, clock: Clock, tasks: Tasks, emit: Emit, rng: random.Random) -> None:
        self._clock = clock
        self._tasks = tasks
        self._emit = emit
        self.sampled = self.compared = self.dropped = self.timed_out = 0
        self._kinds: dict[str, int] = {}
        self._samples = Samples(rng)
        self._agreement = Agreement()
        self._fuse = Fuse()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._woken = asyncio.Event()
        self._begun = self._closed = False

    def use(self, stack: Stack, settings: ShadowSettings) -> None:
        """Decide by this stack, within these bounds, from the next message on."""
        self._stack = stack
        self._settings = settings
        self._budget = CoreBudget(settings.core_share_max)
        self._samples.resize(settings.keep_samples)

    def close(self) -> None:
        """Look on no more; what waits is dropped, and what is offered from now on too."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft()
            self._drop("closed")
        self._waiting_bytes = 0

    def offer(self, make: Callable[[], Envelope], heard: Heard, size_bytes: int) -> None:
        """Sample a message that the old router has answered. Returns at once and never raises.

        Args:
            make: makes an envelope of it, later; it may raise what it likes. What it refers to is held until then.
            heard: what the old router made of it.
            size_bytes: of what `make` holds, roughly.
        """
        self.sampled += 1
        reason = self._closed_to(size_bytes)
        if reason:
            self._drop(reason)
            return
        self._waiting.append(_Waiting(make, heard, size_bytes))
        self._waiting_bytes += size_bytes + ENTRY_BYTES
        self._woken.set()
        if not self._begun:
            self._begun = True
            self._tasks.supervise(self._run, "shadow")

    def samples(self) -> list[Sample]:
        """Return the differences that were kept, the newest first."""
        return self._samples.all()

    def agreement(self) -> AgreementView:
        """Return how well the two routers agree on classes."""
        return self._agreement.view()

    def counts(self) -> dict[str, int]:
        """Return messages so far: sampled, compared, dropped and timed out, and those compared by kind."""
        ends = {"compared": self.compared, "dropped": self.dropped, "timed_out": self.timed_out}
        return {"sampled": self.sampled, **ends, **self._kinds}

    def is_off(self) -> bool:
        """Whether it has turned itself off for a while, after many failures."""
        return self._fuse.is_off(self._clock.monotonic())

    @property
    def max_bytes(self) -> int:
        """Size of the largest message that is looked at."""
        return self._settings.max_body_bytes

    @property
    def waiting(self) -> int:
        """Messages that wait to be looked at."""
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of memory that they take, roughly."""
        return self._waiting_bytes

    def _closed_to(self, size_bytes: int) -> str:
        """Return why a message of this size is not taken, or an empty string."""
        settings = self._settings
        if self._closed:
            return "closed"
        if size_bytes > settings.max_body_bytes:
            return "too_large"
        reason = self._must_rest()
        if reason:
            return reason
        many = len(self._waiting) >= settings.max_waiting
        large = self._waiting_bytes + size_bytes + ENTRY_BYTES > settings.max_waiting_bytes
        return "full" if many or large else ""

    def _must_rest(self) -> str:
        now = self._clock.monotonic()
        if self._fuse.is_off(now):
            return "breaker"
        return "" if self._budget.allows(now) else "shed"

    async def _run(self) -> None:
        while True:
            while self._waiting:
                began = self._clock.monotonic()
                await _turn()
                await self._look_at_next(self._clock.monotonic() - began)
            self._woken.clear()
            await self._woken.wait()

    async def _look_at_next(self, turn_s: float) -> None:
        """Bring one message to its end, whatever happens; the turn of the loop before took so many seconds."""
        if not self._waiting:
            return
        one = self._waiting.popleft()
        self._waiting_bytes -= one.size_bytes + ENTRY_BYTES
        reason = self._must_rest()
        if reason:
            self._drop(reason)
            return
        trial: Trial[Decided] | None = None
        try:
            trial = await try_out(lambda: self._decide(one), self._settings.timeout_s, self._clock)
        finally:
            if trial is None:
                self._drop("closed")
        now = self._clock.monotonic()
        self._budget.spend(now, trial.held_s, max(trial.longest_s, turn_s))
        if trial.timed_out:
            self.timed_out += 1
            self._failed(now, "took too long", None)
            self._emit(Mirrored(now, "timed_out", ""))
        elif one.envelope is None:
            self._drop("unreadable")
        else:
            self._compare(now, one.envelope, one, trial)

    async def _decide(self, one: _Waiting) -> Decided:
        one.envelope = envelope = one.make()
        stack, heard = self._stack, one.heard
        receipt = await stack.decide(envelope)
        found = envelope.classification
        reason = receipt.reason.value if isinstance(receipt, Refused) else ""
        same_worker = None
        if not reason and heard.worker is not None:
            same_worker = stack.might_choose(envelope, heard.worker)
        if found is None:
            return Decided(not reason, "", same_worker, reason)
        return Decided(not reason, found.message_class, same_worker, reason, found.cause, found.confidence)

    def _compare(self, now: float, envelope: Envelope, one: _Waiting, trial: Trial[Decided]) -> None:
        decided = trial.value
        if decided is None:
            decided = Decided(ok=False, reason=type(trial.fault).__name__)
            self._failed(now, "failed", trial.fault)
        heard = one.heard
        if heard.message_class is not None:
            named = self._stack.resolve_class(heard.message_class)
            heard = heard._replace(message_class=named or heard.message_class[:_LONGEST_NAME])
        kind = compare(heard, decided)
        if heard.ok and heard.message_class is not None and decided.message_class:
            self._agreement.add(heard.message_class, decided.message_class)
        self.compared += 1
        self._kinds[kind] = self._kinds.get(kind, 0) + 1
        place = None if kind in _UNLISTED else self._samples.wants(kind)
        if place is not None:
            self._samples.put(place, _sample(kind, envelope, heard, decided, one.size_bytes))
        self._emit(Mirrored(now, "compared", kind))

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        self._emit(Mirrored(self._clock.monotonic(), "dropped", reason))

    def _failed(self, now: float, how: str, fault: BaseException | None) -> None:
        if fault is not None:
            log.error("a decision in the shadow %s: a bug in Pointsman, please report it", how, exc_info=fault)
        if self._fuse.fail(now):
            log.warning("too many decisions in the shadow failed or took too long; it is off for five minutes")


@coroutine
def _turn() -> Generator[None, None, None]:
    """Let everything run that can, once."""
    yield


def _sample(kind: str, envelope: Envelope, heard: Heard, decided: Decided, size_bytes: int) -> Sample:
    text = envelope.ask.encode("utf-8", "surrogatepass")
    return Sample(
        id=envelope.id,
        at=envelope.received_wall,
        kind=kind,
        text_hash=blake2b(text, digest_size=8).hexdigest(),
        text_chars=len(envelope.ask),
        size_bytes=size_bytes,
        legacy_ok=heard.ok,
        legacy_class=heard.message_class,
        legacy_worker=None if heard.worker is None else heard.worker[:_LONGEST_NAME],
        candidate_class=decided.message_class,
        cause=decided.cause,
        confidence=decided.confidence,
        reason=decided.reason,
    )
