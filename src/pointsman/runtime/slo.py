"""Keeps the service levels: counts events towards the objectives, remembers past hours in a journal, and reports.

What counts for what, and when an objective is met, is decided in `core/slo*.py`. Here is what touches the world: the
events, the clocks, the file. The journal holds figures that are good to have and nothing that a message depends on, so
one that cannot be read or written is said (`alarm`) and costs coverage, never a start or a message.

Costs a message one look at the time that its event carries, and a handful of additions at its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pointsman.core import slo, slo_lines, slo_report
from pointsman.core.slo_book import Book, Instant
from pointsman.core.slo_lines import RolledBack
from pointsman.core.slo_rings import DAY_S, HOUR_S
from pointsman.core.slo_tally import Layout
from pointsman.model.errors import LedgerUnusable
from pointsman.model.events import (
    Ended,
    FellBackToLegacy,
    HealthChecked,
    LegacyAnswered,
    MessageRefused,
    RequestFaulted,
    RolloutMoved,
    SecurityIncident,
    WorkerLeft,
)
from pointsman.model.objectives import SloReport
from pointsman.model.rollout import State
from pointsman.model.settings import Settings
from pointsman.ports import Clock
from pointsman.runtime.ledger import Ledger
from pointsman.runtime.observers import Observers
from pointsman.runtime.tasks import Tasks

log = logging.getLogger("pointsman.objectives")

WRITE_EVERY_S: Final = 900.0
"""Most that a process that is killed forgets."""

COMPACT_BYTES: Final = 16_777_216
"""A journal above this size is written anew, one line an hour; 90 days of a busy router have some 4 MB."""

_UNWRITTEN_MAX: Final = 10_000
_LIVE_S: Final = 300.0


class ServiceLevels:
    """The objectives of one router.

    Args:
        settings: objectives, and how often components are checked.
        clock: time.
        beside: directory that the journal's name starts from.
        observers: whose events are counted, from now on.

    Attributes:
        keeps_journal: set before `open` where past hours are to be remembered in a file.
        alarm: what is wrong with that file, or empty.
    """

    def __init__(self, settings: Settings, clock: Clock, beside: Path, observers: Observers) -> None:
        self.settings = of = settings.objectives
        self.keeps_journal = False
        self.alarm = ""
        self._clock = clock
        self._check_s = settings.health.check_s
        layout = Layout((of.overhead_p95_s, of.classification_p95_s, of.routing_p95_s))
        self._book = Book(layout, of.window_s, self._check_s)
        self._ledger = Ledger(beside / of.journal, "objectives.journal")
        self._unwritten: list[bytes] = []
        self._write_at = 0.0
        listeners: dict[type, Callable[[Any], None]] = {
            Ended: self._ended,
            MessageRefused: self._refused,
            RequestFaulted: self._faulted,
            SecurityIncident: self._incident,
            RolloutMoved: self._moved,
            LegacyAnswered: self._legacy_answered,
            FellBackToLegacy: self._fell_back,
            HealthChecked: self._checked,
            WorkerLeft: self._worker_left,
        }
        for kind, listener in listeners.items():
            observers.add(listener, kind)

    # Life.

    def open(self, tasks: Tasks) -> None:
        """Read the journal and measure from now on, until the tasks are closed. Never raises."""
        if self.keeps_journal:
            self._recall()
        self._book.begin(self._now())
        self._write_at = self._clock.monotonic() + WRITE_EVERY_S
        tasks.spawn(self._run(), "service levels", self._close)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep_until(self._book.until)
            self._turn()
            if self._clock.monotonic() >= self._write_at:
                self._write()

    def _close(self) -> None:
        self._turn()
        self._write()
        self._ledger.close()

    def _now(self) -> Instant:
        return Instant(self._clock.monotonic(), self._clock.wall())

    def _turn(self) -> None:
        self._book.turn(self._now())

    # The journal.

    def _recall(self) -> None:
        try:
            data = self._ledger.open()
        except LedgerUnusable as fault:
            self._warn(f"{fault}; past hours are not known, and these will not be")
            return
        reader, now = slo_lines.Reader(self._book.layout), self._clock.wall()
        for past in reader.read(data):
            if isinstance(past, RolledBack):
                self._book.recall(past, None, now)
            else:
                self._book.recall(*past, now)
        if reader.torn:
            log.warning("%s: the last line was cut off and is left out", self._ledger.path)
        if reader.unreadable:
            self._set_aside(data, reader.unreadable)
        self._rewrite()

    def _set_aside(self, data: bytes, lines: list[int]) -> None:
        """Keep a damaged journal as it is beside the one that goes on without its damaged lines."""
        path = self._ledger.path
        copy = path.with_name(path.name + ".damaged")
        which = ", ".join(map(str, lines[:5])) + (", ..." if len(lines) > 5 else "")
        text = f"{path}: {len(lines)} lines cannot be read and their hours count as not measured: {which}"
        try:
            copy.write_bytes(data)
        except OSError as error:
            self._warn(f"{text}; {copy} cannot be written: {error.strerror or error}")
        else:
            self._warn(f"{text}; the file as it was is {copy.name}")

    def _write(self) -> None:
        """Append what has come since the last time; what cannot be written is kept for the next."""
        self._write_at = self._clock.monotonic() + WRITE_EVERY_S
        self._unwritten += map(slo_lines.encode, self._book.unwritten())
        del self._unwritten[:-_UNWRITTEN_MAX]
        if not self._ledger.is_open:
            self._unwritten.clear()
            return
        try:
            self._ledger.append(b"".join(self._unwritten))
        except LedgerUnusable as fault:
            self._warn(f"{fault}; written later, or lost when the router stops")
            return
        self._unwritten.clear()
        if self._ledger.size > COMPACT_BYTES:
            self._rewrite()

    def _rewrite(self) -> None:
        try:
            self._ledger.rewrite(map(slo_lines.encode, self._book.summary()))
        except LedgerUnusable as fault:
            self._warn(str(fault))
            self._unwritten.insert(0, slo_lines.encode(slo_lines.bounds_of(self._book.layout)))

    def _warn(self, text: str) -> None:
        if text != self.alarm:
            log.error("service levels: %s", text)
        self.alarm = text

    # Events.

    def _ended(self, event: Ended) -> None:
        book = self._book
        if event.at >= book.until:
            self._turn()
        book.ended(event.envelope, event.status, event.cause, event.overhead_s, event.total_s)

    def _refused(self, event: MessageRefused) -> None:
        if event.at >= self._book.until:
            self._turn()
        self._book.refused(event.envelope, event.refused)

    def _faulted(self, event: RequestFaulted) -> None:
        if event.at >= self._book.until:
            self._turn()
        self._book.faulted()

    def _incident(self, event: SecurityIncident) -> None:
        self._book.incident(event.kind)
        self._turn()
        self._write()

    def _moved(self, event: RolloutMoved) -> None:
        if event.now is State.ROLLED_BACK:
            self._book.ordered_back(event.at)
        else:
            self._book.moved_on()

    def _legacy_answered(self, event: LegacyAnswered) -> None:
        if event.at >= self._book.until:
            self._turn()
        self._book.legacy_answered(Instant(event.at, self._clock.wall()), event.took_s, ok=event.ok)

    def _fell_back(self, event: FellBackToLegacy) -> None:
        self._book.fell_back()

    def _checked(self, event: HealthChecked) -> None:
        self._book.checked(event.component, event.at)

    def _worker_left(self, event: WorkerLeft) -> None:
        self._book.left(event.worker)

    # Reports.

    def report(self, window_s: float | None = None, *, by: str = "", resident_bytes: int | None = None) -> SloReport:
        """Return every objective and how it is kept.

        Args:
            window_s: over how long, up to now; the window of the settings by default, which is also the longest.
            by: `hour` or `day` adds the past of the window in such steps.
            resident_bytes: memory of this process, where known.
        """
        self._turn()
        rings, now = self._book.rings, self._clock.wall()
        window_s = min(window_s or self.settings.window_s, self.settings.window_s)
        whole = rings.sum(window_s, now)
        windows = slo.Windows(
            whole,
            rings.sum(HOUR_S, now),
            rings.sum(6.0 * HOUR_S, now),
            rings.sum(_LIVE_S, now),
            window_s,
        )
        rollbacks_s = [took_s for at, took_s in self._book.rollbacks if at >= whole.since]
        levels = slo.levels(self.settings, windows, slo.Beside(rollbacks_s, self._check_s, resident_bytes))
        bar_s, step_s = self.settings.overhead_p95_s, {"hour": HOUR_S, "day": DAY_S}.get(by)
        places = rings.hours.places(whole.since, step_s, now) if step_s else ()
        return SloReport(
            at=now,
            since=whole.since,
            window_s=window_s,
            step_s=whole.step_s,
            coverage_share=whole.coverage_share,
            verdict=slo.overall(levels),
            levels=levels,
            apart=slo_report.apart(whole.tally),
            incidents=slo_report.incidents(whole.tally),
            candidate=slo_report.candidate(whole.tally),
            legacy=slo_report.legacy(whole.tally),
            journal=str(self._ledger.path) if self._ledger.is_open else "",
            alarm=self.alarm,
            periods=[slo_report.period(one, bar_s) for one in places],
        )
