"""Finds the route of a method and a path. Knows no route by itself; the table stands in `routes`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pointsman.http.problems import RequestError, invalid
from pointsman.http.wire import shorten
from pointsman.model.errors import NotFound

if TYPE_CHECKING:
    from pointsman.http.exchange import Answer, Request

H = TypeVar("H")

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
"""What may stand for a parameter: all our ids and names, and nothing that could mislead a log or a screen."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter, for the description.

    Attributes:
        name: as it stands in the URL.
        schema: JSON schema of its value.
        meaning: one sentence.
    """

    name: str
    schema: Mapping[str, Any]
    meaning: str


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a method and a path, and what the description says about it.

    Attributes:
        answer: the function that answers; the first line of its docstring is the summary.
        body: type of the request's body, or None where it is ignored.
        replies: type of the body by status of success; None for one that has no JSON schema.
        query: query parameters it understands.
        sends: the body is a message, so the `x-pointsman-` headers of a sender apply.
        body_media: media type of the request's body.
        reply_media: media type of the answer.
        streams: it may also answer with server-sent events, where the body asks for them.
        body_may_lack: a request without a body is as good.
    """

    answer: Callable[[Request], Awaitable[Answer]]
    body: Any = None
    replies: Mapping[int, Any] = field(default_factory=dict)
    query: tuple[Query, ...] = ()
    sends: bool = False
    body_media: str = "application/json"
    reply_media: str = "application/json"
    streams: bool = False
    body_may_lack: bool = False


class RouteTable:
    """Routes by method and pattern; a pattern is a path in which `{name}` stands for one segment."""

    def __init__(self, routes: Mapping[tuple[str, str], Route]) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        self._patterns: dict[tuple[str, ...], dict[str, Route]] = {}
        for (method, pattern), route in routes.items():
            if "{" in pattern:
                self._patterns.setdefault(tuple(pattern.split("/")), {})[method] = route
            else:
                self._exact.setdefault(pattern, {})[method] = route

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route and the parameters in the path. HEAD finds what GET finds.

        Raises:
            NotFound: no route has this path.
            RequestError: `method_not_allowed`, with an `Allow` header.
            RefusedError: `invalid`: a parameter holds characters that no name has, or is too long.
        """
        methods = self._exact.get(path)
        parameters: dict[str, str] = {}
        if methods is None:
            methods, parameters = self._by_pattern(path)
        route = methods.get("GET" if method == "HEAD" else method)
        if route is None:
            allowed = ", ".join(sorted({*methods, "HEAD"} if "GET" in methods else methods))
            detail = f"{path} does not answer {shorten(method)}; allowed: {allowed}"
            raise RequestError("method_not_allowed", detail, ((b"allow", allowed.encode()),))
        return route, parameters

    def _by_pattern(self, path: str) -> tuple[dict[str, Route], dict[str, str]]:
        segments = path.split("/", 12)
        for pattern, methods in self._patterns.items():
            if len(pattern) == len(segments) and all(
                mine == theirs or mine.startswith("{") for mine, theirs in zip(pattern, segments, strict=True)
            ):
                return methods, _parameters(pattern, segments)
        raise NotFound(f"there is nothing at {shorten(path)}; /openapi.json lists the paths")


def _parameters(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for mine, value in zip(pattern, segments, strict=True):
        if mine.startswith("{"):
            name = mine[1:-1]
            if not _NAME.fullmatch(value):
                raise invalid(
                    f"{name}: got {shorten(value)}, expected letters, digits and . _ : @ - (at most 128)", name
                )
            found[name] = value
    return found
