"""Hands each event to everyone who listens for its kind.

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
        self._listeners: tuple[tuple[Emit, tuple[type, ...]], ...] = ()
        self._by_kind: dict[type, tuple[Emit, ...]] = {}

    def add(self, listener: Emit, *kinds: type) -> None:
        """Call `listener` with each event of these kinds, or of every kind, from now on.

        It must be quick; if it raises, it hears nothing more.
        """
        self._listeners = (*self._listeners, (listener, kinds))
        self._by_kind = {}

    def remove(self, listener: Emit) -> None:
        """Call it no more; an unknown one is ignored."""
        self._listeners = tuple(one for one in self._listeners if one[0] != listener)
        self._by_kind = {}

    def emit(self, event: Event) -> None:
        """Tell everyone."""
        kind = type(event)
        listeners = self._by_kind.get(kind)
        if listeners is None:
            listeners = self._by_kind[kind] = tuple(one for one, kinds in self._listeners if not kinds or kind in kinds)
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                self.remove(listener)
                log.exception("listener %r failed on %s and is called no more", listener, kind.__name__)
