"""CPU time and memory of a process tree: what a child burns counts, also after it has ended."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.gateway.processes import Cores, Tree, free_port, process_clock, start, wait_until_open

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

CHILD = """
import time
until = time.process_time() + 0.2
while time.process_time() < until: pass
print("burnt", flush=True)
time.sleep(60)
"""

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
print(child.stdout.readline(), flush=True)
child.wait()
print("reaped", flush=True)
time.sleep(60)
"""


def wait_for(word: str, tree: Tree) -> None:
    """Wait until a process has written a word."""
    while word not in tree.log.read_text():
        assert tree.process.poll() is None, tree.last_words()
        os.sched_yield()


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """A process that waits, with a child that has burnt 0.2 s of CPU time and waits too."""
    tree = start("parent", [sys.executable, "-c", PARENT, CHILD], tmp_path, Cores.choose().gateway)
    wait_for("burnt", tree)
    yield tree
    tree.stop()


def test_cpu_time_of_a_child_counts_and_stays_when_it_has_ended(tree: Tree) -> None:
    """The child's 0.2 s are in the sum, and still there after it was killed."""
    first = tree.cpu_ns()
    assert len(tree.pids()) == 2
    assert first >= 200_000_000
    os.kill(next(pid for pid in tree.pids() if pid != tree.process.pid), 9)
    wait_for("reaped", tree)
    assert len(tree.pids()) == 1
    assert tree.cpu_ns() >= first


def test_memory_of_both_is_summed(tree: Tree) -> None:
    """Two interpreters are at least 10 MB resident, and share some of it."""
    resident, proportional = tree.memory_bytes()
    assert resident > 10_000_000
    assert 0 < proportional < resident


def test_stopping_ends_the_child_too(tree: Tree) -> None:
    """Nothing that was started stays behind."""
    child = next(pid for pid in tree.pids() if pid != tree.process.pid)
    tree.stop()
    assert not lives(tree.process.pid)
    for _ in range(100_000):
        if not lives(child):
            break
        os.sched_yield()
    assert not lives(child)


def test_process_clock_is_the_one_python_reads() -> None:
    """The clock made from our own id gives our own CPU time."""
    before = time.process_time_ns()
    through = time.clock_gettime_ns(process_clock(os.getpid()))
    assert before <= through <= time.process_time_ns()


@pytest.mark.real_loop
async def test_process_that_ends_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """Whoever runs the benchmark must see why a gateway did not come up."""
    program = "print('no such setting'); raise SystemExit(3)"
    tree = start("broken", [sys.executable, "-c", program], tmp_path, Cores.choose().gateway)
    with pytest.raises(Exception, match=r"broken ended with 3:\nno such setting"):
        await wait_until_open(tree, free_port(), 30.0)
