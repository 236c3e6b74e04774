"""One dispatcher a pool: leases just what the pool's free slots can take, and carries each message to its end.

A sender that waits to the end may carry its own message (`take`, `carry`): where a slot is free and nobody is before
it, that saves a task, two wake-ups and two fifths of what a message costs. The order is the engine's all the same.

Late binding: a message stays in its queue until a slot is free, and nothing is prefetched, so that priority, fairness
and the choice of worker are decided at the last moment. Idea: HAProxy's backend queue, Sparrow, Join-Idle-Queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pointsman.core.routing import TIMEOUT_S, FallbackRule
from pointsman.model.errors import EngineError
from pointsman.model.events import AttemptStarted, Emit
from pointsman.model.message import Envelope
from pointsman.ports import Attempt, Clock, Deliver, Engine, Lease, Notifier, Source
from pointsman.runtime.pool import Pool
from pointsman.runtime.replies import Replies
from pointsman.runtime.settling import Settler
from pointsman.runtime.tasks import Tasks

_MOST_AT_ONCE = 64
"""Messages asked of the engine in one step."""

_PAUSE_S = 0.5
"""Wait after an engine fault before leasing again."""


@dataclass(slots=True, frozen=True)
class Guest:
    """Another pool whose messages this one may take.

    Attributes:
        home: that pool.
        after_s: seconds for which it must have been down (or busy) first.
        on_busy: busy is enough.
    """

    home: Pool
    after_s: float
    on_busy: bool

    def opens_at(self) -> float | None:
        """Monotonic seconds from which this pool may help, or None while the home pool can serve."""
        since = self.home.down_since
        if since is None and self.on_busy:
            since = self.home.busy_since
        return None if since is None else since + self.after_s


class Dispatcher:
    """Gives the messages of one pool's queue to its workers.

    `guests` are the pools it may help and `timeout_s` the longest attempt where a message names none; assembly sets
    both, and a reload sets them anew. `looks` counts how often it has looked whether there is something to hand out.

    Args:
        pool: whose workers.
        engine: where messages wait.
        notifier: says when to look; the topic is the pool's name.
        deliver: the delivery stack.
        settler: ends attempts.
        replies: where answers go.
        clock: time.
        tasks: starts deliveries.
        emit: takes events.
        running: attempts by message id, so that a cancelled message's can be revoked.
        ring: wakes everybody who may serve this pool's messages.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        engine: Engine,
        notifier: Notifier,
        deliver: Deliver,
        settler: Settler,
        replies: Replies,
        clock: Clock,
        tasks: Tasks,
        emit: Emit,
        running: dict[str, Attempt],
        ring: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._engine = engine
        self._notifier = notifier
        self._deliver = deliver
        self._settler = settler
        self._replies = replies
        self._clock = clock
        self._tasks = tasks
        self._emit = emit
        self.timeout_s = TIMEOUT_S
        self._running = running
        self._ring = ring
        self.guests: tuple[Guest, ...] = ()
        self._own = Source(pool.name)
        self._look_again: float | None = None
        self.looks = 0

    async def run(self) -> None:
        """Dispatch for ever."""
        while True:
            if not await self.step():
                await self._notifier.wait(self._pool.name, self._look_again)

    def serves(self, queue: str, *, guests: bool) -> bool:
        """Whether a worker may be called for that pool's messages; with `guests` also one that helps out."""
        if self._pool.down_since is not None:
            return False
        return queue == self._pool.name or (guests and any(guest.home.name == queue for guest in self.guests))

    async def step(self) -> bool:
        """Lease what can be taken now; whether anything was, so that it is worth trying again at once."""
        now = self._clock.monotonic()
        self.looks += 1
        self._look_again = self._pool.advance(now)
        want = min(self._pool.free, _MOST_AT_ONCE)
        sources = self._sources(now)
        if want <= 0:
            self._pool.starve()
            return False
        try:
            leases = await self._engine.lease(sources, want)
        except EngineError:
            self._sooner(now + _PAUSE_S)
            return False
        for lease in leases:
            self._start(lease)
        if len(leases) < want:
            self._pool.spare()
            return False
        return True

    def _sources(self, now: float) -> tuple[Source, ...]:
        if not self.guests:
            return (self._own,)
        sources = [self._own]
        for guest in self.guests:
            opens_at = guest.opens_at()
            if opens_at is None:
                continue
            if opens_at <= now:
                sources.append(Source(guest.home.name, guest=True))
            else:
                self._sooner(opens_at)
        return tuple(sources)

    def _sooner(self, at: float) -> None:
        if self._look_again is None or at < self._look_again:
            self._look_again = at

    async def take(self, envelope: Envelope) -> Attempt | None:
        """Hand out to the sender of `envelope` its own message, if a slot is free and the message is next.

        Otherwise returns None, and the message will be handed out like any other.
        """
        if self._pool.free > 0:
            try:
                leases = await self._engine.lease((self._own,), 1)
            except EngineError:
                leases = []
            for lease in leases:
                if lease.envelope is envelope:
                    return self._attempt(lease)
                self._start(lease)
        self._ring()
        return None

    async def carry(self, attempt: Attempt) -> None:
        """Carry an attempt that was taken, in the sender's own task, to its end.

        What cancels the attempt alone does not cancel the sender: the message has ended or will be handed out again.
        """
        task = attempt.task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        self._running[attempt.envelope.id] = attempt
        try:
            await self._carry(attempt)
        except asyncio.CancelledError:
            if not attempt.revoked or task.uncancel() > before:
                raise
        finally:
            self._finished(attempt)

    def _start(self, lease: Lease) -> None:
        attempt = self._attempt(lease)
        finish = partial(self._finished, attempt)
        self._running[attempt.envelope.id] = attempt
        attempt.task = self._tasks.spawn(self._carry(attempt), "delivery", finish)

    def _attempt(self, lease: Lease) -> Attempt:
        self._pool.claim()
        envelope = lease.envelope
        return Attempt(
            envelope=envelope,
            lease=lease,
            pool=self._pool.name,
            started_at=self._clock.monotonic(),
            reply=self._replies.sink(envelope.id),
            timeout_s=envelope.timeout_s or self.timeout_s,
            claimed=True,
        )

    async def _carry(self, attempt: Attempt) -> None:
        self._emit(AttemptStarted(attempt.started_at, attempt.envelope, attempt.pool))
        outcome = await self._deliver(attempt)
        await self._settler.settle(attempt.lease, outcome)

    def _finished(self, attempt: Attempt) -> None:
        """Clean up, also after a task that was cancelled before it took its first step."""
        if attempt.claimed:
            attempt.claimed = False
            self._pool.give_back()
            self._notifier.notify(self._pool.name)
        if self._running.get(attempt.envelope.id) is attempt:
            del self._running[attempt.envelope.id]


def guests_of(name: str, pools: Mapping[str, Pool], rules: Mapping[str, FallbackRule]) -> tuple[Guest, ...]:
    """Return the pools that pool `name` may help, by the fallback rules of those pools."""
    return tuple(Guest(pools[home], rule.after_s, rule.on_busy) for home, rule in rules.items() if name in rule.helpers)
