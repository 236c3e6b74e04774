"""The native API for health."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.http.service import Service, echo, service
from tests.runtime.health.ward import Sleeper

PATH = "/api/v1/health"


async def fail(run: Service) -> Sleeper:
    """Let a component fail."""
    sleeper = Sleeper()
    run.house.health.add(sleeper)
    await run.house.health.check("sleeper")
    return sleeper


async def test_health_is_told_as_health_json() -> None:
    """Status, version, summary, and each component by name."""
    async with service() as run:
        await run.house.health.check()
        answered = await run.client.get(PATH)
        assert (answered.status, answered.headers["content-type"]) == (200, "application/health+json")
        found = answered.json()
        assert (found["status"], found["version"], found["output"]) == ("pass", "1.2.3", "")
        assert found["summary"] == {"pass": len(found["checks"]), "warn": 0, "fail": 0}
        [engine] = found["checks"]["engine"]
        assert set(engine) == {
            "component", "componentType", "status", "observed", "unit", "limit", "time", "age_s", "took_s", "since",
            "output", "because_of",
        }  # fmt: skip
        assert (engine["component"], engine["componentType"], engine["status"]) == ("engine", "engine", "pass")
        assert engine["age_s"] < 1.0


async def test_a_failure_is_503_and_a_warning_is_not() -> None:
    """For whoever cannot read."""
    async with service({"coders": {"c1": echo}}) as run:
        warned = await run.client.post(f"{PATH}/check")
        assert (warned.status, warned.json()["status"]) == (200, "warn")
        await fail(run)
        failed = await run.client.get(PATH)
        assert (failed.status, failed.json()["status"]) == (503, "fail")
        assert failed.json()["summary"]["fail"] == 1
        assert (await run.client.get("/readyz")).status == 200
        assert (await run.client.get("/livez")).status == 200


async def test_one_component_or_those_of_a_kind_can_be_asked_for() -> None:
    """The status is theirs alone; an unknown one is not found."""
    async with service() as run:
        await fail(run)
        found = (await run.client.get(f"{PATH}?component=worker")).json()
        assert (set(found["checks"]), found["status"]) == ({"worker:p1", "worker:c1"}, "pass")
        one = await run.client.post(f"{PATH}/check?component=pool:coders")
        assert list(one.json()["checks"]) == ["pool:coders"]
        for method, path in (("GET", PATH), ("POST", f"{PATH}/check")):
            lost = await (run.client.get if method == "GET" else run.client.post)(f"{path}?component=nope")
            assert (lost.problem()["code"], "pool:coders" in lost.problem()["detail"]) == ("not_found", True)


async def test_reading_looks_at_nothing() -> None:
    """However often; only a check does."""
    async with service() as run:
        sleeper = await fail(run)
        for _ in range(3):
            await run.client.get(PATH)
        assert sleeper.began == 1
        sleeper.sleeps.set()
        assert (await run.client.post(f"{PATH}/check")).json()["checks"]["sleeper"][0]["status"] == "pass"
        assert sleeper.began == 2


async def test_the_history_tells_past_checks_the_newest_first() -> None:
    """Of one, since an instant, as many as asked for."""
    async with service() as run:
        for _ in range(3):
            await run.house.health.check("engine")
            await run.house.clock.sleep_until(run.house.clock.monotonic() + 10.0)
        await fail(run)
        listed = (await run.client.get(f"{PATH}/history")).json()["checks"]
        assert [one["component"] for one in listed] == ["sleeper", "engine", "engine", "engine"]
        assert (listed[0]["status"], listed[0]["output"]) == ("fail", "did not answer within 5 s")
        since = listed[2]["at_wall"]
        some = (await run.client.get(f"{PATH}/history?component=engine&since={since}")).json()["checks"]
        assert [one["at_wall"] for one in some] == [listed[1]["at_wall"], since]
        assert len((await run.client.get(f"{PATH}/history?limit=2")).json()["checks"]) == 2


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=100001", "since=yesterday", "what=1"])
async def test_a_query_that_means_nothing_is_refused(query: str) -> None:
    """By name."""
    async with service() as run:
        problem = (await run.client.get(f"{PATH}/history?{query}")).problem()
    assert (problem["code"], query.split("=", maxsplit=1)[0] in problem["detail"]) == ("invalid", True)


async def test_a_history_that_was_lost_is_said(tmp_path: Path) -> None:
    """Where people look, and health goes on."""
    async with service() as run:
        path = tmp_path / "health.jsonl"
        path.write_bytes(b"nonsense\n")
        run.house.health._memory._journal.path = path
        await run.house.health.open_journal()
        found = (await run.client.post(f"{PATH}/check")).json()
        assert "1 lines could not be read" in found["output"]
        assert found["status"] == "pass"
