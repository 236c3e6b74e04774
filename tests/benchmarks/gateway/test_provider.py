"""The mock provider and the load against each other, straight and through a relay that does harm."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from benchmarks.gateway import faults
from benchmarks.gateway.checks import End, StreamCheck, end_of_cut
from benchmarks.gateway.lines import Call
from benchmarks.gateway.load import Tally, closed_loop, open_loop
from benchmarks.gateway.payloads import Act
from benchmarks.gateway.processes import Cores
from benchmarks.gateway.stage import Stage, System

pytestmark = pytest.mark.real_loop

Tamper = Callable[[bytes], bytes]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Stage, System]]:
    """Open a stage with nothing on it but the direct way."""
    stage = Stage(folder, Cores(0, 0), seed=1)
    await stage.open()
    try:
        yield stage, stage.systems[0]
    finally:
        stage.close()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def relayed(upstream: int, tamper: Tamper) -> AsyncIterator[System]:
    """Relay bytes to the provider and back, changing what comes back."""
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Tamper) -> None:
        while data := await reader.read(1 << 16):
            writer.write(change(data))
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", upstream)
        tasks.add(asyncio.ensure_future(pump(reader, ours, bytes)))
        tasks.add(asyncio.ensure_future(pump(theirs, writer, tamper)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield System("relay", "", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.wait(tasks)


async def tally(stage: Stage, system: System, act: Act) -> Tally:
    """Send six calls of a kind on two connections."""
    found = Tally()
    await closed_loop(system.port, stage.calls(system, act), found.take, connections=2, calls=6)
    return found


@pytest.mark.parametrize("act", [Act.PLAIN, Act.BURST, Act.PACED])
async def test_what_the_provider_sends_passes_the_checks(tmp_path: Path, act: Act) -> None:
    """Straight and through an honest relay nothing is found wrong."""
    async with opened(tmp_path) as (stage, direct), relayed(direct.port, bytes) as relay:
        for system in (direct, relay):
            found = await tally(stage, system, act)
            assert (found.good, found.faults) == (6, {})


@pytest.mark.parametrize(
    ("act", "tamper", "seen"),
    [
        (Act.PLAIN, lambda data: data.replace(b"spaces", b"Spaces"), "the reply is not the provider's"),
        (Act.PLAIN, lambda data: data.replace(b"200 OK", b"502 OK"), "status 502"),
        (Act.PACED, lambda data: data.replace(b"t20-", b"t21-"), "chunk 21 where 20 was due"),
        (Act.PACED, lambda data: data.replace(b"[DONE]", b"[GONE]"), "no [DONE]"),
    ],
    ids=["changed", "status", "chunk", "end"],
)
async def test_harm_on_the_way_is_counted(tmp_path: Path, act: Act, tamper: Tamper, seen: str) -> None:
    """A relay that changes one word, a status, a chunk or the end of a stream fails each call."""
    async with opened(tmp_path) as (stage, direct), relayed(direct.port, tamper) as relay:
        found = await tally(stage, relay, act)
    assert found.good == 0
    assert all(fault.startswith(seen) for fault in found.faults)
    assert found.failed == 6


async def test_open_loop_sends_all_and_waits_for_the_last(tmp_path: Path) -> None:
    """More requests than connections at once: those that waited are answered too."""
    async with opened(tmp_path) as (stage, direct):
        found, made = Tally(), 0
        make = stage.calls(direct, Act.PLAIN)

        def count() -> Call:
            nonlocal made
            made += 1
            return make()

        await open_loop(
            direct.port,
            count,
            found.take,
            rate=20_000.0,
            seconds=0.02,
            connections=2,
            metronome=stage.metronome,
            rng=random.Random(1),
        )
    assert (found.good, found.failed) == (made, 0)
    assert made > 100


@pytest.mark.parametrize(
    ("act", "end"), [(Act.CUT_RESET, End.BROKEN), (Act.CUT_INSIDE, End.BROKEN), (Act.CUT_CLEAN, End.CLEAN)]
)
async def test_cuts_look_like_what_they_are(tmp_path: Path, act: Act, end: End) -> None:
    """Straight from the provider a reset and a close break the transfer, and a clean end looks complete."""
    async with opened(tmp_path) as (stage, direct):
        call = await faults.call_once(stage, direct, act)
    assert isinstance(call.check, StreamCheck)
    assert len(call.check.arrivals) == 10
    assert end_of_cut(call.status, whole=call.whole, check=call.check) is end


async def test_reset_is_a_reset_and_a_close_is_none(tmp_path: Path) -> None:
    """A gateway sees an error in one case and an end of file in the other; both are measured."""
    async with opened(tmp_path) as (stage, direct):
        for act, raises in ((Act.CUT_RESET, True), (Act.CUT_INSIDE, False)):
            reader, writer = await asyncio.open_connection("127.0.0.1", direct.port)
            writer.write(stage.calls(direct, act)().request)
            try:
                await reader.read()
            except ConnectionResetError:
                assert raises
            else:
                assert not raises
            writer.close()


@pytest.mark.parametrize("act", faults.CANCELS)
async def test_provider_sees_a_client_hang_up(tmp_path: Path, act: Act) -> None:
    """In the middle of a stream, before its first token, and while a plain answer is waited for."""
    async with opened(tmp_path) as (stage, direct):
        assert await faults.cancel(stage, direct, act) is not None


async def test_silent_worker_is_silent_on_the_first_port_only(tmp_path: Path) -> None:
    """On the second port the same request is answered, so that a second worker can take it."""
    async with opened(tmp_path) as (stage, direct):
        second = System("second", "", stage.provider.ports[1])
        for act in (Act.SILENT, Act.SILENT_HEAD):
            assert (await faults.call_once(stage, second, act)).fault() is None
            assert await faults.cancel(stage, direct, act) is not None
