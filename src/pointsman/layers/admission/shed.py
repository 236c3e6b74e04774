"""Refuses waiting senders early: nobody could serve them, or not in their time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pointsman.core import shed
from pointsman.core.routing import FallbackRule
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refusal, Refused
from pointsman.model.settings import ShedSettings
from pointsman.ports import Admit
from pointsman.runtime.pool import Pool


class Shed:
    """Refuses with `no_worker` where no pool that may serve the message has any worker, and with `overloaded` where the
    wait would outlast its sender. Stored messages wait instead.

    Position: after Classify because the pool decides, before Enqueue because it is better to say no at once than to let
    a message expire.
    """

    def __init__(
        self,
        pools: Mapping[str, Pool],
        rules: Mapping[str, FallbackRule],
        waiting: Callable[[str], int],
        settings: ShedSettings,
    ) -> None:
        self._pools = pools
        self._rules = rules
        self._waiting = waiting
        self._settings = settings

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""

        async def admit(envelope: Envelope) -> Receipt:
            refused = None if envelope.stored else self._refuse(envelope)
            return await inner(envelope) if refused is None else refused

        return admit

    def _refuse(self, envelope: Envelope) -> Refused | None:
        pool = self._pools[envelope.pool]
        ahead = self._waiting(envelope.pool)
        envelope.waited = pool.free <= ahead
        if not envelope.waited:
            return None
        message_class = envelope.classification.message_class if envelope.classification else ""
        if len(pool) == 0 and not self._helped(envelope):
            detail = (
                f"no worker is configured for class {message_class!r} (pool {envelope.pool!r}); add one and send again"
            )
            return Refused(Refusal.NO_WORKER, detail, 5.0, message_class=message_class)
        slots = pool.slots
        retry_s = shed.assess(ahead, slots, pool.service_s, envelope.ttl_s, envelope.level, self._settings)
        if retry_s is None:
            return None
        detail = f"{ahead} messages wait for {slots} slots of pool {envelope.pool!r}: more than this one has time for"
        return Refused(Refusal.OVERLOADED, detail, retry_s, message_class=message_class)

    def _helped(self, envelope: Envelope) -> bool:
        rule = self._rules.get(envelope.pool)
        if rule is None or envelope.message.strict:
            return False
        return any(len(self._pools[name]) > 0 for name in rule.helpers)
