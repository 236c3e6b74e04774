"""What the compatible APIs share: from a request in the client's language to a message, and back from what came of it.

We read of a body what decides (model, messages, stream) and nothing else. It reaches a worker of the same language
unchanged but for `model`, and the worker's answer comes back byte for byte, errors too. What we say ourselves, we say
in the client's language.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from pointsman.core.conversation import derive_id
from pointsman.http import hints, passing, problems, wire
from pointsman.http.channel import Channel, Passing
from pointsman.http.dialect import Dialect
from pointsman.http.exchange import JSON, Answer, Request, Response
from pointsman.http.outlet import StreamOutlet
from pointsman.http.problems import Problem, invalid
from pointsman.http.surface import Surface
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Failure, Refused
from pointsman.model.result import Result
from pointsman.runtime.replies import StreamSink

AUTO: Final = "auto"

_WAIT: Final = frozenset({429, 503, 529})
"""Statuses of a worker that was busy, and may not be when the client comes again. After others the router has tried
what there was to try."""

_PRINTABLE: Final = re.compile(r"[ -~\t]{0,4096}")


def envelope_of(
    request: Request,
    dialect: Dialect,
    *,
    body: bytes,
    endpoint: str,
    model: str | None,
    stream: bool = False,
    text: str | None = None,
    messages: list[dict[str, Any]] | None = None,
    system: Any = None,
    hint: Any = None,
    max_output_tokens: int | None = None,
) -> Envelope:
    """Return the envelope of a request.

    Args:
        request: where it came from.
        dialect: its language.
        body: its bytes.
        endpoint: path below the base URL.
        model: `auto`, or the name of a class, alias, pool or worker model.
        stream: whether the answer is wanted as it comes.
        text, messages: what is asked, or the chat list.
        system: what stands beside the chat list, as instructions.
        hint: what the body says of its user or its caches, to tell conversations apart that begin alike.
        max_output_tokens: most that the body asks for.

    Raises:
        RefusedError: `invalid`: headers contradict the body, or are malformed.
        RequestError: `model_not_found`.
    """
    surface = request.surface
    said = hints.read(request.fields)
    message_class, worker_model = _resolve(surface, model)
    asked = said.pop("class_", None)
    if asked is not None and message_class is not None and surface.resolve_class(asked) != message_class:
        raise invalid(
            f"header x-pointsman-class says {asked!r}, but model in the body says {wire.shorten(str(model))};"
            " send one of them, or twice the same",
            "model",
        )
    identity = request.identity
    conversation_id = said.pop("conversation_id", None)
    if conversation_id is None and messages:
        conversation_id = derive_id(identity.client, messages, system, hint)
    envelope = surface.envelopes.wrap(
        Message(
            text=text,
            messages=messages,
            class_=message_class or asked,
            conversation_id=conversation_id,
            stream=stream,
            **said,
        ),
        client=identity.client,
        key_id=identity.key_id,
        group=identity.group,
        credential=identity.credential,
        protocol=dialect.protocol,
        body=body,
        trace_id=request.trace_id,
    )
    query = request.channel.query
    envelope.endpoint = f"{endpoint}?{query.decode('latin-1')}" if query else endpoint
    envelope.headers = _passing(request.channel)
    envelope.lane = request.lane
    envelope.model = worker_model
    envelope.max_output_tokens = max_output_tokens or 0
    return envelope


def _passing(channel: Channel) -> Passing:
    memo = channel.memo
    if memo.passing is None:
        memo.passing = passing.inward(channel.headers, channel.fields.get(b"connection"))
    return memo.passing


def _resolve(surface: Surface, model: str | None) -> tuple[str | None, str]:
    """Return the class that a model name forces, and the worker model where it names one."""
    if model is None or model == AUTO:
        return None, ""
    found = surface.resolve_model(model)
    if found is None:
        raise unknown_model(model)
    return found


def unknown_model(name: str) -> problems.RequestError:
    """Return the exception for a model that there is not; raise it."""
    return problems.RequestError(
        "model_not_found",
        f"there is no model {wire.shorten(name)}; GET /v1/models lists all, and {AUTO!r} lets the router decide",
    )


async def relay(request: Request, dialect: Dialect, envelope: Envelope) -> Answer:
    """Send a message and answer with what came of it, piece by piece where the client wants that."""
    core = request.surface.core
    if not envelope.message.stream:
        return _answer(await request.while_there(core.send(envelope, None)), dialect, envelope)
    surface = request.surface
    ping_s = surface.settings().server.ping_s
    outlet = StreamOutlet(request.channel, envelope, dialect, surface.clock, request.context.tasks, ping_s)
    outlet.watch()
    try:
        outcome = await request.while_there(core.send(envelope, None, StreamSink(outlet)))
        return await _finish(outlet, outcome, dialect, envelope)
    finally:
        outlet.rest()


async def _finish(outlet: StreamOutlet, outcome: Result | Refused, dialect: Dialect, envelope: Envelope) -> Answer:
    """End a streamed answer, or give a whole one where none has begun."""
    outlet.rest()
    if not outlet.begun and not outlet.pinged:
        return _answer(outcome, dialect, envelope)
    if isinstance(outcome, Refused):
        await outlet.cut(problems.of_refused(outcome, trace_id=envelope.trace_id))
    elif not outcome.delivered:
        if outlet.begun and envelope.trail and envelope.trail[-1].result == Failure.WORKER_ERROR:
            await outlet.stop()
        else:
            await outlet.cut(problems.of_end(outcome, envelope))
    elif outlet.begun:
        await outlet.end()
    else:
        await outlet.finish(dialect.events(outcome, envelope))
    return None


def _answer(outcome: Result | Refused, dialect: Dialect, envelope: Envelope) -> Answer:
    if isinstance(outcome, Refused):
        return _refusal(outcome, envelope)
    reply = outcome.reply
    fields = _fields(outcome)
    if reply is not None and reply.body is not None and (outcome.delivered or reply.status >= 400):
        theirs = passing.outward(reply.headers)
        if not outcome.delivered and all(name != b"x-should-retry" for name, _ in theirs):
            fields.append((b"x-should-retry", b"true" if reply.status in _WAIT else b"false"))
        return Response(reply.status, reply.body, passing.media(reply.headers, JSON), (*theirs, *fields))
    fields.append((dialect.request_id, outcome.id.encode()))
    if not outcome.delivered:
        return msgspec.structs.replace(problems.of_end(outcome, envelope), headers=tuple(fields))
    if envelope.message.stream:
        return Response(200, dialect.events(outcome, envelope), b"text/event-stream; charset=utf-8", tuple(fields))
    return Response(200, dialect.whole(outcome, envelope), JSON, tuple(fields))


def _refusal(refused: Refused, envelope: Envelope) -> Problem:
    problem = problems.of_refused(refused, trace_id=envelope.trace_id)
    fields = [(b"x-pointsman-message-id", envelope.id.encode())]
    if refused.message_class:
        fields.append((b"x-pointsman-class", refused.message_class.encode()))
    return msgspec.structs.replace(problem, headers=tuple(fields))


def _fields(result: Result) -> list[tuple[bytes, bytes]]:
    fields = [
        (b"x-pointsman-message-id", result.id.encode()),
        (b"x-pointsman-class", result.message_class.encode()),
        (b"x-pointsman-overhead-ms", b"%.3f" % (result.overhead_s * 1000.0)),
    ]
    if result.worker and _PRINTABLE.fullmatch(result.worker):
        fields.append((b"x-pointsman-worker", result.worker.encode()))
    if result.fallback:
        fields.append((b"x-pointsman-fallback", b"true"))
    return fields
