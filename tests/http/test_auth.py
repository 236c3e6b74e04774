"""Who may send, and as whom: nobody without a key once there are keys, and no key ever comes back or goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pointsman.core.keys import ID_BYTES, NO_KEYS, SECRET_BYTES, KeyRing, compose, digest_of
from pointsman.http.app import App
from pointsman.http.auth import OPEN
from pointsman.http.guard import allow_everybody
from pointsman.http.routes import ROUTES
from pointsman.model.events import AccessDenied, Admitted, Event, MessageRefused
from pointsman.model.keys import ApiKey, KeyFault
from pointsman.model.message import LOCAL_CLIENT, Envelope
from pointsman.model.settings import LimitSettings
from tests.http.asgi import Answered, Client, certain
from tests.http.service import Service, service

NATIVE = "/api/v1/messages"
OPENAI = "/v1/chat/completions"
ANTHROPIC = "/v1/messages"
BODIES: dict[str, Any] = {
    NATIVE: {"text": "fix it", "class": "tactical"},
    OPENAI: {"model": "tactical", "messages": [{"role": "user", "content": "fix it"}]},
    ANTHROPIC: {"model": "tactical", "max_tokens": 5, "messages": [{"role": "user", "content": "fix it"}]},
}
THEIRS = "sk-provider-0123456789"
FOREVER = 4_000_000_000.0


def made(number: int, **fields: Any) -> tuple[str, ApiKey]:
    """Return a whole key, and what is kept of it."""
    key_id, text = compose(bytes([number] * ID_BYTES), bytes([number] * SECRET_BYTES))
    known = {"name": f"n{number}", "client": f"team-{number}", "created": 1.0}
    return text, ApiKey(id=key_id, digest=digest_of(text), **{**known, **fields})


GOOD, KEY = made(1, group="research", expires=FOREVER)
OTHER, OTHER_KEY = made(2)
REVOKED, REVOKED_KEY = made(3, revoked=2.0)
EXPIRED, EXPIRED_KEY = made(4, expires=2.0)
UNKNOWN, _ = made(5)
WRONG = GOOD[:12] + "a" * 56
RING = KeyRing([KEY, OTHER_KEY, REVOKED_KEY, EXPIRED_KEY])


class Seen:
    """What the router was told."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.denied: list[KeyFault] = []

    def observe(self, event: Event) -> None:
        """Remember an event."""
        if isinstance(event, Admitted | MessageRefused):
            self.envelopes.append(event.envelope)
        elif isinstance(event, AccessDenied):
            self.denied.append(event.fault)

    @property
    def whose(self) -> list[tuple[str, str, str]]:
        """Client, key id and group of each message."""
        return [(one.client, one.key_id, one.group) for one in self.envelopes]


@contextlib.asynccontextmanager
async def locked(ring: KeyRing = RING, **sections: Any) -> AsyncIterator[tuple[Service, Seen]]:
    """Run a service with these keys."""
    async with service(parts={"keys": lambda: ring}, **sections) as run:
        seen = Seen()
        run.house.observers.add(seen.observe)
        yield run, seen


def says_nothing_of(answered: Answered, *secrets: str) -> bool:
    """Whether no part of a secret stands in an answer."""
    whole = answered.body.decode() + json.dumps(dict(answered.headers))
    return not any(len(secret) > 8 and secret[-30:] in whole for secret in secrets)


# Without keys.


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("headers", "client", "credential"),
    [
        ({}, LOCAL_CLIENT, None),
        ({"x-pointsman-client": "bot"}, "bot", None),
        ({"authorization": f"Bearer {THEIRS}"}, LOCAL_CLIENT, ("authorization", f"Bearer {THEIRS}")),
        ({"x-api-key": THEIRS, "x-pointsman-client": "bot"}, "bot", ("x-api-key", THEIRS)),
        ({"authorization": "Basic eA==", "x-api-key": THEIRS}, LOCAL_CLIENT, ("authorization", "Basic eA==")),
        ({"authorization": "", "x-api-key": THEIRS}, LOCAL_CLIENT, ("x-api-key", THEIRS)),
        ({"authorization": f"Bearer {GOOD}"}, LOCAL_CLIENT, None),
        ({"authorization": f"bearer  {GOOD[:20]}", "x-api-key": GOOD}, LOCAL_CLIENT, None),
        ({"authorization": f"Bearer {GOOD}", "x-api-key": THEIRS}, LOCAL_CLIENT, ("x-api-key", THEIRS)),
        ({"x-pointsman-key": GOOD}, LOCAL_CLIENT, None),
    ],
)
async def test_without_keys_the_sender_says_who_it_is_and_its_key_is_kept_for_the_worker(
    path: str, headers: dict[str, str], client: str, credential: tuple[str, str] | None
) -> None:
    """Whatever it is; but a key of ours, whole or not, is nobody else's business."""
    async with locked(NO_KEYS) as (run, seen):
        assert (await run.client.post(path, BODIES[path], headers)).status == 200
    [envelope] = seen.envelopes
    assert (envelope.client, envelope.key_id, envelope.group) == (client, "", "")
    assert envelope.credential == credential
    assert seen.denied == []


async def test_without_keys_only_this_machine_is_let_in() -> None:
    """By the name it is called by, as before."""
    async with locked(NO_KEYS) as (run, _):
        assert (await run.client.get("/livez", {"host": "router.example"})).problem()["code"] == "forbidden"
        assert (await run.client.get("/livez", {"host": "127.0.0.1:8080"})).status == 200


# With keys.


@pytest.mark.parametrize(("method", "pattern"), ROUTES)
async def test_every_path_but_the_probes_wants_a_key(method: str, pattern: str) -> None:
    """Also those that change nothing, and those that do not exist."""
    path = pattern.replace("{id}", "x").replace("{name}", "coders")
    async with locked() as (run, seen):
        answered = certain(await run.client.call(method, path, b"{}", {"content-type": "application/json"}))
        assert (answered.status == 401) == (path not in OPEN)
        assert certain(await run.client.call(method, path + "/nope")).status == 401
    assert seen.envelopes == []
    assert set(OPEN) == {"/livez", "/readyz"}


async def test_probes_are_answered_whoever_asks_and_however() -> None:
    """A supervisor has no key, and calls us by the address of a container."""
    async with locked() as (run, seen):
        for path in OPEN:
            for headers in ({"host": "10.1.2.3:8080"}, {"authorization": "Bearer nonsense"}):
                assert (await run.client.get(path, headers)).status == 200
    assert seen.denied == []


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {GOOD}"},
        {"authorization": f"bearer   {GOOD}"},
        {"authorization": f"BEARER {GOOD}"},
        {"x-api-key": GOOD},
        {"x-api-key": GOOD, "authorization": f"Bearer {GOOD}"},
        {"x-api-key": GOOD, "authorization": ""},
        {"x-api-key": GOOD, "authorization": "Bearer "},
        {"x-api-key": "", "authorization": f"Bearer {GOOD}"},
        {"x-pointsman-key": GOOD},
        {"x-pointsman-key": GOOD, "authorization": f"Bearer {GOOD}"},
    ],
)
async def test_a_key_is_taken_where_clients_have_it(path: str, headers: dict[str, str]) -> None:
    """Its client, id and group are the message's, and it goes no further."""
    async with locked() as (run, seen):
        assert (await run.client.post(path, BODIES[path], {**headers, "host": "router.example"})).status == 200
    assert seen.whose == [("team-1", KEY.id, "research")]
    assert seen.envelopes[0].credential is None
    assert seen.denied == []


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ({"authorization": f"Bearer {THEIRS}"}, ("authorization", f"Bearer {THEIRS}")),
        ({"x-api-key": THEIRS}, ("x-api-key", THEIRS)),
        ({"authorization": f"Bearer {OTHER}", "x-api-key": THEIRS}, ("x-api-key", THEIRS)),
        ({"authorization": f"Bearer {OTHER}"}, None),
        ({}, None),
    ],
)
async def test_another_services_key_goes_along_where_ours_has_a_header_of_its_own(
    path: str, headers: dict[str, str], credential: tuple[str, str] | None
) -> None:
    """For workers that are given the client's key; ours says who it is."""
    async with locked() as (run, seen):
        answered = await run.client.post(path, BODIES[path], {**headers, "x-pointsman-key": GOOD})
        assert answered.status == 200
    assert seen.whose == [("team-1", KEY.id, "research")]
    assert seen.envelopes[0].credential == credential


FAULTS: list[tuple[KeyFault, dict[str, str], str]] = [
    (KeyFault.MISSING, {}, "wants an API key: send it as `Authorization: Bearer KEY`"),
    (KeyFault.MISSING, {"authorization": "", "x-api-key": ""}, "wants an API key"),
    (KeyFault.MISSING, {"authorization": "Bearer"}, "wants an API key"),
    (KeyFault.MISSING, {"x-pointsman-key": "", "authorization": f"Bearer {GOOD}"}, "wants an API key"),
    (KeyFault.MALFORMED, {"authorization": f"Bearer {THEIRS}"}, "which begins with pm_"),
    (KeyFault.MALFORMED, {"x-api-key": GOOD + "x"}, "which begins with pm_"),
    (KeyFault.MALFORMED, {"authorization": f"Basic {GOOD}"}, "another scheme than Bearer"),
    (KeyFault.MALFORMED, {"authorization": GOOD}, "another scheme than Bearer"),
    (KeyFault.MALFORMED, {"authorization": f"Bearer {GOOD}", "x-api-key": OTHER}, "hold different keys"),
    (KeyFault.MALFORMED, {"authorization": f"Bearer {GOOD}", "x-api-key": THEIRS}, "x-pointsman-key"),
    (KeyFault.UNKNOWN, {"x-api-key": UNKNOWN}, "does not count here"),
    (KeyFault.WRONG, {"authorization": f"Bearer {WRONG}"}, "does not count here"),
    (KeyFault.REVOKED, {"authorization": f"Bearer {REVOKED}"}, "was revoked"),
    (KeyFault.EXPIRED, {"x-pointsman-key": EXPIRED, "authorization": f"Bearer {GOOD}"}, "has expired"),
]


@pytest.mark.parametrize(("fault", "headers", "words"), FAULTS)
async def test_who_has_no_good_key_is_told_what_to_do_in_its_own_language(
    fault: KeyFault, headers: dict[str, str], words: str
) -> None:
    """401 with the scheme that is wanted, not to be repeated; counted by what was wrong. No key comes back."""
    async with locked() as (run, seen):
        native = await run.client.post(NATIVE, BODIES[NATIVE], headers)
        openai = await run.client.post(OPENAI, BODIES[OPENAI], headers)
        anthropic = await run.client.post(ANTHROPIC, BODIES[ANTHROPIC], headers)
    problem = native.problem()
    assert (problem["status"], problem["code"], problem["retryable"]) == (401, "unauthorized", False)
    assert words in problem["detail"]
    error = openai.openai_error()
    assert (error["type"], error["code"], error["message"]) == (
        "authentication_error",
        "unauthorized",
        problem["detail"],
    )
    assert openai.headers["x-should-retry"] == anthropic.headers["x-should-retry"] == "false"
    assert anthropic.json()["type"] == "error"
    assert anthropic.json()["error"]["type"] == "authentication_error"
    assert anthropic.json()["error"]["message"] == problem["detail"]
    for answered in (native, openai, anthropic):
        assert answered.status == 401
        assert answered.headers["www-authenticate"] == "Bearer"
        assert says_nothing_of(answered, *headers.values(), GOOD, OTHER)
    assert seen.denied == [fault] * 3
    assert seen.envelopes == []


def test_unknown_and_wrong_keys_are_told_the_same() -> None:
    """Which of the two it is helps nobody but whoever guesses."""
    told = {fault: words for fault, _, words in FAULTS}
    assert told[KeyFault.UNKNOWN] == told[KeyFault.WRONG]
    assert set(told) == set(KeyFault)


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "x-pointsman-key"])
async def test_a_header_with_a_key_may_stand_once(name: str) -> None:
    """Whoever stands between us and the client may read another of two than we do."""
    async with locked() as (run, seen):
        answered = certain(await run.client.call("GET", "/api/v1/status", headers=[(name, GOOD), (name, OTHER)]))
        assert (answered.problem()["status"], answered.problem()["code"]) == (400, "invalid")
        assert says_nothing_of(answered, GOOD, OTHER)
    assert seen.denied == []


async def test_a_key_that_expires_while_the_router_runs_is_refused_from_then_on() -> None:
    """To the instant, by the wall clock."""
    async with service() as run:
        text, key = made(6, expires=run.house.clock.wall() + 60.0)
        app = Client(App(replaced(run, keys=lambda: KeyRing([key]))))
        headers = {"x-api-key": text}
        await asyncio.sleep(59.0)
        assert (await app.get("/api/v1/status", headers)).status == 200
        await asyncio.sleep(1.0)
        assert "has expired" in (await app.get("/api/v1/status", headers)).problem()["detail"]


def replaced(run: Service, **parts: Any) -> Any:
    """Return the surface of a service with other parts."""
    return replace(run.surface, **parts)


async def test_keys_that_change_hold_from_the_next_request() -> None:
    """The ring is asked for each."""
    rings = [KeyRing([KEY]), KeyRing([OTHER_KEY])]
    async with service() as run:
        app = Client(App(replaced(run, keys=lambda: rings[0])))
        assert (await app.get("/api/v1/status", {"x-api-key": GOOD})).status == 200
        del rings[0]
        assert (await app.get("/api/v1/status", {"x-api-key": GOOD})).status == 401
        assert (await app.get("/api/v1/status", {"x-api-key": OTHER})).status == 200


async def test_an_application_that_is_mounted_in_another_wants_keys_too() -> None:
    """Where there are some: its own guard counts only while there are none."""
    async with service() as run:
        app = Client(App(replaced(run, keys=lambda: RING), guard=allow_everybody))
        assert (await app.get("/api/v1/status")).status == 401
        assert (await app.get("/api/v1/status", {"x-api-key": GOOD})).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "router.example"}, 200),
        ({"host": "router.example", "origin": "https://router.example"}, 200),
        ({"host": "router.example:8443", "origin": "http://Router.Example:8443"}, 200),
        ({"host": "router.example", "origin": "http://localhost:3000"}, 200),
        ({"host": "router.example", "origin": "https://evil.example"}, 403),
        ({"host": "router.example", "origin": "https://router.example:8443"}, 403),
        ({"host": "router.example", "origin": "https://router.example.evil.example"}, 403),
        ({"host": "router.example", "origin": "ftp://router.example"}, 403),
        ({"host": "router.example", "origin": "null"}, 403),
        ({"origin": "https://"}, 403),
        ({"origin": ""}, 403),
    ],
)
async def test_with_keys_any_host_may_be_named_but_no_foreign_page_may_send(
    headers: dict[str, str], status: int
) -> None:
    """Even with a key that counts: it would be one that everybody can read in the page."""
    async with locked() as (run, _):
        answered = await run.client.get("/api/v1/status", {**headers, "x-api-key": GOOD})
        assert answered.status == status
        if status == 403:
            assert (answered.problem()["code"], answered.problem()["field"]) == ("forbidden", "origin")


# As whom.


@pytest.mark.parametrize("path", BODIES)
async def test_a_sub_client_stands_below_the_client_of_the_key(path: str) -> None:
    """It cannot take another client's name, as no client's own has a slash."""
    async with locked() as (run, seen):
        for name in ("bot", "team-2"):
            headers = {"x-api-key": GOOD, "x-pointsman-client": name}
            assert (await run.client.post(path, BODIES[path], headers)).status == 200
    assert seen.whose == [("team-1/bot", KEY.id, "research"), ("team-1/team-2", KEY.id, "research")]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 65])
async def test_a_sub_client_that_is_no_name_is_refused(name: str) -> None:
    """As a client without keys would be."""
    async with locked() as (run, _):
        headers = {"x-api-key": GOOD, "x-pointsman-client": name}
        assert (await run.client.post(NATIVE, BODIES[NATIVE], headers)).problem()["field"] == "x-pointsman-client"


async def test_limits_are_each_sub_clients_own() -> None:
    """One that sends too much keeps neither its siblings, nor its parent, nor another key's client of that name."""
    burst = LimitSettings(rate_per_min=1, burst=2, flood_copies=1_000)
    senders: list[Mapping[str, str]] = [
        {"x-api-key": GOOD, "x-pointsman-client": "bot"},
        {"x-api-key": GOOD, "x-pointsman-client": "other"},
        {"x-api-key": GOOD},
        {"x-api-key": OTHER, "x-pointsman-client": "bot"},
    ]
    async with locked(limits=burst) as (run, _):
        for headers in senders:
            answers = [await run.client.post(NATIVE, BODIES[NATIVE], headers) for _ in range(3)]
            assert [one.status for one in answers] == [200, 200, 429]


async def test_two_keys_of_one_client_share_its_limits() -> None:
    """As while one takes the other's place."""
    same = made(7, client="team-1")
    burst = LimitSettings(rate_per_min=1, burst=2, flood_copies=1_000)
    async with locked(KeyRing([KEY, same[1]]), limits=burst) as (run, seen):
        sent = [await run.client.post(NATIVE, BODIES[NATIVE], {"x-api-key": text}) for text in (GOOD, same[0], GOOD)]
    assert [one.status for one in sent] == [200, 200, 429]
    assert [one.key_id for one in seen.envelopes] == [KEY.id, same[1].id, KEY.id]


async def test_every_message_of_a_batch_is_its_senders() -> None:
    """One key for all of them."""
    lines = b"".join(json.dumps({**BODIES[NATIVE], "text": f"fix {one}"}).encode() + b"\n" for one in range(3))
    headers = {"content-type": "application/x-ndjson", "x-api-key": GOOD, "x-pointsman-client": "bot"}
    async with locked() as (run, seen):
        assert certain(await run.client.call("POST", f"{NATIVE}/batch", lines, headers)).status == 200
    assert seen.whose == [("team-1/bot", KEY.id, "research")] * 3


@pytest.mark.parametrize("path", BODIES)
async def test_a_record_names_the_key_by_its_id_alone(path: str) -> None:
    """In the decision, in lists, and wherever an envelope is printed."""
    async with locked() as (run, seen):
        headers = {"x-pointsman-key": GOOD, "authorization": f"Bearer {THEIRS}"}
        await run.client.post(path, BODIES[path], headers)
        message_id = seen.envelopes[0].id
        key = {"x-api-key": GOOD}
        decision = await run.client.get(f"{NATIVE}/{message_id}/decision", key)
        listed = await run.client.get(NATIVE, key)
    assert (decision.json()["client"], decision.json()["key_id"]) == ("team-1", KEY.id)
    for text in (decision.body.decode(), listed.body.decode(), repr(seen.envelopes[0])):
        assert GOOD[-30:] not in text
        assert THEIRS not in text


async def test_without_a_key_a_record_names_none() -> None:
    """Rather than an empty name."""
    async with locked(NO_KEYS) as (run, seen):
        await run.client.post(NATIVE, BODIES[NATIVE])
        decision = await run.client.get(f"{NATIVE}/{seen.envelopes[0].id}/decision")
    assert decision.json()["key_id"] is None


async def test_a_replayed_message_keeps_its_client_and_key() -> None:
    """Its budget is still whose it was, whoever replays it."""

    async def refuse(work: Mapping[str, Any]) -> Any:
        raise RuntimeError("not today")

    async with service({"coders": {"c1": refuse}}, parts={"keys": lambda: RING}) as run:
        seen = Seen()
        run.house.observers.add(seen.observe)
        sent = await run.client.post(NATIVE, BODIES[NATIVE], {"x-api-key": GOOD})
        await run.client.post(f"/api/v1/dead-letters/{sent.json()['id']}/replay", None, {"x-api-key": OTHER})
    assert seen.whose == [("team-1", KEY.id, "research")] * 2


async def test_the_status_counts_keys_by_state() -> None:
    """None of them is named."""
    async with locked() as (run, _):
        status = await run.client.get("/api/v1/status", {"x-api-key": GOOD})
        assert status.json()["keys"] == {"usable": 2, "expired": 1, "revoked": 1}
    async with locked(NO_KEYS) as (run, _):
        assert (await run.client.get("/api/v1/status")).json()["keys"] == {"usable": 0, "expired": 0, "revoked": 0}
