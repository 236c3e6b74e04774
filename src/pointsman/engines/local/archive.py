"""What is remembered of messages that have ended: views by id, and dead letters with their messages. Both bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from pointsman.model.views import DeadLetter, MessageView


class Archive:
    """Ended messages, the oldest forgotten first.

    Args:
        keep: views kept.
        keep_letters: dead letters kept.
        keep_letter_bytes: bytes of messages among them.
    """

    def __init__(self, keep: int, keep_letters: int, keep_letter_bytes: int) -> None:
        self._keep = keep
        self._keep_letters = keep_letters
        self._keep_letter_bytes = keep_letter_bytes
        # The first key of a plain dict is found slowly once many before it are gone.
        self._views: OrderedDict[str, MessageView] = OrderedDict()
        self._letters: OrderedDict[str, tuple[DeadLetter, int]] = OrderedDict()
        self._letter_bytes = 0

    def remember(self, view: MessageView) -> None:
        """Keep the view of a message that has just ended."""
        self._views[view.id] = view
        if len(self._views) > self._keep:
            self._views.popitem(last=False)

    def bury(self, letter: DeadLetter, size_bytes: int) -> None:
        """Keep a dead letter, and drop the oldest where there is no room; the newest stays, whatever its size."""
        self._letters[letter.envelope.id] = (letter, size_bytes)
        self._letter_bytes += size_bytes
        while len(self._letters) > self._keep_letters or (
            self._letter_bytes > self._keep_letter_bytes and len(self._letters) > 1
        ):
            self.drop(next(iter(self._letters)))

    def drop(self, message_id: str) -> bool:
        """Forget a dead letter; whether it was there."""
        kept = self._letters.pop(message_id, None)
        if kept is None:
            return False
        self._letter_bytes -= kept[1]
        return True

    def view(self, message_id: str) -> MessageView | None:
        """Return the view of an ended message that is still remembered."""
        return self._views.get(message_id)

    def views(self) -> Iterator[MessageView]:
        """Views, the newest first."""
        return reversed(self._views.values())

    def letter(self, message_id: str) -> DeadLetter | None:
        """Return a dead letter by its message's id."""
        kept = self._letters.get(message_id)
        return None if kept is None else kept[0]

    def letters(self, limit: int) -> list[DeadLetter]:
        """Return at most `limit` dead letters, the newest first."""
        return [letter for letter, _ in islice(reversed(self._letters.values()), max(0, limit))]
