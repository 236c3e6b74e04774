"""The accounts of the local engine: what was admitted, how it ended, and how many bytes are held."""

from __future__ import annotations

from pointsman.model.states import ENDS, Status
from pointsman.model.views import Counts


class Accounts:
    """Counts by kind of end. `held_bytes` is the size of all messages that have not ended."""

    def __init__(self) -> None:
        self.admitted = 0
        self.held_bytes = 0
        self._ended = dict.fromkeys(ENDS, 0)

    def took(self, size_bytes: int) -> None:
        """A message was accepted."""
        self.admitted += 1
        self.held_bytes += size_bytes

    def ended(self, status: Status, size_bytes: int) -> None:
        """A message came to one of its five ends."""
        self._ended[status] += 1
        self.held_bytes -= size_bytes

    def counts(self, *, waiting: int, in_flight: int) -> Counts:
        """Return the accounting identity in numbers."""
        return Counts(
            admitted=self.admitted,
            delivered=self._ended[Status.DELIVERED],
            failed=self._ended[Status.FAILED],
            dead=self._ended[Status.DEAD],
            expired=self._ended[Status.EXPIRED],
            cancelled=self._ended[Status.CANCELLED],
            waiting=waiting,
            in_flight=in_flight,
        )
