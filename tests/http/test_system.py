"""What supervisors and scrapers ask."""

from __future__ import annotations

from pointsman.http.routes import ROUTES
from tests.http.service import service


async def test_alive_is_not_the_same_as_ready() -> None:
    """A router that drains lives on."""
    async with service() as run:
        assert (await run.client.get("/readyz")).json() == {"status": "ready"}
        run.house.close_doors()
        refused = await run.client.get("/readyz")
        assert (refused.status, refused.problem()["code"]) == (503, "unavailable")
        assert (await run.client.get("/livez")).json() == {"status": "live"}


async def test_metrics_come_in_the_format_that_is_asked_for() -> None:
    """The accept header decides; the exporter writes."""
    async with service() as run:
        answered = await run.client.get("/metrics", {"accept": "application/openmetrics-text"})
    assert answered.headers["content-type"] == "text/plain; version=0.0.4"
    assert answered.body == b"# asked for application/openmetrics-text\n"


async def test_the_index_names_paths_that_exist() -> None:
    """So that a newcomer finds the way."""
    async with service() as run:
        found = (await run.client.get("/")).json()
    assert found.pop("name") == "pointsman"
    assert found.pop("version") == "1.2.3"
    for target in found.values():
        method, _, path = target.rpartition(" ")
        assert (method or "GET", path) in ROUTES
