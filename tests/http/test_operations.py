"""The native API for operators."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.model.errors import SettingsError
from tests.http.asgi import certain
from tests.http.service import Service, service, silent

FIX = {"text": "fix the secret typo", "class": "tactical", "metadata": {"k": 1}}


class Moody:
    """A worker that fails until told otherwise."""

    well = False

    async def __call__(self, work: Mapping[str, Any]) -> Any:
        if not self.well:
            raise ConnectionError("not today")
        return "fine"


async def bury(run: Service) -> str:
    """Send a message that dies; return its id."""
    return str((await run.client.post("/api/v1/messages", FIX)).problem()["id"])


async def queue(run: Service, name: str) -> dict[str, Any]:
    """Return a queue as listed."""
    listed = (await run.client.get("/api/v1/queues")).json()["queues"]
    return dict(next(one for one in listed if one["name"] == name))


async def test_a_paused_queue_accepts_and_hands_out_nothing() -> None:
    """Until it is resumed; what waits is shown by priority."""
    async with service() as run:
        paused = await run.client.post("/api/v1/queues/coders/pause")
        assert (paused.status, paused.json()["paused"]) == (200, True)
        task = asyncio.create_task(run.client.post("/api/v1/messages", {**FIX, "priority": "high"}))
        await run.settle()
        shown = await queue(run, "coders")
        assert shown["queued"] == {"critical": 0, "high": 1, "normal": 0, "low": 0, "bulk": 0}
        assert (shown["delayed"], shown["in_flight"], shown["paused"]) == (0, 0, True)
        assert (await run.client.post("/api/v1/queues/coders/resume")).json()["paused"] is False
        assert (await task).status == 200


async def test_a_purged_queue_is_empty_and_its_senders_know() -> None:
    """What is out at a worker goes on."""
    async with service({"coders": {"w": silent}}) as run:
        tasks = [asyncio.create_task(run.client.post("/api/v1/messages", FIX)) for _ in range(3)]
        await run.settle()
        purged = certain(await run.client.call("DELETE", "/api/v1/queues/coders/messages"))
        assert (purged.status, purged.json()) == (200, {"purged": 2})
        await run.settle()
        problems = [task.result().problem() for task in tasks if task.done()]
        assert [(one["status"], one["code"]) for one in problems] == [(499, "purged")] * 2
        [left] = [task for task in tasks if not task.done()]
        left.cancel()
        await asyncio.wait([left])


@pytest.mark.parametrize(("method", "what"), [("POST", "pause"), ("POST", "resume"), ("DELETE", "messages")])
async def test_an_unknown_queue_is_not_found(method: str, what: str) -> None:
    """The queues there are get named."""
    async with service() as run:
        problem = certain(await run.client.call(method, f"/api/v1/queues/nope/{what}")).problem()
    assert (problem["code"], "coders" in problem["detail"]) == ("not_found", True)


async def test_dead_letters_are_listed_without_and_shown_with_their_text() -> None:
    """What is needed to judge one stands in it, and nowhere else."""
    async with service({"coders": {"w": Moody()}}) as run:
        message_id = await bury(run)
        listed = await run.client.get("/api/v1/dead-letters")
        assert b"secret" not in listed.body
        [brief] = listed.json()["dead_letters"]
        assert (brief["id"], brief["status"], brief["cause"]) == (message_id, "dead", "attempts_used_up")
        assert (brief["class"], brief["pool"], brief["attempts"]) == ("tactical", "coders", 3)
        whole = (await run.client.get(f"/api/v1/dead-letters/{message_id}")).json()
        assert {name: whole[name] for name in brief} == brief
        assert (whole["text"], whole["metadata"]) == ("fix the secret typo", {"k": 1})
        assert [one["result"] for one in whole["trail"]] == ["worker_error"] * 3
        assert (await run.client.get("/api/v1/dead-letters?limit=0")).problem()["field"] == "limit"


async def test_a_dead_letter_is_replayed_as_a_new_message() -> None:
    """The letter is gone, the new message says what it repeats."""
    worker = Moody()
    async with service({"coders": {"w": worker}}) as run:
        message_id = await bury(run)
        worker.well = True
        replayed = await run.client.post(f"/api/v1/dead-letters/{message_id}/replay")
        found = replayed.json()
        assert (replayed.status, found["status"], found["replay_of"]) == (200, "delivered", message_id)
        assert replayed.headers["location"] == f"/api/v1/messages/{found['id']}"
        assert found["id"] != message_id
        record = (await run.client.get(f"/api/v1/messages/{found['id']}/decision")).json()
        assert record["replay_of"] == message_id
        again = (await run.client.post(f"/api/v1/dead-letters/{message_id}/replay")).problem()
        assert again["code"] in {"not_found", "conflict"}


async def test_a_replay_that_is_refused_keeps_the_letter() -> None:
    """And says why."""
    async with service({"coders": {"w": Moody()}}) as run:
        message_id = await bury(run)
        run.house.close_doors()
        assert (await run.client.post(f"/api/v1/dead-letters/{message_id}/replay")).problem()["code"] == "draining"
        assert (await run.client.get(f"/api/v1/dead-letters/{message_id}")).status == 200


async def test_a_dead_letter_can_be_dropped() -> None:
    """Once."""
    async with service({"coders": {"w": Moody()}}) as run:
        message_id = await bury(run)
        dropped = await run.client.delete(f"/api/v1/dead-letters/{message_id}")
        assert (dropped.status, dropped.json()) == (200, {"id": message_id, "status": "dropped"})
        for answered in (
            await run.client.delete(f"/api/v1/dead-letters/{message_id}"),
            await run.client.get(f"/api/v1/dead-letters/{message_id}"),
        ):
            assert answered.problem()["code"] == "not_found"


async def test_the_status_adds_up() -> None:
    """The accounting identity, pools, workers by state, queues."""
    async with service({"coders": {"w": silent}, "planners": {"p": silent}}) as run:
        task = asyncio.create_task(run.client.post("/api/v1/messages", FIX))
        await asyncio.sleep(1.0)
        found = (await run.client.get("/api/v1/status")).json()
        counts = found["counts"]
        assert counts["admitted"] == sum(counts.values()) - counts["admitted"] == 1
        assert (found["version"], found["uptime_s"], found["ready"]) == ("1.2.3", pytest.approx(1.0), True)
        assert found["workers"] == {"ready": 1, "busy": 1}
        assert {one["name"] for one in found["pools"]} == {one["name"] for one in found["queues"]}
        task.cancel()
        await asyncio.wait([task])


async def test_a_reload_says_what_changed() -> None:
    """And what must wait for a restart."""
    async with service() as run:
        answered = await run.client.post("/api/v1/config/reload")
        assert (answered.status, answered.json()) == (200, {"changed": ["limits.burst"], "needs_restart": []})
        assert run.surface.settings().limits.burst == 5


async def test_a_reload_of_bad_settings_lists_every_mistake() -> None:
    """And changes nothing."""

    async def bad() -> dict[str, list[str]]:
        raise SettingsError(["pointsman.toml:3: limits.burst: got 0", "pointsman.toml:9: unknown key"])

    async with service(parts={"reload": bad}) as run:
        problem = (await run.client.post("/api/v1/config/reload")).problem()
    assert (problem["status"], problem["code"]) == (422, "settings")
    assert problem["mistakes"] == ["pointsman.toml:3: limits.burst: got 0", "pointsman.toml:9: unknown key"]
