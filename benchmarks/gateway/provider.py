"""The mock provider: answers what a request's mark asks for, and remembers what it sent and when it was hung up on."""

from __future__ import annotations

import asyncio
import socket
import struct
from time import perf_counter
from typing import Final, cast

import httptools

from benchmarks.gateway import payloads
from benchmarks.gateway.metronome import Metronome
from benchmarks.gateway.payloads import CHUNKS, CUT_AFTER, PACE_S, Act

_PLAIN_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\ncontent-length: %d\r\n\r\n"
    % payloads.REPLY_BYTES
)
_STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req_bench\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_END: Final = b"0\r\n\r\n"
_RESET: Final = struct.pack("ii", 1, 0)


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Provider:
    """Listens on two ports and plays a model.

    Attributes:
        ports: where it listens; on the second it is never silent.
        sent: when each chunk of a paced or burst stream was sent, by request.
        plain: plain requests answered.
    """

    def __init__(self, metronome: Metronome) -> None:
        self.metronome = metronome
        self.ports: list[int] = []
        self.sent: dict[int, list[float]] = {}
        self.plain = 0
        self._servers: list[asyncio.Server] = []
        self._seen: dict[int, float] = {}
        self._closed: dict[int, float] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def open(self) -> None:
        """Listen on two free ports of loopback."""
        loop = asyncio.get_running_loop()
        for position in range(2):
            may_be_silent = position == 0
            server = await loop.create_server(
                lambda silent=may_be_silent: _Answering(self, silent),  # type: ignore[misc]
                "127.0.0.1",
                0,
                backlog=1024,
            )
            self._servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    def forget(self) -> None:
        """Forget what was sent, seen and closed."""
        self.sent.clear()
        self._seen.clear()
        self._closed.clear()

    async def seen_at(self, number: int, timeout_s: float) -> float | None:
        """Wait until a request that is not plain has come; None = it did not in time."""
        return await self._wait(number, self._seen, timeout_s)

    async def closed_at(self, number: int, timeout_s: float) -> float | None:
        """Wait until the connection of an unfinished request was closed from outside; None = it was not in time."""
        return await self._wait(number, self._closed, timeout_s)

    async def _wait(self, number: int, table: dict[int, float], timeout_s: float) -> float | None:
        if number not in table:
            waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
            try:
                await asyncio.wait_for(waiting, timeout_s)
            except TimeoutError:
                return None
            finally:
                self._waiting.pop(number, None)
        return table.get(number)

    def note_seen(self, number: int) -> None:
        """Remember that a request has come; the first time counts."""
        self._note(number, self._seen)

    def note_closed(self, number: int) -> None:
        """Remember that a request's connection was closed from outside."""
        self._note(number, self._closed)

    def _note(self, number: int, table: dict[int, float]) -> None:
        table.setdefault(number, perf_counter())
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


class _Answering(asyncio.Protocol):
    """One connection of a gateway to the provider."""

    def __init__(self, provider: Provider, may_be_silent: bool) -> None:
        self._provider = provider
        self._may_be_silent = may_be_silent
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._open: int | None = None
        self._gone = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        if self._open is not None:
            self._provider.note_closed(self._open)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_body(self, data: bytes) -> None:
        """Take a piece of a request's body; called by the parser."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Answer a request; called by the parser."""
        body = b"".join(self._body)
        self._body.clear()
        act, number = payloads.read_mark(body)
        if act is Act.PLAIN:
            self._provider.plain += 1
            self.transport.write(_PLAIN_HEAD + payloads.reply(number))
            return
        self._open = number
        self._provider.note_seen(number)
        if act is Act.HOLD or (act is Act.SILENT and self._may_be_silent):
            return
        self.transport.write(_STREAM_HEAD)
        if act is Act.HEAD_ONLY or (act is Act.SILENT_HEAD and self._may_be_silent):
            return
        if act is Act.BURST:
            self._send_at_once(number)
        else:
            self._pace(act, number)

    def _send_at_once(self, number: int) -> None:
        self._provider.sent[number] = [perf_counter()] * CHUNKS
        chunks = [_framed(payloads.event(number, position)) for position in range(CHUNKS)]
        self.transport.write(b"".join(chunks) + _framed(payloads.DONE) + _END)
        self._open = None

    def _pace(self, act: Act, number: int) -> None:
        last = CHUNKS if act in {Act.PACED, Act.SILENT, Act.SILENT_HEAD} else CUT_AFTER
        sent = self._provider.sent[number] = []
        began = perf_counter()

        def step() -> None:
            if self._gone:
                return
            position = len(sent)
            if position == last:
                self._finish(act, number)
                return
            sent.append(perf_counter())
            self.transport.write(_framed(payloads.event(number, position)))
            self._provider.metronome.at(began + PACE_S * (position + 1), step)

        step()

    def _finish(self, act: Act, number: int) -> None:
        if act is Act.STALL:
            return
        self._open = None
        if act is Act.CUT_CLEAN:
            self.transport.write(_END)
        elif act is Act.CUT_INSIDE:
            self.transport.write(_framed(payloads.event(number, CUT_AFTER))[:60])
            self.transport.close()
        elif act is Act.CUT_RESET:
            line: socket.socket = self.transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
        else:
            self.transport.write(_framed(payloads.DONE) + _END)
