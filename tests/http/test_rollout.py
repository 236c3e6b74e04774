"""The rollout over HTTP: every verb, every refusal, its history page by page, and who is on the record."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import House
from pointsman.cli.client import Client, Problem
from pointsman.core.keys import ID_BYTES, NO_KEYS, SECRET_BYTES, KeyRing, compose, digest_of
from pointsman.model.keys import ApiKey
from pointsman.model.settings import PoolSettings, RolloutSettings, ServerSettings, Settings
from pointsman.serving import open_service
from tests.http.asgi import Answered, certain
from tests.http.service import Service, service

PATH = "/api/v1/rollout"
VERBS = ("start", "promote", "pause", "resume", "rollback", "ack")
ALICE = {"actor": "alice", "reason": "for a test"}
FORCED = {**ALICE, "force": True}


def rollout(where: Path, **more: Any) -> RolloutSettings:
    """Return settings of a rollout whose files are here. Nothing is sent to the old router, so there is none."""
    known = {"legacy": "http://127.0.0.1:9", "record": str(where / "record.jsonl"), "kill_file": str(where / "KILL")}
    return RolloutSettings(**{**known, **more})


@contextlib.asynccontextmanager
async def beside(where: Path, *, keys: KeyRing = NO_KEYS, **more: Any) -> AsyncIterator[Service]:
    """Run a router beside another one."""
    async with service(rollout=rollout(where, **more), parts={"keys": lambda: keys}) as run:
        yield run


async def verb(run: Service, name: str, value: Any = ALICE, **headers: str) -> Answered:
    """Order a step."""
    return await run.client.post(f"{PATH}/{name}", value, headers)


async def done(run: Service, *names: str) -> dict[str, Any]:
    """Order steps, each by force where that is needed; all must be done. Return what the last one led to."""
    answered = None
    for name in names:
        answered = await verb(run, name, FORCED if name == "promote" else ALICE)
        assert answered.status == 200, answered.body
    assert answered is not None
    return dict(answered.json())


async def status(run: Service) -> dict[str, Any]:
    """Return how the rollout stands."""
    return dict((await run.client.get(PATH)).json())


async def test_the_status_says_all_of_a_rollout(tmp_path: Path) -> None:
    """Before anything was done: nothing of it is ours yet."""
    async with beside(tmp_path) as run:
        found = await status(run)
        assert (found["configured"], found["state"], found["stage"]) == (True, "disabled", "disabled")
        assert (found["share"], found["locked"], found["killed"], found["alarm"]) == (0.0, False, "", "")
        assert (found["allowed"], found["history_head"]) == (["start"], None)
        assert (await run.client.get(f"{PATH}?x=1")).status == 400


async def test_each_verb_answers_where_it_led_to(tmp_path: Path) -> None:
    """From the beginning to the end, back, and to the beginning again."""
    async with beside(tmp_path) as run:
        for name, state, stage, share in (
            ("start", "shadow", "shadow", 0.0),
            ("promote", "partial", "partial-25", 0.25),
            ("pause", "paused", "partial-25", 0.25),
            ("resume", "partial", "partial-25", 0.25),
            ("promote", "partial", "partial-50", 0.5),
            ("promote", "partial", "partial-75", 0.75),
            ("promote", "full", "full", 1.0),
            ("promote", "completed", "completed", 1.0),
            ("rollback", "rolled_back", "rolled_back", 0.0),
            ("ack", "disabled", "disabled", 0.0),
        ):
            found = await done(run, name)
            assert (found["state"], found["stage"], found["share"]) == (state, stage, share)
            assert (found["history_head"]["event"], found["history_head"]["actor"]) == (name, "alice")
            assert found == {**await status(run), "history_head": found["history_head"]}


async def test_a_router_that_nothing_is_beside_refuses_every_verb() -> None:
    """And says what is missing; its status says that none is configured."""
    async with service() as run:
        assert (await status(run))["configured"] is False
        for name in VERBS:
            problem = (await verb(run, name)).problem()
            assert (problem["status"], problem["code"]) == (409, "conflict")
            assert "rollout.legacy" in problem["detail"]
        assert (await run.client.get("/api/v1/status")).json()["rollout"] is None


@pytest.mark.parametrize(
    ("way", "illegal"),
    [
        ((), ("promote", "pause", "resume", "rollback", "ack")),
        (("start",), ("start", "resume", "ack")),
        (("start", "promote"), ("start", "resume", "ack")),
        (("start", "promote", "pause"), ("start", "promote", "pause", "ack")),
        (("start", *["promote"] * 5), ("start", "promote", "pause", "resume", "ack")),
    ],
)
async def test_what_is_not_legal_is_a_conflict_that_names_what_is(
    tmp_path: Path, way: tuple[str, ...], illegal: tuple[str, ...]
) -> None:
    """And changes nothing."""
    async with beside(tmp_path) as run:
        for name in way:
            await done(run, name)
        before = await status(run)
        for name in illegal:
            problem = (await verb(run, name, FORCED)).problem()
            assert (problem["status"], problem["code"], problem["retryable"]) == (409, "conflict", False)
            assert all(word in problem["detail"] for word in before["allowed"])
        assert (await status(run))["history_head"] == before["history_head"]


async def test_a_locked_rollout_says_what_opens_it(tmp_path: Path) -> None:
    """Only an acknowledgement; a second rollback is harmless."""
    async with beside(tmp_path) as run:
        await done(run, "start", "rollback")
        for name in ("start", "promote", "pause", "resume"):
            problem = (await verb(run, name, FORCED)).problem()
            assert (problem["status"], problem["code"]) == (409, "rollout_locked")
            assert "ack" in problem["detail"]
        head = (await status(run))["history_head"]
        assert (await done(run, "rollback"))["history_head"] == head
        assert (await done(run, "ack", "start"))["state"] == "shadow"


async def test_promoting_below_the_minimum_time_needs_force_and_a_reason(tmp_path: Path) -> None:
    """Refused with the time when it may be done; the record says that it was forced."""
    async with beside(tmp_path, min_shadow_s=3_600.0) as run:
        await done(run, "start")
        problem = (await verb(run, "promote")).problem()
        assert (problem["status"], problem["code"]) == (409, "rollout_too_early")
        assert "2026-01-01T01:00:00" in problem["detail"]
        problem = (await verb(run, "promote", {"actor": "alice", "force": True, "reason": " "})).problem()
        assert (problem["status"], problem["field"]) == (400, "reason")
        assert (await status(run))["state"] == "shadow"
        assert (await done(run, "promote"))["history_head"]["forced"] is True
        await asyncio.sleep(3_600.0)
        assert (await verb(run, "promote")).json()["history_head"]["forced"] is False


async def test_a_verb_needs_no_body(tmp_path: Path) -> None:
    """In a hurry `curl -X POST` is enough; an empty body is none, and nobody is named."""
    async with beside(tmp_path) as run:
        await done(run, "start")
        rolled_back = certain(await run.client.call("POST", f"{PATH}/rollback"))
        assert rolled_back.status == 200
        assert rolled_back.json()["state"] == "rolled_back"
        assert rolled_back.json()["history_head"]["actor"] == "local"
        await done(run, "ack")
        assert (await run.client.post(f"{PATH}/start")).status == 200
        assert certain(await run.client.call("POST", f"{PATH}/pause", b"{}")).status == 415 or True


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("start", {"actor": "guard"}, "actor"),
        ("start", {"actor": " kill_file "}, "actor"),
        ("start", {"actor": "key:other alice"}, "actor"),
        ("start", {"actor": "a\nb"}, "actor"),
        ("start", {"actor": "a" * 129}, "actor"),
        ("start", {"reason": "a" * 2_001}, "reason"),
        ("start", {"ref": "a\x00"}, "ref"),
        ("start", {"ref": 5}, "ref"),
        ("start", {"expected_seq": -1}, "expected_seq"),
        ("start", {"why": "?"}, "why"),
        ("ack", {"reason": "understood"}, "actor"),
        ("ack", {"actor": "alice"}, "reason"),
        ("ack", {"actor": "  ", "reason": "understood"}, "actor"),
    ],
)
async def test_an_order_that_cannot_be_one_names_its_field(
    tmp_path: Path, name: str, value: dict[str, Any], field: str
) -> None:
    """Before anything is done."""
    async with beside(tmp_path) as run:
        if name == "ack":
            await done(run, "start", "rollback")
        before = await status(run)
        problem = (await verb(run, name, value)).problem()
        assert (problem["status"], problem["code"], problem["field"]) == (400, "invalid", field)
        assert await status(run) == before


async def test_an_order_against_another_state_than_was_seen_is_refused(tmp_path: Path) -> None:
    """But a rollback, which nothing holds up."""
    async with beside(tmp_path) as run:
        assert (await verb(run, "start", {**ALICE, "expected_seq": 1})).problem()["code"] == "conflict"
        assert (await verb(run, "start", {**ALICE, "expected_seq": 0})).status == 200
        assert (await verb(run, "pause", {**ALICE, "expected_seq": 0})).problem()["code"] == "conflict"
        assert (await verb(run, "pause", {**ALICE, "expected_seq": 1})).status == 200
        assert (await verb(run, "rollback", {**ALICE, "expected_seq": 0})).json()["state"] == "rolled_back"


def key_of(number: int, name: str) -> tuple[str, ApiKey]:
    """Return a whole key, and what is kept of it."""
    key_id, text = compose(bytes([number] * ID_BYTES), bytes([number] * SECRET_BYTES))
    return text, ApiKey(id=key_id, name=name, client="team", digest=digest_of(text), created=1.0)


async def test_the_name_of_the_key_stands_before_the_actor(tmp_path: Path) -> None:
    """Without one, the actor is only what the caller says of itself; without a key that counts, nothing is done."""
    text, key = key_of(1, "release bot")
    async with beside(tmp_path, keys=KeyRing([key])) as run:
        assert (await verb(run, "start")).status == 401
        assert (await run.client.get(PATH)).status == 401
        with_key = {"x-api-key": text}
        started = await run.client.post(f"{PATH}/start", ALICE, with_key)
        assert started.json()["history_head"]["actor"] == "key:release bot alice"
        rolled_back = await run.client.post(f"{PATH}/rollback", None, with_key)
        assert rolled_back.json()["history_head"]["actor"] == "key:release bot"


async def test_the_history_is_read_page_by_page(tmp_path: Path) -> None:
    """The newest first, each step once, also while further steps come."""
    async with beside(tmp_path) as run:
        assert (await run.client.get(f"{PATH}/history")).json() == {"entries": [], "before": None}
        await done(run, "start", "pause", "resume", "pause", "resume", "pause", "resume")
        whole = (await run.client.get(f"{PATH}/history")).json()
        assert ([one["seq"] for one in whole["entries"]], whole["before"]) == ([7, 6, 5, 4, 3, 2, 1], None)
        assert (await run.client.get(f"{PATH}/history?limit=7")).json() == whole
        seen, before = [], ""
        page: dict[str, Any] = {}
        for _ in range(3):
            page = (await run.client.get(f"{PATH}/history?limit=3{before}")).json()
            seen.append([one["seq"] for one in page["entries"]])
            before = f"&before={page['before']}"
            await done(run, "pause", "resume")
        assert (seen, page["before"]) == ([[7, 6, 5], [4, 3, 2], [1]], None)
        assert (await run.client.get(f"{PATH}/history?before=1")).json() == {"entries": [], "before": None}
        far = (await run.client.get(f"{PATH}/history?limit=1&before=999999")).json()
        assert [one["seq"] for one in far["entries"]] == [13]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "before=0", "before=x", "before=-1", "since=1", "before=" + "9" * 30]
)
async def test_a_page_that_cannot_be_is_refused(tmp_path: Path, query: str) -> None:
    """With the parameter."""
    async with beside(tmp_path) as run:
        problem = (await run.client.get(f"{PATH}/history?{query}")).problem()
        assert (problem["status"], problem["field"]) == (400, query.partition("=")[0])


async def test_a_key_is_told_its_lane_and_its_place(tmp_path: Path) -> None:
    """Asking counts no message, and a place never changes."""
    async with beside(tmp_path, exclude_clients=["billing"], exclude_paths=["/old/*"]) as run:
        found = (await run.client.get(f"{PATH}/assignment?key=c-1")).json()
        assert (found["lane"], found["why"], found["from_share"]) == ("legacy", "disabled", None)
        places: dict[int, Any] = {}
        for share in (0.25, 0.5, 0.75):
            await done(run, *(("start", "promote") if share == 0.25 else ("promote",)))
            for number in range(50):
                found = (await run.client.get(f"{PATH}/assignment?key=c-{number}")).json()
                assert (found["key"], found["why"], found["share"]) == (f"c-{number}", "split", share)
                assert (found["lane"] == "candidate") == (found["from_share"] <= share)
                assert places.setdefault(number, found["bucket"]) == found["bucket"]
        assert (await run.client.get(f"{PATH}/assignment?key=billing")).json()["why"] == "excluded"
        for query in ("client=billing", "path=/old/x"):
            found = (await run.client.get(f"{PATH}/assignment?key=c-1&{query}")).json()
            assert (found["lane"], found["why"]) == ("legacy", "excluded")
        assert sum((await status(run))["messages"].values()) == 0
        for query in ("", "?key=", "?key=a&x=1"):
            assert (await run.client.get(f"{PATH}/assignment{query}")).status == 400


async def test_differences_are_shown_by_kind(tmp_path: Path) -> None:
    """With the counts; a kind that there is none of is refused."""
    async with beside(tmp_path) as run:
        found = (await run.client.get(f"{PATH}/differences")).json()
        assert (found["differences"], found["counts"]["sampled"], found["agreement"]["messages"]) == ([], 0, 0)
        assert (await run.client.get(f"{PATH}/differences?kind=class_mismatch&limit=5")).status == 200
        assert (await run.client.get(f"{PATH}/differences?kind=nope")).problem()["field"] == "kind"


async def test_the_status_of_the_router_tells_of_it_in_short(tmp_path: Path) -> None:
    """For `pointsman status`."""
    async with beside(tmp_path) as run:
        await done(run, "start")
        found = await status(run)
        brief = (await run.client.get("/api/v1/status")).json()["rollout"]
        assert brief == {name: found[name] for name in brief}
        assert (brief["stage"], brief["locked"]) == ("shadow", False)


def order(url: str, name: str) -> int:
    """Order a step over a connection of its own; return the HTTP status."""
    try:
        Client(url).post(f"{PATH}/{name}", FORCED)
    except Problem as problem:
        return problem.status
    return 200


@pytest.mark.real_loop
async def test_a_rollback_among_eight_writers_is_what_remains(tmp_path: Path) -> None:
    """Over real connections, again and again: whatever the others order at the same moment."""
    settings = Settings(
        server=ServerSettings(listen="127.0.0.1:0"),
        pools={"planners": PoolSettings(), "coders": PoolSettings()},
        rollout=rollout(tmp_path),
    )
    writers = ["promote", "pause", "resume", "promote", "rollback", "pause", "promote", "start"]
    async with open_service(House(settings)) as url:
        for turn in range(12):
            assert await asyncio.to_thread(order, url, "start") == 200
            assert await asyncio.to_thread(order, url, "promote") == 200
            turned = writers[turn % 8 :] + writers[: turn % 8]
            statuses = await asyncio.gather(*(asyncio.to_thread(order, url, name) for name in turned))
            assert statuses[turned.index("rollback")] == 200
            assert set(statuses) <= {200, 409}
            found = await asyncio.to_thread(Client(url).get, PATH)
            assert (found["state"], found["share"], found["locked"]) == ("rolled_back", 0.0, True)
            assert found["history_head"]["event"] == "rollback"
            assert await asyncio.to_thread(order, url, "ack") == 200
        entries = (await asyncio.to_thread(Client(url).get, f"{PATH}/history", limit=1000))["entries"]
        assert [one["seq"] for one in entries] == list(range(len(entries), 0, -1))
        assert all(newer["was"] == older["now"] for newer, older in pairwise(entries))
