"""What Pointsman's figures are held against: ratios to peers of the same round, and fixed bounds.

The bars are those of the issue that this benchmark belongs to. A bar whose peer is missing is not judged, and says so.
Judged is the median over the rounds, of ratios too: each is taken inside a round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

import msgspec

from benchmarks.gateway.figures import Series, ratios
from benchmarks.gateway.stage import DIRECT, Record


class Verdict(msgspec.Struct, frozen=True):
    """One bar, judged for one Pointsman.

    Attributes:
        part: of the run, in which it is measured.
        what: what is held against the bar.
        value: median over the rounds; None = not measured.
        least: of the rounds.
        most: of the rounds.
        bound: the bar.
        at_least: whether more is better.
        unit: of value and bound.
        note: why there is no value, or what else must be known.
    """

    part: str
    what: str
    value: float | None
    least: float
    most: float
    bound: float
    at_least: bool = False
    unit: str = "x"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the bar; None = not judged."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def judge(record: Record, ours: str) -> list[Verdict]:
    """Hold one Pointsman's figures against all bars."""
    return [*_speed(record, ours), *_streams(record, ours), *_faults(record, ours), *_memory(record, ours)]


def added(record: Record, system: str, name: str) -> Series:
    """Return by round how much more a figure is than on the direct way."""
    own, direct = record.series(system, name), record.series(DIRECT, name)
    return {number: own[number] - direct[number] for number in own if number in direct}


def _bound(
    part: str,
    what: str,
    values: Series,
    bound: float,
    *,
    at_least: bool = False,
    unit: str = "",
    factor: float = 1.0,
    note: str = "",
) -> Verdict:
    """Hold a figure against a fixed bound."""
    if not values:
        return Verdict(part, what, None, 0.0, 0.0, bound, at_least, unit, "not measured")
    found = sorted(value * factor for value in values.values())
    return Verdict(part, what, median(found), found[0], found[-1], bound, at_least, unit, note)


def _ratio(
    part: str,
    what: str,
    peer: str,
    series: Callable[[str], Series],
    ours: str,
    bound: float,
    *,
    at_least: bool = False,
) -> Verdict:
    """Hold a figure against the same figure of a peer, round by round."""
    own, theirs = series(ours), series(peer)
    paired = ratios(own, theirs)
    if not paired:
        note = "not measured" if theirs else f"{peer} was not measured"
        return Verdict(part, what, None, 0.0, 0.0, bound, at_least, note=note)
    found = sorted(paired.values())
    return Verdict(part, what, median(found), found[0], found[-1], bound, at_least)


def _speed(record: Record, ours: str) -> Iterator[Verdict]:
    def cpu(system: str) -> Series:
        return record.series(system, "cpu_us")

    def core_rate(system: str) -> Series:
        return record.series(system, "core_rate")

    def added_p50(system: str) -> Series:
        return added(record, system, "p50_us")

    yield _ratio("speed", "CPU per request / nginx", "nginx", cpu, ours, 5.0)
    yield _ratio("speed", "  stretch", "nginx", cpu, ours, 4.0)
    yield _ratio("speed", "requests per core second / Envoy", "envoy", core_rate, ours, 0.7, at_least=True)
    yield _ratio("speed", "requests per core second / LiteLLM", "litellm", core_rate, ours, 100.0, at_least=True)
    yield _ratio("speed", "added p50, one connection / nginx", "nginx", added_p50, ours, 2.5)
    yield _ratio("speed", "added p50, one connection / LiteLLM", "litellm", added_p50, ours, 1 / 25)
    tail = ratios(record.series(ours, "tail_p99_us"), record.series(ours, "p50_us"))
    note = _elsewhere(record, ours, "tail_waited_share")
    yield _bound("tail", "p99 at half of its maximum / p50, one connection", tail, 6.0, unit="x", note=note)
    yield _bound("tail", "  failed requests", _worst(record.series(ours, "tail_failed")), 0.0)


def _streams(record: Record, ours: str) -> Iterator[Verdict]:
    def added_first(system: str) -> Series:
        return added(record, system, "first_p50_us")

    def chunk_cpu(system: str) -> Series:
        return record.series(system, "chunk_cpu_us")

    yield _ratio("streams", "added time to first byte / nginx", "nginx", added_first, ours, 4.0)
    yield _bound("streams", "  in milliseconds", added_first(ours), 1.0, unit="ms", factor=1e-3)
    yield _ratio("streams", "CPU per chunk / nginx", "nginx", chunk_cpu, ours, 2.0)
    yield _bound("streams", "streams with a chunk lost", _worst(record.series(ours, "bad_streams")), 0.0)
    theirs = _worst(record.series("nginx", "held_back"))
    note = _elsewhere(record, ours, "stream_waited_share") + (f", nginx {theirs[0]:.0f}" if theirs else "")
    yield _bound("streams", "chunks held back > 25 ms", _worst(record.series(ours, "held_back")), 0.0, note=note)


def _faults(record: Record, ours: str) -> Iterator[Verdict]:
    cancels, met = _count(record, ours, "cancels"), _count(record, ours, "silent_met")
    closed, over = record.series(ours, "cancel_p99_us"), record.series(ours, "silent_over_max_us")
    yield _bound(
        "faults", "disconnect to upstream closed, p99", closed, 50.0, unit="ms", factor=1e-3, note=f"n = {cancels}"
    )
    yield _bound("faults", "  not closed within 2 s", record.series(ours, "cancels_lost"), 0.0)
    yield _bound(
        "faults", "silent worker: next one after the time-out", over, 50.0, unit="ms", factor=1e-3, note=f"n = {met}"
    )
    yield _bound("faults", "  not answered", record.series(ours, "silent_failed"), 0.0)
    for kind, words in (("reset", "reset"), ("inside", "closed in a chunk"), ("clean", "ended without last event")):
        flagged = record.series(ours, f"cut_{kind}_flagged_share")
        what = f"cut streams flagged: {words}"
        yield _bound("faults", what, flagged, 100.0, at_least=True, unit="%", factor=100.0)
    yield _bound("faults", "in flight afterwards", record.series(ours, "in_flight_left"), 0.0)


def _memory(record: Record, ours: str) -> Iterator[Verdict]:
    requests, cancels = _count(record, ours, "soak_requests"), _count(record, ours, "soak_cancels")
    first = _count(record, ours, "soak_first")
    grown, cancelled = (
        record.series(ours, "memory_growth_share"),
        record.series(ours, "memory_cancel_growth_share"),
    )
    note = f"{first} to {requests} requests" if grown else ""
    yield _bound("memory", "memory growth over requests", grown, 5.0, unit="%", factor=100.0, note=note)
    note = f"{cancels} streams" if cancelled else ""
    yield _bound("memory", "memory growth over cancelled streams", cancelled, 5.0, unit="%", factor=100.0, note=note)


def _elsewhere(record: Record, system: str, name: str) -> str:
    """Say how much of the time the machine had no core for a system that was ready to run."""
    waited = record.series(system, name)
    return f"no core for {median(waited.values()):.0%} of it" if waited else ""


def _worst(values: Series) -> Series:
    """Return the worst round alone: one lost chunk in one round is one too many."""
    return {0: max(values.values())} if values else {}


def _count(record: Record, system: str, name: str) -> str:
    return f"{int(sum(record.series(system, name).values())):,}"
