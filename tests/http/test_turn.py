"""How a request is handed over and how its answer is framed, byte by byte."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from pointsman.http.channel import Channel, Fields
from pointsman.http.connection import HELD_BYTES
from pointsman.http.turn import LARGE_BYTES
from tests.http.line import Line, Script, length, mirror, settle, take

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
OLD = b"GET /a HTTP/1.0\r\n\r\n"
HEAD = b"HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TEXT: Fields = [(b"content-type", b"text/plain")]


def post(size: int, *headers: bytes) -> bytes:
    """Return the head of a request with a body."""
    return b"\r\n".join([b"POST /b HTTP/1.1", b"host: x", b"content-length: %d" % size, *headers, b"", b""])


async def answer(serve: Callable[[Channel], Awaitable[None]], request: bytes) -> Line:
    """Return a connection on which a function has answered a request."""
    line = Line(Script(serve))
    await line.send(request)
    return line


def responding(status: int, headers: Fields, body: bytes) -> Callable[[Channel], Awaitable[None]]:
    """Return an application that gives one answer."""

    async def serve(channel: Channel) -> None:
        await channel.respond(status, headers, body)

    return serve


def streaming(*chunks: bytes, status: int = 200, headers: Fields = TEXT) -> Callable[[Channel], Awaitable[None]]:
    """Return an application that writes an answer in pieces."""

    async def serve(channel: Channel) -> None:
        await channel.start(status, headers)
        for chunk in chunks:
            await channel.write(chunk)
        await channel.end()

    return serve


def lines(written: bytes) -> list[bytes]:
    """Return the lines of a head but for the date, which must be there."""
    found = written.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert [line.startswith(b"date: ") for line in found].count(True) == 1
    return [line for line in found if not line.startswith(b"date: ")]


async def test_a_whole_answer_is_one_write() -> None:
    """With the headers that were given, and the date."""
    line = await answer(responding(201, [(b"x-a", b"b"), length(b"hello")], b"hello"), GET)
    assert len(line.wire.writes) == 1
    assert lines(line.wire.written) == [b"HTTP/1.1 201 Created", b"x-a: b", b"content-length: 5"]
    assert line.wire.written.endswith(b"\r\n\r\nhello")
    assert not line.wire.closed


async def test_a_large_body_is_not_copied_to_save_a_write() -> None:
    """One byte less is."""
    for size, writes in ((LARGE_BYTES, 2), (LARGE_BYTES - 1, 1)):
        line = await answer(responding(200, [length(b"a" * size)], b"a" * size), GET)
        assert len(line.wire.writes) == writes
        assert line.answers()[0].body == b"a" * size


@pytest.mark.parametrize(("status", "request_"), [(200, HEAD), (304, GET), (204, GET)])
async def test_some_answers_have_no_body(status: int, request_: bytes) -> None:
    """Whole as in pieces; a length may stand where the body's length would be the one of GET, and in a 304."""
    whole = await answer(responding(status, [length(b"hello")], b"hello"), request_)
    assert whole.wire.written.endswith(b"\r\n\r\n")
    assert (b"content-length: 5" in whole.wire.written) == (status != 204)
    pieces = await answer(streaming(b"a", b"b", status=status), request_)
    assert len(pieces.wire.writes) == 1
    assert pieces.wire.written.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in pieces.wire.written
    assert not whole.wire.closed
    assert not pieces.wire.closed


@pytest.mark.parametrize(
    ("request_", "headers"),
    [
        (GET, [(b"connection", b"close")]),
        (OLD, []),
        (b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", []),
        (b"GET / HTTP/1.1\r\nhost: x\r\nconnection: Close\r\n\r\n", []),
    ],
)
async def test_the_connection_ends_where_one_side_wants_it(request_: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """And says so once."""
    for serve in (responding(200, [*headers, length(b"ok")], b"ok"), streaming(b"ok", headers=headers)):
        line = await answer(serve, request_)
        assert lines(line.wire.written).count(b"connection: close") == 1
        assert line.wire.closed
        assert line.answers()[0].body == b"ok"


async def test_a_streamed_answer_is_one_write_a_chunk() -> None:
    """Its head leaves with the first chunk, not before; chunks are framed as RFC 9112 has them."""
    go = asyncio.Event()

    async def serve(channel: Channel) -> None:
        await channel.start(200, [*TEXT, (b"content-length", b"99")])
        await go.wait()
        for chunk in (b"hello", b"", b"a" * 26):
            await channel.write(chunk)
        await channel.end()

    line = Line(Script(serve))
    await line.send(GET)
    assert line.wire.writes == []
    go.set()
    await settle()
    first, second, last = line.wire.writes
    assert lines(first) == [b"HTTP/1.1 200 OK", b"content-type: text/plain", b"transfer-encoding: chunked"]
    assert first.endswith(b"\r\n\r\n5\r\nhello\r\n")
    assert (second, last) == (b"1a\r\n" + b"a" * 26 + b"\r\n", b"0\r\n\r\n")
    assert [one.body for one in await line.send(GET)] == [b"hello" + b"a" * 26] * 2


async def test_a_streamed_answer_may_be_empty() -> None:
    """Head and end are one write."""
    line = await answer(streaming(), GET)
    assert len(line.wire.writes) == 1
    assert line.wire.written.endswith(b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n")


async def test_a_chunk_is_written_at_once_where_that_takes_no_waiting() -> None:
    """Never the first, none that must be cut up, none while the client is slow; what nobody waits for is gone."""
    told: list[bool] = []

    async def serve(channel: Channel) -> None:
        await channel.start(200, TEXT)
        told.append(channel.write_now(b"first"))
        await channel.write(b"first")
        told.append(channel.write_now(b"second"))
        told.append(channel.write_now(b"x" * (LARGE_BYTES + 1)))
        line.connection.pause_writing()
        told.append(channel.write_now(b"third"))
        line.connection.resume_writing()
        told.append(channel.write_now(b"third"))
        await channel.end()
        told.append(channel.write_now(b"late"))

    line = Line(Script(serve))
    (got,) = await line.send(GET)
    assert got.body == b"firstsecondthird"
    assert told == [False, True, False, False, True, True]


async def test_an_answer_without_chunks_is_not_written_at_once() -> None:
    """To HTTP/1.0, and to HEAD, which gets no body."""
    told: list[bool] = []

    async def serve(channel: Channel) -> None:
        await channel.start(200, TEXT)
        await channel.write(b"a")
        told.append(channel.write_now(b"b"))
        await channel.end()

    for request in (OLD, HEAD):
        await answer(serve, request)
    assert told == [False, False]


async def test_to_http_1_0_a_streamed_answer_goes_on_until_the_end() -> None:
    """It knows no chunks."""
    line = await answer(streaming(b"hello", b"you"), OLD)
    assert lines(line.wire.writes[0]) == [b"HTTP/1.1 200 OK", b"content-type: text/plain", b"connection: close"]
    assert line.wire.written.endswith(b"\r\n\r\nhelloyou")
    assert (line.wire.closed, line.wire.aborted) == (True, False)


async def test_an_answer_may_begin_anew_before_its_first_byte() -> None:
    """Nobody has seen the one before."""

    async def again(channel: Channel) -> None:
        await channel.start(500, [])
        await channel.start(200, [])
        await channel.write(b"ok")
        await channel.end()

    async def whole(channel: Channel) -> None:
        await channel.start(500, [])
        await channel.respond(200, [length(b"ok")], b"ok")

    for serve in (again, whole):
        line = await answer(serve, GET)
        assert [(one.status, one.body) for one in line.answers()] == [(200, b"ok")]


async def test_a_large_chunk_is_cut_up() -> None:
    """So that no more than a piece of it waits for a slow client."""
    body = bytes(range(256)) * 1_000
    line = await answer(streaming(body), GET)
    assert max(map(len, line.wire.writes)) < LARGE_BYTES + 1_000
    assert line.answers()[0].body == body


async def test_an_answer_that_is_broken_off_is_not_whole() -> None:
    """No last chunk, and the connection ends; before its first byte there is nothing at all."""
    for chunks in ([b"hello"], []):

        async def serve(channel: Channel, chunks: list[bytes] = chunks) -> None:
            await channel.start(200, TEXT)
            for chunk in chunks:
                await channel.write(chunk)
            channel.abort()
            await channel.write(b"more")
            await channel.end()
            channel.abort()

        line = await answer(serve, GET)
        assert line.wire.written.endswith(b"5\r\nhello\r\n" if chunks else b"")
        assert b"more" not in line.wire.written
        assert line.wire.closed


async def test_to_http_1_0_an_answer_is_broken_off_by_a_reset() -> None:
    """An orderly end would look like the whole answer."""

    async def serve(channel: Channel) -> None:
        await channel.start(200, TEXT)
        await channel.write(b"hello")
        channel.abort()

    line = await answer(serve, OLD)
    assert line.wire.aborted
    assert len(line.wire.options) == 1


async def test_whoever_breaks_an_answer_off_is_not_told_that_the_client_is_gone() -> None:
    """They have more to do."""
    told = []

    async def serve(channel: Channel) -> None:
        await channel.start(200, TEXT)
        await channel.write(b"hello")
        channel.abort()
        await settle()
        assert channel.link is not None
        told.append(channel.link.is_lost())

    line = await answer(serve, GET)
    await settle()
    assert line.wire.closed
    assert told == [False]


@pytest.mark.parametrize("request_", [GET, HEAD])
async def test_two_answers_are_a_fault(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Which shows in the log; the client has one whole, or one cut short."""

    async def stream(channel: Channel) -> None:
        await channel.start(200, TEXT)
        await channel.write(b"hello")
        await channel.respond(200, [length(b"a")], b"a")

    async def restart(channel: Channel) -> None:
        await channel.start(200, TEXT)
        await channel.write(b"hello")
        await channel.start(200, TEXT)

    async def unstarted(channel: Channel) -> None:
        await channel.write(b"hello")

    for serve in (stream, restart):
        caplog.clear()
        line = await answer(serve, request_)
        assert "a second answer to one request" in caplog.text
        assert line.wire.closed
        assert not line.wire.written.endswith(b"0\r\n\r\n")
    line = await answer(unstarted, request_)
    assert "has not been started" in caplog.text
    assert line.wire.written.startswith(b"HTTP/1.1 500 ")


async def test_what_is_written_after_the_client_has_gone_is_dropped() -> None:
    """Without a word: the link tells."""
    went = asyncio.Event()
    done = []

    async def serve(channel: Channel) -> None:
        await went.wait()
        assert channel.link is not None
        assert channel.link.is_lost()
        assert (await channel.receive())["type"] == "http.disconnect"
        await channel.start(200, TEXT)
        await channel.write(b"hello")
        await channel.end()
        await channel.respond(200, [length(b"a")], b"a")
        channel.abort()
        done.append(True)

    line = Line(Script(serve))
    await line.send(GET)
    await line.hang_up()
    went.set()
    await settle()
    assert (line.wire.writes, done) == ([], [True])


async def test_a_body_that_has_come_is_handed_over_at_once() -> None:
    """As often as it is asked for, until it is received; cut up or not, and empty where there is none."""
    seen: list[bytes | None] = []

    async def serve(channel: Channel) -> None:
        seen.extend([channel.arrived(), channel.arrived(), await take(channel), channel.arrived()])
        await channel.respond(200, [length(b"")], b"")

    line = Line(Script(serve))
    chunked = b"POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    await line.send(post(3) + b"abc", post(3), b"a", b"bc", chunked, GET)
    assert seen == [b"abc", b"abc", b"abc", None] * 3 + [b"", b"", b"", None]
    assert [one.status for one in line.answers()] == [200] * 4


async def test_a_small_body_is_held_back_until_it_is_whole() -> None:
    """So that its reader does not wait; a large one is not, and neither is one without a length once it is large."""
    line = Line(app := Script(mirror))
    await line.send(post(HELD_BYTES), b"a" * (HELD_BYTES - 1))
    assert app.seen == []
    await line.send(b"a")
    assert len(app.seen) == 1
    await line.send(post(HELD_BYTES + 1))
    assert len(app.seen) == 2
    await line.send(b"b" * (HELD_BYTES + 1))
    await line.send(b"POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"%x\r\n" % HELD_BYTES)
    await line.send(b"c" * HELD_BYTES, b"\r\n1\r\n")
    assert len(app.seen) == 2
    await line.send(b"c")
    assert len(app.seen) == 3
    await line.send(b"\r\n0\r\n\r\n")
    sizes = [HELD_BYTES, HELD_BYTES + 1, HELD_BYTES + 1]
    assert [len(one.body) for one in line.answers()] == [size + len(b"POST /b  ") for size in sizes]


async def test_a_large_body_comes_in_pieces_and_waits_for_its_reader() -> None:
    """No more than one read beyond the bound is held; the client is made to wait."""
    read_on = asyncio.Event()
    seen: list[bytes] = []

    async def serve(channel: Channel) -> None:
        while True:
            event = await channel.receive()
            seen.append(event["body"])
            if not event["more_body"]:
                break
            await read_on.wait()
        await channel.respond(200, [length(b"")], b"")

    line = Line(Script(serve))
    await line.send(post(4 * HELD_BYTES), b"a")
    assert seen == [b"a"]
    await line.send(b"b" * HELD_BYTES, b"b")
    assert line.wire.paused
    read_on.set()
    await settle()
    assert not line.wire.paused
    assert seen == [b"a", b"b" * (HELD_BYTES + 1)]
    await line.send(b"c" * (HELD_BYTES + 1))
    assert not line.wire.paused
    assert [one.status for one in await line.send(b"d" * (2 * HELD_BYTES - 3))] == [200]
    assert sum(map(len, seen)) == 4 * HELD_BYTES
    assert not line.wire.paused


async def test_a_body_of_which_some_was_received_is_not_handed_over_at_once() -> None:
    """It would not be whole."""
    seen: list[bytes | None] = []

    async def serve(channel: Channel) -> None:
        await channel.receive()
        await asyncio.sleep(1.0)
        seen.append(channel.arrived())
        await channel.respond(200, [length(b"")], b"")

    line = Line(Script(serve))
    await line.send(post(HELD_BYTES + 2), b"a", b"b" * (HELD_BYTES + 1))
    await asyncio.sleep(2.0)
    assert seen == [None]


async def test_behind_its_body_a_client_is_listened_for() -> None:
    """As an ASGI server does: the next event is that it has gone."""
    events = []

    async def serve(channel: Channel) -> None:
        await take(channel)
        events.append(await channel.receive())
        events.append(await channel.receive())

    line = Line(Script(serve))
    await line.send(post(1) + b"a")
    assert events == []
    await line.hang_up()
    assert events == [{"type": "http.disconnect"}] * 2


async def test_a_client_that_asks_is_told_to_go_on_once_its_body_is_wanted() -> None:
    """Once, and not before."""
    wanted = asyncio.Event()

    async def serve(channel: Channel) -> None:
        await wanted.wait()
        await mirror(channel)

    line = Line(Script(serve))
    await line.send(post(2, b"expect: 100-continue"))
    assert line.wire.writes == []
    wanted.set()
    await settle()
    assert line.wire.writes == [CONTINUE]
    await line.send(b"a", b"b")
    assert line.wire.writes.count(CONTINUE) == 1
    assert not line.wire.closed
    assert line.answers()[1].body == b"POST /b  ab"


async def test_a_client_that_does_not_wait_for_word_gets_none() -> None:
    """Its body is there; nor does one that speaks HTTP/1.0."""
    expects = post(1, b"expect: 100-continue") + b"a"
    for request in (expects, expects.replace(b"HTTP/1.1", b"HTTP/1.0")):
        line = await answer(mirror, request)
        assert [one.status for one in line.answers()] == [200]
        assert line.wire.closed == (b"HTTP/1.0" in request)


async def test_a_client_that_has_begun_its_body_needs_no_word() -> None:
    """It has stopped to wait for it."""
    line = Line(Script(mirror))
    await line.send(post(2, b"expect: 100-continue") + b"a")
    assert line.wire.writes == []
    await line.send(b"b")
    assert line.answers()[0].body == b"POST /b  ab"


async def test_an_answer_without_word_ends_the_connection() -> None:
    """The client may send its body or not, and what comes next could not be told from it."""
    line = await answer(responding(403, [length(b"no")], b"no"), post(2, b"expect: 100-continue"))
    assert line.answers()[0].headers["connection"] == "close"
    assert line.wire.closed


async def test_a_fault_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """As a problem, where nothing has been written; the connection ends."""

    async def fail(channel: Channel) -> None:
        raise ZeroDivisionError("oops")

    async def forget(channel: Channel) -> None:
        return

    async def forge(channel: Channel) -> None:
        await channel.respond(200, [(b"x", b"a\r\nset-cookie: b"), length(b"")], b"")

    for serve, told in ((fail, "oops"), (forget, "request to /a failed"), (forge, "line's end")):
        caplog.clear()
        line = await answer(serve, GET)
        assert [(one.status, one.headers["connection"]) for one in line.answers()] == [(500, "close")]
        assert b'"code":"internal"' in line.answers()[0].body
        assert line.wire.closed
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        assert told in caplog.text


async def test_a_fault_in_the_middle_of_an_answer_breaks_it_off(caplog: pytest.LogCaptureFixture) -> None:
    """So that the client sees that it is not whole; also where the application has just left it."""

    async def fail(channel: Channel) -> None:
        await channel.start(200, TEXT)
        await channel.write(b"hello")
        raise ZeroDivisionError

    async def forget(channel: Channel) -> None:
        await channel.start(200, TEXT)
        await channel.write(b"hello")

    for serve in (fail, forget):
        caplog.clear()
        line = await answer(serve, GET)
        assert line.wire.written.endswith(b"5\r\nhello\r\n")
        assert line.wire.closed
        assert len(caplog.records) == 1


async def test_a_fault_after_the_answer_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The client has what it wanted."""

    async def fail(channel: Channel) -> None:
        await channel.respond(200, [length(b"ok")], b"ok")
        raise ZeroDivisionError

    line = await answer(fail, GET)
    assert [(one.status, one.body) for one in line.answers()] == [(200, b"ok")]
    assert not line.wire.closed
    assert len(caplog.records) == 1
