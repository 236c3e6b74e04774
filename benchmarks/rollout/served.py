"""A router in a process of its own, and a client for it that knows as much of HTTP as it must."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Address = tuple[str, int]


@contextlib.contextmanager
def served(folder: Path, settings: str) -> Iterator[tuple[int, Address]]:
    """Run a router by these settings, whose files lie in `folder`; gives its process id and where it listens."""
    path = folder / "pointsman.toml"
    path.write_text(settings)
    command = [sys.executable, "-m", "pointsman", "serve", "--config", str(path)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "http://127.0.0.1" in line:
                    host, _, at = line.split("http://")[1].split()[0].strip("/.,").partition(":")
                    break
            else:
                raise RuntimeError(f"the router did not start: {(folder / 'log').read_text()}")
            yield process.pid, (host, int(at))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            process.stdout.close()


def head(method: str, path: str, length: int, *lines: str) -> bytes:
    """Return the head of a request with a JSON body of `length` bytes."""
    known = (
        f"{method} {path} HTTP/1.1",
        "host: localhost",
        "content-type: application/json",
        f"content-length: {length}",
    )
    return "\r\n".join((*known, *lines, "", "")).encode()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    """Send a request and return status and body of its answer, which must have a length."""
    writer.write(request)
    answer = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
    return int(answer[9:12]), body


async def ask(address: Address, method: str, path: str, value: dict[str, Any] | None = None) -> Any:
    """Ask once, on a connection of its own. Raises RuntimeError where the answer is not 200."""
    reader, writer = await asyncio.open_connection(*address)
    body = b"" if value is None else json.dumps(value).encode()
    try:
        status, answer = await exchange(reader, writer, head(method, path, len(body)) + body)
    finally:
        writer.close()
    if status != 200:
        raise RuntimeError(answer.decode())
    return json.loads(answer)
