"""What decides in the shadow: those layers of admission that only decide, around conversations of their own.

There is no limiter, flood guard, budget or queue in it, so that looking on takes nothing from anybody. What it
reads of the live router (which workers there are, what waits) it does not change, and it draws no chance.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from pointsman import stack
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.suitable import need_of
from pointsman.layers.admission.classify import Classify
from pointsman.layers.admission.shed import Shed
from pointsman.layers.admission.speak import Speak
from pointsman.layers.admission.validate import Validate
from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted, Receipt
from pointsman.ports import AdmitLayer
from pointsman.runtime.pool import Pool

DECIDING: Final = (Validate, Classify, Speak, Shed)
"""Layers of admission that change nothing but the envelope, once `Classify` has conversations of its own."""


class ShadowStack:
    """Implements `runtime.shadow.Stack`.

    Args:
        layers: of admission, as live messages meet them; those that do not only decide are left out.
        pins: conversations that keep their class in the shadow.
        pools: all pools; only read.
        resolve_class: returns the class that a name or alias stands for, or None.
    """

    def __init__(
        self,
        layers: tuple[AdmitLayer, ...],
        pins: ConversationPins,
        pools: Mapping[str, Pool],
        resolve_class: Callable[[str], str | None],
    ) -> None:
        deciding = (layer for layer in layers if isinstance(layer, DECIDING))
        own = tuple(layer.around(pins) if isinstance(layer, Classify) else layer for layer in deciding)
        self._admit = stack.build(own, _accept)
        self._pools = pools
        self.resolve_class = resolve_class

    def decide(self, envelope: Envelope) -> Awaitable[Receipt]:
        """Fill in class and pool as admission would, and return what it would answer."""
        return self._admit(envelope)

    def might_choose(self, envelope: Envelope, worker: str) -> bool:
        """Whether a worker is of the message's pool, is well, and can serve it."""
        pool = self._pools[envelope.pool]
        endpoint = pool.find(worker)
        if endpoint is None or not endpoint.up:
            return False
        need = need_of(envelope)
        return need is None or worker not in pool.roster.unsuitable(need)


async def _accept(envelope: Envelope) -> Receipt:
    return Accepted(envelope.id)
