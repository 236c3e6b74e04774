"""Every example runs as a program of its own and does what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ENDS = {"library.py": "delivered strategic p a plan for", "threads.py": "16 delivered"}


def run(name: str, stdin: str = "") -> str:
    """Run an example and return what it printed."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", ENDS)
def test_examples_run(name: str) -> None:
    """It ends well and prints what its docstring promises."""
    assert ENDS[name] in run(name)


def test_the_stdio_worker_answers_by_id() -> None:
    """One line in, one line out, with the id and attempt that belong to it."""
    message = {"id": "7", "attempt": 2, "text": "hello"}
    assert json.loads(run("subprocess_worker.py", json.dumps(message) + "\n")) == {
        "id": "7",
        "attempt": 2,
        "text": "done: hello",
    }


def test_every_example_is_tested() -> None:
    """An example that nobody runs would rot."""
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*ENDS, "subprocess_worker.py"}


def test_the_program_in_the_readme_runs() -> None:
    """The first program of the README prints the answer, the class and the worker."""
    text = (ROOT / "README.md").read_text("utf-8")
    program = text.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.stdout.split() == ["done:", "fix", "the", "typo", "in", "line", "12", "tactical", "coder-1"]
