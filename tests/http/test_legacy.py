"""Requests that pass through to the old router, and what happens where either end misbehaves: real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pointsman import serving
from pointsman.http import legacy
from pointsman.model.events import LegacyAnswered
from pointsman.model.rollout import State
from tests.http.brought_in import Both, brought_in
from tests.http.old_router import Asked, OldRouter, Says, Talk, always, old_router, plain
from tests.http.raw_client import Got, RawClient, read, request

MIB = 1 << 20
QUICK = {"legacy_timeout_s": 0.2}


async def ask(both: Both, data: bytes, method: bytes = b"POST") -> Got:
    """Ask once, on a connection of its own."""
    client = RawClient(both.port)
    try:
        return await client.ask([data], method)
    finally:
        client.close()


def says(data: bytes) -> Any:
    """A script that says these bytes and hangs up."""

    async def script(asked: Asked, talk: Talk) -> Says:
        return Says([data], closes=True)

    return script


async def silent(asked: Asked, talk: Talk) -> Says:
    """Say nothing until the connection is gone."""
    await talk.reader.read()
    talk.gone.set()
    return Says([], closes=True)


@pytest.mark.real_loop
@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (silent, 504, "legacy_timeout"),
        (says(b"220 smtp.example\r\n"), 502, "legacy_garbage"),
        (says(b""), 502, "legacy_closed"),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), 502, ""),
    ],
)
async def test_a_bad_old_router_is_told_in_the_clients_language(
    tmp_path: Path, script: Any, status: int, code: str
) -> None:
    """Never a hang, never our own 500, and it is asked once."""
    async with old_router(script) as old, brought_in(tmp_path, old.url, rollout=QUICK) as both:
        got = await ask(both, request(b"POST", b"/api/v1/messages", body=b"{}"))
        if code:
            assert (got.status, json.loads(got.body)["code"]) == (status, code)
            got = await ask(both, request(b"POST", b"/v1/chat/completions", body=b"{}"))
            assert (got.status, json.loads(got.body)["error"]["code"]) == (status, code)
            assert len(old.seen) == 2
        else:
            assert not got.is_whole
        assert not any(event.ok for event in both.of(LegacyAnswered))


@pytest.mark.real_loop
async def test_an_old_router_that_is_down_may_be_asked_again(tmp_path: Path) -> None:
    """Nothing of the request was seen."""
    async with old_router(always) as old:
        url = old.url
    async with brought_in(tmp_path, url) as both:
        got = await ask(both, request(b"POST", b"/anything", body=b"{}"))
        problem = json.loads(got.body)
        assert (got.status, problem["code"], problem["retryable"]) == (502, "legacy_unreachable", True)


@pytest.mark.real_loop
@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n",
    ],
)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_an_answer_that_breaks_off_never_looks_whole(tmp_path: Path, start: bytes, version: bytes) -> None:
    """The client gets what came, and then sees that it is cut; one that speaks HTTP/1.0 is reset."""
    async with old_router(says(start)) as old, brought_in(tmp_path, old.url) as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        writer.write(b"GET /x HTTP/%b\r\nhost: x\r\n\r\n" % version)
        if version == b"1.0" and b"chunked" in start:
            with pytest.raises(ConnectionResetError):
                await reader.read()
        else:
            got, _ = await read(reader, b"GET")
            assert (got.status, got.body, got.is_whole) == (200, b"abc", False)
        writer.close()


@pytest.mark.real_loop
async def test_a_client_of_http_1_0_gets_a_body_until_the_end(tmp_path: Path) -> None:
    """Chunks are not its language."""
    start = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with old_router(says(start)) as old, brought_in(tmp_path, old.url) as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        writer.write(b"GET /x HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nabc")
        writer.close()


@pytest.mark.real_loop
async def test_a_stream_comes_as_it_is_made(tmp_path: Path) -> None:
    """Its head before its first event, each event before the next is made."""
    steps: asyncio.Queue[bytes] = asyncio.Queue()

    async def script(asked: Asked, talk: Talk) -> Says:
        talk.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(3):
            event = await steps.get()
            talk.writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        return Says([b"0\r\n\r\n"])

    async with old_router(script) as old, brought_in(tmp_path, old.url) as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        writer.write(request(b"POST", b"/v1/chat/completions", body=b"{}"))
        assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")
        for event in (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"):
            steps.put_nowait(event)
            assert await reader.readuntil(event + b"\r\n")
        assert await reader.readexactly(5) == b"0\r\n\r\n"
        writer.close()


@pytest.mark.real_loop
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_hundred_megabytes_wait_for_a_slow_client_where_they_are_made(tmp_path: Path, chunked: bool) -> None:
    """The old router cannot write more than sockets hold while nobody reads; then all of it comes."""
    block, count = bytes(range(256)) * 4096, 100
    written = [0]

    async def script(asked: Asked, talk: Talk) -> Says:
        framing = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % (count * len(block))
        talk.writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        for _ in range(count):
            talk.writer.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
            await talk.writer.drain()
            written[0] += len(block)
        return Says([b"0\r\n\r\n"] if chunked else [])

    async with old_router(script) as old, brought_in(tmp_path, old.url) as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port, limit=65_536)
        writer.write(request(b"GET", b"/large"))
        seen = -1
        while written[0] != seen:
            seen = written[0]
            for _ in range(2_000):
                await asyncio.sleep(0)
        assert written[0] < 30 * MIB
        got, _ = await read(reader, b"GET")
        assert got.is_whole
        assert hashlib.sha256(got.body).digest() == hashlib.sha256(block * count).digest()
        writer.close()


@pytest.mark.real_loop
@pytest.mark.parametrize("state", [State.DISABLED, State.FULL])
async def test_a_large_request_waits_for_a_slow_old_router(tmp_path: Path, state: State) -> None:
    """The client is made to wait; what is held here does not grow with the body."""
    go_on = asyncio.Event()
    size = 64 * MIB

    class Slow(OldRouter):
        async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await go_on.wait()
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            await super().talk(reader, writer)

    async with old_router(always, kind=Slow) as old, brought_in(tmp_path, old.url) as both:
        if state is not State.DISABLED:
            await both.go_to(state)
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        writer.write(b"PUT /upload HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        sent = [0]

        async def upload() -> None:
            while sent[0] < size:
                writer.write(b"x" * MIB)
                await writer.drain()
                sent[0] += MIB

        sending = asyncio.create_task(upload())
        seen = -1
        while sent[0] != seen:
            seen = sent[0]
            for _ in range(2_000):
                await asyncio.sleep(0)
        assert sent[0] < size // 2
        go_on.set()
        got, _ = await read(reader, b"PUT")
        await sending
        assert (got.status, got.body) == (200, b"old")
        assert len(old.seen[0].body) == size
        writer.close()


@pytest.mark.real_loop
@pytest.mark.parametrize("phase", ["before the answer", "within it", "within the request"])
async def test_a_client_that_goes_ends_its_request_at_the_old_router(tmp_path: Path, phase: str) -> None:
    """At once: the connection there is closed, and nothing is left behind."""
    gone, reached = asyncio.Event(), asyncio.Event()

    async def script(asked: Asked, talk: Talk) -> Says:
        if phase == "within it":
            talk.writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        reached.set()
        await talk.reader.read()
        gone.set()
        return Says([], closes=True)

    async with old_router(script) as old, brought_in(tmp_path, old.url) as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        if phase == "within the request":
            writer.write(b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n" + b"x" * 200_000)
            await both.until(lambda: old.connections)
        else:
            writer.write(request(b"POST", b"/v1/chat/completions", body=b"{}"))
            await reached.wait()
            if phase == "within it":
                await reader.readuntil(b"abc\r\n")
        writer.transport.abort()
        await both.until(lambda: old.lost)
        assert gone.is_set() == (phase != "within the request")
        assert not both.of(LegacyAnswered)


@pytest.mark.real_loop
@pytest.mark.parametrize("is_asked_again", [False, True])
async def test_what_the_old_router_has_in_hand_may_end_when_we_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_asked_again: bool
) -> None:
    """As long as a message of ours might; asked to stop again, it is cut off at once."""
    monkeypatch.setattr(serving, "LAST_ANSWERS_S", 0.0)
    may_answer = asyncio.Event()

    async def script(asked: Asked, talk: Talk) -> Says:
        await may_answer.wait()
        return plain()

    async with old_router(script) as old, brought_in(tmp_path, old.url) as both:
        sender = asyncio.create_task(ask(both, request(b"POST", b"/v1/chat/completions", body=b"{}")))
        await both.until(lambda: old.seen)
        both.service.ask_to_stop()
        stopping = asyncio.create_task(both.service.stop(30.0))
        listening = both.service._socket
        assert listening is not None
        await both.until(lambda: listening.fileno() < 0)
        if is_asked_again:
            both.service.ask_to_stop()
        else:
            may_answer.set()
        got = await sender
        assert (await stopping, got.status) == ((False, 0) if is_asked_again else (True, 200))
        may_answer.set()


@pytest.mark.real_loop
async def test_a_client_that_stalls_within_its_body_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot hold a connection to the old router for ever."""
    monkeypatch.setattr(legacy, "STALLED_S", 0.1)
    async with old_router(always) as old, brought_in(tmp_path, old.url) as both:
        data = b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n"
        got = await ask(both, data)
        assert (got.status, json.loads(got.body)["code"]) == (408, "receive_timeout")
        await both.until(lambda: old.lost)


@pytest.mark.real_loop
async def test_what_the_old_router_says_to_an_expectation_is_what_the_client_hears(tmp_path: Path) -> None:
    """Where it refuses, the client is not asked for the body; where it agrees, it is."""
    head = b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n"
    async with old_router(always) as old, brought_in(tmp_path, old.url) as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        writer.write(head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        got, _ = await read(reader, b"POST")
        assert (got.status, old.seen[0].body) == (200, b"abc")
        writer.close()
        old.refuses_expectations = True
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        writer.write(head)
        assert (await reader.readline()) == b"HTTP/1.1 417 Expectation Failed\r\n"
        writer.close()


@pytest.mark.real_loop
async def test_requests_one_behind_the_other_are_answered_in_their_order(tmp_path: Path) -> None:
    """Pipelined ones, of both routers."""

    async def script(asked: Asked, talk: Talk) -> Says:
        return plain(asked.target)

    async with old_router(script) as old, brought_in(tmp_path, old.url) as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
        writer.write(request(b"GET", b"/1") + request(b"GET", b"/livez") + request(b"GET", b"/2"))
        bodies = []
        for _ in range(3):
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            bodies.append(await reader.readexactly(size))
        assert (bodies[0], bodies[2]) == (b"/1", b"/2")
        assert b"live" in bodies[1]
        writer.close()


@pytest.mark.real_loop
async def test_the_target_of_a_whole_url_is_its_path(tmp_path: Path) -> None:
    """The old router is no proxy."""
    async with old_router(always) as old, brought_in(tmp_path, old.url) as both:
        for url, target in ((b"http://x/a?b", b"/a?b"), (b"HTTP://x", b"/"), (b"http://x?q", b"/?q")):
            await ask(both, request(b"GET", url, host=b"x"), b"GET")
            assert old.seen[-1].target == target
