"""Hands each event to everyone who listens."""

from __future__ import annotations

from pointsman.model.events import Emit, Event


class Observers:
    """Listeners, called in the order in which they were added."""

    def __init__(self) -> None:
        self._listeners: tuple[Emit, ...] = ()

    def add(self, listener: Emit) -> None:
        """Call `listener` with each event from now on. It must be quick and must not raise."""
        self._listeners = (*self._listeners, listener)

    def remove(self, listener: Emit) -> None:
        """Call it no more; an unknown one is ignored."""
        self._listeners = tuple(one for one in self._listeners if one != listener)

    def emit(self, event: Event) -> None:
        """Tell everyone."""
        for listener in self._listeners:
            listener(event)
