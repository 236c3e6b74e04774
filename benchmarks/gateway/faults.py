"""Faults: a client that hangs up, a model that is cut off or falls silent. Judged by what the other end sees."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final, TypeVar

from benchmarks.gateway import router
from benchmarks.gateway.checks import End, StreamCheck, end_of_cut
from benchmarks.gateway.figures import percentile
from benchmarks.gateway.lines import Call, Line, connect
from benchmarks.gateway.payloads import Act
from benchmarks.gateway.stage import Record, Stage, System, settle

T = TypeVar("T")

CANCELS: Final = {Act.STALL: "midway", Act.HEAD_ONLY: "first", Act.HOLD: "waiting"}
"""Hung up on in the middle of a stream, before its first token, and while a plain answer is waited for."""
CUTS: Final = {Act.CUT_RESET: "reset", Act.CUT_INSIDE: "inside", Act.CUT_CLEAN: "clean"}
"""Streams that the model resets, closes inside a chunk, and ends without a last event."""

_AT_ONCE: Final = 8
_PATIENCE_S: Final = 2.0
_WHOLE_S: Final = 10.0
_CHUNKS_SEEN: Final = 5


async def measure_cancels(stage: Stage, system: System, record: Record, each: int) -> None:
    """Hang up on `each` requests of each kind; the provider must see its connection closed soon."""
    all_s: list[float] = []
    lost = 0
    for act, name in CANCELS.items():
        if act.streamed and not system.streams:
            continue
        found = await in_batches(lambda act=act: cancel(stage, system, act), each)  # type: ignore[misc]
        took_s = [one for one in found if one is not None]
        lost += len(found) - len(took_s)
        all_s.extend(took_s)
        if took_s:
            record.put(system, 0, **{f"cancel_{name}_p99_us": percentile(took_s, 0.99) * 1e6})
    record.put(system, 0, cancels=len(all_s) + lost, cancels_lost=lost)
    if all_s:
        record.put(system, 0, cancel_p50_us=percentile(all_s, 0.5) * 1e6, cancel_p99_us=percentile(all_s, 0.99) * 1e6)
    stage.provider.forget()
    await settle()


async def measure_cuts(stage: Stage, system: System, record: Record, each: int) -> None:
    """Have `each` streams cut in each of three ways; none may look complete."""
    for act, name in CUTS.items():
        calls = await in_batches(lambda act=act: call_once(stage, system, act), each)  # type: ignore[misc]
        ends = Counter(_end(call) for call in calls)
        flagged = 1.0 - ends[End.CLEAN] / ends.total()
        record.put(system, 0, **{f"cut_{name}_flagged_share": flagged})
        record.put(system, 0, **{f"cut_{name}_event_share": ends[End.ERROR_EVENT] / ends.total()})
    stage.provider.forget()
    await settle()


async def measure_silence(stage: Stage, system: System, record: Record, each: int) -> None:
    """Have one of two workers say nothing; the other must answer when the time-out for the first token is over."""
    over_s: list[float] = []
    wrong: Counter[str] = Counter()
    for act in (Act.SILENT, Act.SILENT_HEAD):
        for call in await in_batches(lambda act=act: call_once(stage, system, act), each):  # type: ignore[misc]
            fault = call.fault()
            waited_s = call.first_at - call.began
            if fault is not None:
                wrong[fault] += 1
            elif waited_s > router.FIRST_TOKEN_S / 2:
                over_s.append(waited_s - router.FIRST_TOKEN_S)
    record.blame(system, "silent worker", wrong)
    record.put(system, 0, silent_met=len(over_s), silent_failed=wrong.total())
    if over_s:
        record.put(system, 0, silent_over_p50_us=percentile(over_s, 0.5) * 1e6, silent_over_max_us=max(over_s) * 1e6)
    stage.provider.forget()
    await settle()


async def measure_leftovers(system: System, record: Record) -> None:
    """Ask a router whether anything is still in flight; it has two seconds to notice that nothing is."""
    left = await router.in_flight(system.port, system.key)
    for _ in range(20):
        if not left:
            break
        await asyncio.sleep(0.1)
        left = await router.in_flight(system.port, system.key)
    record.put(system, 0, in_flight_left=left)


async def cancel(stage: Stage, system: System, act: Act) -> float | None:
    """Hang up on one request; return how long the provider's connection stayed open, None if longer than 2 s."""
    call = stage.calls(system, act)()
    line = await connect(system.port, lambda line, call: None)
    line.send(call)
    try:
        if await stage.provider.seen_at(call.number, _PATIENCE_S) is None:
            return None
        await _reach(call)
    finally:
        hung_up_at = perf_counter()
        line.hang_up()
    closed_at = await stage.provider.closed_at(call.number, _PATIENCE_S)
    return None if closed_at is None else max(0.0, closed_at - hung_up_at)


async def call_once(stage: Stage, system: System, act: Act) -> Call:
    """Send one request on a connection of its own and wait for its end, whichever that is."""
    ended: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    def on_end(line: Line, call: Call) -> None:
        if not ended.done():
            ended.set_result(call)

    line = await connect(system.port, on_end)
    line.send(stage.calls(system, act)())
    try:
        return await asyncio.wait_for(ended, _WHOLE_S)
    except TimeoutError:
        line.hang_up()
        return await ended
    finally:
        line.hang_up()


async def in_batches(one: Callable[[], Awaitable[T]], count: int) -> list[T]:
    """Do one thing so many times, eight at once."""
    found: list[T] = []
    for begin in range(0, count, _AT_ONCE):
        found.extend(await asyncio.gather(*(one() for _ in range(min(_AT_ONCE, count - begin)))))
    return found


async def _reach(call: Call) -> None:
    """Wait until a call is where it is to be hung up on: some chunks into a stream, or sure to be waited for."""
    if call.act is Act.STALL:
        assert isinstance(call.check, StreamCheck)
        for _ in range(200):
            if len(call.check.arrivals) >= _CHUNKS_SEEN:
                return
            await asyncio.sleep(0.002)
    await asyncio.sleep(0.005)


def _end(call: Call) -> End:
    assert isinstance(call.check, StreamCheck)
    return end_of_cut(call.status, whole=call.whole, check=call.check)
