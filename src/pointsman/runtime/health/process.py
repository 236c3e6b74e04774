"""The process: memory that does not grow without end, and file descriptors to spare.

For a process that is nothing but the service. A program that has the router as a library answers for its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from pointsman.model.health import Finding, failed, passed, warned
from pointsman.runtime.health.premises import Alone

GROWTH: Final = 2.0
GROWTH_BYTES: Final = 268_435_456
"""So many times its first size, and so much more, is a warning."""

SETTLING: Final = 2
"""Deep looks before the size that later ones are held against: caches fill first."""

FDS_WARN_SHARE: Final = 0.8
FDS_FAIL_SHARE: Final = 0.95


class Facts(Protocol):
    """What the operating system says of this process; None where it does not say."""

    @property
    def resident_bytes(self) -> int | None:
        """Resident memory."""
        ...

    @property
    def open_fds(self) -> int | None:
        """Open file descriptors."""
        ...

    @property
    def max_fds(self) -> int | None:
        """Most that may be open."""
        ...


class MemoryCheck(Alone):
    """Holds the size against what it was once the router had settled.

    Args:
        read: asks the operating system.
    """

    kind = "memory"

    def __init__(self, read: Callable[[], Facts]) -> None:
        self._read = read
        self._looks = 0
        self._first_bytes = 0

    def probe(self) -> Finding:
        """Nothing: growth is slow."""
        return passed("looked at by deep checks only")

    async def look(self) -> Finding:
        """Compare."""
        size = self._read().resident_bytes
        if size is None:
            return passed("this system does not tell it")
        self._looks += 1
        if self._looks <= SETTLING:
            self._first_bytes = size
        limit = max(self._first_bytes * GROWTH, self._first_bytes + GROWTH_BYTES)
        if size > limit:
            output = "it has grown much since the router settled: lower engine.max_queued_bytes, or report a leak"
            return warned(output, size, "bytes", limit)
        return passed("it stays within bounds", size, "bytes", limit)


class DescriptorsCheck(Alone):
    """Looks how many file descriptors are left.

    Args:
        read: asks the operating system.
    """

    kind = "descriptors"

    def __init__(self, read: Callable[[], Facts]) -> None:
        self._read = read

    def probe(self) -> Finding:
        """Nothing: counting them takes a while where there are many."""
        return passed("looked at by deep checks only")

    async def look(self) -> Finding:
        """Compare."""
        facts = self._read()
        if facts.open_fds is None or not facts.max_fds:
            return passed("this system does not tell it")
        share = facts.open_fds / facts.max_fds
        output = f"{facts.open_fds:,} of {facts.max_fds:,} are open"
        if share > FDS_FAIL_SHARE:
            return failed(f"{output}: raise the limit (LimitNOFILE, ulimit -n)", share, "share", FDS_FAIL_SHARE)
        if share > FDS_WARN_SHARE:
            return warned(f"{output}: raise the limit (LimitNOFILE, ulimit -n)", share, "share", FDS_WARN_SHARE)
        return passed(output, share, "share", FDS_WARN_SHARE)
