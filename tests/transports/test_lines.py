"""Lines out of bytes, against splitting the whole at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pointsman.transports.lines import SHOWN_BYTES, Line, LineSplitter


@given(st.lists(st.binary(max_size=12).map(lambda raw: raw.replace(b"\x0a", b"\n"))), st.integers(1, 6))
def test_lines_are_those_of_the_whole_stream(pieces: list[bytes], bound: int) -> None:
    """However it is cut; those that are too long come once, as their beginning."""
    splitter = LineSplitter(bound)
    got = [line for piece in pieces for line in splitter.feed(piece)]
    got += splitter.finish()
    *ended, rest = b"".join(pieces).split(b"\n")
    lines = [*ended, rest] if rest else ended
    assert len(got) == len(lines)
    for line, expected in zip(got, lines, strict=True):
        assert line.whole is (len(expected) <= bound)
        assert line.data == expected if line.whole else expected.startswith(line.data)


def test_a_line_is_too_long_as_soon_as_it_is() -> None:
    """Its end is not waited for, and what follows it is read as usual."""
    splitter = LineSplitter(4)
    assert splitter.feed(b"12345") == [Line(b"12345", whole=False)]
    assert splitter.feed(b"6789") == []
    assert splitter.feed(b"0\nok\n") == [Line(b"ok")]


def test_a_line_may_be_exactly_as_long_as_the_bound() -> None:
    """The bound is the last good length."""
    assert LineSplitter(4).feed(b"1234\n") == [Line(b"1234")]


def test_little_of_a_line_that_is_too_long_is_kept() -> None:
    """Enough to see whose it was."""
    (line,) = LineSplitter(10_000).feed(b"x" * 10_001)
    assert len(line.data) == SHOWN_BYTES


def test_an_endless_line_holds_no_memory() -> None:
    """What is dropped is dropped at once."""
    splitter = LineSplitter(10)
    for _ in range(1000):
        splitter.feed(b"x" * 1000)
    assert splitter.finish() == []
