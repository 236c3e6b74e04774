"""What is remembered of messages that have ended: views by id, and dead letters with their messages. Both bounded."""

from __future__ import annotations

from collections.abc import Iterator

from pointsman.engines.local.record import size_of
from pointsman.ports import DeadLetter, MessageView


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
        self._views: dict[str, MessageView] = {}
        self._letters: dict[str, DeadLetter] = {}
        self._letter_bytes = 0

    def remember(self, view: MessageView) -> None:
        """Keep the view of a message that has just ended."""
        self._views[view.id] = view
        if len(self._views) > self._keep:
            del self._views[next(iter(self._views))]

    def bury(self, letter: DeadLetter) -> None:
        """Keep a dead letter, and drop the oldest ones where there is no room."""
        self._letters[letter.envelope.id] = letter
        self._letter_bytes += size_of(letter.envelope)
        while len(self._letters) > self._keep_letters or (
            self._letter_bytes > self._keep_letter_bytes and len(self._letters) > 1
        ):
            self.drop(next(iter(self._letters)))

    def drop(self, message_id: str) -> bool:
        """Forget a dead letter; whether it was there."""
        letter = self._letters.pop(message_id, None)
        if letter is None:
            return False
        self._letter_bytes -= size_of(letter.envelope)
        return True

    def view(self, message_id: str) -> MessageView | None:
        """Return the view of an ended message that is still remembered."""
        return self._views.get(message_id)

    def views(self) -> Iterator[MessageView]:
        """Views, the newest first."""
        return reversed(self._views.values())

    def letter(self, message_id: str) -> DeadLetter | None:
        """Return a dead letter by its message's id."""
        return self._letters.get(message_id)

    def letters(self) -> Iterator[DeadLetter]:
        """Dead letters, the newest first."""
        return reversed(self._letters.values())

    def __len__(self) -> int:
        """Dead letters kept."""
        return len(self._letters)
