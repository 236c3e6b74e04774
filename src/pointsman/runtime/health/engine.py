"""The engine: what is written can be read back, and every message is accounted for."""

from __future__ import annotations

from typing import Final

from pointsman.model.errors import EngineError
from pointsman.model.health import Finding, failed, passed
from pointsman.runtime.health.premises import Alone, Premises

_KEY: Final = "health"
_TRIES: Final = 3
"""Routers that share an engine may be faster with the same key."""


class EngineCheck(Alone):
    """Writes and reads a key of the router's own state, and adds up the accounting.

    Args:
        house: whose engine.
    """

    kind = "engine"

    def __init__(self, house: Premises) -> None:
        self._house = house

    def probe(self) -> Finding:
        """Ask a queue for its length: an engine that does not answer raises."""
        try:
            waiting = sum(self._house.engine.waiting(name, 4) for name in self._house.pools)
        except EngineError as error:
            return failed(f"the engine does not answer: {error}")
        return passed(f"{waiting:,} messages are ready", waiting, "messages")

    async def look(self) -> Finding:
        """Write, read back, add up."""
        began = self._house.clock.monotonic()
        try:
            wrong = await self._write_and_read() or await self._add_up()
        except (EngineError, OSError) as error:
            return failed(f"the engine failed: {error}; look at the log, and at the disk it writes to")
        took_s = self._house.clock.monotonic() - began
        return failed(wrong) if wrong else passed("writes, reads back, and every message is accounted for", took_s, "s")

    async def _write_and_read(self) -> str:
        engine = self._house.engine
        for _ in range(_TRIES):
            value = repr(self._house.clock.wall()).encode()
            known = await engine.read(_KEY)
            version = await engine.swap(_KEY, 0 if known is None else known[1], value)
            if version is None:
                continue
            back = await engine.read(_KEY)
            if back is None or back[1] < version or (back[1] == version and back[0] != value):
                return "the engine does not give back what was written to it; stop, and look at what it writes to"
            return ""
        return f"the engine did not take a value in {_TRIES} tries; does something else write the key {_KEY!r}?"

    async def _add_up(self) -> str:
        counts = await self._house.engine.counts()
        ended = counts.delivered + counts.failed + counts.dead + counts.expired + counts.cancelled
        known = ended + counts.waiting + counts.in_flight
        if counts.admitted == known:
            return ""
        return (
            f"{counts.admitted:,} messages were admitted and {known:,} are accounted for: this is a fault in Pointsman;"
            " please report it"
        )
