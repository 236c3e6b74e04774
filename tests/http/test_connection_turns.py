"""Whose turn it is on a connection, what is thrown away, and what ends it: byte by byte, in virtual time."""

from __future__ import annotations

import asyncio
import json

import pytest

from pointsman.http.channel import Channel
from pointsman.http.connection import HEAD_S, HELD_BYTES, KEEP_ALIVE_S, MAX_PIPELINED
from pointsman.http.site import Site
from pointsman.model.settings import ServerSettings
from pointsman.sim import SimClock
from tests.http.line import Line, Script, length, mirror, settle, take

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
CHUNKED = b"POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


def get(path: int) -> bytes:
    """Return a request."""
    return b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % path


def post(size: int) -> bytes:
    """Return the head of a request with a body."""
    return b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size


class Gate:
    """An application that answers with the path, once it is let."""

    def __init__(self) -> None:
        self.app = Script(self._serve)
        self.go = asyncio.Event()

    async def _serve(self, channel: Channel) -> None:
        await self.go.wait()
        body = channel.path.encode()
        await channel.respond(200, [length(body)], body)

    @property
    def paths(self) -> list[str]:
        """Paths of the requests that were handed over."""
        return [path for _, path, _ in self.app.seen]


async def test_one_request_is_handed_over_at_a_time() -> None:
    """In their order, be they parsed already or not."""
    gate = Gate()
    line = Line(gate.app)
    await line.send(get(1) + get(2) + get(3), get(4), get(5)[:9], get(5)[9:])
    assert gate.paths == ["/1"]
    gate.go.set()
    await settle()
    assert [one.body for one in line.answers()] == [b"/1", b"/2", b"/3", b"/4", b"/5"]
    assert not line.wire.closed


async def test_what_is_sent_ahead_is_bounded() -> None:
    """The client is made to wait, until its turn comes; a little is read, or nobody would learn that it has gone."""
    gate = Gate()
    line = Line(gate.app)
    one = get(1) + b"\r\n" * 500
    await line.send(one)
    sent = 0
    while not line.wire.paused:
        line.feed(one)
        sent += 1
        assert sent * len(one) < 2 * HELD_BYTES
    assert sent * len(one) > HELD_BYTES
    gate.go.set()
    await settle()
    assert not line.wire.paused
    assert len(line.answers()) == sent + 1


async def test_what_comes_at_once_is_bounded_too() -> None:
    """One large read of small requests: few are parsed, the rest waits as bytes."""
    gate = Gate()
    line = Line(gate.app)
    line.feed(get(1) * 40 + b"".join(get(number) + b"\r\n" * 400 for number in range(200)))
    await settle()
    assert len(line.connection._waiting) < MAX_PIPELINED - 1
    assert line.wire.paused
    gate.go.set()
    await settle()
    assert [one.body for one in line.answers()] == [b"/1"] * 40 + [b"/%d" % number for number in range(200)]
    assert not line.wire.paused


async def test_too_many_requests_at_once_end_the_connection() -> None:
    """After the answers to those that were taken."""
    gate = Gate()
    line = Line(gate.app)
    line.feed(GET * (MAX_PIPELINED + 3))
    line.feed(GET)
    gate.go.set()
    await settle()
    answers = line.answers()
    assert [one.status for one in answers] == [200] * (MAX_PIPELINED + 1)
    assert [one.headers.get("connection") for one in answers] == [None] * MAX_PIPELINED + ["close"]
    assert line.wire.closed


async def test_garbage_behind_requests_does_not_spoil_their_answers() -> None:
    """All that were whole are answered, the last one says that the connection ends."""
    for garbage in (b"garbage\r\n\r\n", b"GET / HTTP/1.1\r\nhost : x\r\n\r\n", b"\x16\x03\x01"):
        gate = Gate()
        line = Line(gate.app)
        await line.send(get(1) + get(2) + garbage, get(3))
        gate.go.set()
        await settle()
        assert [(one.body, one.headers.get("connection")) for one in line.answers()] == [
            (b"/1", None),
            (b"/2", "close"),
        ]
        assert line.wire.closed


async def test_behind_the_last_request_nothing_is_read() -> None:
    """The client said that it was the last; what comes is no error."""
    gate = Gate()
    line = Line(gate.app)
    await line.send(b"GET /1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" + get(2), get(3))
    gate.go.set()
    await settle()
    assert [one.body for one in line.answers()] == [b"/1"]
    assert line.wire.closed


async def test_a_request_that_is_begun_behind_another_has_its_own_time() -> None:
    """It starts with the answer to the one before."""
    for rest in (b"GET /2", post(5)):
        gate = Gate()
        line = Line(gate.app)
        await line.send(get(1) + rest)
        await asyncio.sleep(2 * HEAD_S)
        assert not line.wire.closed
        gate.go.set()
        await asyncio.sleep(HEAD_S - 1.0)
        assert [one.body for one in line.answers()] == [b"/1"]
        await asyncio.sleep(1.1)
        assert [one.status for one in line.answers()] == [200, 408]
        assert line.wire.closed


async def test_a_body_has_its_own_time() -> None:
    """Ten seconds after its head."""
    line = Line(app := Script(mirror))
    await line.send(post(5)[:20])
    await asyncio.sleep(HEAD_S - 1.0)
    await line.send(post(5)[20:])
    await asyncio.sleep(HEAD_S - 1.0)
    await line.send(b"a")
    assert not line.wire.closed
    await asyncio.sleep(1.1)
    answers = line.answers()
    assert [(one.status, json.loads(one.body)["code"]) for one in answers] == [(408, "receive_timeout")]
    assert app.seen == []
    assert line.wire.closed


@pytest.mark.parametrize("goes_on", [True, False])
async def test_an_answer_may_come_before_the_body(goes_on: bool) -> None:
    """The rest is thrown away, so that its sender, who reads no answer while it writes, gets one."""

    async def serve(channel: Channel) -> None:
        await channel.respond(404, [length(b"no")], b"no")

    line = Line(app := Script(serve))
    size = 5 * HELD_BYTES
    head = post(size) if goes_on else post(size).replace(b"host: x", b"host: x\r\nconnection: close")
    await line.send(head)
    assert [one.status for one in line.answers()] == [404]
    for _ in range(4):
        await line.send(b"a" * HELD_BYTES)
        assert not line.wire.closed
        assert line.connection._reader.reading is not None
        assert line.connection._reader.reading._pieces == []
    await line.send(b"a" * (HELD_BYTES - 1), b"a")
    assert line.wire.closed is not goes_on
    if goes_on:
        await asyncio.sleep(KEEP_ALIVE_S - 1.0)
        assert len(await line.send(GET + head + b"a" * size + GET)) == 4
        await asyncio.sleep(KEEP_ALIVE_S - 1.0)
        assert not line.wire.closed
        await asyncio.sleep(1.1)
        assert line.wire.closed
    assert [one.status for one in line.answers()] == [404] * len(app.seen)


async def test_what_is_thrown_away_is_bounded() -> None:
    """In bytes and in time."""

    async def serve(channel: Channel) -> None:
        await channel.respond(404, [length(b"no")], b"no")

    settings = ServerSettings(discard_bytes=200_000, discard_s=3.0)
    line = Line(Script(serve), settings)
    await line.send(post(1_000_000) + b"a" * 100_000, b"a" * 200_000)
    assert not line.wire.closed
    await line.send(b"a")
    assert line.wire.closed
    line = Line(Script(serve), settings)
    await line.send(post(1_000_000))
    await asyncio.sleep(2.9)
    await line.send(b"a")
    assert not line.wire.closed
    await asyncio.sleep(0.2)
    assert line.wire.closed
    assert [one.status for one in line.answers()] == [404]


async def test_an_error_in_the_rest_of_a_body_ends_the_connection() -> None:
    """Without a second answer to one request."""

    async def serve(channel: Channel) -> None:
        await channel.receive()
        await channel.respond(404, [length(b"no")], b"no")

    line = Line(Script(serve))
    await line.send(CHUNKED + b"11000\r\n" + b"a" * 0x11000)
    assert [one.status for one in line.answers()] == [404]
    await line.send(b"zz\r\n")
    assert [one.status for one in line.answers()] == [404]
    assert line.wire.closed


async def test_an_error_in_a_body_that_is_being_read_is_told() -> None:
    """By a problem to the client, and to the reader as if the client had gone."""
    told = []

    async def serve(channel: Channel) -> None:
        with pytest.raises(ConnectionError):
            await take(channel)
        told.append(True)
        await channel.respond(200, [length(b"")], b"")

    line = Line(Script(serve))
    await line.send(CHUNKED + b"11000\r\n" + b"a" * 0x11000, b"\r\nzz\r\n")
    assert [one.status for one in line.answers()] == [400]
    assert (told, line.wire.closed) == ([True], True)


async def test_an_error_in_a_body_breaks_an_answer_off_that_has_begun() -> None:
    """It cannot be told any more; nobody waits for the rest of the body."""
    told = []

    async def serve(channel: Channel) -> None:
        await channel.start(200, [])
        await channel.write(b"hello")
        with pytest.raises(ConnectionError):
            await take(channel)
        told.append(True)

    line = Line(Script(serve))
    await line.send(CHUNKED + b"11000\r\n" + b"a" * 0x11000, b"\r\nzz\r\n")
    assert line.wire.written.endswith(b"5\r\nhello\r\n")
    assert (told, line.wire.closed) == ([True], True)


async def test_an_upgrade_is_ignored_and_its_body_read() -> None:
    """As clients send it that would rather speak HTTP/2; the connection goes on."""
    line = Line(Script(mirror))
    upgrade = (
        b"\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
    )
    request = post(3).replace(b"\r\n\r\n", upgrade)
    await line.send(request + b"abc" + GET, request, b"de", b"f" + GET)
    bodies = [b"POST /b  abc", b"GET /a  ", b"POST /b  def", b"GET /a  "]
    assert [one.body for one in line.answers()] == bodies
    assert not line.wire.closed


async def test_too_many_connections_are_refused_in_the_language_of_their_path() -> None:
    """Without a task for each; a HEAD gets no body."""
    site = Site(app := Script(mirror), ServerSettings(max_connections=1), SimClock(), asyncio.get_running_loop())
    Line(site=site)
    for request, has_body in ((GET, True), (GET.replace(b"GET", b"HEAD"), False), (post(3) + b"abc" + GET, True)):
        line = Line(site=site)
        answers = await line.send(request)
        assert [one.status for one in answers] == [503]
        assert (answers[0].headers["retry-after"], answers[0].headers["connection"]) == ("1", "close")
        assert bool(answers[0].body) is has_body
        assert line.wire.closed
        await settle()
    assert app.seen == []
    assert len(site.connections) == 1


async def test_a_client_that_ends_what_it_sends_gets_its_answers() -> None:
    """All of them; an interim answer may come before the first, by which it turns out that it is still there."""
    gate = Gate()
    line = Line(gate.app)
    await line.send(get(1) + get(2), get(3))
    assert await line.end()
    await asyncio.sleep(1.0)
    gate.go.set()
    await settle()
    assert [(one.status, one.body) for one in line.answers()] == [(100, b""), (200, b"/1"), (200, b"/2"), (200, b"/3")]
    assert line.answers()[-1].headers["connection"] == "close"
    assert line.wire.closed


async def test_a_client_that_ends_what_it_sends_and_is_gone_is_found_out() -> None:
    """Its connection is broken off, and whoever waits is told."""
    gate = Gate()
    line = Line(gate.app)
    await line.send(get(1))
    assert await line.end()
    line.wire.error = 104
    await asyncio.sleep(0.05)
    assert line.wire.aborted
    assert line.connection._link.is_lost()
    gate.go.set()
    await settle()
    assert [one.status for one in line.answers()] == [100]


async def test_a_client_that_goes_after_its_first_answer_is_found_out_too() -> None:
    """Each request that waits finds out anew, because the first answer may have been written to nobody."""

    async def serve(channel: Channel) -> None:
        if channel.path == "/2":
            await take(channel)
            await channel.receive()
        await channel.respond(200, [length(b"ok")], b"ok")

    line = Line(Script(serve))
    line.feed(get(1) + get(2))
    assert await line.end()
    line.wire.error = 104
    await asyncio.sleep(0.05)
    assert line.wire.aborted
    assert len(line.site.tasks) == 0


async def test_a_client_that_ends_within_its_next_request_gets_the_answer_to_the_first() -> None:
    """And the connection ends with it: the rest of the other will not come."""
    gate = Gate()
    line = Line(gate.app)
    await line.send(get(1), get(2)[:9])
    assert await line.end()
    gate.go.set()
    await settle()
    assert [one.body for one in line.answers()] == [b"/1"]
    assert line.wire.closed


@pytest.mark.parametrize("request_", [b"", GET[:9], post(5) + b"a", post(5 * HELD_BYTES)])
async def test_a_client_that_ends_before_its_request_does_is_gone(request_: bytes) -> None:
    """There is nothing to answer."""
    line = Line(Script(mirror))
    if request_:
        await line.send(request_)
    assert not await line.end()
    assert line.wire.written == b""
    assert not line.site.connections


async def test_a_client_that_ends_in_the_middle_of_its_answer_is_gone() -> None:
    """One that still read would have waited."""
    line = Line(Script(stream_for_ever))
    await line.send(GET)
    assert not await line.end()
    assert line.connection._link.is_lost()


async def stream_for_ever(channel: Channel) -> None:
    """Begin an answer, and wait for the client to go."""
    await take(channel)
    await channel.start(200, [])
    await channel.write(b"hello")
    await channel.receive()


async def test_a_client_of_http_1_0_that_ends_counts_as_gone_but_gets_a_quick_answer() -> None:
    """It cannot be asked; a message of it is cancelled, and what does not wait for anything is answered."""
    gate = Gate()
    line = Line(gate.app)
    await line.send(b"GET /1 HTTP/1.0\r\n\r\n")
    assert await line.end()
    assert line.connection._link.is_lost()
    gate.go.set()
    await settle()
    assert [one.body for one in line.answers()] == [b"/1"]
    assert line.wire.closed


async def test_a_connection_that_stops_ends_with_the_answer_at_hand() -> None:
    """Those who wait are answered, nothing further is taken; one that is idle ends at once, in a head too."""
    gate = Gate()
    busy, idle, half = Line(gate.app), Line(gate.app), Line(gate.app)
    await busy.send(get(1) + get(2))
    await half.send(GET[:9])
    for line in (busy, idle, half):
        line.connection.stop()
    assert (busy.wire.closed, idle.wire.closed, half.wire.closed) == (False, True, True)
    await busy.send(get(3))
    gate.go.set()
    await settle()
    assert [(one.body, one.headers.get("connection")) for one in busy.answers()] == [(b"/1", None), (b"/2", "close")]
    assert busy.wire.closed
