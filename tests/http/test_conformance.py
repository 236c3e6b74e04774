"""The same application under our own server and, through `AsgiChannel`, under uvicorn: clients see the same answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
import uvloop

from pointsman.http.channel import AnswerCut, AsgiChannel, Channel
from pointsman.http.server import HttpServer, bind
from pointsman.model.settings import ServerSettings
from tests.http.line import Script, length, mirror, read_answers, take

LARGE = bytes(range(256)) * 8_000


async def respond(channel: Channel, status: int, body: bytes) -> None:
    """Give a whole answer."""
    await channel.respond(status, [(b"x-a", b"b"), length(body)], body)


async def stream(channel: Channel) -> None:
    """Give an answer in pieces, a large one among them."""
    await channel.start(200, [(b"x-a", b"b")])
    for chunk in (b"one", LARGE, b"three"):
        await channel.write(chunk)
    await channel.end()


async def stream_nothing(channel: Channel) -> None:
    """Give an answer in no pieces."""
    await channel.start(200, [])
    await channel.end()


async def break_off(channel: Channel) -> None:
    """Give a part of an answer."""
    await channel.start(200, [])
    await channel.write(b"one")
    channel.abort()


async def fail(channel: Channel) -> None:
    """Raise what nobody expects."""
    raise ZeroDivisionError


async def piecemeal(channel: Channel) -> None:
    """Receive a body and answer with its size."""
    body = await take(channel)
    await respond(channel, 200, b"%d" % len(body))


PATHS = {
    "/stream": stream,
    "/nothing": stream_nothing,
    "/cut": break_off,
    "/fail": fail,
    "/size": piecemeal,
    "/large": lambda channel: respond(channel, 200, LARGE),
    "/none": lambda channel: respond(channel, 204, b""),
    "/same": lambda channel: respond(channel, 304, b""),
    "/early": lambda channel: respond(channel, 403, b"no"),
}


def app() -> Script:
    """Return an application with a way of answering for each path."""
    return Script(lambda channel: PATHS.get(channel.path, mirror)(channel))


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """The same as an ASGI application."""
    channel = AsgiChannel(scope, receive, send)
    await app().serve(channel)
    if channel.aborted:
        raise AnswerCut


class Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers, and with word when it accepts."""

    def __init__(self, accepts: asyncio.Event) -> None:
        quiet = uvicorn.Config(asgi, lifespan="off", log_config=None, server_header=False, http="httptools", ws="none")
        super().__init__(quiet)
        self._accepts = accepts

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    def stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._accepts.set()


@contextlib.asynccontextmanager
async def served(server: str) -> AsyncIterator[int]:
    """Run a server; yields its port."""
    listening, accepts = bind("127.0.0.1:0"), asyncio.Event()
    port = listening.getsockname()[1]
    if server == "uvicorn":
        peer = Uvicorn(accepts)
        serving, stop = asyncio.create_task(peer.serve([listening])), peer.stop
    else:
        own = HttpServer(app(), ServerSettings(), [listening])
        serving, stop = asyncio.create_task(own.run(accepts.set)), own.begin_stop
    await accepts.wait()
    try:
        yield port
    finally:
        stop()
        await serving


def request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """Return a request."""
    return b"\r\n".join([line + b" HTTP/1.1", b"host: x", *headers, b"", body])


def post(path: bytes, body: bytes, *headers: bytes) -> bytes:
    """Return a request with a body."""
    return request(b"POST " + path, b"content-length: %d" % len(body), *headers, body=body)


END = request(b"GET /end", b"connection: close")
OLD = b"GET /%b HTTP/1.0\r\nhost: x\r\n\r\n"
CHUNKED = request(b"POST /b", b"transfer-encoding: chunked")

# What is sent, and what comes back: status and body of each answer.
CASES: dict[str, tuple[list[bytes], list[tuple[int, bytes]]]] = {
    "one after the other": (
        [request(b"GET /a?b=%20"), post(b"/c", b"def"), END],
        [(200, b"GET /a b=%20 "), (200, b"POST /c  def")],
    ),
    "all at once": ([request(b"GET /a") * 3 + END], [(200, b"GET /a  ")] * 3),
    "byte by byte": ([bytes([byte]) for byte in post(b"/c", b"def") + END], [(200, b"POST /c  def")]),
    "escaped path": ([request(b"GET /%C3%A9%20%2F"), END], [(200, "GET /é /  ".encode())]),
    "chunks": ([CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\nx: y\r\n\r\n", END], [(200, b"POST /b  abc")]),
    "large body": ([post(b"/size", LARGE), END], [(200, b"%d" % len(LARGE))]),
    "large body in chunks": (
        [CHUNKED.replace(b"/b", b"/size") + b"%x\r\n" % len(LARGE) + LARGE + b"\r\n0\r\n\r\n", END],
        [(200, b"%d" % len(LARGE))],
    ),
    "large answer": ([request(b"GET /large"), END], [(200, LARGE)]),
    "pieces": ([request(b"GET /stream"), END], [(200, b"one" + LARGE + b"three")]),
    "no pieces": ([request(b"GET /nothing"), END], [(200, b"")]),
    "HEAD": ([request(b"HEAD /a"), request(b"HEAD /stream"), END], [(200, b""), (200, b"")]),
    "204 and 304": ([request(b"GET /none"), request(b"GET /same"), END], [(204, b""), (304, b"")]),
    "HTTP/1.0": ([OLD % b"a"], [(200, b"GET /a  ")]),
    "HTTP/1.0, large": ([OLD % b"large"], [(200, LARGE)]),
    "expectation": (
        [request(b"POST /size", b"content-length: 1", b"expect: 100-continue"), b"a", END],
        [(200, b"1")],
    ),
    "answer before the body": ([post(b"/early", LARGE), END], [(403, b"no")]),
    "broken off": ([request(b"GET /cut")], [(200, b"one")]),
    "no HTTP": ([b"hello\r\n\r\n"], [(400, b"")]),
    "bad header": ([b"GET / HTTP/1.1\r\nhost : x\r\n\r\n"], [(400, b"")]),
    "two lengths": ([request(b"POST /a", b"content-length: 1", b"content-length: 2")], [(400, b"")]),
    "length and chunks": ([request(b"POST /a", b"content-length: 1", b"transfer-encoding: chunked")], [(400, b"")]),
    "fault": ([request(b"GET /fail", b"connection: close")], [(500, b"")]),
}
"""A refusal's body is each server's own."""

OWN_CASES: dict[str, tuple[list[bytes], list[tuple[int, bytes]]]] = {
    "upgrade": ([request(b"GET /a", b"connection: upgrade", b"upgrade: x"), END], [(200, b"GET /a  ")]),
    "upgrade with a body": (
        [post(b"/c", b"def", b"connection: upgrade", b"upgrade: h2c"), END],
        [(200, b"POST /c  def")],
    ),
    "HTTP/1.0, pieces": ([OLD % b"stream"], [(200, b"one" + LARGE + b"three")]),
    "no Host": ([b"GET / HTTP/1.1\r\n\r\n"], [(400, b"")]),
    "two Hosts": ([request(b"GET /", b"host: x")], [(400, b"")]),
    "other coding": ([request(b"POST /", b"transfer-encoding: gzip, chunked")], [(400, b"")]),
    "no UTF-8 in the path": ([request(b"GET /%FF")], [(400, b"")]),
}
"""Where uvicorn does otherwise: it loses what comes behind an upgrade, sends chunks to HTTP/1.0, and takes the rest."""


async def talk(port: int, pieces: list[bytes]) -> list[tuple[int, bytes]]:
    """Send bytes, each once the ones before are on their way, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.create_task(reader.read())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.0)
    answers = read_answers(await reading, bare=b"".join(pieces).count(b"HEAD"))
    writer.close()
    found = [answer for answer in answers if answer.status != 100]  # whether there is one depends on who is faster
    return [(answer.status, b"" if answer.status in {400, 500} else answer.body) for answer in found]


@pytest.mark.parametrize(("server", "loop"), [("own", "asyncio"), ("own", "uvloop"), ("uvicorn", "asyncio")])
def test_clients_see_the_same_answers(server: str, loop: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever serves, and in both event loops."""
    caplog.set_level(logging.CRITICAL)
    cases = CASES if server == "uvicorn" else {**CASES, **OWN_CASES}
    end = (200, b"GET /end  ")
    expected = {name: answers + [end] * (END in b"".join(sent)) for name, (sent, answers) in cases.items()}

    async def run() -> dict[str, list[tuple[int, bytes]]]:
        async with served(server) as port:
            return {name: await asyncio.wait_for(talk(port, sent), 20.0) for name, (sent, _) in cases.items()}

    found = (uvloop.run if loop == "uvloop" else asyncio.run)(run())
    assert found == expected
