"""The native API for messages: send, look up, cancel, explain.

A sender that waits is watched: when it hangs up, its message is cancelled. One that wants its message kept
(`wait` false, `durable`, an `Idempotency-Key`) is not.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Final

from pointsman.core.validate import needs_store
from pointsman.http import answers, hints, problems, streams, wire
from pointsman.http.exchange import Answer, Request, Response, ok
from pointsman.http.problems import invalid
from pointsman.http.surface import Surface
from pointsman.http.waiting import ClientGone
from pointsman.model.errors import Conflict, NotFound
from pointsman.model.message import Envelope
from pointsman.model.outcome import Refused
from pointsman.model.result import Result
from pointsman.model.states import Status
from pointsman.runtime.decisions import record

PATH: Final = "/api/v1/messages"

_UNIX: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_MOST_LISTED: Final = 1_000
_LISTED: Final = 100


async def send(request: Request) -> Answer:
    """Send a message and wait for its reply, or only hand it in."""
    surface = request.surface
    envelope = envelope_of(request, await request.body(surface.settings().server.native_body_bytes))
    if envelope.message.stream:
        return await streams.send(request, envelope)
    if needs_store(envelope.message, envelope.idempotency_key):
        return await carry(surface, envelope)
    if envelope.message.on_disconnect == "continue":
        return await _carry_on(request, envelope)
    return await request.while_there(carry(surface, envelope))


async def _carry_on(request: Request, envelope: Envelope) -> Answer:
    """Answer whoever still waits; a message whose sender goes is not cancelled, and its reply is kept."""
    answered: list[Answer] = []
    ended = asyncio.Event()

    async def run() -> None:
        try:
            answered.append(await carry(request.surface, envelope))
        finally:
            ended.set()

    request.context.tasks.spawn(run(), "message that goes on")
    try:
        await request.while_there(ended.wait())
    except ClientGone:
        request.surface.core.leave(envelope.id)
        raise
    return answered[0]


def envelope_of(request: Request, body: bytes) -> Envelope:
    """Return the envelope of a native message.

    Raises:
        RefusedError: `invalid`.
    """
    fields, surface, identity = request.fields, request.surface, request.identity
    message = wire.message(body)
    said = hints.read(fields)
    if said:
        message = hints.merge(message, said, surface.resolve_class)
    envelope = surface.envelopes.wrap(
        message,
        client=identity.client,
        key_id=identity.key_id,
        group=identity.group,
        credential=identity.credential,
        idempotency_key=hints.idempotency_key(fields),
        trace_id=request.trace_id,
    )
    envelope.size_bytes = len(body)
    envelope.lane = request.lane
    return envelope


async def carry(surface: Surface, envelope: Envelope) -> Response | problems.Problem:
    """Give a message to the router and answer with what came of it."""
    message = envelope.message
    if not message.wait:
        receipt = await surface.core.submit(envelope)
        if isinstance(receipt, Refused):
            return problems.of_refused(receipt, trace_id=envelope.trace_id)
        return _accepted(receipt.id, Status.QUEUED)
    wait_s = surface.settings().validation.wait_s if message.wait_s is None else message.wait_s
    result = await surface.core.send(envelope, wait_s)
    if isinstance(result, Refused):
        return problems.of_refused(result, trace_id=envelope.trace_id)
    return _answer_end(result, envelope)


def _answer_end(result: Result, envelope: Envelope) -> Response | problems.Problem:
    if not result.ended:
        return _accepted(result.id, result.status)
    return answers.ended(result, envelope)


def _accepted(message_id: str, status: Status) -> Response:
    where = (b"location", f"{PATH}/{message_id}".encode())
    return ok(answers.MessageAccepted(message_id, status.value), 202, (where,))


async def preview(request: Request) -> Answer:
    """Say what would happen to a message, without sending it: validation and classification, no tokens spent."""
    surface = request.surface
    envelope = envelope_of(request, await request.body(surface.settings().server.native_body_bytes))
    outcome = surface.preview(envelope)
    if isinstance(outcome, Refused):
        return problems.of_refused(outcome, trace_id=envelope.trace_id)
    return ok(outcome)


async def find(request: Request) -> Answer:
    """List messages, without their text."""
    query = request.query("status", "client", "conversation_id", "since", "limit")
    since = query.get("since")
    found = await request.surface.engine.find(
        status=_status(query["status"]) if "status" in query else None,
        client=query.get("client"),
        conversation_id=query.get("conversation_id"),
        since=None if since is None else instant_of(since),
        limit=limit_of(query),
    )
    return ok(answers.MessageList(found))


async def look_up(request: Request) -> Answer:
    """Show a message: where it is in its life, and its reply where its sender had stopped waiting."""
    message_id = request.parameters["id"]
    view = await request.surface.engine.get(message_id)
    return ok(answers.message_state(await request.surface.core.result(message_id), view))


async def cancel(request: Request) -> Answer:
    """Cancel a message, in its queue or at its worker."""
    message_id = request.parameters["id"]
    if await request.surface.core.cancel(message_id):
        return ok(answers.Gone(message_id, Status.CANCELLED.value))
    view = await request.surface.engine.get(message_id)
    if view is None:
        raise _unknown(message_id)
    raise Conflict(f"message {message_id!r} has ended: it is {view.status}, and an end cannot be undone")


async def explain(request: Request) -> Answer:
    """Show why a message went where it went; of a message that has not ended, what has been decided so far."""
    surface, message_id = request.surface, request.parameters["id"]
    decision = surface.decisions.get(message_id)
    if decision is None:
        envelope = surface.engine.envelope(message_id)
        view = await surface.engine.get(message_id)
        if envelope is None or view is None:
            raise _unknown(message_id)
        decision = record(envelope, view.status)
    return ok(decision)


def limit_of(query: dict[str, str]) -> int:
    """Return the `limit` of a listing.

    Raises:
        RefusedError: `invalid`.
    """
    value = query.get("limit")
    if value is None:
        return _LISTED
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= _MOST_LISTED:
        raise invalid(f"limit: got {wire.shorten(value)}, expected 1 to {_MOST_LISTED}", "limit")
    return int(value)


def _status(value: str) -> Status:
    try:
        return Status(value)
    except ValueError:
        known = ", ".join(Status)
        raise invalid(f"status: got {wire.shorten(value)}, expected one of {known}", "status") from None


def instant_of(value: str) -> float:
    """Return Unix seconds of an instant: RFC 3339, or Unix seconds as they stand in our answers."""
    if _UNIX.fullmatch(value):
        return float(value)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        expected = "RFC 3339 such as 2030-01-31T12:00:00Z, or Unix seconds"
        raise invalid(f"since: got {wire.shorten(value)}, expected {expected}", "since")
    return found.astimezone(UTC).timestamp()


def _unknown(message_id: str) -> NotFound:
    return NotFound(f"there is no message {message_id!r}, or it ended too long ago to be remembered")
