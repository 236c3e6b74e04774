"""What happens to a message, as a numbered list that its sender can follow live and take up again where it was cut off.

A feed exists for a message whose sender wants its answer as it comes, and for one that somebody has asked about. It is
kept for a while after the end, so that a client whose connection broke can go on from the last number it saw
(`Last-Event-ID`, WHATWG server-sent events). Feeds are bounded by count and bytes; of one that is too long the oldest
events go, and a reader who needs them is told how many are missing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec

from pointsman.model.events import Admitted, AttemptEnded, AttemptStarted, Ended, Event
from pointsman.model.outcome import Failed

UNREAD_BYTES: Final = 262_144
"""How far a worker may be ahead of those who read, before it has to wait."""

FEED_BYTES: Final = 4_194_304
"""Bytes kept of one feed."""

_FINAL: Final = "end"


class FeedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event: its number, from 1; its name; its data as JSON."""

    number: int
    name: str
    data: bytes


class Feed:
    """The events of one message.

    Args:
        owned: whoever opened it adds its last event.

    Attributes:
        owned: see above.
        ended: nothing more will come.
        size_bytes: of the data that is kept.
    """

    __slots__ = ("_changed", "_events", "_last", "_readers", "ended", "owned", "size_bytes")

    def __init__(self, owned: bool) -> None:
        self.owned = owned
        self.ended = False
        self.size_bytes = 0
        self._events: deque[FeedEvent] = deque()
        self._last = 0
        self._readers: dict[int, int] = {}
        self._changed: asyncio.Future[None] | None = None

    def add(self, name: str, data: bytes) -> None:
        """Add an event; after the last one nothing is added."""
        if self.ended:
            return
        self._last += 1
        self._events.append(FeedEvent(self._last, name, data))
        self.size_bytes += len(data)
        while self.size_bytes > FEED_BYTES and len(self._events) > 1:
            self.size_bytes -= len(self._events.popleft().data)
        self.ended = name == _FINAL
        self._stir()

    async def settle(self) -> None:
        """Wait while those who read are too far behind; returns at once where nobody reads."""
        while self._readers and self._unread() > UNREAD_BYTES:
            await self._wait()

    async def read(self, after: int = 0, ping_s: float | None = None) -> AsyncIterator[FeedEvent | None]:
        """Iterate over the events behind number `after` until the end; each is given out as soon as it is there.

        None is given out whenever nothing has come for `ping_s` seconds.
        """
        reader = object()
        self._readers[id(reader)] = after
        try:
            while True:
                while (event := self._next(after)) is not None:
                    if event.number > after + 1:
                        yield FeedEvent(event.number - 1, "missed", b'{"events":%d}' % (event.number - 1 - after))
                    after = self._readers[id(reader)] = event.number
                    yield event
                    self._stir()
                if self.ended:
                    return
                try:
                    async with asyncio.timeout(ping_s):
                        await self._wait()
                except TimeoutError:
                    yield None
        finally:
            del self._readers[id(reader)]
            self._stir()

    def _next(self, after: int) -> FeedEvent | None:
        if after >= self._last or not self._events:
            return None
        return self._events[max(0, after + 1 - self._events[0].number)]

    def _unread(self) -> int:
        """Bytes that the reader who is ahead of the others has not read."""
        ahead = max(self._readers.values())
        size = 0
        for event in reversed(self._events):
            if event.number <= ahead:
                break
            size += len(event.data)
        return size

    def _stir(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None and not changed.done():
            changed.set_result(None)

    async def _wait(self) -> None:
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)


class Feeds:
    """Feeds by message id.

    Args:
        keep: feeds of ended messages kept.
        keep_bytes: bytes of data among them.
    """

    def __init__(self, keep: int, keep_bytes: int) -> None:
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._live: dict[str, Feed] = {}
        self._over: OrderedDict[str, Feed] = OrderedDict()
        self._over_bytes = 0

    def open(self, message_id: str, *, owned: bool = False) -> Feed:
        """Return the feed of a message that has not ended; a new one if there is none."""
        feed = self._live.get(message_id)
        if feed is None:
            feed = self._live[message_id] = Feed(owned)
        return feed

    def find(self, message_id: str) -> Feed | None:
        """Return the feed of a message, if there is one."""
        return self._live.get(message_id) or self._over.get(message_id)

    def end(self, message_id: str, data: bytes) -> None:
        """Add the last event and keep the feed for late readers."""
        feed = self._live.pop(message_id, None)
        if feed is None:
            return
        feed.add(_FINAL, data)
        self._over[message_id] = feed
        self._over_bytes += feed.size_bytes
        while len(self._over) > self._keep or (self._over_bytes > self._keep_bytes and len(self._over) > 1):
            self._over_bytes -= self._over.popitem(last=False)[1].size_bytes

    def forget(self, message_id: str) -> None:
        """Let those who read go, and keep nothing: there is no such message."""
        feed = self._live.pop(message_id, None)
        if feed is not None:
            feed.add(_FINAL, b"{}")

    def observe(self, event: Event) -> None:
        """Add what happens to messages that have a feed."""
        if not self._live:
            return
        match event:
            case Admitted():
                self._add(event.envelope.id, "accepted", {"id": event.envelope.id, "pool": event.envelope.pool})
            case AttemptStarted():
                self._add(event.envelope.id, "started", {"attempt": event.envelope.attempt, "pool": event.pool})
            case AttemptEnded(outcome=Failed() as failed):
                told = {"attempt": event.envelope.attempt, "worker": event.worker, "reason": failed.reason.value}
                self._add(event.envelope.id, "attempt_failed", told)
            case Ended() if (feed := self._live.get(event.envelope.id)) is not None and not feed.owned:
                cause = event.cause.value if event.cause else None
                told = {"id": event.envelope.id, "status": event.status.value, "cause": cause, "detail": event.detail}
                self.end(event.envelope.id, msgspec.json.encode(told))
            case _:
                return

    def _add(self, message_id: str, name: str, data: dict[str, Any]) -> None:
        feed = self._live.get(message_id)
        if feed is not None:
            feed.add(name, msgspec.json.encode(data))

    def __len__(self) -> int:
        """Feeds of messages that have not ended."""
        return len(self._live)


class FeedOutlet:
    """Turns the text that a worker writes into events; implements `runtime.replies.Outlet`."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Nothing is told: an answer that begins shows by its first words."""

    async def write(self, chunk: bytes) -> None:
        """Add words, which are whole characters of UTF-8."""
        self._feed.add("delta", msgspec.json.encode({"text": chunk.decode("utf-8", "replace")}))
        await self._feed.settle()

    def write_now(self, chunk: bytes) -> bool:
        """Leave it to `write`."""
        return False
