"""The ASGI application: finds the route, lets it answer, and writes the answer down.

Each answer is a `Response` or a `Problem`, and each exception that we raise on purpose becomes a `Problem`
here, in one place. There is no broad except: admission and delivery turn their own faults into values
(`layers/rescue.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any, Final

from pointsman.http import openai_errors, openapi, problems
from pointsman.http.exchange import Context, Request, Response
from pointsman.http.guard import Guard, refuse_foreign
from pointsman.http.problems import Problem
from pointsman.http.routes import ROUTES
from pointsman.http.routing import RouteTable
from pointsman.http.surface import Surface
from pointsman.http.waiting import ClientGone, Receive
from pointsman.model.errors import PointsmanError
from pointsman.runtime.tasks import Tasks

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Scope = MutableMapping[str, Any]

COMPATIBLE: Final = "/v1/"
"""Paths below it speak OpenAI's language, errors included."""


class App:
    """A bare ASGI application (ASGI 3, spec 2.3) over a running router; it starts and stops nothing.

    Args:
        surface: the router.
        guard: judges a request by its headers before anything else; `allow_everybody` where another application that
            this one is mounted in knows its clients.
    """

    def __init__(self, surface: Surface, guard: Guard = refuse_foreign) -> None:
        self._guard = guard
        description = cache(lambda: openapi.document(ROUTES, surface.version))
        self._context = Context(surface, Tasks(surface.clock), surface.clock.monotonic(), description)
        self._routes = RouteTable(ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] == "http":
            try:
                response = await self._answer(scope, receive)
            except ClientGone:
                return
            await _write(response, scope["method"] != "HEAD", send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path = _path(scope)
        trace_id = ""
        try:
            request = Request(scope, receive, self._context)
            trace_id = request.trace_id
            self._guard(request.fields)
            route, request.parameters = self._routes.match(scope["method"], path)
            answer = await route.answer(request)
        except PointsmanError as error:
            answer = problems.of_error(error, trace_id=trace_id)
        if isinstance(answer, Problem):
            return _respond(answer, path)
        return answer


def _path(scope: Scope) -> str:
    """Return the path below the place where the application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root else path


def _respond(problem: Problem, path: str) -> Response:
    """Write a problem in the language of the path it came from."""
    fields = problems.headers(problem)
    if path.startswith(COMPATIBLE):
        body, media = openai_errors.encode(problem), openai_errors.MEDIA_TYPE
        fields += openai_errors.headers(problem)
    else:
        body, media = problems.encode(problem, path), problems.MEDIA_TYPE
    return Response(problem.status, body, media, tuple(fields))


async def _write(response: Response, with_body: bool, send: Send) -> None:
    body = response.body
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [
                (b"content-type", response.media),
                (b"content-length", b"%d" % len(body)),
                *response.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body if with_body else b""})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        await send({"type": event["type"] + ".complete"})
        if event["type"] == "lifespan.shutdown":
            return
