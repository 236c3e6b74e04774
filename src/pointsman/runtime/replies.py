"""Callers that wait, the sinks that workers write into, and replies that came too late for their caller.

A sender who waits on the connection is its message's durability; one who stopped waiting (`wait_s` over) can fetch the
reply by id for a while, within a bound on count and bytes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

from pointsman.model.outcome import Reply
from pointsman.model.result import Result


class BufferSink:
    """Collects one answer; implements `ports.ReplySink` for senders that want it whole."""

    __slots__ = ("_chunks", "_headers", "_status", "_value", "closed_by_client", "started")

    def __init__(self) -> None:
        self.started = False
        self.closed_by_client = False
        self._value: Any = None
        self._chunks: list[bytes] | None = None
        self._status = 200
        self._headers: tuple[tuple[str, str], ...] = ()

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin an answer in bytes; what an earlier attempt left is thrown away."""
        self._status = status
        self._headers = tuple(headers)
        self._chunks = []
        self._value = None

    async def write(self, chunk: bytes) -> None:
        """Add bytes; memory is the only limit here, transports bound what they relay."""
        if self._chunks is None:
            self._chunks = []
        self._chunks.append(chunk)

    def write_now(self, chunk: bytes) -> bool:
        """Leave it to `write`."""
        return False

    def put(self, value: Any) -> None:
        """Take the whole answer as a value."""
        self._value = value
        self._chunks = None

    def reply(self) -> Reply | None:
        """Return the answer, or None if there was none."""
        if self._chunks is not None:
            return Reply(body=b"".join(self._chunks), status=self._status, headers=self._headers)
        return None if self._value is None else Reply(value=self._value)


class Outlet(Protocol):
    """The sender's end of a stream: what a `StreamSink` writes to."""

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """The answer begins; called once, right before the first bytes."""
        ...

    async def write(self, chunk: bytes) -> None:
        """A part of it; waits while the sender is slower than the worker."""
        ...

    def write_now(self, chunk: bytes) -> bool:
        """The same if it takes no waiting; where it would, do nothing and return False."""
        ...


class StreamSink(BufferSink):
    """Gives one answer to its sender piece by piece; implements `ports.ReplySink`.

    Nothing is shown before the first bytes of a good answer have come, so that until then another worker may answer. An
    answer of status 300 or more, and a value, are kept for the end.
    """

    __slots__ = ("_live", "_outlet")

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._live = False
        self._outlet = outlet

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin an answer; what an earlier attempt left is thrown away."""
        super().start(status, headers)
        self._live = status < 300

    async def write(self, chunk: bytes) -> None:
        """Show bytes, after the head if these are the first."""
        if self.started:
            await self._outlet.write(chunk)
        elif not self._live:
            await super().write(chunk)
        elif chunk:
            self.started = True
            await self._outlet.begin(self._status, self._headers)
            await self._outlet.write(chunk)

    def write_now(self, chunk: bytes) -> bool:
        """Show bytes, behind the first ones, if that takes no waiting."""
        return self.started and self._outlet.write_now(chunk)


class Waiter:
    """One caller's wait for the end of its message. `sink` takes the answer."""

    __slots__ = ("_future", "_result", "left", "sink")

    def __init__(self, sink: BufferSink | None = None) -> None:
        self.sink = sink or BufferSink()
        self.left = False
        self._result: Result | None = None
        self._future: asyncio.Future[None] | None = None

    @property
    def result(self) -> Result | None:
        """The result, once there is one."""
        return self._result

    def resolve(self, result: Result) -> None:
        """Wake the caller."""
        self._result = result
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, timeout_s: float | None) -> Result | None:
        """Return the result, or None when `timeout_s` is over first (None = wait as long as it takes)."""
        if self._result is None:
            loop = asyncio.get_running_loop()
            self._future = loop.create_future()
            timer = None if timeout_s is None else loop.call_later(timeout_s, _give_up, self._future)
            try:
                await self._future
            finally:
                if timer is not None:
                    timer.cancel()
        return self._result


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Replies:
    """Waiters by message id, and late replies.

    Args:
        keep: late results kept.
        keep_bytes: bytes of replies among them.
    """

    def __init__(self, keep: int, keep_bytes: int) -> None:
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._waiters: dict[str, Waiter] = {}
        self._late: OrderedDict[str, tuple[Result, int]] = OrderedDict()
        self._late_bytes = 0

    def open(self, message_id: str, sink: BufferSink | None = None) -> Waiter:
        """Register a caller before its message is admitted, so that no end can come too early."""
        waiter = self._waiters[message_id] = Waiter(sink)
        return waiter

    def leave(self, message_id: str) -> None:
        """The caller goes, but will want the reply later."""
        waiter = self._waiters.get(message_id)
        if waiter is not None:
            waiter.left = True

    def close(self, message_id: str) -> None:
        """The caller goes for good."""
        self._waiters.pop(message_id, None)

    def sink(self, message_id: str) -> BufferSink:
        """Return where the answer to a message goes; a throw-away sink if nobody wants it."""
        waiter = self._waiters.get(message_id)
        return BufferSink() if waiter is None else waiter.sink

    def resolve(self, result: Result) -> None:
        """Give a result to whoever waits for it, or keep it for a caller who has left."""
        waiter = self._waiters.pop(result.id, None)
        if waiter is None:
            return
        if waiter.left:
            self._keep_late(result)
        waiter.resolve(result)

    def late(self, message_id: str) -> Result | None:
        """Return a result whose caller had left, if it is still kept."""
        kept = self._late.get(message_id)
        return None if kept is None else kept[0]

    def _keep_late(self, result: Result) -> None:
        size = _size(result.reply)
        self._late[result.id] = (result, size)
        self._late_bytes += size
        while len(self._late) > self._keep or (self._late_bytes > self._keep_bytes and len(self._late) > 1):
            self._late_bytes -= self._late.popitem(last=False)[1][1]

    def __len__(self) -> int:
        """Callers that wait, or will ask later."""
        return len(self._waiters)


def _size(reply: Reply | None) -> int:
    if reply is None:
        return 0
    if reply.body is not None:
        return len(reply.body)
    return len(str(reply.value))
