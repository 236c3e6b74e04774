"""A small HTTP proxy: passes requests on, opens tunnels, asks for credentials. Names are what the test says they are.

async with run_proxy({"worker.test:443": server.port}) as proxy: ... proxy.url, proxy.asked
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


class Asked(NamedTuple):
    """A request as the proxy saw it."""

    line: str
    headers: dict[str, str]


class RunningProxy:
    """A proxy that runs; keeps what it was asked."""

    def __init__(self, names: Mapping[str, int], credentials: str | None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.port = 0
        self._names = names
        self._wanted = credentials and "Basic " + base64.b64encode(credentials.encode()).decode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        onward: Writer | None = None
        try:
            async with asyncio.TaskGroup() as pumps:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    line, *fields = head[:-4].split("\r\n")
                    headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
                    self.asked.append(Asked(line, headers))
                    method, target, version = line.split(" ")
                    if self._wanted and headers.get("proxy-authorization") != self._wanted:
                        writer.write(
                            b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n"
                            b"content-length: 4\r\n\r\nwho?"
                        )
                        return
                    url = urlsplit(f"//{target}" if method == "CONNECT" else target)
                    place = url.netloc if url.port else f"{url.netloc}:80"
                    if place not in self._names:
                        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
                        return
                    if onward is None:
                        back, onward = await asyncio.open_connection("127.0.0.1", self._names[place])
                        if method == "CONNECT":
                            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                            pumps.create_task(pump(back, writer))
                            await pump(reader, onward)
                            return
                        pumps.create_task(pump(back, writer))
                    path = f"{url.path}?{url.query}" if url.query else url.path
                    kept = [field for field in fields if not field.lower().startswith("proxy-")]
                    onward.write("\r\n".join([f"{method} {path} {version}", *kept, "", ""]).encode("latin-1"))
                    onward.write(await reader.readexactly(int(headers.get("content-length", "0"))))
        except* (asyncio.IncompleteReadError, ConnectionError):
            pass  # one of the two has gone
        finally:
            writer.close()
            if onward is not None:
                onward.close()


async def pump(source: Reader, sink: Writer) -> None:
    """Pass bytes on until there are no more."""
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
    sink.close()


@asynccontextmanager
async def run_proxy(names: Mapping[str, int], credentials: str | None = None) -> AsyncIterator[RunningProxy]:
    """Run a proxy on a free port.

    Args:
        names: which port of this machine a `host:port` is at; other places are unreachable.
        credentials: `user:password` that it wants to be shown.
    """
    proxy = RunningProxy(names, credentials)
    tasks: list[asyncio.Task[None]] = []

    def connected(reader: Reader, writer: Writer) -> None:
        tasks.append(asyncio.get_running_loop().create_task(proxy.serve(reader, writer)))

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
