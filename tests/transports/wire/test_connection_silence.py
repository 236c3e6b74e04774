"""How long a server may be silent: what counts as silence, from when, and what then happens. In virtual time."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import Silent
from tests.transports.wire.fake_transport import FakeTransport

HEAD = b"POST / HTTP/1.1\r\n\r\n"
REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"1\r\na\r\n"
LARGE = b"x" * 1_000_000


class World:
    """A connection whose request has been written, and its clock."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.connection = Connection(self.loop, memoryview(bytearray(65_536)), lambda _: None, lambda _: None)
        self.transport = FakeTransport(self.connection)
        self.begun = self.loop.time()

    def begin(self, body: bytes = b"{}", first_s: float | None = 10.0, idle_s: float | None = 2.0) -> None:
        assert self.connection.begin("POST", HEAD, body, first_s, idle_s)
        self.begun = self.loop.time()

    @property
    def passed_s(self) -> float:
        return round(self.loop.time() - self.begun, 3)

    def later(self, seconds: float, data: bytes) -> None:
        """Let bytes come after so many seconds."""
        self.loop.call_later(seconds, self.transport.bring, data)

    async def read(self) -> bytes:
        """Read the reply to its end."""
        await self.connection.read_head()
        body = b""
        while chunk := await self.connection.read_chunk():
            body += chunk
        return body

    async def read_in_vain(self) -> Silent:
        """Read until the silence is too long; return what is then raised."""
        with pytest.raises(Silent) as caught:
            await self.read()
        assert self.transport.is_closing(), "the connection is given up at once"
        assert not self.connection.usable
        return caught.value


async def test_a_server_that_says_nothing_is_given_up_at_the_bound() -> None:
    """Counted from the request."""
    world = World()
    world.begin()
    fault = await world.read_in_vain()
    assert world.passed_s == 10.0
    assert (str(fault), fault.started) == ("no byte of the reply's body within 10 s", False)


async def test_the_head_does_not_count_as_an_answer() -> None:
    """A server that sends its head at once and then thinks has the same time as one that thinks first."""
    world = World()
    world.begin()
    world.later(7.0, CHUNKED)
    fault = await world.read_in_vain()
    assert world.passed_s == 10.0
    assert not fault.started


@pytest.mark.parametrize("noise", [b"HTTP/1.1 100 Continue\r\n\r\n", CHUNKED[:20], CHUNKED + b"1"])
async def test_nothing_but_a_byte_of_the_body_ends_the_first_wait(noise: bytes) -> None:
    """Not an interim reply, a part of the head or of a chunk's size."""
    world = World()
    world.begin()
    world.later(9.0, noise)
    await world.read_in_vain()
    assert world.passed_s == 10.0


async def test_after_the_first_byte_the_shorter_bound_holds() -> None:
    """At once, although the timer was set for the longer one."""
    world = World()
    world.begin(first_s=300.0, idle_s=2.0)
    world.later(100.0, CHUNKED + CHUNK)
    fault = await world.read_in_vain()
    assert world.passed_s == 102.0
    assert (str(fault), fault.started) == ("no further byte of the reply's body within 2 s", True)


async def test_each_byte_gives_the_server_its_time_anew() -> None:
    """A slow but steady stream may last as long as it likes."""
    world = World()
    world.begin()
    world.later(0.0, CHUNKED)
    for number in range(1, 101):
        world.later(1.9 * number, CHUNK)
    world.later(191.0, b"0\r\n\r\n")
    assert await world.read() == b"a" * 100
    assert world.passed_s == 191.0


async def test_a_part_of_a_chunks_size_is_no_byte_of_the_body() -> None:
    """Dripping framing does not keep a stream alive."""
    world = World()
    world.begin()
    world.later(1.0, CHUNKED + CHUNK)
    for number in range(20):
        world.later(1.5 + number / 2, b"0" if number else b"1;")
    await world.read_in_vain()
    assert world.passed_s == 3.0


async def test_the_time_of_a_slow_reader_is_not_the_servers() -> None:
    """Only waiting for the server counts."""
    world = World()
    world.begin()
    world.transport.bring(CHUNKED + CHUNK)
    await world.connection.read_head()
    assert await world.connection.read_chunk() == b"a"
    await asyncio.sleep(50.0)  # a slow client holds the reader up
    world.later(1.5, CHUNK)
    assert await world.connection.read_chunk() == b"a"
    with pytest.raises(Silent):
        await world.connection.read_chunk()
    assert world.passed_s == 53.5


async def test_bytes_that_came_meanwhile_are_given_out_however_late() -> None:
    """Both bounds are long past, and the server kept to them."""
    world = World()
    world.begin()
    world.transport.bring(CHUNKED + CHUNK)
    await asyncio.sleep(50.0)
    assert await world.connection.read_chunk() == b"a"
    world.transport.bring(CHUNK)
    await asyncio.sleep(50.0)
    assert await world.connection.read_chunk() == b"a"


async def test_the_first_bound_holds_for_a_reader_who_comes_late() -> None:
    """It counts from the request: a server that is still silent then has had its time."""
    world = World()
    world.begin()
    world.transport.bring(CHUNKED)
    await world.connection.read_head()
    await asyncio.sleep(50.0)
    with pytest.raises(Silent):
        await world.connection.read_chunk()
    assert world.passed_s == 50.0


async def test_a_request_without_bounds_waits_for_ever() -> None:
    """They are off by default, and no timer is set."""
    world = World()
    world.begin(first_s=None, idle_s=None)
    reading = asyncio.create_task(world.read())
    await asyncio.sleep(1_000_000.0)
    assert not reading.done()
    world.transport.bring(CHUNKED + CHUNK)
    await asyncio.sleep(1_000_000.0)
    world.transport.bring(b"0\r\n\r\n")
    assert await reading == b"a"


async def test_each_bound_works_alone() -> None:
    """The other wait is then unbounded."""
    world = World()
    world.begin(first_s=None, idle_s=2.0)
    world.later(5000.0, CHUNKED + CHUNK)
    await world.read_in_vain()
    assert world.passed_s == 5002.0
    world = World()
    world.begin(first_s=10.0, idle_s=None)
    world.later(9.0, CHUNKED + CHUNK)
    world.later(5000.0, b"0\r\n\r\n")
    assert await world.read() == b"a"


async def test_bounds_are_those_of_the_request() -> None:
    """The next one on the same connection has its own, and none of it rings while the connection is idle."""
    world = World()
    world.begin(first_s=10.0)
    world.later(1.0, REPLY)
    assert await world.read() == b"hi"
    assert world.connection.finish()
    await asyncio.sleep(100.0)
    world.begin(first_s=30.0)
    world.later(29.0, REPLY)
    assert await world.read() == b"hi"
    assert world.connection.finish()
    world.begin(first_s=None)
    world.later(29.0, REPLY)
    assert await world.read() == b"hi"
    assert world.connection.finish()
    world.begin(first_s=3.0)
    await world.read_in_vain()
    assert world.passed_s == 3.0


async def test_a_reply_that_has_come_whole_is_not_silent() -> None:
    """Its end is known."""
    world = World()
    world.begin()
    world.transport.bring(REPLY)
    await asyncio.sleep(100.0)
    assert await world.read() == b"hi"
    assert world.connection.finish()


async def test_the_first_wait_begins_when_the_request_has_left() -> None:
    """A server that takes our bytes slowly is not silent yet."""
    world = World()
    world.transport.take_only(100)
    world.begin(LARGE)
    reading = asyncio.create_task(world.read_in_vain())
    while len(b"".join(world.transport.written)) < len(HEAD + LARGE):
        await asyncio.sleep(8.0)
        world.transport.take_more(200_000)
        await asyncio.sleep(0)
    assert world.passed_s > 10.0
    assert world.transport.unsent
    await asyncio.sleep(100.0)
    assert not reading.done()
    world.begun = world.loop.time()
    world.transport.take_more(200_000)
    await reading
    assert world.passed_s == 10.0


async def test_a_small_request_that_is_held_up_has_not_left_either() -> None:
    """It waits in the event loop's hands."""
    world = World()
    world.transport.take_only(1)
    world.begin()
    reading = asyncio.create_task(world.read_in_vain())
    await asyncio.sleep(100.0)
    assert not reading.done()
    world.begun = world.loop.time()
    world.transport.take_more(1000)
    await reading
    assert world.passed_s == 10.0


async def test_a_server_that_refuses_the_request_half_way_has_its_time_too() -> None:
    """Its head says no; what we would still have sent is no excuse to be silent, nor is framing that drips."""
    world = World()
    world.transport.take_only(100)
    world.begin(LARGE)
    world.later(5.0, b"HTTP/1.1 413 Too Large\r\ntransfer-encoding: chunked\r\n\r\n")
    world.later(9.0, b"1")
    await world.read_in_vain()
    assert world.passed_s == 15.0


async def test_a_server_that_answers_while_it_reads_is_bound_by_the_second_bound() -> None:
    """The end of the request does not give it the first one again."""
    world = World()
    world.transport.take_only(100)
    world.begin(LARGE, first_s=100.0, idle_s=5.0)
    world.later(1.0, CHUNKED + CHUNK)
    world.loop.call_later(3.0, world.transport.take_more, 10_000_000)
    await world.read_in_vain()
    assert world.passed_s == 6.0
    assert b"".join(world.transport.written) == HEAD + LARGE


async def test_a_byte_in_the_same_turn_as_the_bound_wins() -> None:
    """The reader has been woken already."""
    world = World()
    world.begin()
    reading = asyncio.create_task(world.read())
    await asyncio.sleep(0)
    world.transport.bring(CHUNKED + CHUNK)
    world.connection._rang()
    world.later(1.0, b"0\r\n\r\n")
    assert await reading == b"a"


async def test_a_connection_that_is_gone_leaves_no_timer() -> None:
    """Whoever ended it."""
    world = World()
    world.begin()
    reading = asyncio.create_task(world.connection.read_head())
    await asyncio.sleep(0)
    assert world.connection._alarm._timer is not None
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.sleep(0)
    assert world.connection._alarm._timer is None
