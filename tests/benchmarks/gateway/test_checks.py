"""Streams and replies that were tampered with on the way: each kind of harm must be seen, and a good one must pass."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gateway import payloads
from benchmarks.gateway.checks import End, PlainCheck, StreamCheck, end_of_cut

NUMBER = 12
Events = list[bytes]


def events() -> Events:
    """Return the events of a good stream."""
    return [event + b"\n\n" for event in payloads.stream(NUMBER).split(b"\n\n")[:-1]]


def checked(pieces: list[bytes], *, exact: bool = False) -> StreamCheck:
    """Return a check that took the pieces at the seconds 0, 1, 2, ..."""
    check = StreamCheck(NUMBER, exact)
    for second, piece in enumerate(pieces):
        check.take(piece, float(second))
    return check


@given(st.data(), st.booleans())
def test_good_stream_passes_however_it_is_cut_into_pieces(data: st.DataObject, exact: bool) -> None:
    """Pieces may end anywhere: inside an event, between two, or after several."""
    whole = payloads.stream(NUMBER)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=30)))
    pieces = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    check = checked(pieces, exact=exact)
    assert check.fault() is None
    assert (len(check.arrivals), check.done) == (50, True)


@pytest.mark.parametrize(
    ("tamper", "seen"),
    [
        (lambda good: good[:20] + good[21:], "chunk 21 where 20 was due"),
        (lambda good: good[:20] + good[19:], "chunk 19 where 20 was due"),
        (lambda good: [*good[:20], good[21], good[20], *good[22:]], "chunk 21 where 20 was due"),
        (lambda good: [*good[:20], payloads.event(13, 20), *good[21:]], "a chunk of request 13 in the stream of 12"),
        (lambda good: good[:49] + good[50:], "49 chunks of 50"),
        (lambda good: good[:50], r"no \[DONE\]"),
        (lambda good: [*good[:10], b'data: {"error": {"message": "cut"}}\n\n'], "an error event"),
        (lambda good: [*good[:10], b"event: error\ndata: {}\n\n"], "an error event"),
    ],
    ids=["lost", "twice", "swapped", "mixed up", "last lost", "no end", "error", "named error"],
)
def test_harm_to_a_stream_is_seen(tamper: Callable[[Events], Events], seen: str) -> None:
    """What a lossy gateway could do to a stream is named."""
    assert re.search(seen, checked(tamper(events())).fault() or "")


def test_rewritten_stream_is_seen_where_bytes_must_be_the_same() -> None:
    """A gateway that encodes events anew passes only where that is allowed."""
    rewritten = [event.replace(b'"index":0', b'"index": 0') for event in events()]
    assert checked(rewritten).fault() is None
    assert checked(rewritten, exact=True).fault() == "the bytes are not the provider's"


def test_delay_of_each_chunk_is_its_arrival_less_its_sending() -> None:
    """A chunk held back for seconds shows as such, and only that one."""
    check = StreamCheck(NUMBER, exact=False)
    arrivals = [0.0, 1.0, 2.0, 9.0, 9.0]
    for at, event in zip(arrivals, events(), strict=False):
        check.take(event, at)
    assert check.delays([0.0, 1.0, 2.0, 3.0, 9.0]) == [0.0, 0.0, 0.0, 6.0, 0.0]


def test_plain_reply_must_be_the_one_of_this_request() -> None:
    """A reply of another request, a shortened and a rewritten one are seen."""
    good = payloads.reply(NUMBER)
    verdicts = {}
    for name, body in {
        "good": good,
        "other": payloads.reply(13),
        "short": good[:-1],
        "rewritten": good.replace(b'"index":0', b'"index": 0'),
    }.items():
        for exact in (True, False):
            check = PlainCheck(NUMBER, exact)
            check.take(body[:100], 0.0)
            check.take(body[100:], 0.0)
            verdicts[name, exact] = check.fault() is None
    assert verdicts == {
        ("good", True): True,
        ("good", False): True,
        ("other", True): False,
        ("other", False): False,
        ("short", True): False,
        ("short", False): True,
        ("rewritten", True): False,
        ("rewritten", False): True,
    }


def test_only_a_whole_transfer_without_an_error_looks_like_an_end() -> None:
    """A cut stream is flagged by a broken transfer, an error status, or an error event with no `[DONE]` after it."""
    cut = events()[:10]
    error = [b'data: {"error": {"message": "cut"}}\n\n']
    done = [payloads.DONE]
    assert end_of_cut(200, whole=True, check=checked(cut)) is End.CLEAN
    assert end_of_cut(200, whole=True, check=checked(cut + done)) is End.CLEAN
    assert end_of_cut(200, whole=True, check=checked(cut + error + done)) is End.CLEAN
    assert end_of_cut(200, whole=True, check=checked(cut + error)) is End.ERROR_EVENT
    assert end_of_cut(200, whole=False, check=checked(cut)) is End.BROKEN
    assert end_of_cut(502, whole=True, check=checked([])) is End.REFUSED
