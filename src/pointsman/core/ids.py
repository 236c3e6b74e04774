"""Message ids: 128 bits that sort by time of creation and tell which router made them.

Layout, after RFC 9562, version 8 (section 5.8), most significant bits first:

    48 bits  milliseconds of Unix time
     4 bits  version, 8
    12 bits  instance number of the router
     2 bits  variant, binary 10
    62 bits  a counter that starts at random in each millisecond and grows by a random step (section 6.2,
    method 2)

Written as 32 lower-case hexadecimal digits without hyphens: text order is number order. Several routers
beside each other cannot meet, because each has another instance number; one router cannot meet itself,
because its ids only grow. An id is a name, not a secret: whoever knows one may guess its neighbours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pointsman.model.errors import UsageError

if TYPE_CHECKING:
    import random

INSTANCES: Final = 4096
"""How many instance numbers there are: 0 to 4095."""

_COUNTER_BITS: Final = 62
_START_BITS: Final = 61  # the upper half of the counter is left free for growing
_STEP_BITS: Final = 32
_VERSION: Final = 8 << 76
_VARIANT: Final = 2 << 62
_ID: Final = re.compile(r"[0-9a-f]{32}")


class IdSource:
    """Makes ids, each greater than the one before, even when the wall clock steps back."""

    __slots__ = ("_counter", "_fixed", "_ms", "_prefix", "_rng")

    def __init__(self, instance: int, rng: random.Random) -> None:
        """Make a source.

        Args:
            instance: number of this router, 0 to 4095; no two that live at once may share it.
            rng: the process's generator.

        Raises:
            UsageError: `instance` is out of its range.
        """
        if not 0 <= instance < INSTANCES:
            raise UsageError(f"instance is {instance}, expected 0 to {INSTANCES - 1}")
        self._rng = rng
        self._fixed = _VERSION | instance << 64 | _VARIANT
        self._ms = -1
        self._prefix = 0
        self._counter = 0

    def new(self, wall_s: float) -> str:
        """Return the next id.

        Args:
            wall_s: Unix seconds, 0 or later. Where they are behind the last id's, the last id's instant is
                used again, so that order is kept and the instant is wrong by as much as the clock was.
        """
        ms = int(wall_s * 1000.0)
        if ms > self._ms:
            self._start(ms)
        else:
            self._counter += 1 + self._rng.getrandbits(_STEP_BITS)
            if self._counter >> _COUNTER_BITS:
                self._start(self._ms + 1)
        return f"{self._prefix | self._counter:032x}"

    def _start(self, ms: int) -> None:
        self._ms = ms
        self._prefix = ms << 80 | self._fixed
        self._counter = self._rng.getrandbits(_START_BITS)


def instant(id: str) -> float:
    """Return when an id was made, in Unix seconds, to the millisecond.

    Raises:
        UsageError: it is not 32 lower-case hexadecimal digits.
    """
    if not _ID.fullmatch(id):
        raise UsageError(f"{id[:40]!r} is no message id: expected 32 lower-case hexadecimal digits")
    return int(id[:12], 16) / 1000.0
