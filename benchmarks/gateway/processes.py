"""Processes under test: started on a core of their own; CPU time and memory, children included. Linux only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_STOP_S: Final = 8.0
_PROCESS_CLOCK: Final = 2
# CPUCLOCK_SCHED of the Linux kernel, as in glibc's clock_getcpuclockid().


class NotStarted(Exception):
    """A process that should be measured did not start; the message says why."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core plays client and provider, and which one runs the gateway under test."""

    load: int
    gateway: int

    @classmethod
    def choose(cls) -> Cores:
        """Take the first two cores this process may use; with a single one both are the same."""
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[0], usable[1] if len(usable) > 1 else usable[0])


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this process, and the children it starts meanwhile for good, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(slots=True)
class Tree:
    """A process and its children.

    Attributes:
        name: for messages.
        process: the first one.
        log: file with all it wrote.
        started_s: how long it took to answer its first request; 0 = it has not.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started_s: float = 0.0
    _seen: dict[int, int] = field(default_factory=dict)

    def pids(self) -> list[int]:
        """Return the ids of all processes of the tree that live."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            children = _children(pid)
            if children is not None:
                found.append(pid)
                todo.extend(children)
        return found

    def cpu_ns(self) -> int:
        """Return the CPU time of the tree, nanoseconds; children that have ended keep what they had."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                self._seen[pid] = time.clock_gettime_ns(process_clock(pid))
        return sum(self._seen.values())

    def waited_ns(self) -> int:
        """Return for how long threads of the tree were ready to run and had no core, nanoseconds.

        What grows here is the machine's doing, not the gateway's: its core was given to something else.
        """
        return sum(_waited_ns(pid) for pid in self.pids())

    def memory_bytes(self) -> tuple[int, int]:
        """Return resident and proportional memory of the tree, bytes."""
        return _sum_memory(self.pids())

    def stop(self) -> None:
        """End the whole tree: politely, then not."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_S)
                break

    def last_words(self) -> str:
        """Return the end of what it wrote."""
        return self.log.read_text(errors="replace")[-1500:].strip()


def process_clock(pid: int) -> int:
    """Return the clock that counts the CPU time of all threads of a process, ended ones too."""
    return (~pid << 3) | _PROCESS_CLOCK


def start(name: str, command: Sequence[str], folder: Path, core: int, env: Mapping[str, str] | None = None) -> Tree:
    """Start a process on a core.

    Raises:
        NotStarted: it cannot be executed.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output, pinned(core):
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise NotStarted(f"{name} cannot be executed: {error}") from error
    return Tree(name, process, log)


async def wait_until_open(tree: Tree, port: int, timeout_s: float) -> None:
    """Wait until a process accepts connections on a port of loopback.

    Raises:
        NotStarted: it ended, or did not do so in time.
    """
    began = time.perf_counter()
    while True:
        if tree.process.poll() is not None:
            raise NotStarted(f"{tree.name} ended with {tree.process.returncode}:\n{tree.last_words()}")
        if time.perf_counter() - began > timeout_s:
            raise NotStarted(f"{tree.name} did not listen within {timeout_s:g} s:\n{tree.last_words()}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def output_of(command: Sequence[str]) -> str:
    """Return what a short command prints, on whichever stream; empty where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip()


def _children(pid: int) -> list[int] | None:
    """Return the children of a process, None if it does not live."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.extend(int(one) for one in Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return None
    return found


def _waited_ns(pid: int) -> int:
    waited = 0
    for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            waited += int(schedstat.read_text().split()[1])
    return waited


def _sum_memory(pids: Sequence[int]) -> tuple[int, int]:
    resident = proportional = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    resident += int(rest.split()[0]) * 1024
                elif name == "Pss":
                    proportional += int(rest.split()[0]) * 1024
    return resident, proportional
