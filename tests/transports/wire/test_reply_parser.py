"""The reply parser against its bounds, against every cut of the stream, and against h11 as a second opinion."""

from __future__ import annotations

from typing import NamedTuple

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken
from pointsman.transports.wire.reply_parser import MAX_HEADER_BYTES, MAX_HEADERS, ReplyParser

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Seen(NamedTuple):
    """What a parser made of a stream that then ended."""

    verdict: str
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


def ours(pieces: list[bytes], method: str = "GET") -> Seen:
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
    def lowered(seen: Seen) -> Seen:
        return seen._replace(headers=tuple((name, value.lower()) for name, value in seen.headers))

    return lowered(one) == lowered(other)


AGREED = {
    "length": OK + b"Content-Length: 2\r\n\r\nhi",
    "length 0": OK + b"Content-Length: 0\r\n\r\n",
    "leading zeros": OK + b"Content-Length: 0002\r\n\r\nab",
    "shorter than said": OK + b"Content-Length: 5\r\n\r\nab",
    "longer than said": OK + b"Content-Length: 2\r\n\r\nabcd",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "negative length": OK + b"Content-Length: -1\r\n\r\na",
    "signed length": OK + b"Content-Length: +1\r\n\r\na",
    "hexadecimal length": OK + b"Content-Length: 0x1\r\n\r\na",
    "empty length": OK + b"Content-Length: \r\n\r\na",
    "two numbers as length": OK + b"Content-Length: 1 0\r\n\r\na",
    "underscored length": OK + b"Content-Length: 1_0\r\n\r\na",
    "enormous length": OK + b"Content-Length: 99999999999999999999999\r\n\r\na",
    "chunked": CHUNKED + b"1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "chunked, capitals": OK + b"Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunked, padded": OK + b"Transfer-Encoding:\tchunked \r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunked, HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunk size with zeros": CHUNKED + b"0001\r\na\r\n000\r\n\r\n",
    "chunk extensions": CHUNKED + b'1;a=b;c="d"\r\na\r\n0;x\r\n\r\n',
    "bad chunk size": CHUNKED + b"zz\r\n",
    "negative chunk size": CHUNKED + b"-1\r\na",
    "0x chunk size": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "enormous chunk size": CHUNKED + b"ffffffffffffffffffffff\r\n",
    "chunk longer than said": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "chunk size ended by LF": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "cut in a chunk": CHUNKED + b"5\r\nab",
    "no last chunk": CHUNKED + b"1\r\na\r\n",
    "cut in the trailers": CHUNKED + b"1\r\na\r\n0\r\nX: y",
    "trailers": CHUNKED + b"1\r\na\r\n0\r\nX: y\r\nZ: w\r\n\r\n",
    "bad trailer": CHUNKED + b"1\r\na\r\n0\r\nX y\r\n\r\n",
    "gzip coding": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "identity coding": OK + b"Transfer-Encoding: identity\r\n\r\nabc",
    "unknown coding": OK + b"Transfer-Encoding: xchunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n1\r\na\r\n0\r\n\r\n",
    "space before the colon": OK + b"Transfer-Encoding : chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "until the end": OK + b"\r\nabc",
    "until the end, HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nabc",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "100, 102, 103": b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\nA: b\r\n\r\nHTTP/1.1 103 E\r\n\r\n" + OK + b"\r\na",
    "100 with a length": b"HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "100 then chunked": b"HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n" + CHUNKED + b"1\r\na\r\n0\r\n\r\n",
    "only 100": b"HTTP/1.1 100 C\r\n\r\n",
    "101": b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "101 without upgrade": b"HTTP/1.1 101 S\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "upgrade offered": OK + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na",
    "204": b"HTTP/1.1 204 N\r\n\r\n",
    "204 with a length": b"HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n",
    "204 chunked": b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "empty reason": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "status of 2 digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status of 4 digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 000": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1": b"HTTP/1 200 OK\r\n\r\n",
    "http/1.1": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "ICE/1.0": b"ICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "RTSP/1.0": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "empty line first": b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTML": b"<html>no</html>\r\n\r\n",
    "nothing": b"",
    "only a status": OK,
    "lines ended by CR": b"HTTP/1.1 200 OK\rContent-Length: 1\r\ra\r\n\r\n",
    "NUL in a value": OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "CR in a value": OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "Latin-1 in a value": OK + b"X: \xe9\xff\r\nContent-Length: 0\r\n\r\n",
    "no name": OK + b": a\r\nContent-Length: 0\r\n\r\n",
    "no colon": OK + b"abc\r\nContent-Length: 0\r\n\r\n",
    "header folded at once": OK + b" X: a\r\nContent-Length: 0\r\n\r\n",
    "closing": OK + b"Connection: close\r\nContent-Length: 1\r\n\r\na",
}

# Where RFC 9110 and 9112 let a recipient choose, we refuse. Value: why.
STRICTER = {
    "folded header": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "the same length twice": OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "list of lengths": OK + b"Content-Length: 1, 1\r\n\r\na",
    "length, then chunked": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunked, then length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "length among the trailers": CHUNKED + b"1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n",
    "lines ended by LF": b"HTTP/1.1 200 OK\nContent-Length: 1\n\na",
    "control character in a value": OK + b"X: a\x01b\r\nContent-Length: 0\r\n\r\n",
    "DEL in a value": OK + b"X: a\x7fb\r\nContent-Length: 0\r\n\r\n",
    "space behind a chunk size": CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
    "control character in a chunk extension": CHUNKED + b"1;a=\x01\r\na\r\n0\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "201 headers": OK + b"".join(b"X%d: y\r\n" % n for n in range(MAX_HEADERS)) + b"Content-Length: 0\r\n\r\n",
    "64 KiB in one header": OK + b"X: " + b"y" * MAX_HEADER_BYTES + b"\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("stream", AGREED.values(), ids=AGREED.keys())
def test_good_and_bad_replies_mean_what_h11_says_they_mean(stream: bytes) -> None:
    """Same verdict, status, headers and body, for the whole and for every cut in two, and byte by byte."""
    expected = h11s([stream])
    assert same(ours([stream] if stream else []), expected)
    if stream:
        assert same(ours([stream[n : n + 1] for n in range(len(stream))]), expected)
    for cut in range(1, len(stream)):
        assert same(ours([stream[:cut], stream[cut:]]), expected)


@pytest.mark.parametrize("stream", STRICTER.values(), ids=STRICTER.keys())
def test_doubtful_replies_are_refused_where_h11_takes_them(stream: bytes) -> None:
    """A gateway may refuse these, and what two readers may read differently is better refused."""
    assert h11s([stream]).verdict == "taken"
    assert ours([stream]).verdict == "refused"
    assert ours([stream[n : n + 7] for n in range(0, len(stream), 7)]).verdict == "refused"


@pytest.mark.parametrize("name", ["length", "chunked", "until the end", "204", "304 with a length", "100"])
def test_a_reply_to_head_ends_with_its_headers(name: str) -> None:
    """Whatever length it announces, there is no body."""
    seen = ours([AGREED[name]], "HEAD")
    assert seen == h11s([AGREED[name]], "HEAD")
    assert seen.body == b""


TOKENS = st.text("abcXYZ019-_!#$%&'*+.^`|~", min_size=1, max_size=12).map(str.encode)
VALUES = st.binary(max_size=20).map(lambda raw: bytes(byte for byte in raw if byte == 9 or 32 <= byte != 127))
FRAMES_NOTHING = {b"content-length", b"transfer-encoding", b"connection", b"upgrade"}
HEADERS = st.lists(st.tuples(TOKENS.filter(lambda name: name.lower() not in FRAMES_NOTHING), VALUES), max_size=5)


def lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


@st.composite
def replies(draw: st.DrawFn) -> bytes:
    """A well-formed reply of any framing, with interim replies before it."""
    parts = [
        b"HTTP/1.1 %d Wait\r\n%b\r\n" % (status, lines(draw(HEADERS)))
        for status in draw(st.lists(st.sampled_from([100, 102, 103, 199]), max_size=2))
    ]
    status = draw(st.sampled_from([200, 201, 204, 301, 304, 400, 404, 429, 500, 503, 599]))
    parts.append(b"HTTP/1.%d %d %b\r\n" % (draw(st.integers(0, 1)), status, draw(st.sampled_from([b"", b"OK", b"No no"]))))
    parts.append(lines(draw(HEADERS)))
    body = draw(st.binary(max_size=60))
    framing = draw(st.sampled_from(["length", "chunked", "end", "short"]))
    if status in (204, 304):
        parts.append(b"\r\n")
    elif framing == "length":
        parts.append(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    elif framing == "short":
        parts.append(b"Content-Length: %d\r\n\r\n%b" % (len(body) + draw(st.integers(1, 9)), body))
    elif framing == "end":
        parts.append(b"\r\n" + body)
    else:
        parts.append(b"Transfer-Encoding: chunked\r\n\r\n")
        while body:
            size = draw(st.integers(1, len(body)))
            extension = draw(st.sampled_from([b"", b";a", b";a=b", b';a="b c"']))
            parts.append(b"%x%b\r\n%b\r\n" % (size, extension, body[:size]))
            body = body[size:]
        parts.append(b"0\r\n%b\r\n" % lines(draw(HEADERS)))
    return b"".join(parts)


@st.composite
def cut_up(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> list[bytes]:
    stream = draw(streams)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=8)))
    bounds = [0, *cuts, len(stream)]
    return [stream[start:end] for start, end in zip(bounds, bounds[1:], strict=False) if end > start]


@given(cut_up(replies()))
def test_well_formed_replies_are_read_as_h11_reads_them(pieces: list[bytes]) -> None:
    """Any framing, any headers, interim replies, trailers and extensions, cut anywhere."""
    assert ours(pieces) == h11s(pieces)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    stream = bytearray(draw(replies()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(stream) - 1))
        stream[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from([b"", b"\r", b"\n", b"\0", b" ", b":", b"0", b"\r\n", b"a"]))
    return bytes(stream)


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
    for stream, body in [(AGREED["length"], b"hi"), (AGREED["trailers"], b"a"), (AGREED["204"], b""), (AGREED["100"], b"a")]:
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
    with pytest.raises(ProtocolBroken, match="more than"):
        for _ in range(MAX_HEADER_BYTES // len(more) + 2):
            parser.feed(more)


def test_exactly_as_many_headers_as_allowed_are_taken() -> None:
    """The bound is the last good value."""
    stream = OK + b"X: y\r\n" * (MAX_HEADERS - 1) + b"Content-Length: 0\r\n\r\n"
    assert len(ours([stream]).headers) == MAX_HEADERS


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
