"""The workers that the conformance suite talks to, one per transport: real sockets, a real process, real threads."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pointsman.ports import Attempt, Transport
from pointsman.testing.attempts import RecordingSink
from pointsman.transports.callable import CallableTransport, MessageFault, WorkerBusy
from pointsman.transports.http import HttpTransport
from pointsman.transports.model_transport import ModelTransport
from pointsman.transports.subprocess import SubprocessTransport
from tests.transports.raw_server import Talk, serve, turn_until

SLOTS = 32
PYTHON = os.path.realpath(sys.executable)


class Tally:
    """Counts, and lets a test wait for a count."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = asyncio.Event()

    def add(self, _: object = None) -> None:
        self._count += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def reach(self, count: int) -> None:
        while self._count < count:
            await self._changed.wait()


STREAMS = frozenset({"stream", "stream_cut", "stream_break", "stream_error", "stream_hang"})
"""Deeds of those who can stream."""


class NativePeer:
    """What the peers share: messages go as they are, replies come as values."""

    def __init__(self) -> None:
        self.came = Tally()
        self.left = Tally()

    def dress(self, attempt: Attempt) -> None:
        pass

    def reply(self, sink: RecordingSink) -> Any:
        return sink.value

    async def seen(self, count: int) -> None:
        await self.came.reach(count)

    async def freed(self, count: int) -> None:
        await self.left.reach(count)

    async def go_away(self) -> None:
        raise AssertionError("this worker cannot go away")

    async def come_back(self) -> None:
        raise AssertionError("this worker cannot go away")

    def shown(self, sink: RecordingSink) -> str:
        return sink.body.decode()

    async def go_on(self) -> None:
        raise AssertionError("this worker does not stream")


class HttpPeer(NativePeer):
    """A JSON webhook."""

    cannot = STREAMS
    garbage = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>"
    _transport: HttpTransport | ModelTransport

    def __init__(self) -> None:
        super().__init__()
        self._servers = AsyncExitStack()
        self._met = Tally()
        self._port = 0

    @property
    def transport(self) -> Transport:
        return self._transport

    @classmethod
    @asynccontextmanager
    async def make(cls) -> AsyncIterator[HttpPeer]:
        peer = cls()
        await peer.come_back()
        peer._transport = peer.connect(f"http://127.0.0.1:{peer._port}")
        async with peer._servers:
            yield peer

    def connect(self, url: str) -> HttpTransport | ModelTransport:
        return HttpTransport(url, max_in_flight=SLOTS)

    async def come_back(self) -> None:
        server = await self._servers.enter_async_context(serve(self._talk, port=self._port))
        self._port = server.port

    async def go_away(self) -> None:
        await self._servers.aclose()
        client = self._transport._link._client
        assert client is not None
        await turn_until(lambda: not client.open_connections)

    def asked(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return body["text"], body["params"]

    def text(self, text: str) -> Any:
        return {"text": text}

    def explained(self, words: str) -> Any:
        return {"detail": words}

    async def _talk(self, talk: Talk) -> None:
        while True:
            body = (await talk.request()).json
            text, params = self.asked(body)
            self.came.add()
            await self._do(talk, params.get("do", "text"), params.get("say", text), params)

    async def _do(self, talk: Talk, do: str, say: str, params: dict[str, Any]) -> None:
        match do:
            case "meet":
                self._met.add()
                await self._met.reach(params["count"])
                self._answer(talk, self.text(say))
            case "text":
                self._answer(talk, self.text(say))
            case "json":
                self._answer(talk, params["value"])
            case "error":
                self._answer(talk, self.explained(say), "500 Internal Server Error")
            case "fault":
                self._answer(talk, self.explained(say), "422 Unprocessable Content")
            case "busy":
                talk.answer(b"", "503 Service Unavailable", "retry-after: 7")
            case "garbage":
                talk.send(self.garbage)
            case "cut":
                talk.send(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"text": "cut')
                talk.close()
            case "silent" | "late":
                await talk.closed()
                self.left.add()
                self._answer(talk, self.text(say))

    def _answer(self, talk: Talk, value: Any, status: str = "200 OK") -> None:
        talk.answer(json.dumps(value).encode(), status, "content-type: application/json")


class SubprocessPeer(NativePeer):
    """A child process that reports over a socket of its own what it was given. Its program is `child_worker.py`."""

    cannot = STREAMS
    _transport: SubprocessTransport

    def __init__(self, program: Path) -> None:
        super().__init__()
        self._program = program

    @property
    def transport(self) -> SubprocessTransport:
        return self._transport

    @classmethod
    @asynccontextmanager
    async def make(cls) -> AsyncIterator[SubprocessPeer]:
        with TemporaryDirectory() as folder:
            peer = cls(Path(folder) / "worker")
            async with serve(peer._hear) as server:
                script = str(Path(__file__).with_name("child_worker.py"))
                command = [str(peer._program), "-I", "-S", script, str(server.port)]
                peer._transport = SubprocessTransport(command, max_in_flight=SLOTS, grace_s=5.0)
                await peer.come_back()
                yield peer

    async def _hear(self, talk: Talk) -> None:
        while await talk.line():
            self.came.add()

    async def freed(self, count: int) -> None:
        """The child is told nothing; it is the transport that forgets."""
        assert self._transport.describe()["in_hand"] == 0

    async def come_back(self) -> None:
        self._program.symlink_to(PYTHON)
        self._transport._not_before = 0.0  # the pause is over

    async def go_away(self) -> None:
        self._program.unlink()
        os.kill(self._transport.describe()["pid"], signal.SIGKILL)
        await turn_until(lambda: self._transport.describe()["pid"] is None)


class CallablePeer(NativePeer):
    """An async function."""

    cannot = frozenset({"cut", "away", "closing"}) | STREAMS

    def __init__(self) -> None:
        super().__init__()
        self._met = Tally()
        self._transport = CallableTransport(self.work, max_in_flight=SLOTS)

    @property
    def transport(self) -> Transport:
        return self._transport

    @classmethod
    @asynccontextmanager
    async def make(cls) -> AsyncIterator[CallablePeer]:
        yield cls()

    async def work(self, work: dict[str, Any]) -> Any:
        params = work["params"]
        self.came.add()
        match params["do"]:
            case "meet":
                self._met.add()
                await self._met.reach(params["count"])
            case "silent" | "late":
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    self.left.add()
        return act(work)


def act(work: dict[str, Any]) -> Any:
    """Do what needs no waiting."""
    params = work["params"]
    say = params.get("say", work["text"])
    match params["do"]:
        case "json":
            return params["value"]
        case "error":
            raise OSError(say)
        case "fault":
            raise MessageFault(say)
        case "busy":
            raise WorkerBusy(7)
        case "garbage":
            return {"lock": threading.Lock()}
    return say


class ThreadPeer(NativePeer):
    """A plain function, called in threads."""

    cannot = frozenset({"cut", "away", "closing"}) | STREAMS

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._given_up = threading.Event()
        self._meeting = threading.Barrier(SLOTS)
        self._transport = CallableTransport(self.work, max_in_flight=SLOTS)

    @property
    def transport(self) -> Transport:
        return self._transport

    @classmethod
    @asynccontextmanager
    async def make(cls) -> AsyncIterator[ThreadPeer]:
        peer = cls()
        try:
            yield peer
        finally:
            peer._given_up.set()

    def work(self, work: dict[str, Any]) -> Any:
        self._tell(self.came.add)
        match work["params"]["do"]:
            case "meet":
                assert work["params"]["count"] == SLOTS
                self._meeting.wait()
            case "silent" | "late":
                self._given_up.wait()
                self._tell(self.left.add)
        return act(work)

    def _tell(self, add: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(add)

    async def freed(self, count: int) -> None:
        """A thread is free when its function returns."""
        self._given_up.set()
        await super().freed(count)
        self._given_up.clear()
