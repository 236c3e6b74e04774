"""Which connection is used next, and how long an idle one lives. In virtual time; connecting is `test_client`'s."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import ConnectFailed
from pointsman.transports.wire.origin import parse_origin
from pointsman.transports.wire.pool import Pool
from tests.transports.wire.fake_transport import FakeTransport


class World:
    """A pool and the connections put into it."""

    def __init__(self, max_connections: int = 4, idle_s: float = 30.0) -> None:
        self.pool = Pool(
            parse_origin("http://worker:9"),
            max_connections=max_connections,
            connect_timeout_s=5.0,
            idle_s=idle_s,
            tls=None,
        )
        self.transports: dict[Connection, FakeTransport] = {}

    def connect(self, *headers: bytes) -> Connection:
        """Make a connection that has had one exchange, whose reply had these headers."""
        connection = Connection(asyncio.get_running_loop(), self.pool._inbox, self.pool._open.add, self.pool._forget)
        self.transports[connection] = FakeTransport(connection)
        connection.begin("GET", b"GET / HTTP/1.1\r\n\r\n", b"")
        lines = b"".join(header + b"\r\n" for header in headers)
        self.transports[connection].bring(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + lines + b"\r\n")
        assert connection.finish()
        return connection

    def is_closed(self, connection: Connection) -> bool:
        return self.transports[connection].is_closing()


async def test_the_connection_used_last_is_used_next() -> None:
    """So that surplus ones fall idle."""
    world = World()
    first, second = world.connect(), world.connect()
    world.pool.keep(first)
    world.pool.keep(second)
    assert await world.pool.acquire() is second
    assert await world.pool.acquire() is first
    await world.pool.close()


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    """Not before, and each at its own."""
    world = World(idle_s=30.0)
    first, second = world.connect(), world.connect()
    world.pool.keep(first)
    await asyncio.sleep(10.0)
    world.pool.keep(second)
    await asyncio.sleep(19.9)
    assert not world.is_closed(first)
    await asyncio.sleep(0.2)
    assert world.is_closed(first)
    assert not world.is_closed(second)
    await asyncio.sleep(10.0)
    assert world.is_closed(second)
    assert (world.pool.idle, world.pool.open) == (0, 0)


async def test_using_a_connection_begins_its_idle_time_anew() -> None:
    """The timer of the first keep does not close it."""
    world = World(idle_s=30.0)
    connection = world.connect()
    world.pool.keep(connection)
    await asyncio.sleep(20.0)
    assert await world.pool.acquire() is connection
    world.pool.release(connection, True)
    await asyncio.sleep(20.0)
    assert not world.is_closed(connection)
    await asyncio.sleep(10.1)
    assert world.is_closed(connection)


@pytest.mark.parametrize(
    ("header", "lives_s"),
    [
        (b"keep-alive: timeout=5", 4.0),
        (b"Keep-Alive: timeout=5, max=100", 4.0),
        (b"keep-alive: timeout=500", 30.0),
        (b"keep-alive: max=100", 30.0),
        (b"keep-alive: timeout=soon", 30.0),
    ],
)
async def test_a_server_that_announces_its_time_out_is_left_a_second_earlier(header: bytes, lives_s: float) -> None:
    """A request that crosses the server's close has an unknown fate."""
    world = World(idle_s=30.0)
    connection = world.connect(header)
    world.pool.keep(connection)
    await asyncio.sleep(lives_s - 0.1)
    assert not world.is_closed(connection)
    await asyncio.sleep(0.2)
    assert world.is_closed(connection)


@pytest.mark.parametrize("header", [b"keep-alive: timeout=1", b"keep-alive: timeout=0"])
async def test_a_time_out_too_short_to_use_closes_at_once(header: bytes) -> None:
    """It is as good as `connection: close`."""
    world = World()
    connection = world.connect(header)
    world.pool.keep(connection)
    assert world.is_closed(connection)
    assert world.pool.idle == 0


async def test_no_idle_time_keeps_no_connection() -> None:
    """`idle_s=0` switches keeping off."""
    world = World(idle_s=0.0)
    connection = world.connect()
    world.pool.keep(connection)
    assert world.is_closed(connection)


async def test_a_connection_closed_by_the_server_is_not_handed_out() -> None:
    """Nor is it counted as idle."""
    world = World()
    living, dead = world.connect(), world.connect()
    world.pool.keep(living)
    world.pool.keep(dead)
    world.transports[dead].end()
    assert await world.pool.acquire() is living
    await asyncio.sleep(0)
    assert (world.pool.idle, world.pool.open) == (0, 1)
    await world.pool.close()


async def test_more_connections_than_allowed_are_not_kept() -> None:
    """A probe's extra one goes."""
    world = World(max_connections=1)
    first = world.connect()
    world.pool.keep(first)
    extra = world.connect()
    world.pool.keep(extra)
    assert world.is_closed(extra)
    assert await world.pool.acquire() is first
    await world.pool.close()


async def test_requests_wait_for_their_turn_first_come_first_served() -> None:
    """At most `max_connections` are on their way."""
    world = World(max_connections=1)
    connection = world.connect()
    world.pool.keep(connection)
    held = await world.pool.acquire()
    order: list[str] = []

    async def use(name: str) -> None:
        mine = await world.pool.acquire()
        order.append(name)
        world.pool.release(mine, True)

    waiting = [asyncio.create_task(use(name)) for name in "abc"]
    await asyncio.sleep(1.0)
    assert order == []
    world.pool.release(held, True)
    await asyncio.gather(*waiting)
    assert order == ["a", "b", "c"]
    await world.pool.close()


async def test_a_connection_at_hand_is_had_without_waiting() -> None:
    """If there is an idle one and it is somebody's turn; otherwise it must be acquired."""
    world = World(max_connections=2)
    assert world.pool.take() is None
    first, second = world.connect(), world.connect()
    world.pool.keep(first)
    world.pool.keep(second)
    assert world.pool.take() is second
    world.pool.release(second, True)
    assert world.pool.take() is second
    assert world.pool.take() is first
    world.pool.release(first, False)
    assert world.pool.take() is None
    await world.pool.close()


async def test_a_connection_had_at_once_takes_a_turn_like_any() -> None:
    """However often it comes back."""
    world = World(max_connections=1)
    world.pool.keep(world.connect())
    for _ in range(3):
        held = world.pool.take()
        assert held is not None
        world.pool.release(held, True)
    held = world.pool.take()
    assert held is not None
    waiting = asyncio.create_task(world.pool.acquire())
    await asyncio.sleep(1.0)
    assert not waiting.done()
    world.pool.release(held, True)
    assert await waiting is held
    await world.pool.close()


async def test_nobody_jumps_the_queue() -> None:
    """A turn that comes free belongs to who has waited longest, even before it wakes up."""
    world = World(max_connections=1)
    world.pool.keep(world.connect())
    held = await world.pool.acquire()
    waiting = asyncio.create_task(world.pool.acquire())
    await asyncio.sleep(0)
    world.pool.release(held, True)
    assert world.pool.take() is None
    assert await waiting is held
    await world.pool.close()


async def test_who_leaves_the_queue_when_its_turn_has_come_passes_it_on() -> None:
    """To the next, or to whoever comes."""
    world = World(max_connections=1)
    world.pool.keep(world.connect())
    held = await world.pool.acquire()
    first, second = (asyncio.create_task(world.pool.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    world.pool.release(held, True)
    first.cancel()
    assert await second is held
    third = asyncio.create_task(world.pool.acquire())
    await asyncio.sleep(0)
    world.pool.release(held, True)
    third.cancel()
    await asyncio.sleep(0)
    assert world.pool.take() is held
    await world.pool.close()


async def test_who_waits_in_vain_takes_no_turn() -> None:
    """A cancelled wait gives its place to the next."""
    world = World(max_connections=1)
    world.pool.keep(world.connect())
    held = await world.pool.acquire()
    first = asyncio.create_task(world.pool.acquire())
    second = asyncio.create_task(world.pool.acquire())
    await asyncio.sleep(1.0)
    first.cancel()
    await asyncio.sleep(0)
    world.pool.release(held, True)
    assert await second is held
    third = asyncio.create_task(world.pool.acquire())
    await asyncio.sleep(0)
    third.cancel()
    world.pool.release(held, True)
    assert world.pool.take() is held
    await world.pool.close()


async def test_close_ends_everything_and_can_be_repeated() -> None:
    """It returns when the last connection is gone, and nothing is made after it."""
    world = World()
    busy, idle = world.connect(), world.connect()
    world.pool.keep(idle)
    await asyncio.gather(world.pool.close(), world.pool.close())
    assert world.is_closed(busy)
    assert world.is_closed(idle)
    assert world.pool.open == 0
    await world.pool.close()
    with pytest.raises(ConnectFailed, match="closed"):
        await world.pool.acquire()


async def test_what_comes_back_after_close_is_closed() -> None:
    """Nothing is kept for a request that will not come."""
    world = World()
    connection = world.connect()
    world.pool.keep(connection)
    held = await world.pool.acquire()
    await world.pool.close()
    world.pool.release(held, True)
    assert world.pool.idle == 0
