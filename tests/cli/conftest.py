from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import pytest
from click.testing import CliRunner

import pointsman
from pointsman.cli.start import run

SOURCE = Path(pointsman.__file__).parents[1]

LONGEST_S = 60.0
"""What no process of a test takes, however busy the machine."""


class Ran(NamedTuple):
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Runs a command in this process, in a directory of its own, without a terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POINTSMAN_URL", raising=False)
    monkeypatch.delenv("POINTSMAN_KEY", raising=False)

    def call(*arguments: str, stdin: bytes | str = b"") -> Ran:
        with CliRunner().isolation(input=stdin) as (out, err, _):
            code = run(arguments)
            sys.stdout.flush()
            sys.stderr.flush()
        return Ran(int(code), out.getvalue().decode(), err.getvalue().decode())

    return call


def start(arguments: Sequence[str], directory: Path) -> subprocess.Popen[str]:
    """Start `pointsman` as a process of its own; one that does not end is killed, so that its test fails."""
    process = _spawn(arguments, directory, subprocess.PIPE)
    _kill_later(process)
    return process


def _spawn(arguments: Sequence[str], directory: Path, stderr: IO[str] | int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pointsman", *arguments],
        cwd=directory,
        env={"PYTHONPATH": str(SOURCE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def _kill_later(process: subprocess.Popen[str]) -> threading.Timer:
    watchdog = threading.Timer(LONGEST_S, process.kill)
    watchdog.daemon = True
    watchdog.start()
    return watchdog


@pytest.fixture(scope="session")
def free_port() -> int:
    """A port of loopback at which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


WORKER = """\
import json, sys
for line in sys.stdin:
    work = json.loads(line)
    if work["text"].startswith("refuse"):
        answer = {"error": "this worker does not like it", "retryable": False}
    elif work["text"].startswith("escape"):
        answer = {"text": "\\x1b[2J done"}
    else:
        answer = {"text": f"done: {work['text']}"}
    print(json.dumps({"id": work["id"], **answer}), flush=True)
"""

SETTINGS = """\
[limits]
rate_per_min = 1000000
burst = 1000000
flood_copies = 1000000

[classes.strategic]
pool = "planners"
[classes.tactical]
pool = "coders"
alias = ["fast"]

[pools.planners]
[[pools.planners.workers]]
id = "planner"
transport = "subprocess"
command = [{python}, "worker.py"]

[pools.coders]
[[pools.coders.workers]]
id = "coder"
transport = "subprocess"
command = [{python}, "worker.py"]
"""


class Service(NamedTuple):
    """A router of its own process, with a real worker in each pool."""

    url: str
    process: subprocess.Popen[str]
    directory: Path

    def log(self) -> str:
        """What it has logged so far."""
        return (self.directory / "serve.log").read_text("utf-8")

    def wait_for(self, words: str, times: int = 1) -> str:
        """Return the log once these words stand in it so often; they must come soon."""
        for _ in range(1_000_000):
            if self.log().count(words) >= times:
                return self.log()
            assert self.process.poll() is None, self.log()
        raise AssertionError(f"{words!r} never came: {self.log()}")

    def ended(self) -> int:
        """Wait for the end of the process and return its exit code."""
        watchdog = _kill_later(self.process)
        code = self.process.wait()
        watchdog.cancel()
        return code


def prepare(directory: Path) -> None:
    """Write worker and settings file into a directory."""
    (directory / "worker.py").write_text(WORKER, "utf-8")
    settings = SETTINGS.replace("{python}", json.dumps(sys.executable))
    (directory / "pointsman.toml").write_text(settings, "utf-8")


@contextlib.contextmanager
def serving(directory: Path, *arguments: str) -> Iterator[Service]:
    """Run `pointsman serve` in a directory on a free port while the block runs; it logs into `serve.log`."""
    with (directory / "serve.log").open("w", encoding="utf-8") as log:
        process = _spawn(["serve", "--listen", "127.0.0.1:0", *arguments], directory, log)
    watchdog = _kill_later(process)
    assert process.stdout is not None
    line = process.stdout.readline()
    watchdog.cancel()
    one = Service(line.rstrip().split(" ")[2].rstrip(",") if line else "", process, directory)
    try:
        assert line.startswith("listening on "), one.log()
        yield one
    finally:
        process.terminate()
        _kill_later(process)
        process.communicate()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One router for all tests; each works with clients, workers and queues that no other looks at."""
    directory = tmp_path_factory.mktemp("service")
    prepare(directory)
    with serving(directory) as one:
        yield one


@pytest.fixture
def router(command: Command, service: Service, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command that finds the router by the environment."""
    monkeypatch.setenv("POINTSMAN_URL", service.url)
    return command
