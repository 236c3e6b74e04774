"""Refuses what none of the workers that may get it can serve: they speak another language, or have another model."""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.core.routing import FallbackRule
from pointsman.core.suitable import Need, describe, need_of
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refusal, Refused
from pointsman.ports import Admit
from pointsman.runtime.pool import Pool


class Speak:
    """Refuses with `wrong_protocol` where the pool, and the pools that may help it, have workers but none that can
    serve the message, and with `no_worker` where none of them has the model that it insists on. Stored messages too:
    what nobody understands does not become clearer by waiting.

    Position: after Classify because the class decides the pool, before Budget because nothing is set aside for what
    nobody can serve, and before Shed, which refuses where there are no workers at all.
    """

    def __init__(self, pools: Mapping[str, Pool], rules: Mapping[str, FallbackRule]) -> None:
        self._pools = pools
        self._rules = rules

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""

        async def admit(envelope: Envelope) -> Receipt:
            need = need_of(envelope)
            if need is None or self._pools[envelope.pool].roster.serves(need):
                return await inner(envelope)
            pools = self._may_serve(envelope)
            if any(pool.roster.serves(need) for pool in pools) or not any(len(pool) for pool in pools):
                return await inner(envelope)
            return _refuse(envelope, need, pools)

        return admit

    def _may_serve(self, envelope: Envelope) -> list[Pool]:
        rule = None if envelope.message.strict else self._rules.get(envelope.pool)
        names = (envelope.pool, *rule.helpers) if rule else (envelope.pool,)
        return [self._pools[name] for name in names]


def _refuse(envelope: Envelope, need: Need, pools: list[Pool]) -> Refused:
    message_class = envelope.classification.message_class if envelope.classification else ""
    there = "; ".join(f"pool {pool.name!r} has {', '.join(pool.roster.kinds()) or 'none'}" for pool in pools)
    wanted = f"class {message_class!r} has no worker that {describe(need)}: {there}"
    if need.model and not any(pool.roster.knows(need.model) for pool in pools):
        return Refused(Refusal.NO_WORKER, f"{wanted}; GET /v1/models lists what there is", 5.0, field="model")
    detail = f"{wanted}; send it to a class whose workers do, or add one that does"
    return Refused(Refusal.WRONG_PROTOCOL, detail, message_class=message_class)
