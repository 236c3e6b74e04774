"""The ASGI application: finds the route, lets it answer, and writes the answer down.

Each answer is a `Response` or a `Problem`, and each exception that we raise on purpose becomes a `Problem`
here, in one place. There is no broad except: admission and delivery turn their own faults into values
(`layers/rescue.py`).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import cache
from typing import Any, Final

import msgspec

from pointsman.http import openai_errors, openapi, problems
from pointsman.http.auth import identify
from pointsman.http.channel import AnswerCut, AsgiChannel, Channel, Send
from pointsman.http.compat_anthropic import ANTHROPIC
from pointsman.http.compat_openai import OPENAI
from pointsman.http.dialect import Dialect
from pointsman.http.exchange import JSON, Answer, Context, Request, Response
from pointsman.http.gate import Beside, Gate
from pointsman.http.guard import Guard, refuse_foreign
from pointsman.http.problems import Problem
from pointsman.http.routes import ROUTES
from pointsman.http.routing import RouteTable
from pointsman.http.surface import Surface
from pointsman.http.waiting import ClientGone, Receive
from pointsman.model.errors import PointsmanError
from pointsman.model.events import RequestFaulted
from pointsman.runtime.tasks import Tasks

Scope = MutableMapping[str, Any]

COMPATIBLE: Final = "/v1/"
"""Paths below it speak OpenAI's language, errors included."""

MESSAGES: Final = "/v1/messages"
"""But this, and what is below it, speaks Anthropic's."""

MODELS: Final = "/v1/models"
"""And this speaks the language of whoever asks."""


class App:
    """A bare ASGI application (ASGI 3, spec 2.3) over a running router; it starts and stops nothing.

    Args:
        surface: the router.
        guard: who is let in while there are no API keys; `allow_everybody` where another application that this one is
            mounted in knows its clients.
        beside: an old router that answers too, while this one is brought in.
    """

    def __init__(self, surface: Surface, guard: Guard = refuse_foreign, beside: Beside | None = None) -> None:
        self._guard = guard
        description = cache(lambda: openapi.document(ROUTES, surface.version))
        self._context = Context(surface, Tasks(surface.clock), surface.clock.monotonic(), description)
        self._routes = RouteTable(ROUTES)
        self._gate = None if beside is None else Gate(beside, self._context, guard, self._routes, self._carry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope of an ASGI server."""
        if scope["type"] == "http":
            channel = AsgiChannel(scope, receive, send)
            await self.serve(channel)
            if channel.aborted:
                raise AnswerCut("the answer was broken off because its worker's was")
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def serve(self, channel: Channel) -> None:
        """Answer one request; returns once the answer is written, or its client is gone."""
        gate = self._gate
        try:
            if gate is None or gate.is_ours(channel):
                answer = await self._answer(channel)
            else:
                answer = await gate.answer(channel)
        except ClientGone:
            return
        if isinstance(answer, Problem):
            answer = self._refusal(answer, channel.path, _language(channel))
        if answer is not None:
            body = answer.body
            fields = [(b"content-type", answer.media), (b"content-length", b"%d" % len(body)), *answer.headers]
            await channel.respond(answer.status, fields, body)

    def refusal(self, problem: Problem, path: str) -> Response:
        """Write a problem in the language of the path it came from."""
        return self._refusal(problem, path, ANTHROPIC if path.startswith(MESSAGES) else OPENAI)

    def faulted(self) -> None:
        """A request failed by a bug of ours: tell whoever counts it."""
        surface = self._context.surface
        surface.emit(RequestFaulted(surface.clock.monotonic()))

    def _refusal(self, problem: Problem, path: str, dialect: Dialect) -> Response:
        fields = problems.headers(problem)
        if not path.startswith(COMPATIBLE):
            return Response(problem.status, problems.encode(problem, path), problems.MEDIA_TYPE, tuple(fields))
        known = [value for name, value in fields if name == b"x-pointsman-message-id"]
        request_id = known[0] if known else self._context.surface.envelopes.new_id().encode()
        if all(name != dialect.request_id for name, _ in fields):
            fields.append((dialect.request_id, request_id))
        problem = msgspec.structs.replace(problem, more={**problem.more, "id": request_id.decode()})
        fields += openai_errors.headers(problem)
        return Response(problem.status, dialect.error(problem), JSON, tuple(fields))

    async def _answer(self, channel: Channel) -> Answer:
        request = None
        try:
            request = Request(channel, self._context)
            request.identity = identify(request, self._guard)
        except PointsmanError as error:
            return problems.of_error(error, trace_id=request.trace_id if request else "")
        return await self._carry(request)

    async def _carry(self, request: Request) -> Answer:
        """Answer a request that was let in."""
        channel = request.channel
        try:
            route, request.parameters = self._routes.match(channel.method, channel.path)
            return await route.answer(request)
        except PointsmanError as error:
            return problems.of_error(error, trace_id=request.trace_id)


def _language(channel: Channel) -> Dialect:
    """Return the language of a request: that of its path, but where both clients ask, that of its headers."""
    if channel.path.startswith(MODELS):
        return ANTHROPIC if any(name == b"anthropic-version" for name, _ in channel.headers) else OPENAI
    return ANTHROPIC if channel.path.startswith(MESSAGES) else OPENAI


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        await send({"type": event["type"] + ".complete"})
        if event["type"] == "lifespan.shutdown":
            return
