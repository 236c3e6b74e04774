"""Shadow on against shadow off, in process: messages at fixed instants, an old router that takes 2 ms, rounds in turn.

Times are from the instant at which a message was due to its answer, so that a loop that was held up shows in all that
came meanwhile. The bar is the larger of 5 % and 1 ms at the 95th percentile.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks.admission import texts
from benchmarks.report import figure, heading, percentile
from benchmarks.rollout.candidates import CANDIDATES, Candidate
from pointsman.embedded import LegacyAnswer, Router
from pointsman.model.message import Message
from pointsman.model.result import Result
from pointsman.model.rollout import Order
from pointsman.model.settings import PoolSettings, Settings, WorkerSettings
from pointsman.model.settings_operations import RolloutSettings, ShadowSettings

RATE_PER_S = 200
ROUND_S = 2.0
ROUNDS = 5
SHARES = (0.10, 1.00)
LEGACY_S = 0.002
ALLOWED_S = 0.001
ALLOWED_SHARE = 0.05


@dataclass
class Side:
    """What was measured with the shadow off, or on; counts are those of the shadow."""

    p50s: list[float] = field(default_factory=list)
    p95s: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    answers: list[list[str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    most_bytes: int = 0

    def median(self, values: list[float]) -> float:
        """Return the middle one, milliseconds."""
        return sorted(values)[len(values) // 2] * 1e3


async def legacy(message: Message) -> LegacyAnswer:
    """Answer after a moment."""
    await asyncio.sleep(LEGACY_S)
    return LegacyAnswer(f"did {message.text}", "tactical", "w1")


async def brief(message: Message) -> str:
    """Answer with a word, so that what is held is what waits."""
    return "done"


async def _worker(work: object) -> str:
    raise AssertionError("no worker is asked in the shadow")


def settings(where: str, share: float) -> Settings:
    """Return four workers, and a rollout whose record lies in `where`."""
    workers = [WorkerSettings(id=f"w{number}", transport="callable") for number in range(4)]
    return Settings(
        pools={"planners": PoolSettings(), "coders": PoolSettings(workers=workers)},
        rollout=RolloutSettings(
            record=f"{where}/rollout.jsonl", kill_file=f"{where}/KILL", shadow=ShadowSettings(share=share)
        ),
    )


async def play(side: Side, messages: list[str], share: float, candidate: Callable[[], Awaitable[None]] | None) -> None:
    """Send the messages, one each `1 / RATE_PER_S` seconds, with the shadow on where there is a candidate."""
    with tempfile.TemporaryDirectory() as where:
        functions = {f"w{number}": _worker for number in range(4)}
        async with Router(settings(where, share), workers={"coders": functions}, legacy=legacy) as router:
            house, shadow = router.house, router.house.shadow
            if candidate is not None:
                await router.rollout.start(Order(actor="benchmark"))
                shadow.use(Candidate(house, candidate), house.settings.rollout.shadow)
            took: list[float] = []
            answers: list[str] = [""] * len(messages)

            async def send(at: int, due: float) -> None:
                result = await router.send(messages[at], conversation_id=f"talk-{at}")
                took.append(time.perf_counter() - due)
                side.most_bytes = max(side.most_bytes, shadow.waiting_bytes)
                assert isinstance(result, Result)
                answers[at] = result.text

            began = time.perf_counter() + 0.05
            sending = []
            for at in range(len(messages)):
                due = began + at / RATE_PER_S
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                sending.append(asyncio.get_running_loop().create_task(send(at, due)))
            await asyncio.gather(*sending)
    took.sort()
    side.p50s.append(percentile(took, 0.50))
    side.p95s.append(percentile(took, 0.95))
    side.p99s.append(percentile(took, 0.99))
    side.answers.append(answers)
    for name, count in shadow.counts().items():
        side.counts[name] = side.counts.get(name, 0) + count


async def pair(messages: list[str], share: float, candidate: Callable[[], Awaitable[None]]) -> tuple[Side, Side]:
    """Return what was measured off and on, in turns, each beginning half of the time."""
    off, on = Side(), Side()
    for number in range(ROUNDS):
        turns = [(off, None), (on, candidate)]
        for side, given in turns if number % 2 else reversed(turns):
            gc.collect()
            await play(side, messages, share, given)
    return off, on


def report(name: str, share: float, off: Side, on: Side) -> None:
    """Print one candidate at one share."""
    was, now = off.median(off.p95s), on.median(on.p95s)
    title = f"{name}, {share:.0%}"
    figure(f"{title}: p95 off", was, "ms")
    figure(f"{title}: p95 on", now, "ms", round(max(was * (1 + ALLOWED_SHARE), was + ALLOWED_S * 1e3), 2))
    figure(f"{title}: p50 off", off.median(off.p50s), "ms")
    figure(f"{title}: p50 on", on.median(on.p50s), "ms")
    figure(f"{title}: p99 off", off.median(off.p99s), "ms")
    figure(f"{title}: p99 on", on.median(on.p99s), "ms")
    different = sum(a != b for a, b in zip(off.answers, on.answers, strict=True))
    figure(f"{title}: rounds whose answers differ", different, "rounds", 0)
    counts = on.counts
    lost = counts["sampled"] - counts["compared"] - counts["dropped"] - counts["timed_out"]
    figure(f"{title}: sampled and come to no end", abs(lost), "messages", 0)
    print(f"    {', '.join(f'{kind} {count:,}' for kind, count in counts.items())}")


async def memory(messages: int = 4000, size: int = 20_000) -> None:
    """Print what is held of a burst that a stuck candidate cannot look at: 80 MB, and 10 MB may wait."""
    with tempfile.TemporaryDirectory() as where:
        of = settings(where, 1.0)
        functions = {f"w{number}": _worker for number in range(4)}
        async with Router(of, workers={"coders": functions}, legacy=brief) as router:
            house, shadow = router.house, router.house.shadow
            await router.rollout.start(Order(actor="benchmark"))
            shadow.use(Candidate(house, CANDIDATES["hangs"]), of.rollout.shadow)
            tracemalloc.start()
            before, most = tracemalloc.get_traced_memory()[0], 0
            for first in range(0, messages, 100):
                await asyncio.gather(
                    *(
                        router.send(f"{at:08d}" * (size // 8), conversation_id=str(at))
                        for at in range(first, first + 100)
                    )
                )
                most = max(most, tracemalloc.get_traced_memory()[0] - before)
            tracemalloc.stop()
    figure("memory held of a burst of 80 MB", most / 1e6, "MB", of.rollout.shadow.max_waiting_bytes / 1e6)


def measure() -> None:
    """Print every candidate at every share, and what a burst holds."""
    heading(
        f"Shadow, in process: {RATE_PER_S} messages/s, {ROUNDS} rounds of {ROUND_S:g} s off and on in turn, medians"
    )
    log = logging.getLogger("pointsman")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    messages = texts(int(RATE_PER_S * ROUND_S))
    for name, candidate in CANDIDATES.items():
        for share in SHARES:
            report(name, share, *asyncio.run(pair(messages, share, candidate)))
    asyncio.run(memory())


if __name__ == "__main__":
    measure()
