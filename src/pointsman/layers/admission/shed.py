"""Refuses waiting senders early: nobody could serve them, or not in their time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pointsman.core import shed
from pointsman.core.routing import FallbackRule
from pointsman.model.message import PRIORITIES, Envelope
from pointsman.model.outcome import Receipt, Refusal, Refused
from pointsman.model.settings import ShedSettings
from pointsman.ports import Admit
from pointsman.runtime.pool import Pool

LOWEST: Final = len(PRIORITIES) - 1


class Shed:
    """Refuses with `no_worker` where no pool that may serve the message has any worker, and with `overloaded` where the
    wait would outlast its sender. Stored messages wait instead.

    `waiting` tells how many messages of a level, 0..4, or a higher one wait in a queue: what comes after a message does
    not delay it, so a long line of bulk work is no reason to turn an urgent message away.

    Position: after Classify because the pool decides, before Enqueue because it is better to say no at once than to let
    a message expire.
    """

    def __init__(
        self,
        pools: Mapping[str, Pool],
        rules: Mapping[str, FallbackRule],
        waiting: Callable[[str, int], int],
        settings: ShedSettings,
    ) -> None:
        self._pools = pools
        self._rules = rules
        self._waiting = waiting
        self._settings = settings

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""

        async def admit(envelope: Envelope) -> Receipt:
            pool = self._pools[envelope.pool]
            envelope.waited = pool.free <= self._waiting(pool.name, LOWEST)
            refused = self._refuse(envelope, pool) if envelope.waited and not envelope.stored else None
            return await inner(envelope) if refused is None else refused

        return admit

    def _refuse(self, envelope: Envelope, pool: Pool) -> Refused | None:
        message_class = envelope.classification.message_class if envelope.classification else ""
        if len(pool) == 0 and not self._helped(envelope):
            detail = f"no worker is configured for class {message_class!r} (pool {pool.name!r}); add one and send again"
            return Refused(Refusal.NO_WORKER, detail, 5.0, message_class=message_class)
        if envelope.lane and pool.down_since is not None and not self._helped(envelope, up=True):
            detail = f"no worker of pool {pool.name!r} may be called now, and the old router is at hand"
            return Refused(Refusal.NO_WORKER, detail, 5.0, message_class=message_class)
        ahead, slots = self._waiting(pool.name, envelope.level), pool.slots
        retry_s = shed.assess(ahead, slots, pool.service_s, envelope.ttl_s, envelope.level, self._settings)
        if retry_s is None:
            return None
        detail = f"{ahead} messages wait before it for {slots} slots of pool {pool.name!r}: more than it has time for"
        return Refused(Refusal.OVERLOADED, detail, retry_s, message_class=message_class)

    def _helped(self, envelope: Envelope, *, up: bool = False) -> bool:
        """Whether another pool that may serve it has a worker, and with `up` one that may be called."""
        rule = self._rules.get(envelope.pool)
        if rule is None or envelope.message.strict:
            return False
        helpers = [self._pools[name] for name in rule.helpers]
        return any(pool.down_since is None if up else len(pool) > 0 for pool in helpers)
