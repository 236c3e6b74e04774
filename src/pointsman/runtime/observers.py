"""Hands each event to everyone who listens.

A listener that raises is a bug of whoever wrote it, and must cost no message. It is reported with its traceback and
called no more. One of the four files with a broad except.
"""

from __future__ import annotations

import logging

from pointsman.model.events import Emit, Event

log = logging.getLogger("pointsman.runtime")


class Observers:
    """Listeners, called in the order in which they were added."""

    def __init__(self) -> None:
        self._listeners: tuple[Emit, ...] = ()

    def add(self, listener: Emit) -> None:
        """Call `listener` with each event from now on. It must be quick; if it raises, it hears nothing more."""
        self._listeners = (*self._listeners, listener)

    def remove(self, listener: Emit) -> None:
        """Call it no more; an unknown one is ignored."""
        self._listeners = tuple(one for one in self._listeners if one != listener)

    def emit(self, event: Event) -> None:
        """Tell everyone."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                self.remove(listener)
                log.exception("listener %r failed on %s and is called no more", listener, type(event).__name__)
