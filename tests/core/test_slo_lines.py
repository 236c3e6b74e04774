"""The journal's lines: written, read, and what is made of those that cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core import slo_lines
from pointsman.core.slo_lines import Bounds, Hour, Reader, RolledBack
from pointsman.core.slo_tally import COUNTERS, HISTOGRAMS, LEGACY, Layout, Tally

LAYOUT = Layout()
HEAD = slo_lines.encode(slo_lines.bounds_of(LAYOUT))


def some(legacy: int = 1) -> Tally:
    """Return a tally."""
    tally = Tally(LAYOUT)
    tally.count("delivered", 3)
    for _ in range(legacy):
        tally.time(LEGACY, 0.2)
    return tally


@given(
    st.dictionaries(st.sampled_from(COUNTERS), st.integers(0, 10**9)),
    st.lists(st.tuples(st.integers(0, len(HISTOGRAMS) - 1), st.floats(0.0, 700.0)), max_size=30),
)
def test_what_is_written_is_read_again(counts: dict[str, int], times: list[tuple[int, float]]) -> None:
    """To the last count."""
    tally = Tally(LAYOUT)
    for name, count in counts.items():
        tally.count(name, count)
    for histogram, seconds in times:
        tally.time(histogram, seconds)
    line = slo_lines.encode(slo_lines.hour_of(7200.0, 3600.0, tally))
    reader = Reader(LAYOUT)
    ((hour, found),) = reader.read(HEAD + line)  # type: ignore[misc]
    assert (hour.at, hour.measured_s) == (7200.0, 3600.0)
    assert found.counts == tally.counts
    assert found.sums == pytest.approx(tally.sums)
    assert (reader.torn, reader.unreadable) == (False, [])


def test_an_hour_of_nothing_is_a_short_line() -> None:
    """Most hours of most routers."""
    assert slo_lines.encode(slo_lines.hour_of(0.0, 3600.0, Tally(LAYOUT))) == (
        b'{"do":"hour","at":0.0,"measured_s":3600.0,"counts":{},"times":{}}\n'
    )


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00\xff\n",
        b"{}\n",
        b'{"do":"hour"}\n',
        b'{"do":"hour","at":-1,"measured_s":1}\n',
        b'{"do":"hour","at":1,"measured_s":1,"counts":{"delivered":-5}}\n',
        b'{"do":"hour","at":1,"measured_s":1,"counts":{"delivered":1e300}}\n',
        b'{"do":"hour","at":NaN,"measured_s":1}\n',
        b'{"do":"surprise"}\n',
        b"\n",
    ],
)
def test_a_damaged_line_costs_itself_and_nothing_else(damage: bytes) -> None:
    """Its number is known; what is around it counts."""
    line = slo_lines.encode(slo_lines.hour_of(0.0, 60.0, some()))
    reader = Reader(LAYOUT)
    read = list(reader.read(HEAD + line + damage + line))
    assert len(read) == 2
    assert reader.unreadable == ([3] if damage else [])


def test_a_line_that_was_being_written_is_left_out() -> None:
    """It has no end."""
    line = slo_lines.encode(slo_lines.hour_of(0.0, 60.0, some()))
    for cut in range(1, len(line)):
        reader = Reader(LAYOUT)
        assert list(reader.read(HEAD + line[:cut])) == []
        assert (reader.torn, reader.unreadable) == (True, [])


def test_histograms_without_bounds_cannot_be_read() -> None:
    """Nobody knows what their counts mean; bounds that do not rise are none."""
    line = slo_lines.encode(slo_lines.hour_of(0.0, 60.0, some()))
    reader = Reader(LAYOUT)
    assert list(reader.read(line)) == []
    assert reader.unreadable == [1]
    reader = Reader(LAYOUT)
    assert list(reader.read(slo_lines.encode(Bounds([2.0, 1.0])) + line)) == []
    assert reader.unreadable == [2]


def test_names_of_a_newer_version_are_passed_over() -> None:
    """What is known counts."""
    reader = Reader(LAYOUT)
    line = slo_lines.encode(Hour(0.0, 60.0, {"news": 3, "delivered": 1}, {"news": (1.0, [1])}))
    ((_, tally),) = reader.read(HEAD + line)  # type: ignore[misc]
    assert (tally.of("delivered"), sum(tally.counts)) == (1, 1)


def test_a_rollback_is_a_line_of_its_own() -> None:
    """When, and how long."""
    line = RolledBack(100.0, 2.5)
    assert list(Reader(LAYOUT).read(slo_lines.encode(line))) == [line]
