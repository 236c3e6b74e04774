"""The native API for workers and pools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pointsman.model.settings import QuotaSettings, ServerSettings
from tests.http.service import service, silent

PATH = "/api/v1/workers"
NEW = {"pool": "coders", "id": "new", "transport": "http", "url": "http://127.0.0.1:9", "max_in_flight": 2}


async def test_workers_and_pools_are_listed() -> None:
    """All, those of one pool, and one alone."""
    async with service() as run:
        listed = (await run.client.get(PATH)).json()["workers"]
        assert [(one["id"], one["pool"], one["state"], one["origin"]) for one in listed] == [
            ("p1", "planners", "ready", "file"),
            ("c1", "coders", "ready", "file"),
        ]
        assert [one["id"] for one in (await run.client.get(f"{PATH}?pool=coders")).json()["workers"]] == ["c1"]
        assert (await run.client.get(f"{PATH}?pool=nope")).problem()["code"] == "not_found"
        assert (await run.client.get(f"{PATH}/c1")).json() == listed[1]
        pools = (await run.client.get("/api/v1/pools")).json()["pools"]
        assert [(one["name"], one["workers"], one["free"]) for one in pools] == [("planners", 1, 1), ("coders", 1, 1)]


async def test_a_worker_joins_and_leaves() -> None:
    """Its id is taken only once."""
    async with service() as run:
        joined = await run.client.post(PATH, NEW)
        assert (joined.status, joined.headers["location"]) == (201, f"{PATH}/new")
        assert joined.json()["origin"] == "api"
        assert joined.json()["max_in_flight"] == 2
        again = (await run.client.post(PATH, {**NEW, "pool": "planners"})).problem()
        assert (again["status"], again["code"]) == (409, "conflict")
        gone = await run.client.delete(f"{PATH}/new")
        assert (gone.status, gone.json()) == (200, {"id": "new", "status": "leaving"})
        assert (await run.client.delete(f"{PATH}/new")).problem()["code"] == "not_found"
        await run.settle()


async def test_loopback_is_no_place_for_a_worker_where_others_reach_the_service() -> None:
    """Whoever has a key would reach through us what only this machine may."""
    async with service(server=ServerSettings(listen="0.0.0.0:8080")) as run:
        problem = (await run.client.post(PATH, NEW)).problem()
        assert (problem["status"], problem["code"], problem["field"]) == (403, "forbidden", "url")
        assert "settings file" in problem["detail"]


async def test_an_openai_worker_may_join() -> None:
    """The other transport that the API takes."""
    async with service() as run:
        new = {**NEW, "transport": "openai", "url": "https://api.example.com/v1", "model": "m"}
        assert (await run.client.post(PATH, new)).status == 201


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"transport": "subprocess", "command": ["rm"]}, 403, "forbidden", "command"),
        ({"transport": "subprocess"}, 403, "forbidden", "transport"),
        ({"transport": "callable"}, 403, "forbidden", "transport"),
        ({"command": ["rm"]}, 403, "forbidden", "command"),
        ({"auth": {"env": "SECRET"}}, 403, "forbidden", "auth"),
        ({"proxy": "http://10.0.0.1:3128"}, 403, "forbidden", "proxy"),
        ({"tls": {"ca_file": "/etc/shadow"}}, 403, "forbidden", "tls"),
        ({"url": "http://169.254.169.254/"}, 403, "forbidden", "url"),
        ({"url": "http://10.0.0.1:9000/"}, 403, "forbidden", "url"),
        ({"url": "file:///etc/passwd"}, 400, "invalid", "url"),
        ({"url": None}, 400, "invalid", "url"),
        ({"transport": "telepathy"}, 400, "invalid", "transport"),
        ({"id": "a b"}, 400, "invalid", "id"),
        ({"id": ""}, 400, "invalid", "id"),
        ({"max_in_flight": 0}, 400, "invalid", "max_in_flight"),
        ({"max_in_flight": 1.5}, 400, "invalid", "max_in_flight"),
        ({"weight": 0}, 400, "invalid", "weight"),
        ({"slots": 4}, 400, "invalid", "slots"),
        ({"pool": 5}, 400, "invalid", "pool"),
    ],
)
async def test_what_may_not_join_is_refused(change: dict[str, Any], status: int, code: str, field: str) -> None:
    """Nothing that runs a command, reads a secret or reaches into infrastructure; and nothing malformed."""
    async with service() as run:
        problem = (await run.client.post(PATH, {**NEW, **change})).problem()
        assert (problem["status"], problem["code"], problem["field"]) == (status, code, field)
        assert len((await run.client.get(PATH)).json()["workers"]) == 2


async def test_a_worker_draws_only_from_a_quota_that_there_is() -> None:
    """One that is misspelt would limit nothing, and nobody would know."""
    async with service(quotas={"acme": QuotaSettings(rpm=1)}) as run:
        problem = (await run.client.post(PATH, {**NEW, "quota": "amce"})).problem()
        assert (problem["status"], problem["field"]) == (400, "quota")
        assert "known: acme" in problem["detail"]
        assert (await run.client.post(PATH, {**NEW, "quota": "acme"})).status == 201
        assert [view.workers for view in run.house.costs.quotas.views()] == [1]


async def test_a_worker_of_no_pool_is_not_found() -> None:
    """The pools there are get named."""
    async with service() as run:
        problem = (await run.client.post(PATH, {**NEW, "pool": "nope"})).problem()
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert "coders" in problem["detail"]


async def test_a_drained_worker_gets_nothing_new() -> None:
    """Until it may work again."""
    async with service() as run:
        drained = await run.client.post(f"{PATH}/c1/drain")
        assert (drained.status, drained.json()["state"]) == (200, "draining")
        task = asyncio.create_task(run.client.post("/api/v1/messages", {"text": "fix it", "strict": True}))
        await run.settle()
        assert not task.done()
        assert (await run.client.post(f"{PATH}/c1/resume")).json()["state"] == "ready"
        assert (await task).status == 200


@pytest.mark.parametrize(("method", "what"), [("GET", ""), ("DELETE", ""), ("POST", "/drain"), ("POST", "/resume")])
async def test_an_unknown_worker_is_not_found(method: str, what: str) -> None:
    """Whatever is asked of it."""
    async with service() as run:
        answered = await run.client.call(method, f"{PATH}/nobody{what}")
    assert answered is not None
    assert answered.problem()["code"] == "not_found"


async def test_what_a_leaving_worker_has_in_hand_goes_on() -> None:
    """It is only seen off."""
    async with service({"coders": {"w": silent}}) as run:
        task = asyncio.create_task(run.client.post("/api/v1/messages", {"text": "fix it", "ttl_s": 5}))
        await run.settle()
        assert (await run.client.delete(f"{PATH}/w")).status == 200
        assert (await run.surface.engine.counts()).in_flight == 1
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(1.0)
