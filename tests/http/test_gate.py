"""Who answers, while there is an old router: real service, real sockets, real workers."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.core.keys import KeyRing, compose, digest_of
from pointsman.model.events import Admitted, AttemptStarted, FellBackToLegacy, LegacyAnswered, Mirrored
from pointsman.model.keys import ApiKey
from pointsman.model.rollout import Lane, State
from pointsman.model.settings import RetrySettings, Secret, ServerSettings, WorkerSettings
from tests.http.brought_in import ORDER, Both, brought_in
from tests.http.old_router import Asked, Header, Says, Talk, always, old_router, plain
from tests.http.raw_client import Got, RawClient, request
from tests.transports.raw_server import Talk as WorkerTalk
from tests.transports.raw_server import serve

JSON: Header = (b"content-type", b"application/json")
NATIVE = b'{"text": "fix the typo", "class": "tactical"}'
CHAT = b'{"model": "tactical", "messages": [{"role": "user", "content": "fix the typo"}]}'
OLD = (200, b"old")


async def ask(
    both: Both, method: bytes, target: bytes, *headers: Header, body: bytes | None = None, host: bytes = b"localhost"
) -> Got:
    """Ask once, on a connection of its own."""
    client = RawClient(both.port)
    try:
        return await client.ask([request(method, target, *headers, body=body, host=host)], method)
    finally:
        client.close()


async def send(both: Both, body: bytes = NATIVE, *headers: Header, target: bytes = b"/api/v1/messages") -> Got:
    """Send a message."""
    return await ask(both, b"POST", target, JSON, *headers, body=body)


def is_old(got: Got) -> bool:
    """Whether the old router answered."""
    return (got.status, got.body) == OLD


@pytest.mark.real_loop
@pytest.mark.parametrize("state", [State.DISABLED, State.SHADOW, State.FULL, State.COMPLETED, State.ROLLED_BACK])
async def test_each_path_belongs_to_somebody_in_every_state(tmp_path: Path, state: State) -> None:
    """What is ours stays ours, what only the old router knows stays its, and messages go where the state says."""
    async with old_router(always) as old, brought_in(tmp_path, old.url) as both:
        if state is State.ROLLED_BACK:
            await both.go_to(State.SHADOW)
            await both.house.rollout.rollback(ORDER)
        elif state is not State.DISABLED:
            await both.go_to(state)
        for target in (b"/livez", b"/readyz", b"/metrics", b"/openapi.json", b"/api/v1/status", b"/api/v1/messages"):
            assert not is_old(await ask(both, b"GET", target)), target
        assert (await ask(both, b"GET", b"/api/v1/nothing")).status == 404
        done = state is State.COMPLETED
        for method, target in (
            (b"GET", b"/"),
            (b"GET", b"/static/app.js"),
            (b"POST", b"/v1/audio/speech"),
            (b"DELETE", b"/v1/models/gpt"),
            (b"PUT", b"/v1/chat/completions"),
            (b"OPTIONS", b"*"),
            (b"GET", b"/%ff"),
        ):
            assert is_old(await ask(both, method, target)) != done, target
        candidate = state in {State.FULL, State.COMPLETED}
        for target, body in (
            (b"/api/v1/messages", NATIVE),
            (b"/v1/chat/completions", CHAT),
            (b"/v1/messages", CHAT),
        ):
            assert is_old(await send(both, body, target=target)) != candidate, target
        assert is_old(await ask(both, b"GET", b"/v1/models")) != candidate


@pytest.mark.real_loop
async def test_what_only_the_legacy_is_asked_is_not_looked_at(tmp_path: Path) -> None:
    """Bodies of every kind pass, hosts and origins too, and nothing of ours hears of a message."""
    async with old_router(always) as old, brought_in(tmp_path, old.url) as both:
        for body in (b"{", b"\x00" * 9, b"x" * 40_000_000):
            assert is_old(await ask(both, b"POST", b"/api/v1/messages", JSON, body=body, host=b"evil.example"))
            assert old.seen[-1].body == body
        assert is_old(await send(both, NATIVE, (b"origin", b"https://evil.example")))
        assert not both.of(Admitted)
        assert len(both.of(LegacyAnswered)) == 4
        assert both.house.rollout.status().messages["legacy"] == 4


@pytest.mark.real_loop
async def test_what_we_could_not_answer_is_the_old_routers_also_when_we_answer(tmp_path: Path) -> None:
    """Malformed, foreign, compressed, too large or strangely headed: the whole of it goes there."""
    server = ServerSettings(listen="127.0.0.1:0", native_body_bytes=1_000, compatible_body_bytes=2_000)
    async with old_router(always) as old, brought_in(tmp_path, old.url, server=server) as both:
        await both.go_to(State.FULL)
        chats = b"/v1/chat/completions"
        for target, body, headers in (
            (b"/api/v1/messages", b'{"text": ', [JSON]),
            (b"/api/v1/messages", NATIVE, [(b"content-type", b"text/plain")]),
            (b"/api/v1/messages", NATIVE, []),
            (b"/api/v1/messages", NATIVE, [JSON, (b"content-encoding", b"gzip")]),
            (b"/api/v1/messages", NATIVE, [JSON, (b"x-pointsman-ttl", b"soon")]),
            (b"/api/v1/messages", NATIVE, [JSON, (b"authorization", b"a"), (b"authorization", b"b")]),
            (b"/api/v1/messages", b'{"text": "%b"}' % (b"x" * 1_500), [JSON]),
            (chats, b'{"messages": 3}', [JSON]),
            (chats, b'{"messages": [], "x": "%b"}' % (b"x" * 300_000), [JSON]),
        ):
            assert is_old(await ask(both, b"POST", target, *headers, body=body)), (target, body[:40], headers)
            assert (old.seen[-1].body, old.seen[-1].target) == (body, target)
        assert not both.of(Admitted)
        assert both.house.rollout.status().messages["candidate"] == 0


@pytest.mark.real_loop
async def test_a_chunked_body_that_is_too_large_goes_on_whole(tmp_path: Path) -> None:
    """What had been read of it, and the rest as it comes."""
    server = ServerSettings(listen="127.0.0.1:0", native_body_bytes=1_000)
    async with old_router(always) as old, brought_in(tmp_path, old.url, server=server) as both:
        await both.go_to(State.FULL)
        head = b"POST /api/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        chunk = b"1f4\r\n%b\r\n" % (b"y" * 500)
        client = RawClient(both.port)
        got = await client.ask([head + b"transfer-encoding: chunked\r\n\r\n", *[chunk] * 400, b"0\r\n\r\n"], b"POST")
        client.close()
        assert is_old(got)
        assert old.seen[-1].body == b"y" * 200_000


def ring() -> tuple[KeyRing, bytes]:
    """A ring of one key, and that key."""
    key_id, key = compose(b"12345", b"s" * 35)
    return KeyRing([ApiKey(name="k", id=key_id, client="acme", digest=digest_of(key), created=0.0)]), key.encode()


@pytest.mark.real_loop
async def test_a_stranger_is_the_old_routers_and_a_key_of_ours_stays_here(tmp_path: Path) -> None:
    """Who shows no usable key is not asked for one; ours is exchanged for the old router's wherever it stood."""
    keys, key = ring()
    secret = tmp_path / "secret"
    secret.write_text("legacy-secret")
    rules = {"legacy_auth": Secret(file=str(secret))}
    async with old_router(always) as old, brought_in(tmp_path, old.url, keys=keys, rollout=rules) as both:
        await both.go_to(State.FULL)
        for foreign in (
            (b"authorization", b"Bearer sk-theirs"),
            (b"x-api-key", b"theirs"),
            (b"authorization", b"Basic eA=="),
        ):
            assert is_old(await send(both, NATIVE, foreign))
            assert foreign in old.seen[-1].headers
        assert is_old(await send(both, NATIVE))
        assert not both.of(Admitted)
        assert not is_old(await send(both, NATIVE, (b"authorization", b"Bearer " + key)))
        await both.house.rollout.rollback(ORDER)
        for ours, expected in (
            ((b"authorization", b"Bearer " + key), (b"authorization", b"Bearer legacy-secret")),
            ((b"authorization", b"Bearer \t" + key), (b"authorization", b"Bearer legacy-secret")),
            ((b"x-api-key", key), (b"x-api-key", b"legacy-secret")),
            ((b"x-pointsman-key", key), (b"authorization", b"Bearer legacy-secret")),
        ):
            assert is_old(await send(both, NATIVE, ours))
            assert expected in old.seen[-1].headers
            assert not any(key in value for _, value in old.seen[-1].headers)


@pytest.mark.real_loop
async def test_a_conversation_stays_with_one_router(tmp_path: Path) -> None:
    """However it is named: by header, in a native body, or by how a chat begins; and the realised share is counted."""
    async with old_router(always) as old, brought_in(tmp_path, old.url) as both:
        await both.go_to(State.PARTIAL)
        lanes: dict[str, set[bool]] = {}
        for number in range(24):
            named = f"c{number}"
            native = json.dumps({"text": "fix it", "class": "tactical", "conversation_id": named}).encode()
            begins = [{"role": "user", "content": named}]
            for turn in range(2):
                more = [{"role": "assistant", "content": "ok"}] * turn
                chat = json.dumps({"model": "tactical", "messages": [*begins, *more]}).encode()
                lanes.setdefault(f"chat {named}", set()).add(
                    is_old(await send(both, chat, target=b"/v1/chat/completions"))
                )
                lanes.setdefault(named, set()).add(is_old(await send(both, native)))
                header = (b"x-pointsman-conversation", named.encode())
                lanes[named].add(is_old(await send(both, NATIVE, header)))
        assert all(len(seen) == 1 for seen in lanes.values())
        assert len({seen.pop() for seen in lanes.values()}) == 2
        counted = both.house.rollout.status().messages
        assert counted["legacy"] + counted["candidate"] == 144
        assert {event.envelope.lane for event in both.of(Admitted)} == {Lane.CANDIDATE}


@pytest.mark.real_loop
async def test_in_the_shadow_the_old_router_answers_and_no_worker_is_asked(tmp_path: Path) -> None:
    """What it said of class and worker is compared with what we would have decided; what we refuse is our error."""

    async def telling(asked: Asked, talk: Talk) -> Says:
        status = b"500 Oops" if b"broken" in asked.body else b"200 OK"
        return plain(b"old", status, b"X-Pointsman-Class: strategic")

    async with old_router(telling) as old, brought_in(tmp_path, old.url) as both:
        await both.go_to(State.SHADOW)
        assert is_old(await send(both))
        assert is_old(await send(both, b'{"text": "cut'))
        assert (await send(both, b'{"text": "broken", "wrong": 1}')).status == 500
        assert is_old(await send(both, NATIVE, target=b"/api/v1/messages/batch"))
        shadow = both.house.shadow
        await both.until(lambda: len(both.of(Mirrored)) == 3)
        kinds = sorted(event.kind for event in both.of(Mirrored))
        assert kinds == ["both_error", "candidate_error_only", "class_mismatch"]
        assert shadow.sampled == shadow.compared == 3
        assert not both.of(AttemptStarted)
        assert not both.of(Admitted)


# Falling back.

WORKER: Mapping[str, Any] = {"id": "w", "transport": "openai", "model": "m", "max_in_flight": 4}


async def point_at(both: Both, url: str) -> None:
    """Let the one worker of the coders be at this address, tried twice."""
    house = both.house
    pool = msgspec.structs.replace(house.settings.pools["coders"], retry=RetrySettings(base_s=0.001, max_attempts=2))
    house.rebuild(msgspec.structs.replace(house.settings, pools={**house.settings.pools, "coders": pool}))
    await house.fleet.join("coders", WorkerSettings(**WORKER, url=url), "test")


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.real_loop
@pytest.mark.parametrize("stream", [False, True])
async def test_a_message_that_reached_no_worker_is_answered_by_the_old_router(tmp_path: Path, stream: bool) -> None:
    """Once, unchanged, and counted against us."""
    async with old_router(always) as old, brought_in(tmp_path, old.url, {}) as both:
        await both.go_to(State.FULL)
        body = CHAT.replace(b'"model"', b'"stream": true, "model"') if stream else CHAT
        assert is_old(await send(both, body, target=b"/v1/chat/completions"))
        await point_at(both, f"http://127.0.0.1:{closed_port()}")
        assert is_old(await send(both, body, target=b"/v1/chat/completions"))
        assert [asked.body for asked in old.seen] == [body, body]
        assert [event.reason for event in both.of(FellBackToLegacy)] == ["no_worker", "worker_unreachable"]
        assert await both.house.engine.dead_letters() == []
        assert not both.of(LegacyAnswered)


@pytest.mark.real_loop
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
        b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_a_message_that_a_worker_may_have_seen_is_never_answered_twice(tmp_path: Path, said: bytes) -> None:
    """It hung up after the request was written, broke off its answer, or said no: the old router hears nothing."""
    given: list[bytes] = []

    async def worker(talk: WorkerTalk) -> None:
        given.append((await talk.request()).body)
        talk.send(said)
        await talk.drain()
        talk.close()

    async with old_router(always) as old, serve(worker) as peer, brought_in(tmp_path, old.url, {}) as both:
        await both.go_to(State.FULL)
        await point_at(both, peer.url)
        got = await send(both, CHAT, target=b"/v1/chat/completions")
        assert got.status >= 400
        assert given
        assert not old.seen
        assert not both.of(FellBackToLegacy)


@pytest.mark.real_loop
async def test_what_is_refused_for_what_it_is_stays_refused(tmp_path: Path) -> None:
    """No fallback for a sender's own mistake, and none any more once the rollout is completed."""
    async with old_router(always) as old, brought_in(tmp_path, old.url, {}) as both:
        await both.go_to(State.FULL)
        assert (await send(both, b'{"text": "x", "class": "none"}')).status == 422
        assert (await send(both, b'{"model": "none", "messages": []}', target=b"/v1/chat/completions")).status == 404
        await both.house.rollout.promote(ORDER)
        assert (await send(both)).status == 503
        assert not old.seen


@pytest.mark.real_loop
async def test_where_the_old_router_cannot_be_reached_either_our_own_refusal_stands(tmp_path: Path) -> None:
    """It says more than that the other one is down."""
    async with brought_in(tmp_path, f"http://127.0.0.1:{closed_port()}", {}) as both:
        await both.go_to(State.FULL)
        got = await send(both)
        assert (got.status, json.loads(got.body)["code"]) == (503, "no_worker")
        await both.house.rollout.rollback(ORDER)
        got = await send(both)
        assert (got.status, json.loads(got.body)["code"]) == (502, "legacy_unreachable")


# The switch.


@pytest.mark.real_loop
async def test_a_rollback_in_the_middle_of_traffic_loses_nothing(tmp_path: Path) -> None:
    """On 32 connections: each request has one answer by one router, and after the call's answer all are old."""
    done: list[str] = []

    async def work(message: Mapping[str, Any]) -> str:
        done.append(message["text"])
        await asyncio.sleep(0)
        return "new"

    async with old_router(always) as old, brought_in(tmp_path, old.url, {"w": work}) as both:
        await both.go_to(State.PARTIAL)
        rolled_back = asyncio.Event()
        answers: dict[str, bool] = {}
        late: list[bool] = []

        async def talk(lane: int) -> None:
            client = RawClient(both.port)
            for number in range(60):
                text = f"do {lane}-{number}"
                body = json.dumps({"text": text, "class": "tactical", "conversation_id": text}).encode()
                is_late = rolled_back.is_set()
                got = await client.ask([request(b"POST", b"/api/v1/messages", JSON, body=body)], b"POST")
                assert got.status == 200
                answers[text] = is_old(got)
                if is_late:
                    late.append(is_old(got))
            client.close()

        async def roll_back() -> None:
            await both.until(lambda: len(answers) >= 600)
            got = await ask(both, b"POST", b"/api/v1/rollout/rollback", JSON, body=b'{"reason": "test", "actor": "me"}')
            assert got.status == 200
            rolled_back.set()

        await asyncio.gather(roll_back(), *(talk(lane) for lane in range(32)))
        assert len(answers) == 32 * 60
        by_old = {json.loads(asked.body)["text"] for asked in old.seen}
        assert len(old.seen) == len(by_old) == sum(answers.values())
        assert sorted(done) == sorted(text for text, old_answered in answers.items() if not old_answered)
        assert late
        assert all(late)
        assert done
        assert not by_old & set(done)
