"""Server-sent events, cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.transports.events import EVENT_BYTES, EventReader


def read(*chunks: bytes) -> list[bytes]:
    """The data of all events."""
    reader = EventReader()
    return [*(data for chunk in chunks for data in reader.feed(chunk)), *reader.end()]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data:one\r\n\r\n", [b"one"]),
        (b"data: one\r\rdata: two\r\r", [b"one", b"two"]),
        (b"data: one\r\ndata: two\r\n\r\n", [b"one\ntwo"]),
        (b"data:  one\n\n", [b" one"]),
        (b"event: x\ndata: one\nid: 7\nretry: 3\n\n", [b"one"]),
        (b"data: one\ndata: two\ndata\n\n", [b"one\ntwo"]),
        (b": a comment\n\n\n\ndata: one\n\n", [b"one"]),
        (b"data: one\n\ndata: [DONE]", [b"one", b"[DONE]"]),
        (b"data: one\n", [b"one"]),
        (b"datax: one\n\n", []),
        (b"", []),
        ("data: \u4e16\u2028\n\n".encode(), ["\u4e16\u2028".encode()]),
    ],
)
def test_events_are_told_apart_by_empty_lines(stream: bytes, events: list[bytes]) -> None:
    """Only data matters here; what a server leaves open at its end counts too."""
    assert read(stream) == events
    assert read(*(bytes([byte]) for byte in stream)) == events


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20).map(str.encode), max_size=8),
    st.data(),
)
def test_where_chunks_are_cut_makes_no_difference(events: list[bytes], data: st.DataObject) -> None:
    """In the middle of a line, a character, a line end."""
    line_end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    stream = b"".join(b"data: %b%b%b" % (event, line_end, line_end) for event in events)
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=8))
    places = sorted({0, *cuts, len(stream)})
    assert read(*(stream[start:end] for start, end in pairwise(places))) == events


@pytest.mark.parametrize("line_end", [b"", b"\n"])
def test_an_event_without_end_is_refused(line_end: bytes) -> None:
    """In one line or in many; a long stream of short events is not."""
    piece = b"data: " + b"x" * 100_000 + line_end
    pieces = [piece] * (EVENT_BYTES // len(piece))
    assert len(read(*pieces)) == 1
    with pytest.raises(ValueError, match="longer than"):
        read(*pieces, piece)
    reader = EventReader()
    assert sum(len(reader.feed(b"data: " + b"x" * 100_000 + b"\n\n")) for _ in range(100)) == 100
