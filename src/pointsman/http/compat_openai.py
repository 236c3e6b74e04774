"""OpenAI's language: chat completions, embeddings and the list of models; clients change their base URL and go on.

`model` is `auto` (or missing) to let the router decide, or the name of a class, an alias, a pool or a worker's model
to insist. Embeddings have no words to classify, so they must name one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from pointsman.http import answers, compat, openai_errors, wire
from pointsman.http.dialect import Dialect
from pointsman.http.exchange import Answer, Request, ok
from pointsman.http.problems import invalid
from pointsman.http.surface import Surface
from pointsman.model.message import Envelope
from pointsman.model.outcome import Reply
from pointsman.model.result import Result

_EMBEDDED_CHARACTERS: Final = 4_096
"""How much of an embeddings request's input limits and floods look at."""


class ChatRequest(msgspec.Struct, frozen=True):
    """What we read of a chat completion request; other fields pass to the worker."""

    messages: list[dict[str, Any]]
    model: str | None = None
    stream: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    prompt_cache_key: Any = None


class EmbeddingsRequest(msgspec.Struct, frozen=True):
    """What we read of an embeddings request; other fields pass to the worker."""

    input: msgspec.Raw
    model: str | None = None


_CHAT: Final = msgspec.json.Decoder(ChatRequest)
_EMBEDDINGS: Final = msgspec.json.Decoder(EmbeddingsRequest)


async def complete(request: Request) -> Answer:
    """Answer a chat completion by whichever worker is right for it."""
    body = await request.body(request.surface.settings().server.compatible_body_bytes)
    return await compat.relay(request, OPENAI, chat_envelope(request, body))


def chat_envelope(request: Request, body: bytes) -> Envelope:
    """Return the envelope of a chat completion request; raises as `compat.envelope_of`, and for what is none."""
    chat = wire.lenient(body, _CHAT)
    return compat.envelope_of(
        request,
        OPENAI,
        body=body,
        endpoint="/chat/completions",
        model=chat.model,
        stream=bool(chat.stream),
        messages=chat.messages,
        hint=chat.prompt_cache_key,
        max_output_tokens=(chat.max_completion_tokens or chat.max_tokens or 0) * max(1, chat.n or 1),
    )


async def embed(request: Request) -> Answer:
    """Pass an embeddings request to a worker of the model it names."""
    body = await request.body(request.surface.settings().server.compatible_body_bytes)
    return await compat.relay(request, OPENAI, embeddings_envelope(request, body))


def embeddings_envelope(request: Request, body: bytes) -> Envelope:
    """Return the envelope of an embeddings request; raises as `chat_envelope`."""
    wanted = wire.lenient(body, _EMBEDDINGS)
    if wanted.model is None or wanted.model == compat.AUTO:
        raise invalid("model: embeddings cannot be classified; name a worker's model, a class or a pool", "model")
    text = bytes(wanted.input)[:_EMBEDDED_CHARACTERS].decode("utf-8", "ignore")
    return compat.envelope_of(
        request, OPENAI, body=body, endpoint="/embeddings", model=wanted.model, text=text, max_output_tokens=1
    )


async def list_models(request: Request) -> Answer:
    """List what `model` may be: `auto`, classes, their aliases, pools and workers' models.

    Whoever sends `anthropic-version` is answered in that language, because both clients ask at the same place.
    """
    names = model_names(request.surface)
    listed = [_described(request, name) for name in names]
    if b"anthropic-version" in request.fields:
        return ok({"data": listed, "has_more": False, "first_id": names[0], "last_id": names[-1]})
    return ok({"object": "list", "data": listed})


async def show_model(request: Request) -> Answer:
    """Show one of them."""
    name = request.parameters["id"]
    if name not in model_names(request.surface):
        raise compat.unknown_model(name)
    return ok(_described(request, name))


def _described(request: Request, name: str) -> dict[str, Any]:
    now = request.surface.clock.wall()
    if b"anthropic-version" not in request.fields:
        return {"id": name, "object": "model", "created": int(now), "owned_by": "pointsman"}
    created = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"type": "model", "id": name, "display_name": name, "created_at": created}


def model_names(surface: Surface) -> list[str]:
    """Return what `model` may be, `auto` first."""
    settings = surface.settings()
    names = dict.fromkeys([compat.AUTO, *settings.classes])
    for one in settings.classes.values():
        names.update(dict.fromkeys(one.alias))
    names.update(dict.fromkeys(settings.pools))
    names.update(dict.fromkeys(worker.model for worker in surface.fleet.workers() if worker.model))
    return [name for name in names if name == compat.AUTO or surface.resolve_model(name) is not None]


def _whole(result: Result, envelope: Envelope) -> bytes:
    """Return the answer of a worker that does not speak this protocol as if it did."""
    message = {"role": "assistant", "content": text_of(result.reply)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return wire.encode({**_head(result, envelope, "chat.completion"), "choices": [choice], "usage": usage})


def _events(result: Result, envelope: Envelope) -> bytes:
    """Return the same as a stream."""
    head = _head(result, envelope, "chat.completion.chunk")
    said = {"role": "assistant", "content": text_of(result.reply)}
    chunks = [
        {**head, "choices": [{"index": 0, "delta": said, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    return b"".join(b"data: " + wire.encode(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def _head(result: Result, envelope: Envelope, kind: str) -> dict[str, Any]:
    created = int(envelope.received_wall)
    return {"id": f"chatcmpl-{result.id}", "object": kind, "created": created, "model": result.message_class}


def text_of(reply: Reply | None) -> str:
    """Return the text of a native reply; a value without a `text` as JSON, so that nothing is lost."""
    value = reply.value if reply else None
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return str(value["text"])
    return bytes(answers.reply_json(reply)).decode()


OPENAI: Final = Dialect(
    protocol="openai",
    request_id=b"x-request-id",
    ping=b": ping\n\n",
    error=openai_errors.encode,
    error_event=openai_errors.event,
    whole=_whole,
    events=_events,
)
