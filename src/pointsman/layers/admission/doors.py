"""Closes the house: once the router drains, nothing new comes in."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refusal, Refused
from pointsman.ports import Admit

_DRAINING = Refused(
    Refusal.DRAINING, "this router is shutting down and takes nothing new; send to another, or again", 5.0
)


class Doors:
    """Refuses with `draining` once the doors are closed.

    Position: after Measure because these refusals are counted, before Rescue and everything else because a router that
    shuts down should not spend time on what it will not take.
    """

    def __init__(self, is_open: Callable[[], bool]) -> None:
        self._is_open = is_open

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        is_open = self._is_open

        async def admit(envelope: Envelope) -> Receipt:
            return await inner(envelope) if is_open() else _DRAINING

        return admit
