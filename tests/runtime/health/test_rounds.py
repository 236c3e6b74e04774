"""The rounds: each component as often as planned, never twice at once, and none because of another."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from pointsman.model.errors import NotFound
from pointsman.model.events import HealthChecked
from pointsman.model.health import HealthStatus
from pointsman.model.settings import HealthSettings
from tests.runtime.health.ward import Sleeper, Ward
from tests.till import worker

DAY_S = 86_400.0


def checked(ward: Ward) -> Counter[str]:
    """Return how often each component was checked, by the events."""
    return Counter(event.component for event in ward.events if isinstance(event, HealthChecked))


async def test_a_day_has_96_checks_of_every_component(tmp_path: Path) -> None:
    """Of each of twenty, and never two at once, as each is one interval after the last."""
    settings = HealthSettings(probe_s=300.0)
    async with Ward(tmp_path, health=settings) as ward:
        await ward.clock.sleep_until(ward.clock.monotonic() + DAY_S - 1e-3)
        counts = checked(ward)
        assert set(counts) == {result.component for result in ward.health.latest()}
        assert set(counts.values()) == {96}
        assert len(counts) == 19
        assert ward.ill() == {}
        times = [event.at for event in ward.events if isinstance(event, HealthChecked) and event.component == "engine"]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert 720.0 <= min(gaps) < max(gaps) <= 1_080.0


async def test_a_check_that_hangs_delays_no_other(tmp_path: Path) -> None:
    """The others have answered at once; it is given its time, and no more."""
    async with Ward(tmp_path) as ward:
        ward.health.add(Sleeper())
        began = ward.clock.monotonic()
        await ward.health.check()
        ends = {event.component: event.at - began for event in ward.events if isinstance(event, HealthChecked)}
        assert ends.pop("sleeper") == pytest.approx(5.0)
        assert max(ends.values()) < 0.1
        [result] = ward.health.latest("sleeper")
        assert (result.status, result.observed, result.unit) == (HealthStatus.FAIL, 5.0, "s")


async def test_whoever_asks_while_a_check_runs_is_given_its_answer(tmp_path: Path) -> None:
    """However many ask, and whoever of them goes away."""
    async with Ward(tmp_path) as ward:
        sleeper = Sleeper()
        ward.health.add(sleeper)
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(ward.health.check("sleeper")) for _ in range(3)]
            await ward.clock.sleep_until(ward.clock.monotonic() + 1.0)
            asking[0].cancel()
            await ward.clock.sleep_until(ward.clock.monotonic() + 1.0)
            sleeper.sleeps.set()
        assert sleeper.began == 1
        assert [result.status for task in asking[1:] for result in task.result()] == [HealthStatus.PASS] * 2
        assert checked(ward)["sleeper"] == 1


async def test_a_check_that_cannot_be_stopped_is_not_begun_again(tmp_path: Path) -> None:
    """It fails, at once, until it has ended by itself."""
    async with Ward(tmp_path) as ward:
        sleeper = Sleeper()
        sleeper.is_deaf = True
        ward.health.add(sleeper)
        await ward.health.check("sleeper")
        began = ward.clock.monotonic()
        await ward.health.check("sleeper")
        assert ward.clock.monotonic() == began
        assert (sleeper.began, ward.ill()) == (1, {"sleeper": "fail"})
        assert "still hangs" in ward.said("sleeper")
        sleeper.sleeps.set()
        await ward.clock.sleep_until(began + 0.1)
        await ward.health.check("sleeper")
        assert (sleeper.began, ward.ill()) == (2, {})


async def test_workers_and_pools_are_components_while_they_are_there(tmp_path: Path) -> None:
    """One that joins is looked at; one that has left is spoken of no more, and remembered."""
    async with Ward(tmp_path) as ward:
        await ward.health.check()
        await ward.fleet.join("coders", worker("c3"), "api")
        ward.fleet.leave("c1")
        found = [result.component for result in await ward.health.check("worker")]
        assert sorted(found) == ["worker:c2", "worker:c3", "worker:p1"]
        assert len(ward.health.history("worker:c1")) == 1
        with pytest.raises(NotFound, match="worker:c3"):
            ward.health.latest("worker:c1")


async def test_probes_see_within_seconds_what_messages_met(tmp_path: Path) -> None:
    """A breaker that opens is the worker's warning and its pool's, at the next probe."""
    async with Ward(tmp_path) as ward:
        await ward.health.check()
        pool, endpoint = ward.fleet.find("c1")
        endpoint.breaker._move("force_open")
        pool.refresh(endpoint)
        await ward.clock.sleep_until(ward.clock.monotonic() + 5.1)
        assert ward.ill() == {"worker:c1": "warn", "pool:coders": "warn"}
        await ward.clock.sleep_until(ward.clock.monotonic() + 310.0)
        assert ward.ill() == {"worker:c1": "warn", "pool:coders": "warn", "breakers": "warn"}


async def test_each_change_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A failure as a warning, the rest as information."""
    caplog.set_level(logging.INFO, "pointsman.health")
    async with Ward(tmp_path) as ward:
        sleeper = Sleeper()
        ward.health.add(sleeper)
        for _ in range(2):
            await ward.health.check("sleeper")
        sleeper.sleeps.set()
        await ward.health.check("sleeper")
    lines = [
        (record.levelname, record.message.split(":")[1]) for record in caplog.records if "sleeper" in record.message
    ]
    assert lines == [("WARNING", " fail, was pass"), ("INFO", " pass, was fail")]


async def test_the_history_survives_a_restart(tmp_path: Path) -> None:
    """With what was found, and why; put right where a dependency was slower."""
    async with Ward(tmp_path) as ward:
        await ward.health.open_journal()
        ward.metered["c1"].probe = Sleeper().look  # type: ignore[assignment, method-assign]
        await ward.health.check()
    again = Ward(tmp_path)
    await again.health.open_journal()
    assert again.health.trouble == ""
    found = {mark.component: (mark.status.value, mark.output) for mark in again.health.history()}
    again.health.close()
    assert len(found) == 19
    assert found["worker:c1"] == ("fail", "did not answer within 5 s")
    assert found["pool:coders"] == ("warn", "because of worker:c1")
    assert found["engine"] == ("pass", "")


async def test_nothing_is_written_where_nobody_asked_for_a_journal(tmp_path: Path) -> None:
    """A router in a program of somebody else leaves no files about."""
    async with Ward(tmp_path) as ward:
        await ward.health.check()
    assert not (tmp_path / "var" / "health.jsonl").exists()
