"""Messages that must be handed out one at a time: of each key one has the turn, the others are held back.

The turn is kept while its message is out, and over retries; it ends with the message, however that ends, and goes to
the one that came next. So the order is that of arrival, whatever the priorities: a later turn of a conversation makes
no sense before an earlier one. A message that comes with a delay of its own arrives when the delay is over.

What is held back waits outside the schedule, and is not in the way of anybody there. Its time to live runs all the
same.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from pointsman.core.lines import Ticket
from pointsman.core.wheel import Wheel
from pointsman.engines.local.record import Record
from pointsman.model.message import PRIORITIES

_TICK_S: Final = 0.03125


class SerialKeys:
    """The keys of one queue."""

    def __init__(self) -> None:
        self._turns: dict[str, Record] = {}
        self._lines: dict[str, OrderedDict[str, Record]] = {}
        self._held: dict[str, Record] = {}
        self._wheel: Wheel[Ticket] = Wheel(_TICK_S)
        self.depths = [0] * len(PRIORITIES)

    def __len__(self) -> int:
        """Messages held back."""
        return len(self._held)

    def admits(self, record: Record) -> bool:
        """Whether a message may enter the schedule: it has the turn of its key, or takes it because nobody has."""
        return self._turns.setdefault(record.envelope.serial_key, record) is record

    def hold(self, record: Record, ticket: Ticket) -> None:
        """Hold a message back, behind those of its key that came before; `ticket` is its place when it has the turn."""
        envelope = record.envelope
        record.ticket = ticket
        self._lines.setdefault(envelope.serial_key, OrderedDict())[envelope.id] = record
        self._held[envelope.id] = record
        self._wheel.add(ticket, ticket.expires_at - ticket.queued_at)
        self.depths[envelope.level] += 1

    def ended(self, record: Record) -> Record | None:
        """A message of a key has ended: return the one that has the turn now, if that is another one."""
        envelope = record.envelope
        key = envelope.serial_key
        if envelope.id in self._held:
            self._let_go(record)
            self._remove_ticket(record)
        if self._turns.get(key) is not record:
            return None
        line = self._lines.get(key)
        if line is None:
            del self._turns[key]
            return None
        following = next(iter(line.values()))
        self._let_go(following)
        self._remove_ticket(following)
        self._turns[key] = following
        return following

    def expire(self, now: float) -> list[Record]:
        """Take out and return those whose time to live is over, as `Scheduler.expire` does."""
        over = [self._held[ticket.id] for ticket in self._wheel.due(now)]
        for record in over:
            self._let_go(record)
        return over

    def drain(self) -> list[Record]:
        """Take out and return everything that is held back; who has the turn keeps it."""
        records = list(self._held.values())
        for record in records:
            self._let_go(record)
        self._wheel.clear()
        return records

    def next_expiry(self) -> float | None:
        """Return the earliest `now` at which `expire` returns something, or None."""
        return self._wheel.next_due()

    def oldest(self, now: float) -> float:
        """Return the age in seconds of the one that has been held back for longest, 0.0 if there is none."""
        heads = (next(iter(line.values())).ticket for line in self._lines.values())
        return max(0.0, now - min((ticket.queued_at for ticket in heads if ticket is not None), default=now))

    def _let_go(self, record: Record) -> None:
        envelope = record.envelope
        line = self._lines[envelope.serial_key]
        del line[envelope.id]
        if not line:
            del self._lines[envelope.serial_key]
        del self._held[envelope.id]
        self.depths[envelope.level] -= 1

    def _remove_ticket(self, record: Record) -> None:
        if record.ticket is not None:
            self._wheel.remove(record.ticket)
