"""Clients that are slower than we are, and those that read nothing at all, in virtual time."""

from __future__ import annotations

import asyncio

from pointsman.http.channel import Channel
from pointsman.http.connection import KEEP_ALIVE_S
from pointsman.http.flow import STALLED_S, Flow
from pointsman.http.turn import LARGE_BYTES
from pointsman.http.waiting import ClientGone, while_linked
from tests.http.line import HIGH_BYTES, Line, Script, Wire, length, settle, take

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"


async def endless(channel: Channel) -> None:
    """Write for ever."""

    async def write() -> None:
        await channel.start(200, [])
        while True:
            await channel.write(b"a" * 30_000)

    assert channel.link is not None
    try:
        await while_linked(write(), channel.link)
    except ClientGone:
        return


async def slow(serve: Script) -> Line:
    """Return a connection of a client that does not read by itself, with a request on it."""
    line = Line(serve)
    line.wire.is_slow = True
    await line.send(GET)
    return line


async def test_a_writer_waits_for_a_slow_client() -> None:
    """What waits for it is bounded, by the mark and one piece; it goes on once the client has read."""
    line = await slow(Script(endless))
    assert HIGH_BYTES < line.wire.unread_bytes <= HIGH_BYTES + LARGE_BYTES
    written = len(line.wire.written)
    await asyncio.sleep(STALLED_S - 1.0)
    assert len(line.wire.written) == written
    line.wire.read(line.wire.unread_bytes)
    await settle()
    assert len(line.wire.written) > written
    await line.hang_up()


async def test_one_large_chunk_waits_too() -> None:
    """Piece by piece."""

    async def serve(channel: Channel) -> None:
        await channel.start(200, [])
        await channel.write(b"a" * 1_000_000)
        await channel.end()

    line = await slow(Script(serve))
    while not line.wire.written.endswith(b"0\r\n\r\n"):
        assert line.wire.unread_bytes < 2 * LARGE_BYTES + 1_000
        line.wire.read(line.wire.unread_bytes)
        await settle()
    assert line.answers()[0].body == b"a" * 1_000_000


async def test_an_answer_waits_until_the_one_before_it_is_read() -> None:
    """A client that sends many requests and reads nothing makes us hold one large answer, not many."""

    async def serve(channel: Channel) -> None:
        await channel.respond(200, [length(b"a" * 300_000)], b"a" * 300_000)

    line = await slow(Script(serve))
    await line.send(GET * 20)
    assert 300_000 < line.wire.unread_bytes < 301_000
    line.wire.read(line.wire.unread_bytes)
    await settle()
    assert [len(one.body) for one in line.answers()] == [300_000] * 2
    await line.hang_up()


async def test_a_client_that_reads_nothing_is_cut_off() -> None:
    """After a minute; whoever waits on its behalf is told."""
    line = await slow(app := Script(endless))
    await asyncio.sleep(STALLED_S - 1.0)
    assert not line.wire.closed
    await asyncio.sleep(1.1)
    assert line.wire.aborted
    assert len(line.site.tasks) == 0
    assert len(app.seen) == 1


async def test_a_client_that_reads_a_little_is_not() -> None:
    """As long as it reads at all."""
    line = await slow(Script(endless))
    for _ in range(5):
        await asyncio.sleep(STALLED_S - 1.0)
        line.wire.read(1)
    assert not line.wire.closed
    await asyncio.sleep(2 * STALLED_S)
    assert line.wire.aborted


async def test_a_client_that_reads_in_time_starts_the_minute_anew() -> None:
    """Each pause has its own."""
    line = await slow(Script(endless))
    for _ in range(5):
        await asyncio.sleep(STALLED_S - 1.0)
        line.wire.read(line.wire.unread_bytes)
    assert not line.wire.closed
    await line.hang_up()


async def test_a_client_that_has_read_everything_has_all_the_time() -> None:
    """The minute runs only while something waits for it."""

    async def serve(channel: Channel) -> None:
        await channel.start(200, [])
        await channel.write(b"a" * (2 * LARGE_BYTES))
        await take(channel)
        await channel.receive()

    line = await slow(Script(serve))
    while line.wire.unread_bytes:
        line.wire.read(line.wire.unread_bytes)
        await settle()
    await asyncio.sleep(4 * STALLED_S)
    assert not line.wire.closed
    await line.hang_up()


async def test_a_connection_that_closes_does_not_wait_for_ever_to_be_read() -> None:
    """Be it a small rest, that a writer would not even wait for; one that reads it has it whole."""

    async def serve(channel: Channel) -> None:
        await channel.respond(200, [length(b"hello"), (b"connection", b"close")], b"hello")

    for reads in (False, True):
        line = await slow(Script(serve))
        assert line.wire.closed
        assert line.wire.unread_bytes
        await asyncio.sleep(STALLED_S - 1.0)
        assert line.site.connections
        if reads:
            line.wire.read(line.wire.unread_bytes)
            line.wire._lose()
        await asyncio.sleep(1.1)
        assert line.wire.aborted is not reads
        assert not line.site.connections


async def test_an_idle_connection_with_an_unread_answer_is_closed_and_cut_off() -> None:
    """First the rest between two requests, then the minute."""

    async def serve(channel: Channel) -> None:
        await channel.respond(200, [length(b"hello")], b"hello")

    line = await slow(Script(serve))
    await asyncio.sleep(KEEP_ALIVE_S + STALLED_S - 1.0)
    assert (line.wire.closed, line.wire.aborted) == (True, False)
    await asyncio.sleep(1.1)
    assert line.wire.aborted


async def test_several_writers_may_wait() -> None:
    """One that is cancelled takes none of the others with it; when the client goes, all wake."""
    wire = Wire()
    flow = Flow(wire, asyncio.get_running_loop())
    flow.pause()
    first, second, third = [asyncio.create_task(flow.drained()) for _ in range(3)]
    await settle()
    first.cancel()
    await settle()
    assert [task.done() for task in (first, second, third)] == [True, False, False]
    flow.resume()
    await asyncio.gather(second, third)
    flow.pause()
    fourth = asyncio.create_task(flow.drained())
    await settle()
    flow.lose()
    await fourth


async def test_reading_is_stopped_and_taken_up_once() -> None:
    """However often either is asked for; a connection that closes is left alone."""
    wire = Wire()
    flow = Flow(wire, asyncio.get_running_loop())
    flow.read_on()
    flow.stop_reading()
    flow.stop_reading()
    assert wire.paused
    flow.read_on()
    flow.read_on()
    assert not wire.paused
    flow.stop_reading()
    flow.close()
    flow.read_on()
    assert wire.paused
