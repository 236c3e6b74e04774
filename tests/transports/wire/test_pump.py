"""Parts of a body are handed on as they come, without waking who waits, as long as they are taken."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken, Silent
from pointsman.transports.wire.pump import pump
from tests.transports.wire.fake_transport import FakeTransport

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class World:
    """A connection on which a reply has begun, and somebody who takes its parts."""

    def __init__(self, idle_s: float | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.connection = Connection(self.loop, memoryview(bytearray(65_536)), lambda _: None, lambda _: None)
        self.transport = FakeTransport(self.connection)
        assert self.connection.begin("POST", b"POST / HTTP/1.1\r\n\r\n", b"{}", None, idle_s)
        self.taken: list[bytes] = []
        self.full = False
        self.transport.bring(HEAD + b"1\r\n0\r\n")
        assert self.connection.take() == b"0"

    def tap(self, part: bytes) -> bool:
        if not self.full:
            self.taken.append(part)
        return not self.full

    def bring(self, *parts: bytes) -> None:
        self.transport.bring(b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts))

    def pump(self) -> asyncio.Task[bytes]:
        return self.loop.create_task(pump(self.connection, self.tap))


async def test_parts_are_taken_in_the_turn_in_which_they_come() -> None:
    """No task runs in between."""
    world = World()
    world.bring(b"a")
    pumping = world.pump()
    await asyncio.sleep(0)
    assert world.taken == [b"a"], "what had come before is taken first"
    for part in (b"b", b"c"):
        world.bring(part)
        assert world.taken[-1] == part
    assert not pumping.done()
    world.bring(b"d")
    world.transport.bring(b"0\r\n\r\n")
    assert await pumping == b""
    assert world.taken == [b"a", b"b", b"c", b"d"]
    assert world.connection.finish(), "the connection can carry another request"


async def test_a_part_that_is_not_taken_comes_back_and_later_ones_wait() -> None:
    """Nothing is lost, doubled or out of order, and who waits is woken."""
    world = World()
    pumping = world.pump()
    await asyncio.sleep(0)
    world.full = True
    world.bring(b"a")
    world.bring(b"b")
    assert await pumping == b"a"
    world.full = False
    pumping = world.pump()
    await asyncio.sleep(0)
    world.bring(b"c")
    world.transport.bring(b"0\r\n\r\n")
    assert await pumping == b""
    assert world.taken == [b"b", b"c"]


async def test_what_comes_with_the_end_is_taken_before_it() -> None:
    """Part and end in one read."""
    world = World()
    pumping = world.pump()
    await asyncio.sleep(0)
    world.transport.bring(b"1\r\na\r\n0\r\n\r\n")
    assert await pumping == b""
    assert world.taken == [b"a"]


async def test_a_broken_reply_is_told_behind_what_came_before_it() -> None:
    """As whoever reads part by part is told."""
    world = World()
    pumping = world.pump()
    await asyncio.sleep(0)
    world.transport.bring(b"1\r\na\r\nxyz\r\n")
    with pytest.raises(ProtocolBroken):
        await pumping
    assert world.taken == [b"a"]


async def test_a_closed_connection_is_told() -> None:
    """The body was not whole."""
    world = World()
    pumping = world.pump()
    await asyncio.sleep(0)
    world.bring(b"a")
    world.connection.connection_lost(None)
    with pytest.raises(ConnectionClosed):
        await pumping
    assert world.taken == [b"a"]


async def test_silence_is_counted_from_the_last_byte_of_the_body() -> None:
    """Each part begins the time anew; a byte of a chunk's size does not."""
    world = World(idle_s=2.0)
    begun = world.loop.time()
    pumping = world.pump()
    world.loop.call_later(1.5, world.bring, b"a")
    world.loop.call_later(3.0, world.bring, b"b")
    world.loop.call_later(4.5, world.transport.bring, b"1")
    with pytest.raises(Silent):
        await pumping
    assert round(world.loop.time() - begun, 3) == 5.0
    assert world.taken == [b"a", b"b"]


async def test_one_that_is_cancelled_gives_the_connection_up() -> None:
    """What comes then is nobody's."""
    world = World()
    pumping = world.pump()
    await asyncio.sleep(0)
    pumping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pumping
    assert world.transport.is_closing()
    assert world.taken == []
