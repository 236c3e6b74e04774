"""Workers that follow a script: how long they take, and when and how they fail. All in virtual time, from one rng.

Fault kinds: `fast_fail` answers at once with an error, `hang` never answers, `grey` fails a share of its messages,
`slow` takes ten times as long, `die` breaks off in the middle of a message.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pointsman.ports import Clock

FAULTS: Final = ("fast_fail", "hang", "grey", "slow", "die")
"""Every way in which a scripted worker can be bad."""

_FOREVER_S = 1e7
_SLOW_FACTOR = 10.0


class ScriptedFailure(Exception):
    """What a scripted worker raises where its script says that it fails."""


@dataclass(slots=True, frozen=True)
class Fault:
    """One bad spell of one worker.

    Attributes:
        kind: one of `FAULTS`.
        worker: id of the worker.
        from_s: virtual seconds after the start at which it begins.
        to_s: at which it ends.
        rate: share of the messages in that time that it hits, 0..1.
    """

    kind: str
    worker: str
    from_s: float
    to_s: float
    rate: float = 1.0


class ScriptedWorker:
    """A callable worker with lognormal service times.

    Args:
        worker_id: its id.
        clock: virtual time.
        rng: its chance.
        mean_s: mean service time, seconds.
        sigma: spread of the logarithm; 0 = always the mean.
        faults: its bad spells; those of other workers are ignored.
    """

    def __init__(
        self,
        worker_id: str,
        clock: Clock,
        rng: random.Random,
        mean_s: float,
        sigma: float,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        self.worker_id = worker_id
        self.served = 0
        self.most_at_once = 0
        self.in_hand = 0
        self._clock = clock
        self._rng = rng
        self._mean_s = mean_s
        self._sigma = sigma
        self._faults = tuple(fault for fault in faults if fault.worker == worker_id)
        self._start = clock.monotonic()

    async def __call__(self, work: Mapping[str, Any]) -> str:
        """Serve one message as the script says."""
        self.in_hand += 1
        self.most_at_once = max(self.most_at_once, self.in_hand)
        try:
            await self._serve()
        finally:
            self.in_hand -= 1
        self.served += 1
        return f"{self.worker_id} did {work['id']}"

    async def _serve(self) -> None:
        took_s = self._service_s()
        kind = self._fault()
        if kind == "fast_fail":
            await self._sleep(0.001)
        elif kind == "hang":
            await self._sleep(_FOREVER_S)
        elif kind == "slow":
            took_s *= _SLOW_FACTOR
        elif kind == "die":
            took_s *= self._rng.random()
        if kind != "fast_fail":
            await self._sleep(took_s)
        if kind in {"fast_fail", "grey", "die"}:
            raise ScriptedFailure(f"{self.worker_id} was told to {kind}")

    def _fault(self) -> str | None:
        now = self._clock.monotonic() - self._start
        for fault in self._faults:
            if fault.from_s <= now < fault.to_s and self._rng.random() < fault.rate:
                return fault.kind
        return None

    def _service_s(self) -> float:
        if self._sigma == 0.0:
            return self._mean_s
        drift = -self._sigma * self._sigma / 2.0
        return self._mean_s * self._rng.lognormvariate(drift, self._sigma)

    async def _sleep(self, delay_s: float) -> None:
        await self._clock.sleep_until(self._clock.monotonic() + delay_s)
