"""How tests run here. Four things, and nothing else:

1. `async def test_*` runs in virtual time (`pointsman.sim.run`): no plugin, no mark. Time jumps from timer
   to timer, a hang is a `Deadlock`, and a task left behind, an error that reached nobody or a coroutine
   never awaited fails the test. Marked `real_loop` it runs under `asyncio.run` with a watchdog of 60 s of
   real time, or as `real_loop(timeout_s=5)` says; tasks left behind then get one second to end.
   Works below `@given` too: each example gets a loop of its own. Async fixtures are not supported: write an
   async context manager and enter it in the test.
2. Hypothesis is deterministic and keeps no database. POINTSMAN_HYPOTHESIS=thorough: 1,000 examples a test.
3. POINTSMAN_NO_SKIP=1 turns each skip into a failure, unless its reason begins with "data not present".
4. A test whose thread itself is stuck is shown by pytest's own `faulthandler_timeout`.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import hypothesis
import pytest

from pointsman.sim import LeakedTasks, run
from pointsman.sim.running import collect_strays, raise_strays
from pointsman.sim.waiting import describe_tasks

AsyncTest = Callable[..., Coroutine[Any, Any, None]]

WATCHDOG_S = 60.0
LEFTOVERS_GRACE_S = 1.0
EXCUSED_SKIP = "data not present"
EXAMPLES = {"": 60, "thorough": 1000}

# The one place where the tests read the environment.
_ENVIRON = os.environ  # noqa: TID251


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, choose the Hypothesis profile, and let a coroutine never awaited fail its test."""
    config.addinivalue_line("markers", "real_loop(timeout_s=60): run in asyncio's own loop, in real time")
    config.addinivalue_line("filterwarnings", "error:coroutine .* was never awaited:RuntimeWarning")
    config.addinivalue_line("filterwarnings", "error::pytest.PytestUnraisableExceptionWarning")
    effort = _ENVIRON.get("POINTSMAN_HYPOTHESIS", "")
    if effort not in EXAMPLES:
        raise pytest.UsageError(f"POINTSMAN_HYPOTHESIS may be 'thorough' or unset, got {effort!r}")
    hypothesis.settings.register_profile(
        "pointsman",
        max_examples=EXAMPLES[effort],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("pointsman")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Give an async test its loop; other tests are left to pytest."""
    __tracebackhide__ = True
    mark = pyfuncitem.get_closest_marker("real_loop")
    property_test = getattr(pyfuncitem.obj, "hypothesis", None)
    if property_test is not None and inspect.iscoroutinefunction(property_test.inner_test):
        property_test.inner_test = _in_loop(property_test.inner_test, mark)
        return None
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    _in_loop(pyfuncitem.obj, mark)(**arguments)
    return True


def _in_loop(test: AsyncTest, mark: pytest.Mark | None) -> Callable[..., None]:
    @functools.wraps(test)
    def call(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        if mark is None:
            run(functools.partial(test, *args, **kwargs))
        else:
            asyncio.run(_watch(test(*args, **kwargs), **mark.kwargs))

    return call


async def _watch(test: Coroutine[Any, Any, None], timeout_s: float = WATCHDOG_S) -> None:
    """Run a test in the real loop; say where everything waits if it does not end, or leaves tasks behind."""
    __tracebackhide__ = True
    strays = collect_strays(asyncio.get_running_loop())
    body = asyncio.create_task(test, name="test")
    await asyncio.wait([body], timeout=timeout_s)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if not body.done():
        pytest.fail(f"not finished after {timeout_s:g} s of real time. Tasks:{describe_tasks(others)}")
    body.result()
    if others:
        _, others = await asyncio.wait(others, timeout=LEFTOVERS_GRACE_S)
    if others:
        raise LeakedTasks(f"{len(others)} tasks were left behind:{describe_tasks(others)}")
    raise_strays(strays)


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or not isinstance(report.longrepr, tuple):  # an expected failure has no tuple
        return
    path, line, message = report.longrepr
    reason = str(message).removeprefix("Skipped: ")
    if not reason.startswith(EXCUSED_SKIP):
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: skipped ({reason}), but POINTSMAN_NO_SKIP=1 allows no skip"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test may not skip itself when nothing may be skipped."""
    report = yield
    if _ENVIRON.get("POINTSMAN_NO_SKIP") == "1":
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Nor may a whole file, as `pytest.importorskip` at its head would."""
    report = yield
    if _ENVIRON.get("POINTSMAN_NO_SKIP") == "1":
        _fail_if_skipped(report)
    return report
