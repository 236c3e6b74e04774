"""The components of a process that is nothing but the service, beside those that every router has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pointsman.core.keys import KeyRing
from pointsman.runtime.health.access import AccessCheck
from pointsman.runtime.health.premises import Check, Premises
from pointsman.runtime.health.process import DescriptorsCheck, Facts, MemoryCheck


def service_checks(house: Premises, keys: Callable[[], KeyRing], read: Callable[[], Facts]) -> Iterator[Check]:
    """Return their checks.

    Args:
        house: the router.
        keys: the API keys in force.
        read: asks the operating system about this process.
    """
    yield AccessCheck(keys, house.clock, house.emit)
    yield MemoryCheck(read)
    yield DescriptorsCheck(read)
