"""One connection: what counts as sent, who is woken when, and when reading and writing pause."""

from __future__ import annotations

import asyncio
import socket
import weakref
from typing import cast

import pytest

from pointsman.transports.wire.connection import PAUSE_BYTES, SLICE_BYTES, Connection
from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken
from tests.transports.wire.fake_transport import FakeTransport

HEAD = b"POST / HTTP/1.1\r\n\r\n"
REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig"
LARGE = bytes(range(256)) * 4096


class Both:
    """A connection and what is under it."""

    def __init__(self, *, write_fails: bool = False) -> None:
        self.lost: list[Connection] = []
        made: list[Connection] = []
        self.connection = Connection(
            asyncio.get_running_loop(), memoryview(bytearray(1_048_576)), made.append, self.lost.append
        )
        self.transport = FakeTransport(self.connection, write_fails=write_fails)
        assert made == [self.connection]

    def begin(self, body: bytes = b"{}") -> bool:
        return self.connection.begin("POST", HEAD, body)


async def test_a_small_request_is_one_write() -> None:
    """One system call, and no doubt about what was sent."""
    both = Both()
    assert both.begin()
    assert both.transport.written == [HEAD + b"{}"]


async def test_a_large_body_is_not_copied() -> None:
    """It is handed on as it is, behind the head."""
    both = Both()
    body = b"x" * 100_000
    assert both.begin(body)
    assert both.transport.written == [HEAD, body]


async def test_a_large_body_is_handed_on_as_fast_as_the_server_takes_it() -> None:
    """At most one slice of it waits outside of our hands, and none is lost or doubled."""
    both = Both()
    both.transport.take_only(1000)
    assert both.begin(LARGE)
    for _ in range(100):
        assert both.transport.unsent <= SLICE_BYTES
        if b"".join(both.transport.written) == HEAD + LARGE and not both.transport.unsent:
            break
        written = len(both.transport.written)
        both.transport.take_more(70_001)
        assert len(both.transport.written) == written, "a write that fails in there would lose the connection twice"
        await asyncio.sleep(0)
    both.transport.bring(REPLY)
    assert await read_all(both.connection) == b"hi"
    assert both.connection.finish()


class Body(bytearray):
    """Bytes of which one can see when they are freed."""


async def test_a_body_that_has_been_sent_is_let_go() -> None:
    """Once each idle connection kept the last large body it had carried: 2 GiB for 64 that had carried 32 MiB each."""
    both = Both()
    body = Body(LARGE)
    freed = weakref.ref(body)
    assert both.connection.begin("POST", HEAD, cast(bytes, body))
    for _ in range(len(LARGE) // SLICE_BYTES + 1):
        await asyncio.sleep(0)
    del body
    both.transport.bring(REPLY)
    assert await read_all(both.connection) == b"hi"
    assert both.connection.finish()
    assert freed() is None
    assert both.begin()


async def test_a_connection_that_breaks_under_a_large_body_is_written_to_no_more() -> None:
    """What the server did with the part it has is not known."""
    both = Both()
    both.transport.take_only(1000)
    assert both.begin(LARGE)
    written = len(both.transport.written)
    both.transport.abort(ConnectionResetError("reset"))
    with pytest.raises(ConnectionClosed, match="broke: reset") as caught:
        await both.connection.read_head()
    assert not caught.value.started
    assert len(both.transport.written) == written


async def test_a_large_body_waits_behind_its_head() -> None:
    """Nothing is written to a connection that takes nothing."""
    both = Both()
    both.transport.take_only(1)
    assert both.begin(LARGE)
    assert both.transport.written == [HEAD]
    both.transport.take_more(10_000_000)
    await asyncio.sleep(0)
    assert both.transport.written[1] == LARGE[:SLICE_BYTES]


async def test_a_connection_that_breaks_between_two_slices_is_written_to_no_more() -> None:
    """The next one was due already."""
    both = Both()
    assert both.begin(LARGE)
    assert both.transport.written == [HEAD, LARGE[:SLICE_BYTES]]
    both.transport.abort(ConnectionResetError("reset"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(both.transport.written) == 2


async def test_a_server_that_refuses_a_body_half_way_gets_no_more_of_it() -> None:
    """Its answer is read; the connection cannot carry another request."""
    both = Both()
    both.transport.take_only(1000)
    assert both.begin(LARGE)
    both.transport.bring(REFUSAL)
    written = len(both.transport.written)
    both.transport.take_more(10_000_000)
    for _ in range(len(LARGE) // SLICE_BYTES):
        await asyncio.sleep(0)
    assert len(both.transport.written) == written
    assert await read_all(both.connection) == b"big"
    assert both.connection.parser.status == 413
    assert not both.connection.finish()


async def test_a_server_that_answers_while_it_reads_gets_the_whole_body() -> None:
    """An echo may begin before the request has ended."""
    both = Both()
    both.transport.take_only(1000)
    assert both.begin(LARGE)
    both.transport.bring(CHUNKED + b"1\r\na\r\n")
    both.transport.take_more(10_000_000)
    for _ in range(len(LARGE) // SLICE_BYTES):
        await asyncio.sleep(0)
    assert b"".join(both.transport.written) == HEAD + LARGE
    both.transport.bring(b"0\r\n\r\n")
    assert await read_all(both.connection) == b"a"
    assert both.connection.finish()


@pytest.mark.parametrize(
    ("came", "body"),
    [(REFUSAL, b"big"), (REFUSAL.replace(b"content-length: 3\r\n", b""), b"big"), (b"HTTP/1.1 401 No\r\n\r\n", b"")],
)
@pytest.mark.parametrize("unread", [False, True])
async def test_a_refusal_is_read_although_the_write_then_fails(came: bytes, body: bytes, unread: bool) -> None:
    """A server that closes without reading on resets the connection; its answer may still lie in our socket."""
    server, ours = socket.socketpair()
    ours.setblocking(False)
    both = Both()
    both.transport.socket = ours
    both.transport.take_only(1000)
    assert both.begin(LARGE)
    if unread:
        server.sendall(came)
    else:
        both.transport.bring(came)
    both.transport.abort(BrokenPipeError("Broken pipe"))
    assert await read_all(both.connection) == body
    assert not both.connection.finish()
    server.close()
    ours.close()


async def test_an_answer_cut_by_a_failed_write_is_cut() -> None:
    """Its length says so; and a success is not believed to be whole where nothing says so."""
    for came in (REFUSAL[:-1], b"HTTP/1.1 200 OK\r\n\r\nabc"):
        both = Both()
        both.transport.take_only(1000)
        assert both.begin(LARGE)
        both.transport.bring(came)
        both.transport.abort(BrokenPipeError("Broken pipe"))
        with pytest.raises(ConnectionClosed):
            await read_all(both.connection)


async def test_a_connection_closed_before_the_request_has_sent_nothing() -> None:
    """The end of the stream was seen while it was idle."""
    both = Both()
    both.transport.end()
    assert not both.connection.usable
    assert not both.begin()
    assert both.transport.written == []


@pytest.mark.parametrize("size", [2, 100_000])
async def test_a_request_whose_first_write_fails_has_sent_nothing(size: int) -> None:
    """Whatever its size."""
    both = Both(write_fails=True)
    assert not both.begin(b"x" * size)
    await asyncio.sleep(0)
    assert both.lost == [both.connection]


async def test_the_head_of_a_reply_wakes_the_reader() -> None:
    """Not a part of it, and not before the body is whole."""
    both = Both()
    both.begin()
    reading = asyncio.create_task(both.connection.read_head())
    both.transport.bring(REPLY[:20])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not reading.done()
    both.transport.bring(REPLY[20:-2])
    await reading
    assert both.connection.parser.status == 200


async def test_parts_of_a_body_are_given_out_as_they_come() -> None:
    """Nothing is held back; what has come together is given out together."""
    both = Both()
    both.begin()
    both.transport.bring(CHUNKED)
    await both.connection.read_head()
    reading = asyncio.create_task(both.connection.read_chunk())
    await asyncio.sleep(0)
    both.transport.bring(b"1\r\na\r\n")
    assert await reading == b"a"
    both.transport.bring(b"1\r\nb\r\n1\r\nc\r\n")
    both.transport.bring(b"0\r\n\r\n")
    assert await both.connection.read_chunk() == b"bc"
    assert await both.connection.read_chunk() == b""
    assert both.connection.finish()


async def test_a_slow_reader_makes_the_server_wait() -> None:
    """Reading pauses at the bound and goes on when the reader has taken what there is."""
    both = Both()
    both.begin()
    both.transport.bring(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n")
    both.transport.bring(b"x" * (PAUSE_BYTES - 1))
    assert both.transport.reading
    both.transport.bring(b"x")
    assert not both.transport.reading
    both.transport.bring(b"x")
    assert len(await both.connection.read_chunk()) == PAUSE_BYTES + 1
    assert both.transport.reading


async def test_a_body_that_has_come_whole_does_not_pause_the_connection() -> None:
    """The next request finds it reading."""
    both = Both()
    both.begin()
    both.transport.bring(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % PAUSE_BYTES + b"x" * PAUSE_BYTES)
    assert both.transport.reading


async def test_a_paused_connection_that_broke_gives_out_what_it_had() -> None:
    """Reading is not resumed on a transport that is gone."""
    both = Both()
    both.begin()
    both.transport.bring(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n" + b"x" * PAUSE_BYTES)
    both.transport.abort(ConnectionResetError("reset"))
    await asyncio.sleep(0)
    assert len(await both.connection.read_chunk()) == PAUSE_BYTES
    with pytest.raises(ConnectionClosed, match="reset"):
        await both.connection.read_chunk()


@pytest.mark.parametrize(
    ("came", "started"), [(b"", False), (b"HTTP", True), (REPLY[:-1], True), (CHUNKED + b"1\r\na\r\n", True)]
)
@pytest.mark.parametrize("error", [None, ConnectionResetError("reset")])
async def test_a_reply_cut_short_is_told_with_whether_it_had_begun(
    came: bytes, started: bool, error: Exception | None
) -> None:
    """Both by an end and by a reset of the connection."""
    both = Both()
    both.begin()
    if came:
        both.transport.bring(came)
    reading = asyncio.create_task(read_all(both.connection))
    await asyncio.sleep(0)
    if error is None:
        both.transport.end()
    else:
        both.transport.abort(error)
    with pytest.raises(ConnectionClosed) as caught:
        await reading
    assert caught.value.started is started
    assert not both.connection.usable


async def read_all(connection: Connection) -> bytes:
    """Read a reply to its end and return its body."""
    await connection.read_head()
    body = b""
    while chunk := await connection.read_chunk():
        body += chunk
    return body


async def test_the_end_of_the_stream_ends_a_body_that_nothing_else_frames() -> None:
    """The reply is whole; the connection is spent."""
    both = Both()
    both.begin()
    both.transport.bring(b"HTTP/1.1 200 OK\r\n\r\nabc")
    reading = asyncio.create_task(read_all(both.connection))
    await asyncio.sleep(0)
    both.transport.end()
    assert await reading == b"abc"
    assert not both.connection.finish()


@pytest.mark.parametrize("status", [b"200 OK", b"500 No"])
async def test_a_reset_does_not_end_such_a_body(status: bytes) -> None:
    """Only an orderly end says that it is whole."""
    both = Both()
    both.begin()
    both.transport.bring(b"HTTP/1.1 " + status + b"\r\n\r\nabc")
    both.transport.abort(ConnectionResetError("reset"))
    await asyncio.sleep(0)
    assert await both.connection.read_chunk() == b"abc"
    with pytest.raises(ConnectionClosed):
        await both.connection.read_chunk()


async def test_garbage_breaks_the_connection_at_once() -> None:
    """Whoever waits is told why."""
    both = Both()
    both.begin()
    reading = asyncio.create_task(both.connection.read_head())
    await asyncio.sleep(0)
    both.transport.bring(b"SSH-2.0-x\r\n")
    assert both.transport.is_closing()
    with pytest.raises(ProtocolBroken):
        await reading


@pytest.mark.parametrize("used", [False, True])
async def test_bytes_that_nobody_asked_for_break_an_idle_connection(used: bool) -> None:
    """They could be taken for the reply to the next request."""
    both = Both()
    if used:
        both.begin()
        both.transport.bring(REPLY)
        assert both.connection.finish()
    both.transport.bring(REPLY)
    assert both.transport.is_closing()
    assert not both.begin()


async def test_a_connection_carries_one_exchange_after_the_other() -> None:
    """Each reply is its own."""
    both = Both()
    for _ in range(3):
        assert both.begin()
        both.transport.bring(REPLY)
        assert await read_all(both.connection) == b"hi"
        assert both.connection.finish()


async def test_a_reply_that_overtakes_its_request_spoils_the_connection() -> None:
    """The rest of the request would be read as the next one."""
    both = Both()
    both.transport.take_only(len(HEAD))
    both.begin()
    both.transport.bring(REPLY)
    assert await read_all(both.connection) == b"hi"
    assert not both.connection.finish()


async def test_a_cancelled_wait_gives_the_connection_up_at_once() -> None:
    """The server sees it before the canceller goes on."""
    both = Both()
    both.begin()
    reading = asyncio.create_task(both.connection.read_head())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert both.transport.is_closing()
    assert not both.connection.usable


async def test_the_end_of_a_connection_is_told_once() -> None:
    """Whoever ended it, and however often."""
    both = Both()
    both.connection.abort()
    both.connection.abort()
    await asyncio.sleep(0)
    assert both.lost == [both.connection]
