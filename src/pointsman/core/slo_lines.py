"""The lines of the objectives' journal: how they are written, and what past hours held according to them.

Decides what a line means. Does not know the file.

Three kinds of lines, one JSON object each. `bounds` says at which times the histograms of the lines below it are cut;
`hour` adds counts to the hour that contains `at`, so one hour may have many lines; `rollback` says how long one took.
Names that this version does not know are passed over. A last line without its end was being written when the process
died. A line that cannot be read loses its hour, which then counts as not measured: nothing is guessed, and nothing that
this file holds is worth a router that does not start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from pointsman.core.slo_tally import COUNTERS, HISTOGRAMS, Layout, Tally

_Count = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
_Measure = Annotated[float, Meta(ge=0.0, le=1e15)]
_Sum = Annotated[float, Meta(ge=-1e15, le=1e15)]


class Bounds(msgspec.Struct, frozen=True, gc=False, tag_field="do", tag="bounds"):
    """Where histograms are cut, seconds, rising."""

    s: list[_Measure]


class Hour(msgspec.Struct, frozen=True, gc=False, tag_field="do", tag="hour"):
    """What came to an hour; counts of 0 are left out, and times are a sum in seconds and counts by bound."""

    at: _Measure
    measured_s: _Measure
    counts: dict[str, _Count] = {}
    times: dict[str, tuple[_Sum, list[_Count]]] = {}


class RolledBack(msgspec.Struct, frozen=True, gc=False, tag_field="do", tag="rollback"):
    """A rollback and how long it took until the old router answered."""

    at: _Measure
    took_s: _Measure


Line = Bounds | Hour | RolledBack

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """Return a line with its end."""
    return _encoder.encode(line) + b"\n"


def bounds_of(layout: Layout) -> Bounds:
    """Return the line that must stand before the first hour of this layout."""
    return Bounds(layout.bounds)


def hour_of(at: float, measured_s: float, tally: Tally) -> Hour:
    """Return the line of an hour."""
    counts = {name: count for name in COUNTERS if (count := tally.of(name))}
    times = {}
    for at_place, name in enumerate(HISTOGRAMS):
        found = tally.histogram(at_place)
        if any(found):
            while not found[-1]:
                found.pop()
            times[name] = (tally.sums[at_place], found)
    return Hour(at, measured_s, counts, times)


class Reader:
    """Reads a journal.

    Args:
        layout: of the counts that are returned.

    Attributes:
        torn: the last line was cut off.
        unreadable: numbers of the lines that could not be read, from 1.
    """

    def __init__(self, layout: Layout) -> None:
        self.torn = False
        self.unreadable: list[int] = []
        self._layout = layout
        self._bounds: list[float] | None = None

    def read(self, data: bytes) -> Iterator[tuple[Hour, Tally] | RolledBack]:
        """Yield what a whole file says, in its order; the attributes are right once this is used up."""
        lines = data.split(b"\n")
        self.torn = bool(lines.pop())
        for number, text in enumerate(lines, 1):
            try:
                line = _decoder.decode(text)
            except msgspec.DecodeError:
                self.unreadable.append(number)
                continue
            if isinstance(line, RolledBack):
                yield line
            elif isinstance(line, Bounds):
                self._bounds = line.s if line.s == sorted(set(line.s)) else None
            elif line.times and self._bounds is None:
                self.unreadable.append(number)
            else:
                yield line, self._tally(line)

    def _tally(self, line: Hour) -> Tally:
        tally = Tally(self._layout)
        for name, count in line.counts.items():
            if name in self._layout.places:
                tally.count(name, count)
        for name, (total_s, counts) in line.times.items():
            if name in HISTOGRAMS:
                tally.add_histogram(HISTOGRAMS.index(name), self._bounds or (), counts, total_s)
        return tally
