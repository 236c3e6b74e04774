"""Workers that speak the OpenAI protocol: chat completions, as vLLM, SGLang, Ollama and the public APIs serve them.

A message that came in this protocol goes out in it: its body unchanged but for `model`, the answer's bytes relayed as
they come, an error's too. A native message is put into a request of its own, and the text of the first choice is its
reply.
"""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pointsman.model.outcome import Delivered, Failure, Outcome
from pointsman.ports import Attempt
from pointsman.transports.failures import SEND_ERRORS, fail, fail_by_error, own_words, refuse
from pointsman.transports.http import REPLY_BYTES
from pointsman.transports.link import Link
from pointsman.transports.model_field import replace_model
from pointsman.transports.wire.response import Response
from pointsman.transports.work import encode_json, traceparent

_PATH = "/chat/completions"
_RELAYED = ("content-type", "content-encoding")


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    usage: dict[str, Any] | None = None


class _Relayed(msgspec.Struct):
    choices: list[msgspec.Raw]


_completions = msgspec.json.Decoder(_Completion)
_relayed = msgspec.json.Decoder(_Relayed)


class OpenAITransport:
    """A worker that answers chat completions.

    Args:
        url: the base URL as OpenAI clients take it, `.../v1`; a URL without a path means `/v1`.
        model: the model to ask for.
        max_in_flight: messages at once, >= 1.
        token: returns the bearer token the worker wants.
        ssl: how to check an https worker; None means the certificates the operating system trusts.

    Raises:
        UsageError: the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        max_in_flight: int,
        token: Callable[[], str] | None = None,
        ssl: tls.SSLContext | None = None,
    ) -> None:
        self._link = Link(url, max_in_flight=max_in_flight, token=token, ssl=ssl)
        self._model = model
        self._path = _PATH if urlsplit(url).path.strip("/") else "/v1" + _PATH

    async def open(self) -> None:
        """See `ports.Transport`."""
        await self._link.open()

    async def send(self, attempt: Attempt) -> Outcome:
        """Ask for a completion; relay it where the sender speaks this protocol, else put its text into the reply."""
        headers = (("traceparent", traceparent(attempt)),)
        relayed = attempt.envelope.body
        try:
            body = self._own_request(attempt) if relayed is None else replace_model(relayed, self._model)
        except ValueError as error:
            return fail(attempt, Failure.MESSAGE_FAULT, str(error), sent=False)
        try:
            with await self._link.post(self._path, headers, body) as response:
                if response.status >= 300:
                    return await refuse(attempt, response, _passing(response))
                if relayed is not None:
                    return await _relay(attempt, response)
                answer = await response.read(REPLY_BYTES)
        except SEND_ERRORS as error:
            return fail_by_error(attempt, error)
        return _put_text(attempt, answer)

    async def probe(self) -> bool:
        """Whether the worker takes a new connection."""
        return await self._link.probe()

    async def close(self) -> None:
        """See `ports.Transport`."""
        await self._link.close()

    def _own_request(self, attempt: Attempt) -> bytes:
        message = attempt.envelope.message
        text = message.text if message.text is not None else attempt.envelope.ask
        request = {**message.params}
        request["model"] = self._model
        request["messages"] = message.messages or [{"role": "user", "content": text}]
        request["stream"] = False
        return encode_json(request)


async def _relay(attempt: Attempt, response: Response) -> Outcome:
    """Pass the answer's bytes on as they come; at their end, what was no completion is a failed attempt."""
    attempt.reply.start(response.status, _passing(response))
    size = 0
    parts: list[bytes] = []
    async for chunk in response.chunks():
        size += len(chunk)
        if size > REPLY_BYTES:
            detail = f"the reply is longer than {REPLY_BYTES} bytes"
            return fail(attempt, Failure.WORKER_GARBAGE, detail, sent=True, status=response.status)
        parts.append(chunk)
        await attempt.reply.write(chunk)
    streamed = (response.header("content-type") or "").startswith("text/event-stream")
    if not streamed and response.header("content-encoding") is None:
        answer = b"".join(parts)
        try:
            _relayed.decode(answer)
        except (ValueError, RecursionError, msgspec.DecodeError) as error:
            return fail(attempt, Failure.WORKER_GARBAGE, _no_completion(error, answer), sent=True)
    return Delivered(attempt.worker)


def _passing(response: Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in response.headers if name in _RELAYED]


def _put_text(attempt: Attempt, answer: bytes) -> Outcome:
    try:
        completion = _completions.decode(answer)
        first = completion.choices[0].message
    except (ValueError, RecursionError, IndexError, msgspec.DecodeError) as error:
        return fail(attempt, Failure.WORKER_GARBAGE, _no_completion(error, answer), sent=True)
    attempt.reply.put({"text": first.content or "", "usage": completion.usage, "model": completion.model})
    return Delivered(attempt.worker)


def _no_completion(error: Exception, answer: bytes) -> str:
    return f"expected a chat completion with a choice, got ({error}): {own_words(answer)}"
