from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

import pointsman
from pointsman.cli.start import run

SOURCE = Path(pointsman.__file__).parents[1]


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

    def call(*arguments: str, stdin: bytes | str = b"") -> Ran:
        with CliRunner().isolation(input=stdin) as (out, err, _):
            code = run(arguments)
            sys.stdout.flush()
        return Ran(int(code), out.getvalue().decode(), err.getvalue().decode())

    return call


def start(arguments: Sequence[str], directory: Path, **environ: str) -> subprocess.Popen[str]:
    """Start `pointsman` as a process of its own; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "pointsman", *arguments],
        cwd=directory,
        env={"PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1", **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
