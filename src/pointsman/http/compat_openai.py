"""OpenAI's chat completions: clients change their base URL and go on.

We read `model`, `messages` and `stream` and nothing else; what we do not know passes. The body reaches a
worker of the same protocol unchanged but for `model`, and its answer comes back byte for byte. `model` is
`auto` (or missing) to let the router decide, or the name of a class, an alias or a pool to insist. Not
streamed yet.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from pointsman.http import answers, hints, problems, wire
from pointsman.http.exchange import JSON, Answer, Request, Response, ok
from pointsman.http.problems import Problem, invalid
from pointsman.http.surface import Surface
from pointsman.model.errors import RefusedError
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Refusal, Refused, Reply
from pointsman.model.result import Result

AUTO: Final = "auto"

_HEADER_VALUE: Final = re.compile(r"[ -~\t]{0,4096}")
_OWN_HEADERS: Final = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "date",
        "keep-alive",
        "server",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of a worker's answer that belong to its connection, or that we write ourselves."""


class ChatRequest(msgspec.Struct, frozen=True):
    """What we read of a chat completion request; other fields pass to the worker."""

    messages: list[dict[str, Any]]
    model: str | None = None
    stream: bool | None = None


_CHAT: Final = msgspec.json.Decoder(ChatRequest)


async def complete(request: Request) -> Answer:
    """Answer a chat completion by whichever worker is right for it."""
    surface = request.surface
    body = await request.body(surface.settings().server.compatible_body_bytes)
    chat = wire.strict(body, _CHAT, big_integers=True)
    if chat.stream:
        detail = "stream: answers are not streamed yet; send stream = false and take the answer whole"
        raise RefusedError(Refused(Refusal.UNSUPPORTED, detail, field="stream"))
    envelope = surface.envelopes.wrap(
        _message(request, chat),
        client=hints.client(request.fields),
        protocol="openai",
        body=body,
        trace_id=request.trace_id,
    )
    outcome = await request.while_there(surface.core.send(envelope, None))
    return _answer_refusal(outcome, envelope) if isinstance(outcome, Refused) else _answer_end(outcome, envelope)


def _message(request: Request, chat: ChatRequest) -> Message:
    said = hints.read(request.fields)
    forced = None if chat.model in {None, AUTO} else _resolve(request.surface, str(chat.model))
    asked = said.pop("class_", None)
    if asked is not None and forced is not None and request.surface.resolve_class(asked) != forced:
        raise invalid(
            f"header x-pointsman-class says {asked!r}, but model in the body says {wire.shorten(str(chat.model))};"
            " send one of them, or twice the same",
            "model",
        )
    return Message(messages=chat.messages, class_=forced or asked, **said)


def _resolve(surface: Surface, model: str) -> str:
    found = surface.resolve_class(model)
    if found is None:
        raise problems.RequestError(
            "model_not_found",
            f"there is no model {wire.shorten(model)}; GET /v1/models lists all, and {AUTO!r} lets the router decide",
        )
    return found


def _answer_refusal(refused: Refused, envelope: Envelope) -> Problem:
    problem = problems.of_refused(refused, trace_id=envelope.trace_id)
    fields = [(b"x-pointsman-message-id", envelope.id.encode())]
    if refused.message_class:
        fields.append((b"x-pointsman-class", refused.message_class.encode()))
    return msgspec.structs.replace(problem, headers=tuple(fields))


def _answer_end(result: Result, envelope: Envelope) -> Answer:
    reply = result.reply
    fields = _fields(result)
    if reply is not None and reply.body is not None and (result.delivered or reply.status >= 400):
        if not result.delivered:
            fields = (*fields, (b"x-should-retry", b"false"))
        return Response(reply.status, reply.body, _media(reply), (*_passing(reply), *fields))
    if not result.delivered:
        problem = problems.of_end(result, trace_id=envelope.trace_id)
        return msgspec.structs.replace(problem, headers=fields)
    return Response(200, _completion(result, envelope), JSON, fields)


def _completion(result: Result, envelope: Envelope) -> bytes:
    """Return the answer of a worker that does not speak this protocol as if it did."""
    return wire.encode(
        {
            "id": f"chatcmpl-{result.id}",
            "object": "chat.completion",
            "created": int(envelope.received_wall),
            "model": result.message_class,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": _content(result.reply)},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }
    )


def _content(reply: Reply | None) -> str:
    """Return the text of a native reply; a value without a `text` as JSON, so that nothing is lost."""
    value = reply.value if reply else None
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return str(value["text"])
    return bytes(answers.reply_json(reply)).decode()


def _fields(result: Result) -> tuple[tuple[bytes, bytes], ...]:
    fields = [
        (b"x-pointsman-message-id", result.id.encode()),
        (b"x-pointsman-class", result.message_class.encode()),
        (b"x-pointsman-overhead-ms", b"%.3f" % (result.overhead_s * 1000.0)),
    ]
    if result.worker and _HEADER_VALUE.fullmatch(result.worker):
        fields.append((b"x-pointsman-worker", result.worker.encode()))
    if result.fallback:
        fields.append((b"x-pointsman-fallback", b"true"))
    return tuple(fields)


def _media(reply: Reply) -> bytes:
    for name, value in reply.headers:
        if name.lower() == "content-type" and _HEADER_VALUE.fullmatch(value):
            return value.encode()
    return JSON


def _passing(reply: Reply) -> list[tuple[bytes, bytes]]:
    """Return the worker's headers that pass through: none of its connection, none that only we may say."""
    return [
        (name.lower().encode(), value.encode())
        for name, value in reply.headers
        if name.isascii()
        and name.replace("-", "").replace("_", "").isalnum()
        and name.lower() not in _OWN_HEADERS
        and not name.lower().startswith("x-pointsman-")
        and _HEADER_VALUE.fullmatch(value)
    ]


async def list_models(request: Request) -> Answer:
    """List what `model` may be: `auto`, classes, their aliases, and pools."""
    settings = request.surface.settings()
    names = dict.fromkeys([AUTO, *settings.classes])
    for one in settings.classes.values():
        names.update(dict.fromkeys(one.alias))
    names.update(dict.fromkeys(settings.pools))
    known = [name for name in names if name == AUTO or request.surface.resolve_class(name) is not None]
    created = int(request.surface.clock.wall())
    models = [{"id": name, "object": "model", "created": created, "owned_by": "pointsman"} for name in known]
    return ok({"object": "list", "data": models})
