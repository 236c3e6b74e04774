"""API keys on real sockets: official clients, keys that end while the router runs, addresses that others reach."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anthropic
import msgspec
import openai
import pytest

from pointsman.assembly import House
from pointsman.cli.client import Client, Problem
from pointsman.config.keys_file import LOOK_EVERY_S, KeysFile
from pointsman.core.keys import NO_KEYS
from pointsman.http.server import NotLoopback
from pointsman.model.errors import SettingsError
from pointsman.model.settings import (
    ClassSettings,
    LimitSettings,
    PoolSettings,
    ServerSettings,
    Settings,
    WorkerSettings,
)
from pointsman.operations.keys import NewKey, create, revoke
from pointsman.runtime.clock import SystemClock
from pointsman.serving import Service, open_service
from pointsman.testing.clock import FakeClock

NOW = 1_700_000_000.0
CHAT: Any = {"model": "tactical", "messages": [{"role": "user", "content": "fix it"}]}


async def echo(message: dict[str, Any]) -> str:
    """Answer at once."""
    return "done"


def house_of(path: Path, **server: Any) -> House:
    """Return a router whose keys are in this file."""
    worker = WorkerSettings(id="w", transport="callable")
    settings = Settings(
        server=ServerSettings(**{"listen": "127.0.0.1:0", "keys_file": str(path), **server}),
        classes={"strategic": ClassSettings(pool="planners"), "tactical": ClassSettings(pool="coders")},
        pools={"planners": PoolSettings(), "coders": PoolSettings(workers=[worker])},
        limits=LimitSettings(rate_per_min=1_000_000, burst=1_000, flood_copies=1_000),
    )
    return House(settings, local={"w": echo})


def make(path: Path, name: str = "alice", **fields: Any) -> NewKey:
    """Make a key."""
    return create(path, **{"name": name, "client": name, "group": "", "expires": None, "now_wall": NOW, **fields})


@contextlib.asynccontextmanager
async def running(path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    """Run a service that looks at its keys by this clock."""
    service = Service(house_of(path), keys=KeysFile(path, clock).ring)
    try:
        await service.start()
        yield service
    finally:
        await service.stop(0.0)


async def status(url: str, key: str | None = None) -> int:
    """HTTP status of a request with a key."""
    try:
        await asyncio.to_thread(Client(url, key=key).get, "/api/v1/status")
    except Problem as problem:
        return problem.status
    return 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the keys are."""
    return tmp_path / "keys.jsonl"


@pytest.mark.real_loop
async def test_openais_client_is_let_in_by_its_key(path: Path) -> None:
    """Plain and streamed, sync and async; with a wrong one it raises what its users expect, and does not try again."""
    new = make(path)
    async with running(path, FakeClock()) as service:
        base = f"{service.url}/v1"

        def ask(key: str) -> str | None:
            with openai.OpenAI(base_url=base, api_key=key) as client:
                return client.chat.completions.create(**CHAT).choices[0].message.content

        assert await asyncio.to_thread(ask, new.text) == "done"
        async with openai.AsyncOpenAI(base_url=base, api_key=new.text) as client:
            stream = await client.chat.completions.create(**CHAT, stream=True)
            assert "".join([part.choices[0].delta.content or "" async for part in stream if part.choices]) == "done"
            assert "tactical" in {model.id async for model in client.models.list()}
        with pytest.raises(openai.AuthenticationError, match="which begins with pm_"):
            await asyncio.to_thread(ask, "sk-proj-0123")
        with pytest.raises(openai.AuthenticationError, match="does not count here") as raised:
            await asyncio.to_thread(ask, new.text[:-1] + ("a" if new.text[-1] != "a" else "b"))
    assert raised.value.status_code == 401
    assert raised.value.response.headers["www-authenticate"] == "Bearer"
    assert new.text[12:-1] not in str(raised.value)


@pytest.mark.real_loop
async def test_anthropics_client_is_let_in_by_its_key(path: Path) -> None:
    """As the key, and as the token that some of its users have instead."""
    new = make(path)
    async with running(path, FakeClock()) as service:

        def ask(**keys: str) -> Any:
            with anthropic.Anthropic(base_url=service.url, **keys) as client:  # type: ignore[arg-type]
                return client.messages.create(**CHAT, max_tokens=5).content[0]

        assert (await asyncio.to_thread(lambda: ask(api_key=new.text))).text == "done"
        assert (await asyncio.to_thread(lambda: ask(auth_token=new.text))).text == "done"
        with pytest.raises(anthropic.AuthenticationError, match="which begins with pm_") as raised:
            await asyncio.to_thread(lambda: ask(api_key="sk-ant-0123"))
    assert raised.value.status_code == 401
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["error"]["type"] == "authentication_error"


@pytest.mark.real_loop
async def test_clients_keep_their_providers_key_beside_ours(path: Path) -> None:
    """In the header that they let their users add; the message carries the provider's as its credential."""
    new = make(path, group="research")
    async with running(path, FakeClock()) as service:
        envelopes: list[Any] = []
        service.house.observers.add(lambda event: envelopes.append(getattr(event, "envelope", None)))

        def ask() -> Any:
            ours = {"x-pointsman-key": new.text, "x-pointsman-client": "bot"}
            with openai.OpenAI(base_url=f"{service.url}/v1", api_key="sk-theirs", default_headers=ours) as client:
                client.chat.completions.create(**CHAT)
            with anthropic.Anthropic(base_url=service.url, api_key="sk-ant-theirs", default_headers=ours) as other:
                other.messages.create(**CHAT, max_tokens=5)

        await asyncio.to_thread(ask)
    seen = {one.id: one for one in envelopes if one is not None}
    of_openai, of_anthropic = [one.credential for one in seen.values()]
    assert of_openai == ("authorization", "Bearer sk-theirs")
    assert of_anthropic in {("authorization", "Bearer sk-ant-theirs"), ("x-api-key", "sk-ant-theirs")}
    for one in seen.values():
        assert (one.client, one.key_id, one.group) == ("alice/bot", new.key.id, "research")
        assert not any(name.startswith("x-pointsman") or new.text in value for name, value in one.headers)


@pytest.mark.real_loop
async def test_a_key_that_is_made_or_revoked_holds_within_a_second_of_a_running_router(path: Path) -> None:
    """Open, locked by the first key, shut to the revoked one, open to its successor; on the connections there are."""
    clock = FakeClock()
    async with running(path, clock) as service:
        url = service.url
        assert await status(url) == 200
        first = make(path)
        clock.advance(LOOK_EVERY_S)
        assert [await status(url), await status(url, first.text)] == [401, 200]
        second = make(path)
        revoke(path, first.key.id, NOW)
        assert await status(url, first.text) == 200
        clock.advance(LOOK_EVERY_S)
        assert [await status(url, one) for one in (None, first.text, second.text)] == [401, 401, 200]
        lose(path)
        clock.advance(LOOK_EVERY_S)
        assert [await status(url, one) for one in (None, first.text, second.text)] == [401, 401, 200]
        body, _ = await service.exposition("")
    lines = body.decode().splitlines()
    assert 'pointsman_auth_failures_total{reason="missing"} 3' in lines
    assert 'pointsman_auth_failures_total{reason="revoked"} 2' in lines
    assert 'pointsman_auth_failures_total{reason="wrong"} 0' in lines


@pytest.mark.real_loop
async def test_a_request_that_is_not_let_in_does_not_spoil_its_connection(path: Path) -> None:
    """The next one on it is answered, whether the refused body was small, large or in pieces."""
    new = make(path)
    async with running(path, FakeClock()) as service:
        port = int(service.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: router.example\r\ncontent-type: application/json\r\n"
        for body in (b"{}", b" " * 300_000):
            writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            assert (await answer(reader))[0] == 401
        writer.write(head + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        assert (await answer(reader))[0] == 401
        writer.write(
            b"GET /api/v1/status HTTP/1.1\r\nhost: router.example\r\nx-api-key: %b\r\n\r\n" % new.text.encode()
        )
        code, body = await answer(reader)
        assert (code, msgspec.json.decode(body)["counts"]["admitted"]) == (200, 0)
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    fields = dict(line.split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), await reader.readexactly(int(fields["content-length"]))


def lose(path: Path) -> None:
    """Let the file vanish."""
    path.unlink()


def spoil(path: Path) -> None:
    """Leave something in the file that is no key."""
    path.write_text("what is this\n", "utf-8")


def all_ended(path: Path) -> None:
    """Make keys of which none counts any more."""
    revoke(path, make(path).key.id, NOW)
    make(path, expires=NOW + 1.0)


@pytest.mark.real_loop
@pytest.mark.parametrize("before", [lambda path: None, Path.touch, all_ended], ids=["none", "empty", "ended"])
async def test_no_usable_key_no_address_for_others(path: Path, before: Callable[[Path], object]) -> None:
    """Nothing is started; the way out is named."""
    before(path)
    house = house_of(path, listen="0.0.0.0:0")
    with pytest.raises(NotLoopback, match="pointsman keys create NAME"):
        async with open_service(house):
            pass
    assert not house.doors_open


@pytest.mark.real_loop
async def test_with_a_usable_key_others_may_reach_it(path: Path) -> None:
    """By whatever name, as long as they have it."""
    new = make(path, expires=SystemClock().wall() + 3_600.0)
    async with open_service(house_of(path, listen="0.0.0.0:0")) as url:
        there = url.replace("0.0.0.0", "127.0.0.1")
        assert [await status(there), await status(there, new.text)] == [401, 200]
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
            pass


@pytest.mark.real_loop
async def test_a_damaged_file_keeps_the_service_from_starting(path: Path) -> None:
    """And frees its port."""
    spoil(path)
    with pytest.raises(SettingsError, match="line 1"):
        async with open_service(house_of(path)):
            pass


@pytest.mark.real_loop
async def test_a_program_may_say_that_nobody_needs_a_key(path: Path) -> None:
    """As the demonstration does, which may be started where a locked router lives."""
    make(path)
    async with open_service(house_of(path), keys=lambda: NO_KEYS) as url:
        assert await status(url) == 200
