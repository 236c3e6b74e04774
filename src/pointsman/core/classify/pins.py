"""Remembers the class of conversations, so that one conversation stays with one kind of worker.

Decides how long a class is remembered, and that it may only rise: to a dearer class, never to a cheaper one, so
that a plan is not carried on by a worker too weak to have made it. Which class a message has is decided elsewhere.
Bounded: the conversation that was silent for longest goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping


class ConversationPins:
    """Class by client and conversation. Not safe from several threads at once.

    Args:
        pin_s: how long a class is remembered after the last message of its conversation, seconds.
        max_pins: conversations remembered at once, 1 or more.
    """

    __slots__ = ("_max_pins", "_pin_s", "_pins")

    def __init__(self, pin_s: float, max_pins: int) -> None:
        self._pin_s = pin_s
        self._max_pins = max_pins
        # Oldest first: each message moves its conversation to the end, so the order is also that of expiry. An
        # OrderedDict, because the first key of a plain dict is found slowly once many before it are gone.
        self._pins: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    def __len__(self) -> int:
        """Conversations held, the expired ones not yet swept included."""
        return len(self._pins)

    def get(self, client: str, conversation_id: str, now: float) -> str | None:
        """Return the class the conversation is pinned to, or None. Changes nothing.

        Args:
            client: conversations of different clients never meet, whatever their ids.
            conversation_id: as the sender named it.
            now: monotonic seconds.
        """
        pin = self._pins.get((client, conversation_id))
        return pin[0] if pin is not None and now < pin[1] else None

    def settle(
        self, client: str, conversation_id: str, message_class: str, costs: Mapping[str, float], now: float
    ) -> str:
        """Note a message of the conversation; return the class it is pinned to from now on.

        Args:
            client: see `get`.
            conversation_id: see `get`.
            message_class: class the message got.
            costs: cost by class; a pinned class that is not among them is forgotten, since it is gone from the
            settings.
            now: monotonic seconds.
        """
        pinned = self.get(client, conversation_id, now)
        if pinned is not None and costs.get(pinned, -1.0) > costs[message_class]:
            message_class = pinned
        self._pins.pop((client, conversation_id), None)
        self._sweep(now)
        self._pins[client, conversation_id] = (message_class, now + self._pin_s)
        return message_class

    def drop(self, client: str, conversation_id: str) -> None:
        """Forget what the conversation is pinned to; nothing where it is to nothing."""
        self._pins.pop((client, conversation_id), None)

    def _sweep(self, now: float) -> None:
        """Drop up to two expired pins, and the oldest if there is no room: work per message stays constant."""
        for _ in range(2):
            oldest = next(iter(self._pins), None)
            if oldest is None or (now < self._pins[oldest][1] and len(self._pins) < self._max_pins):
                return
            del self._pins[oldest]
