"""The native API's server-sent events: a message whose answer comes as it is made, and what happens to any message.

Each event has a number. Whose connection breaks may ask for the rest at `GET /api/v1/messages/{id}/events` with
`Last-Event-ID` (WHATWG HTML, 9.2), as long as the message goes on without its sender (`on_disconnect`) or has ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from pointsman.http import answers, problems, wire
from pointsman.http.exchange import Answer, Request
from pointsman.http.problems import Problem, invalid
from pointsman.http.surface import Surface
from pointsman.http.waiting import ClientGone
from pointsman.model.message import Envelope
from pointsman.model.outcome import Refused
from pointsman.model.states import Status
from pointsman.runtime.feeds import Feed, FeedEvent, FeedOutlet
from pointsman.runtime.replies import StreamSink

MEDIA_TYPE: Final = b"text/event-stream; charset=utf-8"

_PING: Final = b": ping\n\n"


async def send(request: Request, envelope: Envelope) -> Answer:
    """Send a message and answer with its events; the last one, `end`, is what a plain answer would have been.

    Raises:
        RefusedError: `invalid`: the message does not wait, so there is nobody to stream to.
    """
    message = envelope.message
    if not message.wait:
        detail = "stream: expected only with wait = true; without it, follow GET /api/v1/messages/{id}/events"
        raise invalid(detail, "stream")
    surface = request.surface
    feed = surface.feeds.open(envelope.id, owned=True)
    refused: list[Refused] = []
    running = request.context.tasks.spawn(_run(surface, envelope, feed, refused), "streamed message")
    try:
        return await request.while_there(_follow(request, feed, 0, refused, envelope.trace_id))
    except ClientGone:
        if message.on_disconnect == "continue":
            surface.core.leave(envelope.id)
        else:
            running.cancel()
        raise


async def _run(surface: Surface, envelope: Envelope, feed: Feed, refused: list[Refused]) -> None:
    """Carry a message to its end, which is the last event of its feed."""
    last = wire.encode({"id": envelope.id, "status": Status.CANCELLED.value})
    try:
        outcome = await surface.core.send(envelope, None, StreamSink(FeedOutlet(feed)))
        if isinstance(outcome, Refused):
            refused.append(outcome)
            surface.feeds.forget(envelope.id)
            return
        answer = answers.ended(outcome, envelope)
        last = problems.encode(answer, "") if isinstance(answer, Problem) else answer.body
    finally:
        surface.feeds.end(envelope.id, last)


async def follow(request: Request) -> Answer:
    """Show what happens to a message, from now on or from `Last-Event-ID` on."""
    surface, message_id = request.surface, request.parameters["id"]
    after = _last_seen(request)
    feed = surface.feeds.find(message_id)
    if feed is None:
        result = await surface.core.result(message_id)
        feed = surface.feeds.open(message_id)
        if result.ended:
            view = await surface.engine.get(message_id)
            surface.feeds.end(message_id, wire.encode(answers.message_state(result, view)))
    return await request.while_there(_follow(request, feed, after, [], ""))


async def _follow(request: Request, feed: Feed, after: int, refused: list[Refused], trace_id: str) -> Answer:
    """Write the events of a feed until it ends; a message that was refused has none, and gets its problem."""
    channel = request.channel
    ping_s = request.surface.settings().server.ping_s
    events: AsyncIterator[FeedEvent | None] = feed.read(after, ping_s)
    begun = False
    async with contextlib.aclosing(events):  # type: ignore[type-var]
        async for event in events:
            if refused:
                return problems.of_refused(refused[0], trace_id=trace_id)
            if not begun:
                begun = True
                await channel.start(200, [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-cache")])
            await channel.write(_PING if event is None else _written(event))
    if not begun:
        await channel.start(200, [(b"content-type", MEDIA_TYPE)])
    await channel.end()
    return None


def _written(event: FeedEvent) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.number, event.name.encode(), event.data)


def _last_seen(request: Request) -> int:
    value = request.fields.get(b"last-event-id", b"0")
    if not value.isdigit() or len(value) > 15:
        raise invalid(
            f"last-event-id: got {value[:40].decode('latin-1')!r}, expected the number of an event", "last-event-id"
        )
    return int(value)
