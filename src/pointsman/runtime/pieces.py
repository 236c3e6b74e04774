"""An answer as its words come, for a caller in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from pointsman.model.errors import DeliveryError, RefusedError
from pointsman.model.outcome import Refused
from pointsman.model.result import Result
from pointsman.runtime.replies import BufferSink, StreamSink
from pointsman.runtime.tasks import Tasks


class _Words:
    """Hands words from the worker to the caller, one piece at a time; implements `runtime.replies.Outlet`."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str | None] = asyncio.Queue(1)
        self.any = False

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Words follow."""

    async def write(self, chunk: bytes) -> None:
        """Wait until the caller has taken what came before, then hand this over."""
        self.any = True
        await self.queue.put(chunk.decode("utf-8", "replace"))

    def write_now(self, chunk: bytes) -> bool:
        """Leave it to `write`."""
        return False


async def words(send: Callable[[BufferSink], Awaitable[Result | Refused]], tasks: Tasks) -> AsyncGenerator[str, None]:
    """Give out the text of an answer as it comes; of a worker that answers whole, in one piece.

    A caller that stops early cancels the message.

    Args:
        send: sends the message with the sink it is given, and returns its end.
        tasks: starts what sends.

    Raises:
        RefusedError: it was not accepted.
        DeliveryError: it ended otherwise than delivered, perhaps after some words.
    """
    outlet = _Words()
    ends: list[Result | Refused] = []

    async def run() -> None:
        ends.append(await send(StreamSink(outlet)))
        await outlet.queue.put(None)

    task = tasks.spawn(run(), "streamed message")
    try:
        while (piece := await outlet.queue.get()) is not None:
            yield piece
    finally:
        task.cancel()
    (end,) = ends
    if isinstance(end, Refused):
        raise RefusedError(end)
    if not end.delivered:
        raise DeliveryError(end.id, end.status, end.detail)
    if not outlet.any and end.reply is not None:
        yield end.reply.text
