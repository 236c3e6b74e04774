"""Access: where API keys are required, a key that nobody was given opens nothing.

One that does is a security incident, reported when it is first seen and by each deep check that still sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pointsman.core.keys import ID_BYTES, SECRET_BYTES, KeyRing, compose
from pointsman.model.events import Emit, SecurityIncident
from pointsman.model.health import Finding, failed, passed, warned
from pointsman.model.keys import KeyFault
from pointsman.ports import Clock
from pointsman.runtime.health.premises import Alone

_UNKNOWN: Final = compose(bytes(ID_BYTES), bytes(SECRET_BYTES))[1].encode()
"""A key of the right form that is nobody's."""


class AccessCheck(Alone):
    """Shows the ring of keys one that is unknown.

    Args:
        keys: the keys in force.
        clock: time.
        emit: takes events.
    """

    kind = "access"

    def __init__(self, keys: Callable[[], KeyRing], clock: Clock, emit: Emit) -> None:
        self._keys = keys
        self._clock = clock
        self._emit = emit
        self._told = False

    def probe(self) -> Finding:
        """Show it."""
        ring, wall = self._keys(), self._clock.wall()
        if not ring.required:
            return passed("no API keys are required: only this machine can reach the router")
        for presented in (_UNKNOWN, b"", b"pm_"):
            if not isinstance(ring.find(presented, wall), KeyFault):
                self._tell()
                return failed(
                    "an API key that nobody was given is accepted: stop the router, and look at the keys file"
                )
        self._told = False
        usable = ring.counts(wall).usable
        if usable == 0:
            return warned("no API key is usable, so that nobody gets in: `pointsman keys create`", 0, "keys", 1)
        return passed(f"unknown API keys are refused, {usable:,} are usable", usable, "keys", 1)

    async def look(self) -> Finding:
        """As the probe."""
        self._told = False
        return self.probe()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._emit(SecurityIncident(self._clock.monotonic(), "forbidden_call_obeyed"))
