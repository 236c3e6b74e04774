"""The client's end of a streamed answer in one of the compatible APIs: the worker's bytes as they come.

While nothing has come, a ping now and then keeps the connection and the proxies before it awake; from the first ping on
the answer has begun as a stream, and whatever goes wrong is told by an event in it. A worker's answer that is cut is
ended by such an event too, so that no client takes it for whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from pointsman.http import passing
from pointsman.http.channel import Channel
from pointsman.http.dialect import Dialect
from pointsman.http.exchange import JSON
from pointsman.http.problems import Problem
from pointsman.model.message import Envelope
from pointsman.ports import Clock
from pointsman.runtime.tasks import Tasks

EVENTS: Final = b"text/event-stream"

_OPENING: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class StreamOutlet:
    """Writes one streamed answer; implements `runtime.replies.Outlet`.

    Args:
        channel: to the client.
        envelope: the message.
        dialect: of the client.
        clock: time.
        tasks: for pings.
        ping_s: seconds between them.
    """

    __slots__ = (
        "_channel",
        "_clock",
        "_dialect",
        "_envelope",
        "_is_events",
        "_last",
        "_ping_s",
        "_pinger",
        "_tasks",
        "_timer",
        "begun",
        "pinged",
    )

    def __init__(
        self, channel: Channel, envelope: Envelope, dialect: Dialect, clock: Clock, tasks: Tasks, ping_s: float
    ) -> None:
        self.begun = False
        self.pinged = False
        self._channel = channel
        self._envelope = envelope
        self._dialect = dialect
        self._clock = clock
        self._tasks = tasks
        self._ping_s = ping_s
        self._pinger: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_events = True
        self._last = b""

    def watch(self) -> None:
        """Begin to count the time to the first ping."""
        self._timer = asyncio.get_running_loop().call_later(self._ping_s, self._begin_pings)

    def rest(self) -> None:
        """Ping no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pinger is not None:
            self._pinger.cancel()
            self._pinger = None

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """The worker's answer begins."""
        self.rest()
        self.begun = True
        media = passing.media(headers, JSON)
        self._is_events = media.startswith(EVENTS) and not any(name == "content-encoding" for name, _ in headers)
        if not self.pinged:
            fields = [(b"content-type", media), *passing.outward(headers), *handed_fields(self._envelope)]
            await self._channel.start(status, fields)

    async def write(self, chunk: bytes) -> None:
        """Pass bytes on."""
        self._last = chunk
        if self._is_events or not self.pinged:
            await self._channel.write(chunk)

    def write_now(self, chunk: bytes) -> bool:
        """Pass bytes on if that takes no waiting."""
        if (self.pinged and not self._is_events) or not self._channel.write_now(chunk):
            return False
        self._last = chunk
        return True

    async def end(self) -> None:
        """The answer is whole."""
        if self.pinged and not self._is_events:
            self._channel.abort()
        await self._channel.end()

    async def finish(self, events: bytes) -> None:
        """The answer, which had begun with pings, is these events."""
        self.rest()
        await self._channel.write(events)
        await self._channel.end()

    async def cut(self, problem: Problem) -> None:
        """The answer is not whole: tell by an event, or where events cannot stand, by breaking the transfer off."""
        self.rest()
        if self._is_events:
            if self._last and not self._last.endswith((b"\n\n", b"\r\n\r\n")):
                await self._channel.write(b"\n\n")
            await self._channel.write(self._dialect.error_event(problem))
        else:
            self._channel.abort()
        await self._channel.end()

    async def stop(self) -> None:
        """The answer is not whole, and the worker itself has said so in it."""
        await self._channel.end()

    def _begin_pings(self) -> None:
        self._timer = None
        self._pinger = self._tasks.spawn(self._ping(), "ping")

    async def _ping(self) -> None:
        self.pinged = True
        fields = (b"x-pointsman-message-id", self._envelope.id.encode())
        await self._channel.start(200, [*_OPENING, fields])
        while True:
            await self._channel.write(self._dialect.ping)
            await self._clock.sleep_until(self._clock.monotonic() + self._ping_s)


def handed_fields(envelope: Envelope) -> list[tuple[bytes, bytes]]:
    """Return what is known of a message when its worker's answer begins, as headers."""
    fields = [(b"x-pointsman-message-id", envelope.id.encode())]
    if envelope.classification is not None:
        fields.append((b"x-pointsman-class", envelope.classification.message_class.encode()))
    if envelope.worker:
        fields.append((b"x-pointsman-worker", envelope.worker.encode()))
    before_s = envelope.admission_s if envelope.waited else max(0.0, envelope.handed_at - envelope.received_at)
    fields.append((b"x-pointsman-overhead-ms", b"%.3f" % (before_s * 1000.0)))
    if envelope.fell_back:
        fields.append((b"x-pointsman-fallback", b"true"))
    return fields
