"""Leases of the local engine: who holds which message until when, and which have run out.

A lease is known by its fence, a number that only rises. Renewing changes the record alone; the heap of ends is put
right when an entry comes to its top. The heap holds numbers, never messages, so that a message that has ended is let go
of at once, however long its lease would have lasted.
"""

from __future__ import annotations

import heapq

from pointsman.engines.local.record import Record
from pointsman.model.errors import LeaseLost
from pointsman.ports import Lease

_TOLERATED = 1024
"""Entries of leases that are over which the heap may hold before it is built anew."""


class Leases:
    """Leases that are out. Times in monotonic seconds."""

    def __init__(self) -> None:
        self._held: dict[int, Record] = {}
        self._ends: list[tuple[float, int]] = []
        self._fence = 0

    def __len__(self) -> int:
        """Messages that are out."""
        return len(self._held)

    def grant(self, record: Record, until: float) -> None:
        """Give a record that is not out a fresh fence, good until `until`."""
        self._fence += 1
        record.fence = self._fence
        record.due = until
        self._held[self._fence] = record
        heapq.heappush(self._ends, (until, self._fence))
        if len(self._ends) > _TOLERATED and len(self._ends) > 4 * len(self._held):
            self._ends = [end for end in self._ends if end[1] in self._held]
            heapq.heapify(self._ends)

    def release(self, record: Record) -> None:
        """Take a record back; whoever holds its lease has lost it."""
        del self._held[record.fence]
        record.fence = 0

    def holder(self, lease: Lease) -> Record:
        """Return the record a lease is for.

        Raises:
            LeaseLost: it ran out, was settled or was taken away.
        """
        record = self._held.get(lease.fence)
        if record is None or record.envelope.id != lease.envelope.id:
            raise LeaseLost(f"attempt {lease.attempt} of message {lease.envelope.id} no longer holds its lease")
        return record

    def run_out(self, now: float) -> list[Record]:
        """Return the records whose lease is over at `now`; each stays out until it is granted anew or released."""
        over: list[Record] = []
        while (end := self.next_end()) is not None and end <= now:
            over.append(self._held[heapq.heappop(self._ends)[1]])
        return over

    def next_end(self) -> float | None:
        """Return when the first lease will be over, or None where nothing is out."""
        ends = self._ends
        while ends:
            end, fence = ends[0]
            record = self._held.get(fence)
            if record is None:
                heapq.heappop(ends)
            elif record.due > end:
                heapq.heapreplace(ends, (record.due, fence))
            else:
                return end
        return None
