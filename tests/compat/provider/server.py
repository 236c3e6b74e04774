"""A provider of models on a loopback port: an asyncio server in a thread of its own, which does what the test says.

    with Provider() as provider:
        provider.play(Plan(status=429), Plan(...))   # the next requests, in this order
        ...                                          # all others are answered by `answers.answer`
        provider.seen[0].body                        # what came, to the byte

It speaks HTTP/1.1 by hand, because the tests are about bytes: heads are kept as they came, bodies are read by
content-length or chunks, and a client that goes away is seen at once, also in the middle of an answer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from types import TracebackType
from typing import Any, Self, cast

from tests.compat.provider.plan import PHRASES, Cut, Gate, Pause, Plan
from tests.compat.provider.prompt_cache import PromptCache

PATIENCE_S = 10.0
"""Longest wait of a test for something that must happen at once."""


class Late(AssertionError):
    """Something that must happen did not."""


@dataclass
class Seen:
    """One request, as it came.

    Attributes:
        head: from the first byte of the request line to the empty line.
        body: without its framing.
        connection: number of the connection it came on, from 0.
    """

    head: bytes
    body: bytes
    connection: int
    _ended: threading.Event = field(default_factory=threading.Event)
    _left: bool = False

    @property
    def line(self) -> str:
        """Method, target and version."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def target(self) -> str:
        """Path and query."""
        return self.line.split(" ")[1]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Header lines in their order, names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        pairs = [line.partition(":") for line in lines]
        return [(name.lower(), value.strip()) for name, _, value in pairs]

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        return next((value for known, value in self.fields if known == name), None)

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)

    def left_early(self) -> bool:
        """Wait for the end of the answer; whether the client went away before it had all of it."""
        if not self._ended.wait(PATIENCE_S):
            raise Late(f"{self.line}: the answer is still under way, and its client still there")
        return self._left

    def end(self, left: bool) -> None:
        """The answer is over."""
        self._left = left
        self._ended.set()


class Provider:
    """A server that answers by plan and remembers what it was sent."""

    def __init__(self, answer: Callable[[Provider, Seen], Plan] | None = None) -> None:
        self.prompts = PromptCache()
        self.seen: list[Seen] = []
        self.port = 0
        self._answer = answer
        self._plans: deque[Plan] = deque()
        self._always: Plan | None = None
        self._changed = threading.Condition()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="provider", daemon=True)
        self._started: Future[int] = Future()
        self._lines: set[_Line] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = self._started.result(PATIENCE_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop, stop = cast(asyncio.AbstractEventLoop, self._loop), cast(asyncio.Event, self._stop)
        loop.call_soon_threadsafe(stop.set)
        self._thread.join(PATIENCE_S)

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def play(self, *plans: Plan) -> None:
        """Answer the next requests so, one after the other."""
        self._plans.extend(plans)

    def always(self, plan: Plan | None) -> None:
        """Answer every request so for which there is no plan; None: as the real one would."""
        self._always = plan

    def reset(self) -> None:
        """Forget plans, requests and prompts."""
        self._plans.clear()
        self._always = None
        self.seen.clear()
        self.prompts.forget()

    def wait_for(self, count: int) -> list[Seen]:
        """Wait until so many requests have come, and return them."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.seen) >= count, PATIENCE_S):
                raise Late(f"{len(self.seen)} requests came, expected {count}")
            return list(self.seen)

    @property
    def open_connections(self) -> int:
        """Connections that clients keep."""
        return len(self._lines)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(lambda: _Line(self), "127.0.0.1", 0)
        self._started.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        talks = [line.abandon() for line in list(self._lines)]
        await asyncio.gather(*talks, return_exceptions=True)

    def next_number(self) -> int:
        """Return the number of a new connection."""
        return next(self._numbers)

    def take(self, seen: Seen) -> Plan:
        """Write a request down and return how it is answered."""
        with self._changed:
            self.seen.append(seen)
            self._changed.notify_all()
        if self._plans:
            return self._plans.popleft()
        if self._always is not None:
            return self._always
        if self._answer is None:
            return Plan(status=404)
        return self._answer(self, seen)


class _Gone(Exception):
    """The client has closed the connection."""


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._number = provider.next_number()
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._provider._lines.add(self)
        self._task = asyncio.get_running_loop().create_task(self._talk())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._news.set()

    def eof_received(self) -> None:
        self._lose()

    def connection_lost(self, error: Exception | None) -> None:
        self._lose()
        self._provider._lines.discard(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _lose(self) -> None:
        self._gone.set()
        self._news.set()
        self._writable.set()

    def abandon(self) -> asyncio.Task[None]:
        """Close, whatever is under way."""
        self._transport.abort()
        self._task.cancel()
        return self._task

    async def _talk(self) -> None:
        try:
            while await self._answer_one():
                pass
        except _Gone:
            pass
        finally:
            self._transport.close()

    async def _answer_one(self) -> bool:
        """Answer a request; whether another may come."""
        head = bytes(await self._until(b"\r\n\r\n"))
        seen = Seen(head, b"", self._number)
        if (seen.header("expect") or "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        seen.body = await self._read_body(seen)
        plan = self._provider.take(seen)
        playing = asyncio.create_task(self._play(plan))
        leaving = asyncio.create_task(self._gone.wait())
        try:
            await asyncio.wait([playing, leaving], return_when=asyncio.FIRST_COMPLETED)
            return playing.done() and playing.result()
        finally:
            seen.end(left=not playing.done())
            playing.cancel()
            leaving.cancel()
            await asyncio.gather(playing, leaving, return_exceptions=True)

    async def _read_body(self, seen: Seen) -> bytes:
        if "chunked" not in (seen.header("transfer-encoding") or ""):
            return bytes(await self._exactly(int(seen.header("content-length") or 0)))
        body = bytearray()
        while size := int((await self._until(b"\r\n")).split(b";")[0], 16):
            body += (await self._exactly(size + 2))[:-2]
        while len(await self._until(b"\r\n")) > 2:
            pass
        return bytes(body)

    async def _play(self, plan: Plan) -> bool:
        """Write an answer; whether the connection is kept."""
        if plan.before is not None and not await self._between(plan.before):
            return False
        self._transport.write(plan.interim + _head(plan))
        bodyless = plan.status in {204, 304}
        for piece in plan.pieces:
            if not isinstance(piece, bytes):
                if not await self._between(piece):
                    return False
                continue
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if plan.framing == "chunked" else piece
            self._transport.write(framed)
            await self._writable.wait()
            await asyncio.sleep(0)
        if plan.framing == "chunked" and not bodyless:
            lines = "".join(f"{name}: {value}\r\n" for name, value in plan.trailers)
            self._transport.write(b"0\r\n" + lines.encode("latin-1") + b"\r\n")
        await self._writable.wait()
        return plan.framing != "close" and not plan.closes

    async def _between(self, piece: Gate | Pause | Cut) -> bool:
        """Do what stands between two pieces; whether the answer goes on."""
        if isinstance(piece, Gate):
            await piece.passed()
        elif isinstance(piece, Pause):
            await asyncio.sleep(piece.seconds)
        elif piece is Cut.RST:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
            self._transport.abort()
        return not isinstance(piece, Cut)

    async def _until(self, marker: bytes) -> bytearray:
        while (at := self._buffer.find(marker)) < 0:
            await self._more()
        return self._cut(at + len(marker))

    async def _exactly(self, size: int) -> bytearray:
        while len(self._buffer) < size:
            await self._more()
        return self._cut(size)

    async def _more(self) -> None:
        if self._gone.is_set():
            raise _Gone
        self._news.clear()
        await self._news.wait()

    def _cut(self, size: int) -> bytearray:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def _head(plan: Plan) -> bytes:
    fields = list(plan.headers)
    if plan.framing == "chunked":
        fields.append(("transfer-encoding", "chunked"))
    elif plan.framing == "length" and plan.status not in {204, 304}:
        fields.append(("content-length", str(len(plan.body) if plan.declared is None else plan.declared)))
    if plan.framing == "close" or plan.closes:
        fields.append(("connection", "close"))
    lines = [
        f"HTTP/1.1 {plan.status} {PHRASES.get(plan.status, 'Unnamed')}",
        *(f"{name}: {value}" for name, value in fields),
    ]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")
