"""Candidates to look on with: the real one, and the real one made slow, broken or stuck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from pointsman.assembly import House
from pointsman.layers.shadow_stack import ShadowStack
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt

SLOW_S = 0.010


async def _nothing() -> None:
    """Decide as fast as it goes."""


async def _wait() -> None:
    await asyncio.sleep(SLOW_S)


async def _compute() -> None:
    until = time.perf_counter() + SLOW_S
    while time.perf_counter() < until:
        pass


async def _fail() -> None:
    raise ZeroDivisionError("the candidate is broken")


async def _hang() -> None:
    await asyncio.Event().wait()


CANDIDATES: dict[str, Callable[[], Awaitable[None]]] = {
    "fast": _nothing,
    "waits 10 ms": _wait,
    "computes 10 ms": _compute,
    "raises": _fail,
    "hangs": _hang,
}


class Candidate(ShadowStack):
    """The stack that looks on in a house, with something before each decision."""

    def __init__(self, house: House, first: Callable[[], Awaitable[None]]) -> None:
        super().__init__(house.admission_layers(), house.shadow_pins, house.pools, house.resolve_class)
        self._first = first

    async def decide(self, envelope: Envelope) -> Receipt:
        """Decide, after that."""
        await self._first()
        return await super().decide(envelope)
