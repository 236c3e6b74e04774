"""The reply parser against its bounds, against every cut of the stream, and against h11 as a second opinion."""

from __future__ import annotations

from typing import NamedTuple

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken
from pointsman.transports.wire.reply_parser import MAX_HEADER_BYTES, MAX_HEADERS, ReplyParser
from tests.transports.wire.corpus import AGREED, CHUNKED, OK, STRICTER, Doubtful
from tests.transports.wire.replies import cut_up, damaged, replies


class Seen(NamedTuple):
    """What a parser made of a stream that then ended."""

    verdict: str
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


def ours(pieces: list[bytes], method: str = "GET") -> Seen:
    """What our parser makes of it."""
    parser = ReplyParser()
    parser.expect(method)
    body = b""
    try:
        for piece in pieces:
            parser.feed(piece)
            body += parser.take()
        parser.feed_eof()
    except ProtocolBroken:
        return Seen("refused")
    except ConnectionClosed:
        return Seen("cut")
    headers = tuple((name, value.strip(b" \t")) for name, value in parser.fields)
    return Seen("taken", parser.status, headers, body)


def h11s(pieces: list[bytes], method: str = "GET") -> Seen:
    """What h11 makes of it. It calls a reply cut short a protocol error too, but only at the end of the stream."""
    peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=1_000_000)
    peer.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    peer.send(h11.EndOfMessage())
    head: h11.Response | None = None
    body = piece = b""
    try:
        for piece in [*pieces, b""]:
            peer.receive_data(piece)
            while (event := peer.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    return Seen("taken", head.status_code, tuple(head.headers), body)
                elif not isinstance(event, h11.InformationalResponse):
                    return Seen("cut" if isinstance(event, h11.ConnectionClosed) else "refused")
    except h11.RemoteProtocolError:
        return Seen("refused" if piece else "cut")
    return Seen("cut")


def same(one: Seen, other: Seen) -> bool:
    """Equal but for capitals in header values, which h11 lowers in some."""

    def lowered(seen: Seen) -> Seen:
        return seen._replace(headers=tuple((name, value.lower()) for name, value in seen.headers))

    return lowered(one) == lowered(other)


@pytest.mark.parametrize("stream", AGREED.values(), ids=AGREED.keys())
def test_good_and_bad_replies_mean_what_h11_says_they_mean(stream: bytes) -> None:
    """Same verdict, status, headers and body, for the whole and for every cut in two, and byte by byte."""
    expected = h11s([stream])
    assert same(ours([stream] if stream else []), expected)
    if stream:
        assert same(ours([stream[n : n + 1] for n in range(len(stream))]), expected)
    for cut in range(1, len(stream)):
        assert same(ours([stream[:cut], stream[cut:]]), expected)


@pytest.mark.parametrize("doubtful", STRICTER.values(), ids=STRICTER.keys())
def test_doubtful_replies_are_refused_where_h11_takes_them(doubtful: Doubtful) -> None:
    """A gateway may refuse these, and what two readers may read differently is better refused. However it is cut."""
    stream = doubtful.stream
    assert h11s([stream]).verdict == "taken"
    assert ours([stream]).verdict == "refused"
    for size in (1, 7):
        assert ours([stream[n : n + size] for n in range(0, len(stream), size)]).verdict == "refused"


def test_a_switch_of_protocols_is_refused_by_name() -> None:
    """Nobody asked for one."""
    with pytest.raises(ProtocolBroken, match="status 101, which was not asked for"):
        ReplyParser().feed(AGREED["101"])


@pytest.mark.parametrize("name", ["length", "chunked", "until the end", "204", "304 with a length", "100"])
def test_a_reply_to_head_ends_with_its_headers(name: str) -> None:
    """Whatever length it announces, there is no body."""
    seen = ours([AGREED[name]], "HEAD")
    assert seen == h11s([AGREED[name]], "HEAD")
    assert seen.body == b""


@given(cut_up(replies()))
def test_well_formed_replies_are_read_as_h11_reads_them(pieces: list[bytes]) -> None:
    """Any framing, any headers, interim replies, trailers and extensions, cut anywhere."""
    assert ours(pieces) == h11s(pieces)


@given(cut_up(damaged()))
def test_damaged_replies_are_never_read_otherwise_than_h11_reads_them(pieces: list[bytes]) -> None:
    """Each ends in a verdict; where both take the reply, both see the same one."""
    one, other = ours(pieces), h11s(pieces)
    assert one.verdict in ("taken", "cut", "refused")
    if one.verdict == other.verdict == "taken":
        assert one == other
    if other.verdict == "cut":
        assert one.verdict in ("cut", "refused")


def feed(parser: ReplyParser, data: bytes) -> ReplyParser:
    """Feed and return the parser."""
    parser.feed(data)
    return parser


REUSE = {
    "length": (AGREED["length"], True),
    "chunked with trailers": (AGREED["trailers"], True),
    "204 with a length": (AGREED["204 with a length"], True),
    "closing": (AGREED["closing"], False),
    "HTTP/1.0": (AGREED["HTTP/1.0"], False),
    "HTTP/1.0 kept": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", True),
    "bytes behind it": (AGREED["longer than said"], False),
    "a second reply behind it": (AGREED["length"] * 2, False),
    "bytes behind a closing one": (AGREED["closing"] + b"more", False),
}


@pytest.mark.parametrize(("stream", "reusable"), REUSE.values(), ids=REUSE.keys())
def test_a_connection_is_reused_only_where_its_reply_ended_cleanly(stream: bytes, reusable: bool) -> None:
    """Framed, kept alive, and nothing behind it."""
    parser = feed(ReplyParser(), stream)
    assert parser.complete
    assert parser.reusable is reusable


def test_bytes_behind_a_reply_are_noticed_when_they_come_later() -> None:
    """The reply stands, the connection does not."""
    parser = feed(ReplyParser(), AGREED["length"])
    parser.feed(b"HTTP/1.1 200 OK\r\n")
    assert (parser.take(), parser.status, parser.reusable) == (b"hi", 200, False)


def test_a_parser_reads_one_reply_after_the_other() -> None:
    """Nothing of one is left in the next."""
    parser = ReplyParser()
    for stream, body in [
        (AGREED["length"], b"hi"),
        (AGREED["trailers"], b"a"),
        (AGREED["204"], b""),
        (AGREED["100"], b"a"),
    ]:
        parser.expect("POST")
        parser.feed(stream)
        assert parser.complete
        assert parser.reusable
        assert parser.take() == body


def test_the_body_can_be_taken_before_it_is_whole() -> None:
    """Each take returns what has come since the last."""
    parser = feed(ReplyParser(), CHUNKED + b"3\r\nabc\r\n2\r\nd")
    assert (parser.headers_complete, parser.complete, parser.buffered_bytes) == (True, False, 4)
    assert parser.take() == b"abcd"
    parser.feed(b"e\r\n0\r\n\r\n")
    assert (parser.take(), parser.complete, parser.take()) == (b"e", True, b"")


def test_what_came_before_the_damage_stays_readable() -> None:
    """The relay gives out what it had."""
    parser = ReplyParser()
    with pytest.raises(ProtocolBroken, match="Invalid character in chunk size"):
        parser.feed(CHUNKED + b"3\r\nabc\r\nzz\r\n")
    assert parser.take() == b"abc"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 ", b"r" * 1000),
        (OK + b"X: ", b"y" * 1000),
        (OK, b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (CHUNKED + b"1\r\na\r\n0\r\nX: ", b"y" * 1000),
        (CHUNKED + b"1\r\na\r\n0\r\n", b"X: y\r\n"),
        (CHUNKED + b"1;", b"x" * 1000),
    ],
    ids=["reason", "header", "headers", "interim replies", "trailer", "trailers", "chunk extension"],
)
def test_nothing_but_a_body_can_be_endless(start: bytes, more: bytes) -> None:
    """Whatever a server goes on and on with, it is refused after 64 KiB or 200 headers."""
    parser = ReplyParser()
    if start:
        parser.feed(start)

    def go_on() -> None:
        for _ in range(MAX_HEADER_BYTES // len(more) + 2):
            parser.feed(more)

    with pytest.raises(ProtocolBroken, match="more than"):
        go_on()


def test_exactly_as_many_headers_as_allowed_are_taken() -> None:
    """The bound is the last good value."""
    stream = OK + b"X: y\r\n" * (MAX_HEADERS - 1) + b"Content-Length: 0\r\n\r\n"
    assert len(ours([stream]).headers) == MAX_HEADERS


@pytest.mark.parametrize(("count", "verdict"), [(MAX_HEADERS, "taken"), (MAX_HEADERS + 1, "refused")])
def test_exactly_as_many_trailers_as_allowed_are_taken(count: int, verdict: str) -> None:
    """They count apart from the headers."""
    assert ours([CHUNKED + b"1\r\na\r\n0\r\n" + b"X: y\r\n" * count + b"\r\n"]).verdict == verdict


def test_a_long_stream_of_small_chunks_is_no_endless_header() -> None:
    """What lies between two parts of a body counts anew."""
    parser = feed(ReplyParser(), CHUNKED)
    for _ in range(MAX_HEADER_BYTES):
        parser.feed(b"1\r\n")
        parser.feed(b"a\r\n")
    assert len(parser.take()) == MAX_HEADER_BYTES


@example(b"")
@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_verdict(noise: bytes) -> None:
    """Nothing but the two errors comes out."""
    assert ours([noise] if noise else []).verdict in ("taken", "cut", "refused")


@pytest.mark.parametrize(("status", "said"), [(100, True), (102, False), (103, False)])
def test_only_100_asks_for_the_body(status: int, said: bool) -> None:
    """Other interim replies are passed over; the next request begins anew."""
    parser = ReplyParser()
    parser.expect("POST")
    parser.feed(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert (parser.continued, parser.headers_complete) == (said, False)
    parser.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    assert parser.complete
    parser.expect("POST")
    assert not parser.continued
