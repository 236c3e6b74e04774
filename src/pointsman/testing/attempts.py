"""Attempts and reply sinks for tests of whatever delivers: transports, endpoint layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pointsman.ports import Attempt
from pointsman.testing import make

WORKER = "worker-1"
"""Id of the worker in every attempt."""


class RecordingSink:
    """A reply sink that keeps what it is given; implements `ports.ReplySink`."""

    def __init__(self) -> None:
        self.started = False
        self.closed_by_client = False
        self.value: Any = None
        self.status = 0
        self.headers: tuple[tuple[str, str], ...] = ()
        self.chunks: list[bytes] = []

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin an answer in bytes, from nothing."""
        self.status, self.headers, self.chunks, self.value = status, tuple(headers), [], None

    async def write(self, chunk: bytes) -> None:
        """Keep the bytes."""
        self.chunks.append(chunk)

    def write_now(self, chunk: bytes) -> bool:
        """Leave it to `write`."""
        return False

    def put(self, value: Any) -> None:
        """Keep the value."""
        self.value = value

    @property
    def body(self) -> bytes:
        """All that was written."""
        return b"".join(self.chunks)


class LiveSink(RecordingSink):
    """The same for a sender who sees a good answer as it comes, and after its first byte can be given no other."""

    async def write(self, chunk: bytes) -> None:
        """Keep the bytes, which their sender has seen."""
        await super().write(chunk)
        self.started = self.started or (self.status < 300 and bool(chunk))


def make_attempt(
    text: str = "hello",
    *,
    number: int = 1,
    attempt: int = 1,
    body: bytes | None = None,
    stream: bool = False,
    **params: Any,
) -> Attempt:
    """Return an attempt as the endpoint stack hands it to a transport.

    Args:
        text: what is asked.
        number: tells messages apart; the id is made from it.
        attempt: 1.., which hand-out of the message this is.
        body: the sender's own bytes, for a compatible protocol.
        stream: the sender wants the answer as it comes.
        params: parameters for the worker.
    """
    envelope = make.envelope(text, id=f"{number:032x}", stream=stream, params=params)
    envelope.attempt = attempt - 1
    envelope.body = body
    made = make.attempt(envelope)
    made.reply = LiveSink() if stream else RecordingSink()
    made.worker = WORKER
    return made
