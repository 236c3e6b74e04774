"""Requests out of bytes, compared with h11's reading of the same bytes, however they are cut up."""

from __future__ import annotations

import itertools
from typing import Any, cast
from urllib.parse import unquote

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.http.problems import RequestError
from pointsman.http.request_reader import MAX_HEAD_BYTES, MAX_HEADERS, RequestReader
from pointsman.http.turn import Turn
from pointsman.http.waiting import Link
from pointsman.model.errors import PointsmanError, RefusedError
from tests.http.corpus import AGREED, CHUNKED, GET, LAXER, POST, STRICTER

ALL = {**AGREED, **STRICTER, **LAXER}


def reader(done: list[Turn]) -> RequestReader:
    """Return a reader that collects requests."""
    return RequestReader(lambda *parts: Turn(cast(Any, None), Link(), *parts), done.append)


def seen(turn: Turn) -> tuple[Any, ...]:
    """Return what a request says: method, path, query, headers, body."""
    headers = [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in turn.headers]
    return turn.method, turn.path, turn.query, headers, turn.arrived()


def ours(*pieces: bytes) -> Any:
    """Return what we make of the first request: what it says, "refused" or "incomplete"."""
    done: list[Turn] = []
    reading = reader(done)
    try:
        for piece in pieces:
            reading.feed(piece)
    except PointsmanError:
        if not done:
            return "refused"
    return seen(done[0]) if done else "incomplete"


def theirs(raw: bytes) -> Any:
    """Return what h11 makes of it."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    request, body = None, b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return "incomplete"
    except h11.RemoteProtocolError:
        return "refused"
    assert request is not None
    target = request.target.removeprefix(b"http://X")
    path, _, query = target.partition(b"?")
    headers = [(bytes(name), bytes(value)) for name, value in request.headers]
    return request.method.decode(), unquote(path.decode()), query, headers, body


@pytest.mark.parametrize("name", AGREED)
def test_we_and_h11_read_the_same(name: str) -> None:
    """Or refuse the same."""
    assert ours(AGREED[name]) == theirs(AGREED[name])


@pytest.mark.parametrize("name", STRICTER)
def test_where_we_and_h11_differ_we_are_stricter(name: str) -> None:
    """On purpose; each is in the list."""
    assert ours(STRICTER[name]) == "refused"
    assert theirs(STRICTER[name]) != "refused"


@pytest.mark.parametrize("name", LAXER)
def test_what_only_h11_refuses_is_known(name: str) -> None:
    """And is still read as one request without a body."""
    found = ours(LAXER[name])
    assert (found[1], found[3:]) == ("/", ([(b"host", b"x")], b""))
    assert theirs(LAXER[name]) == "refused"


@pytest.mark.parametrize("name", ALL)
def test_a_request_may_be_cut_in_two_anywhere(name: str) -> None:
    """It is read, or refused, as if it had come whole."""
    raw = ALL[name]
    whole = ours(raw)
    for at in range(1, len(raw)):
        assert ours(raw[:at], raw[at:]) == whole, at


@given(st.sampled_from(sorted(ALL)), st.data())
def test_a_request_may_be_cut_up_at_will(name: str, data: st.DataObject) -> None:
    """Into any number of pieces."""
    raw = ALL[name]
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=12).map(sorted))
    edges = [0, *cuts, len(raw)]
    pieces = [raw[start:end] for start, end in itertools.pairwise(edges) if start < end]
    assert ours(*pieces) == ours(raw)


@given(st.sampled_from(sorted(AGREED)), st.integers(0, 200), st.binary(max_size=4), st.integers(0, 4))
def test_whatever_is_spoilt_h11_never_sees_another_request_in_it(name: str, at: int, new: bytes, gone: int) -> None:
    """Some bytes replaced: where we still take it, and h11 too, it says the same to both."""
    raw = AGREED[name][:at] + new + AGREED[name][at + gone :]
    if not raw:
        return
    mine, other = ours(raw), theirs(raw)
    if isinstance(mine, tuple) and isinstance(other, tuple):
        assert (mine[0], mine[3], mine[4]) == (other[0], other[3], other[4])


def test_requests_follow_each_other() -> None:
    """Plain, chunked with trailers, upgraded with and without a body: none leaves anything to the next."""
    names = ["length", "trailers", "upgrade", "upgrade with a body", "upgrade with chunks", "no chunk", "query"]
    done: list[Turn] = []
    reading = reader(done)
    raw = b"".join(AGREED[name] for name in names) * 2
    for piece in [raw[at : at + 7] for at in range(0, len(raw), 7)]:
        reading.feed(piece)
    assert [seen(turn) for turn in done] == [theirs(AGREED[name]) for name in names] * 2
    assert all(turn.keeps_alive for turn in done)
    assert reading.is_idle
    assert reading.reading is None


@pytest.mark.parametrize(
    ("raw", "keeps_alive"),
    [
        (GET + b"\r\n", True),
        (GET + b"Connection: close\r\n\r\n", False),
        (GET + b"Connection: keep-alive, Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
def test_the_connection_goes_on_where_the_client_wants_it(raw: bytes, keeps_alive: bool) -> None:
    """Never with HTTP/1.0."""
    done: list[Turn] = []
    reader(done).feed(raw)
    assert done[0].keeps_alive is keeps_alive
    assert done[0].is_old is raw.startswith(b"GET / HTTP/1.0")


def test_only_http_1_1_asks_before_it_sends() -> None:
    """`Expect: 100-continue`, in any case of letters."""
    for version, value, expects in (
        (b"1.1", b"100-Continue", True),
        (b"1.0", b"100-continue", False),
        (b"1.1", b"x", False),
    ):
        reading = reader([])
        reading.feed(b"POST / HTTP/%b\r\nHost: x\r\nContent-Length: 1\r\nExpect: %b\r\n\r\n" % (version, value))
        assert reading.reading is not None
        assert reading.reading.expects is expects


def refusal(*pieces: bytes) -> PointsmanError:
    """Return why a request is refused."""
    reading = reader([])
    for piece in pieces:
        try:
            reading.feed(piece)
        except PointsmanError as error:
            return error
    pytest.fail("it was not refused")


@pytest.mark.parametrize(
    "pieces",
    [
        [GET + b"X: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n"],
        [b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
        [GET + b"X: ", *[b"a" * 1_000] * 70],
        [*[b"\r\n" * 500] * 70],
        [CHUNKED + b"1\r\na\r\n0\r\nX: ", *[b"a" * 1_000] * 70],
        [CHUNKED + b"1;x=", *[b"a" * 1_000] * 70],
    ],
)
def test_heads_trailers_and_extensions_are_bounded_in_bytes(pieces: list[bytes]) -> None:
    """At once or bit by bit."""
    error = refusal(*pieces)
    assert isinstance(error, RequestError)
    assert error.code == "head_too_large"


def test_headers_and_trailers_are_bounded_in_number() -> None:
    """One more than that is one too many; the bound is on each by itself."""
    most = b"".join(b"x-%d: a\r\n" % number for number in range(MAX_HEADERS - 2))
    done: list[Turn] = []
    reader(done).feed(POST + b"Transfer-Encoding: chunked\r\n" + most + b"\r\n0\r\n" + most + b"\r\n")
    assert len(done[0].headers) == MAX_HEADERS
    for end in (b"\r\n", b"v: "):
        assert refusal(GET + most + b"y: b\r\nz: b\r\n" + end).code == "head_too_large"
    assert refusal(CHUNKED + b"0\r\n" + most + b"x: y\r\n" * 4).code == "head_too_large"


def test_a_long_body_is_no_long_head() -> None:
    """Nor are many requests."""
    done: list[Turn] = []
    reading = reader(done)
    reading.feed(POST + b"Content-Length: 300000\r\n\r\n")
    for _ in range(300):
        reading.feed(b"a" * 1_000)
    for _ in range(3_000):
        reading.feed(GET + b"X: " + b"a" * 100 + b"\r\n\r\n")
    assert len(done) == 3_001


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "header host: got 0, expected one"),
        (GET + b"Host: y\r\n\r\n", "header host: got 2, expected one"),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "got 'gzip, chunked' in HTTP/1.1, expected chunked"),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "HTTP version 2.0, expected 1.1 or 1.0"),
        (b"hello\r\n\r\n", "no valid HTTP/1.1 request: Invalid method encountered"),
    ],
)
def test_a_refusal_says_why(raw: bytes, told: str) -> None:
    """In words of ours, or of the parser's."""
    error = refusal(raw)
    assert isinstance(error, RefusedError)
    assert told in error.refused.detail


def test_a_fault_of_ours_is_no_refusal() -> None:
    """Whoever fed the bytes meets it."""

    def fail(turn: Turn) -> None:
        raise ZeroDivisionError

    reading = RequestReader(lambda *parts: Turn(cast(Any, None), Link(), *parts), fail)
    with pytest.raises(ZeroDivisionError):
        reading.feed(GET + b"\r\n")


@pytest.mark.parametrize("target", [b"/%ff", b"/%zz", b"/a%00b", b"*"])
def test_where_another_router_may_know_it_any_target_is_taken(target: bytes) -> None:
    """It has no path here, and stays as it came; without such a router it is refused."""
    raw = (
        b"OPTIONS %b?q HTTP/1.1\r\nhost: x\r\n\r\n" % target
        if target != b"*"
        else b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n"
    )
    assert ours(raw) == "refused"
    done: list[Turn] = []
    reading = reader(done)
    reading.takes_any_target = True
    reading.feed(raw)
    assert (done[0].path, done[0].query, done[0].memo.target) == ("", b"", raw.split(b" ")[1])


@pytest.mark.parametrize("head", [b"CONNECT x:1 HTTP/1.1", b"GET http://other/ HTTP/1.1"])
def test_no_router_is_a_proxy(head: bytes) -> None:
    """What is meant for another host is refused in any case."""
    reading = reader([])
    reading.takes_any_target = True
    with pytest.raises(RefusedError):
        reading.feed(head + b"\r\nhost: x\r\n\r\n")
