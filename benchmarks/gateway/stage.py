"""What is up during a run: the mock provider, the gateways, and the way straight to the provider as zero line."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.gateway import peers, router
from benchmarks.gateway.figures import Series
from benchmarks.gateway.lines import Call
from benchmarks.gateway.load import Tally, closed_loop
from benchmarks.gateway.metronome import Metronome
from benchmarks.gateway.payloads import Act, Requests
from benchmarks.gateway.processes import Cores, NotStarted, Tree, free_port, wait_until_open
from benchmarks.gateway.provider import Provider

DIRECT: Final = "direct"
OURS: Final = "pointsman"
_START_S: Final = 120.0


@dataclass(slots=True)
class System:
    """One way to the provider.

    Attributes:
        name: `direct`, a peer's name, or `pointsman-LOOP`.
        port: where it listens.
        key: the API key it wants.
        tree: its processes; None for the direct way.
        exact: whether it relays bodies byte for byte.
        slow: whether one request takes it milliseconds.
        streams: whether it answered a streamed request; found out when it started.
    """

    name: str
    version: str
    port: int
    key: str = peers.KEY
    tree: Tree | None = None
    exact: bool = True
    slow: bool = False
    streams: bool = True
    requests: Requests = field(init=False)

    def __post_init__(self) -> None:
        self.requests = Requests(self.port, self.key)

    @property
    def is_ours(self) -> bool:
        """Whether it is Pointsman."""
        return self.name.startswith(OURS)

    def cpu_ns(self) -> int:
        """CPU time of its processes, nanoseconds."""
        return self.tree.cpu_ns() if self.tree is not None else 0

    def waited_ns(self) -> int:
        """For how long its processes were ready to run and had no core, nanoseconds."""
        return self.tree.waited_ns() if self.tree is not None else 0


@dataclass(slots=True)
class Record:
    """What a run has shown so far.

    Attributes:
        figures: by system, then by figure, then by round.
        faults: calls that went wrong and should not have: by system, then by what was wrong.
    """

    figures: dict[str, dict[str, Series]] = field(default_factory=dict)
    faults: dict[str, Counter[str]] = field(default_factory=dict)

    def put(self, system: System, number: int, **values: float) -> None:
        """Note figures of a round."""
        table = self.figures.setdefault(system.name, {})
        for name, value in values.items():
            table.setdefault(name, {})[number] = value

    def blame(self, system: System, part: str, faults: Counter[str]) -> None:
        """Note calls that went wrong."""
        table = self.faults.setdefault(system.name, Counter())
        for what, count in faults.items():
            table[f"{part}: {what}"] += count

    def series(self, system: str, name: str) -> Series:
        """Return a figure by round; empty where it was not measured."""
        return self.figures.get(system, {}).get(name, {})


class Stage:
    """What is up.

    Attributes:
        missing: peers that are not there, with how to get them or why they did not start.
    """

    def __init__(self, folder: Path, cores: Cores, seed: int) -> None:
        self.cores = cores
        self.metronome = Metronome()
        self.provider = Provider(self.metronome)
        self.rng = random.Random(seed)
        self.systems: list[System] = []
        self.missing: dict[str, str] = {}
        self._folder = folder
        self._numbers = itertools.count(1)
        self._started: list[Tree] = []

    def calls(self, system: System, act: Act) -> Callable[[], Call]:
        """Return what makes the next call of a kind for a system."""
        return lambda: Call(act, next(self._numbers), system.requests, system.exact)

    async def open(self) -> None:
        """Open the provider; the direct way is there from now on."""
        await self.provider.open()
        self.systems.append(System(DIRECT, "", self.provider.ports[0]))

    def close(self) -> None:
        """Stop everything that was started."""
        for tree in self._started:
            tree.stop()
        self.provider.close()

    async def add_peers(self, names: Sequence[str], peers_dir: Path | None) -> None:
        """Start those of the peers that are installed, all at once."""
        begun = []
        for name in names:
            peer = peers.find(name, peers_dir)
            if peer is None:
                self.missing[name] = f"not installed; {peers.HOW[name]}"
                continue
            folder = self._new_folder(name)
            place = peers.Place(folder, free_port(), self.provider.ports[0], self.cores.gateway)
            tree = peer.start(place)
            self._started.append(tree)
            begun.append(System(name, peer.version, place.port, tree=tree, exact=peer.exact, slow=peer.slow))
        for system in begun:
            try:
                await self._greet(system)
            except NotStarted as error:
                self.missing[system.name] = str(error)
            else:
                self.systems.append(system)

    async def add_router(self, variant: router.Variant, name: str) -> System:
        """Start a Pointsman; it is returned, and not among `systems`.

        Raises:
            NotStarted: it did not start, or does not answer a plain request.
        """
        port, folder = free_port(), self._new_folder(name)
        started = router.begin(variant, folder, port, self.provider.ports, self.cores.gateway)
        self._started.append(started.tree)
        system = System(name, router.product_version(), port, started.key, started.tree)
        await self._greet(system)
        return system

    def drop(self, system: System) -> None:
        """Stop a system that is not needed any more."""
        assert system.tree is not None
        system.tree.stop()
        self._started.remove(system.tree)

    async def _greet(self, system: System) -> None:
        """Wait for a system, warm it up, and see whether it streams."""
        assert system.tree is not None
        await wait_until_open(system.tree, system.port, _START_S)
        for act, count in ((Act.PLAIN, 4 if system.slow else 200), (Act.BURST, 2 if system.slow else 20)):
            tally = Tally()
            await closed_loop(system.port, self.calls(system, act), tally.take, connections=2, calls=count)
            if tally.failed and act is Act.PLAIN:
                said = f"{tally.faults.most_common(1)[0][0]}\n{system.tree.last_words()}"
                raise NotStarted(f"{system.name} does not answer a plain request: {said}")
            system.streams = not tally.failed

    def _new_folder(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        return folder


async def settle() -> None:
    """Let what was closed be closed on both sides before the next measurement."""
    await asyncio.sleep(0.05)
