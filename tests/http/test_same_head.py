"""A head that comes again means what it meant the first time, and everything else is read anew."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.http.request_reader import RequestReader
from pointsman.http.same_head import LARGEST_BYTES
from pointsman.http.turn import Turn
from pointsman.http.waiting import Link
from pointsman.model.errors import PointsmanError

HEAD = b"POST /v1/x?a=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Length: %b\r\nX-B: 2\r\n\r\n"


def request(body: bytes, length: bytes | None = None) -> bytes:
    """Return a request as one client sends it again and again."""
    return HEAD % (length or b"%d" % len(body)) + body


FIRST = request(b"{}")


class Reading:
    """A reader and what it has read; `parsed` counts the heads that llhttp was given."""

    def __init__(self) -> None:
        self.done: list[Turn] = []
        self.parsed = 0

        def make(*parts: Any) -> Turn:
            return Turn(cast(Any, None), Link(), *parts)

        self.reader = RequestReader(make, self.done.append)
        complete = self.reader.on_headers_complete
        self.reader._parser = type(self.reader._parser)(_Counting(self, complete))

    def feed(self, *pieces: bytes) -> str:
        """Read; return the class of what was raised, if anything was."""
        try:
            for piece in pieces:
                self.reader.feed(piece)
        except PointsmanError as error:
            return type(error).__name__
        return ""


class _Counting:
    def __init__(self, reading: Reading, complete: Any) -> None:
        self._reading = reading
        self._complete = complete

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reading.reader, name)

    def on_headers_complete(self) -> None:
        self._reading.parsed += 1
        self._complete()


def seen(turn: Turn) -> tuple[Any, ...]:
    """Return all that a request says."""
    return (
        turn.method,
        turn.path,
        turn.query,
        list(turn.headers),
        dict(turn.fields),
        turn.arrived(),
        turn.keeps_alive,
        turn.is_old,
        turn.expects,
        turn.is_whole,
        turn.buffered_bytes,
    )


def read_alone(data: bytes) -> tuple[list[tuple[Any, ...]], str, bool]:
    """Return what a fresh reader makes of bytes."""
    fresh = Reading()
    raised = fresh.feed(data)
    return [seen(turn) for turn in fresh.done], raised, fresh.reader.reading is not None


def read_second(data: bytes) -> tuple[list[tuple[Any, ...]], str, bool]:
    """Return what a reader makes of the same bytes behind a first request."""
    reading = Reading()
    assert not reading.feed(FIRST)
    raised = reading.feed(data)
    return [seen(turn) for turn in reading.done[1:]], raised, reading.reader.reading is not None


def test_a_repeated_head_is_not_parsed_again() -> None:
    """Bodies may differ, in length too; requests then share what is worked out of the head."""
    reading = Reading()
    for body in (b"{}", b"[]", b"", b"x" * 5000, b"{}"):
        assert not reading.feed(request(body))
        assert reading.done[-1].arrived() == body
        assert dict(reading.done[-1].headers)[b"content-length"] == b"%d" % len(body)
    assert reading.parsed == 1
    assert len({id(turn.memo) for turn in reading.done}) == 1


OTHERS = {
    "another header": FIRST.replace(b"X-A: 1", b"X-A: 2"),
    "another path": FIRST.replace(b"/v1/x", b"/v1/y"),
    "one more header": FIRST.replace(b"X-B", b"X-C: 3\r\nX-B"),
    "one less": FIRST.replace(b"X-B: 2\r\n", b""),
    "chunked": FIRST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").replace(
        b"{}", b"2\r\n{}\r\n0\r\n\r\n"
    ),
    "two lengths": FIRST.replace(b"X-B: 2", b"Content-Length: 3"),
    "a signed length": request(b"{}", b"+2"),
    "no length": request(b"", b" "),
    "a long length": request(b"{}", b"0" * 30 + b"2"),
    "digits of elsewhere": request(b"{}", "\u0662".encode()),
    "a part of the body": FIRST[:-1],
    "a part of the head": FIRST[:30],
    "two of them": FIRST + FIRST,
    "one and a part": FIRST + FIRST[:9],
    "bytes behind it": FIRST + b"\r\n",
    "garbage behind it": FIRST + b"garbage\r\n\r\n",
    "an empty line before it": b"\r\n" + FIRST,
    "the last": FIRST.replace(b"X-B: 2", b"Connection: close"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_the_same_is_read_as_if_nothing_were_known(name: str) -> None:
    """Whatever differs, and be it one byte."""
    assert read_second(OTHERS[name]) == read_alone(OTHERS[name])


@given(st.integers(0, len(FIRST)), st.integers(0, 3), st.binary(max_size=3), st.binary(max_size=3))
def test_any_change_is_seen(at: int, dropped: int, added: bytes, behind: bytes) -> None:
    """A few bytes replaced anywhere, and others behind."""
    data = FIRST[:at] + added + FIRST[at + dropped :] + behind
    assert read_second(data) == read_alone(data)


@pytest.mark.parametrize(
    "first",
    [
        FIRST.replace(b"X-B: 2", b"Connection: close"),
        FIRST.replace(b"X-B: 2", b"Connection: X-A"),
        FIRST.replace(b"X-B: 2", b"Expect: 100-continue"),
        FIRST.replace(b"X-B: 2", b"X-A: 1"),
        FIRST.replace(b"1.1", b"1.0").replace(b"X-B: 2", b"Connection: keep-alive"),
        FIRST + FIRST,
        FIRST.replace(b"X-A: 1", b"X-A: " + b"1" * LARGEST_BYTES),
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
def test_some_heads_are_not_remembered(first: bytes) -> None:
    """Where more is decided than bytes and their number, each is read."""
    reading = Reading()
    reading.feed(first)
    assert reading.reader._known is None


def test_a_usual_connection_header_is_no_hindrance() -> None:
    """Official clients send `Connection: keep-alive` with each request."""
    same = FIRST.replace(b"X-B: 2", b"Connection: keep-alive")
    reading = Reading()
    assert not reading.feed(same, same)
    assert [seen(turn) for turn in reading.done] == [seen(reading.done[0])] * 2
    assert reading.parsed == 1


def test_nothing_of_a_request_is_kept_but_its_head() -> None:
    """A connection that rests holds no body."""
    reading = Reading()
    reading.feed(FIRST)
    reading.feed(FIRST[:40])
    reading.feed(FIRST[40:])
    assert reading.reader._whole is None
