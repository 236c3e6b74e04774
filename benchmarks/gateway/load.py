"""Load: a closed loop, where each connection waits for its answer, and an open one, where requests just come."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks.gateway.lines import Call, Line, connect
from benchmarks.gateway.metronome import Metronome

END_S = 30.0
"""How long the last calls of a load may take after its time is up, seconds."""


@dataclass(slots=True)
class Tally:
    """What became of the calls of one load.

    Attributes:
        took_s: durations of those that went well, from when they were due.
        faults: how many went wrong, by what was wrong.
        wall_s: from the first to the end of the last.
    """

    took_s: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    wall_s: float = 0.0

    @property
    def good(self) -> int:
        """Calls that went well."""
        return len(self.took_s)

    @property
    def failed(self) -> int:
        """Calls that went wrong."""
        return self.faults.total()

    def take(self, call: Call) -> None:
        """Count a call that has ended."""
        fault = call.fault()
        if fault is None:
            self.took_s.append(call.took_s)
        else:
            self.faults[fault] += 1


class _Loop:
    """What both loads share: lines that are replaced when they close, and an end."""

    def __init__(self, port: int, take: Callable[[Call], None]) -> None:
        self.port = port
        self.take = take
        self.out = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._opening: set[asyncio.Task[None]] = set()

    def reopen(self, on_end: Callable[[Line, Call], None], then: Callable[[Line], None]) -> None:
        """Open a line in place of one that closed, and go on with it."""

        async def work() -> None:
            then(await connect(self.port, on_end))

        task = asyncio.ensure_future(work())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def check_end(self, over: bool) -> None:
        if over and self.out == 0 and not self.finished.done():
            self.finished.set_result(None)


async def closed_loop(
    port: int,
    make: Callable[[], Call],
    take: Callable[[Call], None],
    *,
    connections: int,
    seconds: float = float("inf"),
    calls: int | None = None,
    stagger: tuple[Metronome, float] | None = None,
) -> float:
    """Send a call on each connection as soon as its last one has ended.

    Args:
        port: of the gateway.
        make: makes the next call.
        take: takes a call that has ended.
        connections: how many.
        seconds: no call begins later.
        calls: most calls.
        stagger: spreads the first calls over so many seconds.

    Returns:
        Seconds from the first call to the end of the last.
    """
    began = perf_counter()
    until = began + seconds
    left = calls if calls is not None else 1 << 62
    loop = _Loop(port, take)

    def go_on(line: Line) -> None:
        nonlocal left
        if left > 0 and perf_counter() < until:
            left -= 1
            loop.out += 1
            line.send(make())
        else:
            line.hang_up()
            loop.check_end(True)

    def on_end(line: Line, call: Call) -> None:
        loop.out -= 1
        take(call)
        if line.usable:
            go_on(line)
        elif left > 0 and perf_counter() < until:
            loop.reopen(on_end, go_on)
        else:
            loop.check_end(True)

    lines = [await connect(port, on_end) for _ in range(connections)]
    began = perf_counter()
    until = began + seconds
    for position, line in enumerate(lines):
        if stagger is None:
            go_on(line)
        else:
            metronome, spread_s = stagger
            metronome.at(began + spread_s * position / connections, lambda line=line: go_on(line))  # type: ignore[misc]
    await asyncio.wait_for(loop.finished, min(seconds, 3600.0) + END_S)
    wall_s = perf_counter() - began
    for line in lines:
        line.hang_up()
    return wall_s


async def open_loop(
    port: int,
    make: Callable[[], Call],
    take: Callable[[Call], None],
    *,
    rate: float,
    seconds: float,
    connections: int,
    metronome: Metronome,
    rng: random.Random,
) -> float:
    """Send calls at random times, `rate` a second (Poisson), whether or not answers come.

    One that finds no free connection waits for one, and the wait counts.

    Returns:
        Seconds from the first call to the end of the last.
    """
    loop = _Loop(port, take)
    waiting: deque[float] = deque()
    free: list[Line] = []
    over = False

    def offer(line: Line) -> None:
        if waiting:
            loop.out += 1
            line.send(make(), waiting.popleft())
        else:
            free.append(line)
            loop.check_end(over)

    def on_end(line: Line, call: Call) -> None:
        loop.out -= 1
        take(call)
        if line.usable:
            offer(line)
        else:
            loop.reopen(on_end, offer)

    lines = [await connect(port, on_end) for _ in range(connections)]
    free.extend(lines)
    began = perf_counter()
    due = began

    def arrive() -> None:
        nonlocal due, over
        while free and not free[-1].usable:
            loop.reopen(on_end, offer)
            free.pop()
        if free:
            loop.out += 1
            free.pop().send(make(), due)
        else:
            waiting.append(due)
        due += rng.expovariate(rate)
        if due < began + seconds:
            metronome.at(due, arrive)
        else:
            over = True

    metronome.at(due, arrive)
    await asyncio.wait_for(loop.finished, seconds + END_S)
    wall_s = perf_counter() - began
    for line in free:
        line.hang_up()
    return wall_s
