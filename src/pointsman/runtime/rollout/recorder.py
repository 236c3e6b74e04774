"""The record of one rollout as its conductor uses it: read once, then written a step at a time.

Decides what a record that cannot be used means: an `alarm`, which says what is wrong and where. The conductor leaves
everything to the legacy while there is one. The disk is waited for in a thread, so messages never do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pointsman.core.rollout import record
from pointsman.core.rollout.guard import Evidence
from pointsman.core.rollout.stages import Position
from pointsman.model.errors import RecordUnusable
from pointsman.model.rollout import Entry, Order
from pointsman.runtime.rollout.own_thread import OwnThread
from pointsman.runtime.rollout.record_file import RecordChanged, RecordFile, holder

log = logging.getLogger("pointsman.rollout")


class Recorder:
    """Entries in memory, and the file that they come from and go to. One call at a time.

    Args:
        path: of the file.

    Attributes:
        entries: the steps, the oldest first.
        alarm: what is wrong with the record, or empty.
        may_heal: the alarm may end by itself: another process holds the file, or it cannot be opened.
        tampered: somebody else has changed the file.
        torn_rollback: the last line was cut off and was, or may have been, that of a rollback.
    """

    def __init__(self, path: Path) -> None:
        self.entries: list[Entry] = []
        self.alarm = ""
        self.may_heal = False
        self.tampered = False
        self.torn_rollback = False
        self._file = RecordFile(path)
        self._head = ""
        self._thread = OwnThread("rollout record")
        self._aside: Callable[..., Any] = self._thread

    @property
    def head(self) -> Entry | None:
        """The newest entry, or None."""
        return self.entries[-1] if self.entries else None

    async def open(self) -> None:
        """Take the file and read it. Never raises: what is wrong stands in `alarm`."""
        try:
            data = await self._aside(self._file.open, holder())
            reading = record.read(data)
            if reading.torn_bytes:
                self.torn_rollback = record.may_be_rollback(data[reading.good_bytes :])
                log.warning(
                    "%s: the last line was cut off after %d bytes and is left out; %s",
                    self._file.path,
                    reading.torn_bytes,
                    "it may have been a rollback" if self.torn_rollback else "its step was never announced",
                )
                await self._aside(self._file.cut, reading.good_bytes)
        except RecordUnusable as error:
            self._file.close()
            self.alarm, self.may_heal = str(error), True
        except record.Damaged as error:
            advice = "compare it with a copy of yours, or move it away to begin anew, and start this router again"
            self.alarm, self.tampered = f"{self._file.path}: {error}; {advice}", error.tampered
            self.may_heal = False
        else:
            self.may_heal = False
            self.entries, self._head, self.alarm = reading.entries, reading.head, ""

    async def write(self, entry: Entry) -> None:
        """Write a step, drafted since the last one was written, and wait until it is on the disk.

        Raises:
            RecordUnusable: it is not written. Where somebody else has changed the file, there is an alarm from now on.
        """
        line = record.encode(entry)
        try:
            await self._aside(self._file.append, line)
        except RecordChanged as error:
            self.alarm, self.tampered = f"{error}; start this router again once it is as it should be", True
            raise
        self.entries.append(entry)
        self._head = record.digest(line)

    def draft(
        self,
        was: Position,
        now: Position,
        event: str,
        order: Order,
        at: float,
        realised_share: float | None,
        *,
        forced: bool = False,
        evidence: Evidence | None = None,
    ) -> Entry:
        """Return a step that may be written: of the rollout at hand, or of a new one where it begins one.

        Args:
            was: where the rollout stands, by the newest entry.
            now: where the step leads to.
            event: the verb, or `trip`.
            order: who asked, and why.
            at: Unix seconds.
            realised_share: see `Entry`; so are `forced` and `evidence`.
        """
        head = None if event == "start" else self.head
        return Entry(
            seq=self.next_seq,
            at=at,
            rollout_id=record.new_id(at, self.next_seq, self._head) if head is None else head.rollout_id,
            event=event,
            was=was.state,
            now=now.state,
            stage=now.stage,
            share=now.share,
            actor=record.tidy(order.actor),
            reason=record.tidy(order.reason),
            ref=record.tidy(order.ref) or ("" if head is None else head.ref),
            forced=forced,
            evidence=evidence or {},
            realised_share=realised_share,
            previous=self._head,
        )

    @property
    def next_seq(self) -> int:
        """Number of the next entry."""
        return len(self.entries) + 1

    def close(self) -> None:
        """Let the file go; idempotent."""
        self._file.close()
        self._thread.close()
