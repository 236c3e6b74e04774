"""The end of all connections of a server, in virtual time."""

from __future__ import annotations

import asyncio

from pointsman.http.channel import Channel
from pointsman.http.site import Site
from pointsman.model.settings import ServerSettings
from pointsman.sim import SimClock
from tests.http.line import Line, Script, length, mirror, settle

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"


def site_of(app: Script) -> Site:
    """Return a site."""
    return Site(app, ServerSettings(max_connections=2), SimClock(), asyncio.get_running_loop())


async def after_3_s(channel: Channel) -> None:
    """Answer after three seconds."""
    await asyncio.sleep(3.0)
    await channel.respond(200, [length(b"ok")], b"ok")


async def never(channel: Channel) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def test_nothing_to_stop_stops_at_once() -> None:
    """Twice, too."""
    site = site_of(Script(mirror))
    began = asyncio.get_running_loop().time()
    assert await site.stop(5.0)
    assert await site.stop(5.0)
    assert asyncio.get_running_loop().time() == began


async def test_answers_at_hand_are_waited_for() -> None:
    """No longer than they take; idle connections are closed at once."""
    site = site_of(Script(after_3_s))
    busy, idle = Line(site=site), Line(site=site)
    await busy.send(GET)
    began = asyncio.get_running_loop().time()
    stopping = asyncio.create_task(site.stop(5.0))
    await settle()
    assert (busy.wire.closed, idle.wire.closed) == (False, True)
    assert await stopping
    assert 2.9 < asyncio.get_running_loop().time() - began < 3.1
    assert [(one.status, one.headers["connection"]) for one in busy.answers()] == [(200, "close")]


async def test_what_takes_too_long_is_broken_off() -> None:
    """Its task is cancelled and has ended, its client gets nothing."""
    site = site_of(Script(never))
    line = Line(site=site)
    await line.send(GET)
    began = asyncio.get_running_loop().time()
    assert not await site.stop(5.0)
    assert asyncio.get_running_loop().time() - began == 5.0
    await settle()
    assert (len(site.tasks), len(site.connections), line.wire.written) == (0, 0, b"")


async def test_who_is_told_to_hurry_waits_no_longer() -> None:
    """What is not answered by then is cut off, long before its time."""

    async def serve(channel: Channel) -> None:
        await asyncio.Event().wait()

    site = site_of(Script(serve))
    line = Line(site=site)
    await line.send(GET)
    began = asyncio.get_running_loop().time()
    stopping = asyncio.create_task(site.stop(30.0))
    await asyncio.sleep(1.0)
    site.hurry()
    assert not await stopping
    assert asyncio.get_running_loop().time() - began == 1.0
    assert line.wire.aborted


async def test_a_task_without_its_client_is_waited_for_too() -> None:
    """It may have something to put in order; the time is the same for all."""
    ended = []

    async def serve(channel: Channel) -> None:
        await asyncio.sleep(3.0)
        ended.append(True)

    site = site_of(Script(serve))
    line = Line(site=site)
    await line.send(GET)
    await line.hang_up()
    assert await site.stop(5.0)
    assert ended == [True]


async def test_a_client_that_does_not_read_its_last_answer_is_cut_off() -> None:
    """The time is over for it too."""
    site = site_of(Script(mirror))
    line = Line(site=site)
    line.wire.is_slow = True
    await line.send(GET)
    assert not await site.stop(5.0)
    assert line.wire.aborted


async def test_a_connection_that_comes_too_late_is_closed() -> None:
    """It was accepted before, and made after the order to stop."""
    site = site_of(Script(mirror))
    assert await site.stop(5.0)
    line = Line(site=site)
    assert line.wire.closed


async def test_connections_are_counted() -> None:
    """More than there may be is a crowd, until one of them goes."""
    site = site_of(Script(mirror))
    lines = [Line(site=site) for _ in range(3)]
    assert site.is_crowded
    await lines[0].hang_up()
    assert not site.is_crowded
