"""Service levels over HTTP, and the event of a fault of ours."""

from __future__ import annotations

import pytest

from pointsman.http.channel import Channel
from tests.http.line import Line, Script, settle
from tests.http.service import service


async def test_every_objective_is_shown_with_its_coverage() -> None:
    """And nothing is met by a router that has only just begun."""
    async with service() as run:
        await run.client.post("/api/v1/messages", {"text": "fix it", "class": "tactical"})
        answer = await run.client.get("/api/v1/slo")
        assert answer.status == 200
        found = answer.json()
        levels = {level["name"]: level for level in found["levels"]}
        assert len(levels) == 10
        assert (levels["success"]["n"], levels["success"]["observed"]) == (1, 1.0)
        assert {level["verdict"] for level in found["levels"]} == {"not_measured"}
        assert (found["verdict"], found["window_s"], found["periods"]) == ("not_measured", 2_592_000.0, [])
        assert found["coverage_share"] < 0.001
        assert levels["memory"]["observed"] == 30_000_000.0
        assert levels["overhead"]["times"]["interpolated"] is True


@pytest.mark.parametrize("by", ["hour", "day"])
async def test_a_window_and_its_past_can_be_asked_for(by: str) -> None:
    """Up to now; the longest is that of the settings."""
    async with service() as run:
        await run.client.post("/api/v1/messages", {"text": "fix it", "class": "tactical"})
        found = (await run.client.get(f"/api/v1/slo?window_s=3600&by={by}")).json()
        assert found["window_s"] == 3600.0
        assert sum(period["messages"] for period in found["periods"]) == 1


@pytest.mark.parametrize("query", ["window_s=59", "window_s=2592001", "window_s=x", "window_s=nan", "by=year", "x=1"])
async def test_what_cannot_be_asked_for_is_refused(query: str) -> None:
    """With the field and what was expected."""
    async with service() as run:
        answer = await run.client.get(f"/api/v1/slo?{query}")
        assert answer.status == 400
        assert query.partition("=")[0] in answer.problem()["detail"]


async def test_a_fault_of_ours_is_an_outage() -> None:
    """The server tells the application, which tells whoever counts."""
    async with service() as run:
        run.app.faulted()
        levels = (await run.client.get("/api/v1/slo")).json()["levels"]
        found = next(level for level in levels if level["name"] == "availability")
        assert (found["n"], found["bad"]) == (1, 1)


async def test_the_server_tells_of_a_request_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    """One that raised, or was left without an answer, or was cut off in the middle; a client that left is none."""

    async def fail(channel: Channel) -> None:
        raise ZeroDivisionError("oops")

    async def forget(channel: Channel) -> None:
        return

    async def cut(channel: Channel) -> None:
        await channel.start(200, [])
        await channel.write(b"a")
        raise ZeroDivisionError("oops")

    async def answer(channel: Channel) -> None:
        await channel.respond(200, [(b"content-length", b"0")], b"")

    for serve, faults in ((fail, 1), (forget, 1), (cut, 1), (answer, 0)):
        app = Script(serve)
        await Line(app).send(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
        await settle()
        assert app.faults == faults, serve.__name__
    assert "oops" in caplog.text
