"""What staying with one worker is worth, and what it costs: 50 conversations of 20 turns over 6 workers.

In virtual time, with the real router. Each worker has a prompt cache: the longest prefix of a conversation that it has
seen, for 5 minutes after its last use, the oldest out first where there is no room; instructions are shared by all
conversations. A message takes as long as its uncached input and its output do. The share of input tokens that came from
a cache is compared with that of one worker that has all the slots and room for everything. Whoever has ended a
conversation begins another, which keeps the load up and is not counted, until all have ended their first.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.report import figure, percentile
from pointsman.core.conversation import derive_id
from pointsman.embedded import Router
from pointsman.model.message import Message
from pointsman.model.result import Result
from pointsman.model.settings import (
    ClassifierSettings,
    ClassSettings,
    ConversationSettings,
    LimitSettings,
    PoolSettings,
    Settings,
    ValidationSettings,
    WorkerSettings,
)
from pointsman.sim import SimClock, run

SHARED = 2_000
"""Tokens of the instructions, the same in all conversations."""

CACHE_S = 300.0
ROOM = 400_000
"""Tokens that one worker's cache holds: about twice its share of all conversations at their end."""

INPUT_PER_S, OUTPUT_PER_S = 8_000.0, 80.0
MEAN_INPUT, MEAN_OUTPUT = 700.0, 320.0
"""Tokens that a turn adds: what the user or a tool says, and the answer."""

COSTS = {"strategic": 10.0, "tactical": 1.0}

ASKS = (
    "rename foo to bar in utils.py",
    "design the architecture and plan the migration",
    "thanks, go on",
    "fix the failing test",
    "why does it do that?",
    "compare the two approaches and recommend one",
)


class PromptCache:
    """Prefixes by conversation, in tokens, of one worker. The shared instructions are a prefix of every one."""

    def __init__(self, room: float) -> None:
        self._room = room
        self._held: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._shared_until = 0.0
        self._size = 0

    def read(self, talk: str, known: int, now: float) -> int:
        """Return how many of the first `known` tokens of a conversation are cached."""
        tokens, until = self._held.get(talk, (0, 0.0))
        shared = SHARED if now < self._shared_until else 0
        return max(min(tokens, known) if now < until else 0, shared)

    def write(self, talk: str, tokens: int, now: float) -> None:
        """Remember a conversation up to so many tokens; the longest unused go where there is no room."""
        self._size += tokens - self._held.pop(talk, (0, 0.0))[0]
        self._held[talk] = (tokens, now + CACHE_S)
        self._shared_until = now + CACHE_S
        while self._size > self._room:
            self._size -= self._held.popitem(last=False)[1][0]


@dataclass
class Tally:
    """What came of one run. Waits are seconds from sending a turn to the moment at which a worker began with it."""

    input: int = 0
    cached: int = 0
    falls: int = 0
    turns: int = 0
    waits: list[float] = field(default_factory=list)
    busy_s: float = 0.0
    elapsed_s: float = 0.0

    @property
    def share(self) -> float:
        """Share of input tokens that came from a cache."""
        return self.cached / self.input

    def wait_s(self, share: float) -> float:
        """Return a percentile of the waits."""
        return percentile(sorted(self.waits), share)


class CachingWorker:
    """Serves turns as a model with a prompt cache would."""

    def __init__(self, room: float, tally: Tally) -> None:
        self.cache = PromptCache(room)
        self.tally = tally

    async def __call__(self, work: Mapping[str, Any]) -> str:
        """Serve one turn."""
        now = asyncio.get_running_loop().time()
        turn = work["metadata"]
        cached = self.cache.read(turn["talk"], turn["known"], now)
        if turn["counted"]:
            self.tally.input += turn["input"]
            self.tally.cached += cached
            self.tally.waits.append(now - turn["sent"])
        took_s = (turn["input"] - cached) / INPUT_PER_S + turn["output"] / OUTPUT_PER_S
        self.tally.busy_s += took_s
        await asyncio.sleep(took_s)
        self.cache.write(turn["talk"], turn["input"] + turn["output"], now + took_s)
        return "done"


@dataclass(frozen=True)
class Case:
    """One run.

    Attributes:
        load: share of all slots that is busy, about; 0 means that all conversations speak at the same instants.
        workers: how many.
        slots: of each.
        prefer: conversations prefer their worker.
        patience_s: for how long they wait for it.
        room: tokens that the cache of one worker holds.
        talks: conversations.
        turns: of each.
        seed: of everything random.
    """

    load: float
    workers: int = 6
    slots: int = 4
    prefer: bool = True
    patience_s: float = 5.0
    room: float = ROOM
    talks: int = 50
    turns: int = 20
    seed: int = 1


def settings(case: Case) -> Settings:
    """Return two classes over one pool of callable workers, and no limits."""
    workers = [
        WorkerSettings(id=f"w{number}", transport="callable", max_in_flight=case.slots)
        for number in range(case.workers)
    ]
    return Settings(
        classes={name: ClassSettings(pool="pool", cost=cost) for name, cost in COSTS.items()},
        classifier=ClassifierSettings(fallback_class="tactical"),
        pools={"pool": PoolSettings(workers=workers)},
        limits=LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000, flood_copies=1_000_000_000),
        validation=ValidationSettings(ttl_waiting_s=1e5),
        conversations=ConversationSettings(prefer_s=3600.0 if case.prefer else 1e-3, patience_s=case.patience_s),
    )


def play(case: Case) -> Tally:
    """Run one case."""
    tally: Tally = run(lambda: _play(case))
    return tally


async def _play(case: Case) -> Tally:
    tally, clock = Tally(), SimClock()
    began = clock.monotonic()
    workers = {f"w{number}": CachingWorker(case.room, tally) for number in range(case.workers)}
    async with Router(settings(case), workers={"pool": workers}, clock=clock, rng=random.Random(case.seed)) as router:
        crowd = _Crowd(case.talks)
        await asyncio.gather(*(_speaker(router, case, number, tally, crowd) for number in range(case.talks)))
        tally.elapsed_s = clock.monotonic() - began
    return tally


class _Crowd:
    """Everybody who speaks: how many still lead their first conversation, and when all speak at once."""

    def __init__(self, talks: int) -> None:
        self.left = talks
        self._barrier = asyncio.Barrier(talks)

    async def burst(self) -> None:
        """Return for all at the same instant, half a minute after the last of them has had its answer."""
        await self._barrier.wait()
        await asyncio.sleep(30.0)


async def _speaker(router: Router, case: Case, number: int, tally: Tally, crowd: _Crowd) -> None:
    """Lead one conversation that counts, and others until all have done so."""
    rng = random.Random(case.seed * 1000 + number)
    if case.load:
        await asyncio.sleep(rng.expovariate(1.0 / _think_s(case)))
    talks = 0
    while crowd.left:
        await _talk(router, case, f"{number}-{talks}", rng, tally, crowd)
        crowd.left -= talks == 0
        talks += 1
        if case.load == 0.0:
            return


async def _talk(router: Router, case: Case, name: str, rng: random.Random, tally: Tally, crowd: _Crowd) -> None:
    """Lead one conversation: the history grows with each turn, and its id is derived from its beginning."""
    history: list[dict[str, Any]] = [{"role": "system", "content": "you are a coder"}]
    known, cost = SHARED, 0.0
    counted = name.endswith("-0")
    for turn in range(case.turns):
        if not crowd.left:
            return
        if case.load == 0.0:
            await crowd.burst()
        elif turn:
            await asyncio.sleep(rng.expovariate(1.0 / _think_s(case)))
        ask = rng.choice(ASKS)
        history.append({"role": "user", "content": f"{ask} ({name})" if turn == 0 else ask})
        sizes: dict[str, Any] = {
            "talk": name,
            "counted": counted,
            "known": known,
            "input": known + _tokens(rng, MEAN_INPUT),
            "output": _tokens(rng, MEAN_OUTPUT),
            "sent": asyncio.get_running_loop().time(),
        }
        message = Message(messages=list(history), conversation_id=derive_id("local", history), metadata=sizes)
        result = await router.send(message)
        assert isinstance(result, Result), result
        assert result.delivered, result
        tally.turns += counted
        tally.falls += counted and COSTS[result.message_class] < cost
        cost = COSTS[result.message_class]
        known = sizes["input"] + sizes["output"]
        history.append({"role": "assistant", "content": "done"})


def _think_s(case: Case) -> float:
    """Return the mean pause between an answer and the next turn that makes the slots as busy as the case says."""
    service_s = MEAN_OUTPUT / OUTPUT_PER_S + MEAN_INPUT / INPUT_PER_S
    return max(0.1, case.talks * service_s / (case.load * case.workers * case.slots) - service_s)


def _tokens(rng: random.Random, mean: float) -> int:
    return max(1, int(rng.lognormvariate(-0.5, 1.0) * mean))


LOADS = (0.3, 0.6, 0.9, 0.0)
SEEDS = (1, 2, 3)
WAYS = {"patience 5 s": (True, 5.0), "patience 2 s": (True, 2.0), "no patience": (True, 0.0), "off": (False, 0.0)}


def measure() -> None:
    """Print shares, waits and falls for each load and for bursts: with the default patience, more, and none."""
    print("\nConversations: 50 of 20 turns over 6 workers, virtual time; cached-input share against one worker")
    for slots in (4, 1):
        for load in LOADS:
            print(f"  {slots} slots a worker, {f'load {load:g}' if load else 'bursts of 50'}")
            whole = [play(Case(load, workers=1, slots=6 * slots, room=float("inf"), seed=seed)) for seed in SEEDS]
            figure("  one worker with all slots: cached-input share", _mean(tally.share for tally in whole), "")
            for name, (prefer, patience_s) in WAYS.items():
                cases = [Case(load, slots=slots, prefer=prefer, patience_s=patience_s, seed=seed) for seed in SEEDS]
                bar = 0.9 if slots == 4 and patience_s == 5.0 else None
                _show(name, [play(case) for case in cases], whole, slots, bar)


def _show(name: str, tallies: list[Tally], whole: list[Tally], slots: int, bar: float | None) -> None:
    shares = [tally.share / best.share for tally, best in zip(tallies, whole, strict=True)]
    figure(f"  preference {name}: share of that share", _mean(shares), "", bar, at_least=True)
    p50, p95 = (_mean(tally.wait_s(share) for tally in tallies) for share in (0.5, 0.95))
    busy = _mean(tally.busy_s / (tally.elapsed_s * 6 * slots) for tally in tallies)
    falls, turns = sum(tally.falls for tally in tallies), sum(tally.turns for tally in tallies)
    print(
        f"      {min(shares):.2f} to {max(shares):.2f} by seed, wait p50 {p50:.2f} s, p95 {p95:.2f} s,"
        f" slots busy {busy:.2f}, class fell in {falls} of {turns} turns"
    )


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known)


if __name__ == "__main__":
    measure()
