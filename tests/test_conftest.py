"""The rules of tests/conftest.py, seen from outside: a small suite is run under a copy of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

SUITE = """
import asyncio
import pytest
from hypothesis import given, settings, strategies as st

examples = []

async def test_passes_in_virtual_time(tmp_path):
    await asyncio.sleep(86_400)
    assert tmp_path.exists()

async def test_fails():
    assert 1 == 2

async def test_fails_by_deadlock():
    await asyncio.Event().wait()

async def test_fails_by_a_leak():
    keep.append(asyncio.create_task(asyncio.sleep(60), name="forgotten"))

async def test_fails_by_a_coroutine_never_awaited():
    asyncio.sleep(1)

def test_fails_by_a_coroutine_never_awaited_without_a_loop():
    asyncio.sleep(1)

@given(st.integers())
async def test_passes_for_each_example(number):
    await asyncio.sleep(number % 7)
    examples.append(number)

def test_passes_by_the_number_of_examples():
    assert len(examples) == settings().max_examples == 60

@given(st.integers())
async def test_fails_for_an_example(number):
    await asyncio.sleep(1)
    assert number < 100

keep = []

@pytest.mark.real_loop
async def test_passes_in_the_real_loop():
    assert type(asyncio.get_running_loop()).__name__ != "SimLoop"
    keep.append(asyncio.create_task(asyncio.sleep(0.01)))

@pytest.mark.real_loop
async def test_fails_by_a_leak_in_the_real_loop():
    keep.append(asyncio.create_task(asyncio.sleep(60), name="left"))

@pytest.mark.real_loop(timeout_s=0.05)
async def test_fails_by_the_watchdog():
    await asyncio.Event().wait()

@pytest.mark.real_loop
async def test_fails_by_a_stray_error_in_the_real_loop():
    asyncio.get_running_loop().call_soon(divmod, 1, 0)
    await asyncio.sleep(0.01)

class TestInAClass:
    @pytest.mark.parametrize("delay_s", [1, 2])
    async def test_passes_with_parameters(self, delay_s):
        await asyncio.sleep(delay_s)
"""

THOROUGH = """
from hypothesis import settings

def test_settings():
    chosen = settings()
    assert (chosen.max_examples, chosen.deadline, chosen.derandomize) == (1000, None, True)
    assert chosen.database is None
"""

SKIPS = """
import pytest

@pytest.mark.skip(reason="no time")
def test_skipped_by_a_mark(): pass

def test_skipped_by_itself():
    pytest.skip("no network")

def test_skipped_for_want_of_data():
    pytest.skip("data not present: prompts")

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False
"""

SKIPPED_FILE = 'import pytest\npytest.importorskip("no_such_module")\n'

OUTCOME = re.compile(r"^(PASSED|FAILED) test_it.py::(?:\w+::)?(\w+)", re.MULTILINE)


def run_suite(folder: Path, suite: dict[str, str], **environment: str) -> str:
    """Run files under a copy of our conftest, and give back what pytest wrote."""
    rules = Path(__file__).with_name("conftest.py").read_text()
    assert "LEFTOVERS_GRACE_S = 1.0" in rules
    (folder / "conftest.py").write_text(rules.replace("LEFTOVERS_GRACE_S = 1.0", "LEFTOVERS_GRACE_S = 0.1"))
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in suite.items():
        (folder / name).write_text(text)
    options = ["-p", "no:cacheprovider", "-rA", "--tb=short", "--continue-on-collection-errors"]
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout + shown.stderr


def test_async_tests_run_in_their_loop_and_hide_nothing(tmp_path):
    """Each test passes or fails as its name says, and each failure names its cause."""
    output = run_suite(tmp_path, {"test_it.py": SUITE})
    outcomes = {name: outcome for outcome, name in OUTCOME.findall(output)}
    assert len(outcomes) == SUITE.count("def test_"), output
    expected = {name: "PASSED" if name.startswith("test_passes") else "FAILED" for name in outcomes}
    assert outcomes == expected, output
    for cause in (
        "Deadlock: nothing can happen any more",
        "1 tasks were left behind:\nE     forgotten: sleep (",
        "coroutine 'sleep' was never awaited",
        "not finished after 0.05 s of real time. Tasks:\nE     test: test_fails_by_the_watchdog (test_it.py:",
        "1 tasks were left behind:\nE     left: sleep (",
        "1 errors reached nobody:",
        "assert 100 < 100",
    ):
        assert cause in output


def test_a_thorough_run_tries_a_thousand_examples(tmp_path):
    """And is as deterministic as the usual one."""
    output = run_suite(tmp_path, {"test_it.py": THOROUGH}, POINTSMAN_HYPOTHESIS="thorough")
    assert OUTCOME.findall(output) == [("PASSED", "test_settings")], output


def test_an_unknown_effort_is_refused(tmp_path):
    """A misspelt setting must not quietly mean the default."""
    output = run_suite(tmp_path, {"test_it.py": THOROUGH}, POINTSMAN_HYPOTHESIS="toroughly")
    assert "POINTSMAN_HYPOTHESIS may be 'thorough' or unset, got 'toroughly'" in output
    assert OUTCOME.findall(output) == []


def test_skips_stay_skips_by_default(tmp_path):
    """On a developer's machine a test may do without what is missing."""
    output = run_suite(tmp_path, {"test_it.py": SKIPS, "test_file.py": SKIPPED_FILE})
    assert "4 skipped, 1 xfailed" in output


def test_no_skip_turns_skips_into_failures(tmp_path):
    """Where all is installed, only missing data excuses: marks, calls and whole files fail."""
    suite = {"test_it.py": SKIPS, "test_file.py": SKIPPED_FILE}
    output = run_suite(tmp_path, suite, POINTSMAN_NO_SKIP="1")
    assert "1 failed, 1 skipped, 1 xfailed, 2 errors" in output
    assert "skipped (no network), but POINTSMAN_NO_SKIP=1 allows no skip" in output
    assert "skipped (no time), but" in output
    assert "skipped (could not import 'no_such_module'" in output
