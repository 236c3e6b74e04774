"""One request and its answer, between ASGI and the functions that answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from pointsman.http import wire
from pointsman.http.auth import Identity
from pointsman.http.body import read_body
from pointsman.http.channel import Channel
from pointsman.http.problems import Problem, RequestError, invalid
from pointsman.http.surface import Surface
from pointsman.http.waiting import while_linked, while_listening
from pointsman.runtime.tasks import Tasks

T = TypeVar("T")

JSON: Final = b"application/json"

_TRACE: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE: Final = b"0" * 32
_MOST_PARAMETERS: Final = 16
_NO_CODING: Final = frozenset({b"", b"identity"})

_ONCE: Final = frozenset(
    {
        b"authorization",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"host",
        b"idempotency-key",
        b"origin",
        b"x-api-key",
        b"x-pointsman-class",
        b"x-pointsman-client",
        b"x-pointsman-conversation",
        b"x-pointsman-key",
        b"x-pointsman-priority",
        b"x-pointsman-ttl",
    }
)
"""Headers that decide something, so that two of them would leave open which one counts."""


class Response(msgspec.Struct, frozen=True, gc=False):
    """An answer that succeeded.

    Attributes:
        status: HTTP status.
        body: its bytes.
        media: its media type.
        headers: further headers.
    """

    status: int
    body: bytes
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


Answer = Response | Problem | None
"""What a route answers with; None where it has written its answer itself, piece by piece."""


@dataclass(slots=True, frozen=True)
class Media:
    """A media type that a request's body may have.

    Attributes:
        usual: how most clients write it.
        pattern: every way to write it; `utf-8` is the only charset.
    """

    usual: bytes
    pattern: re.Pattern[bytes]

    def is_declared(self, fields: Mapping[bytes, bytes]) -> bool:
        """Whether the headers of a request say that its body is of this type."""
        declared = fields.get(b"content-type", b"")
        return declared == self.usual or self.pattern.fullmatch(declared) is not None

    def is_plain(self, fields: Mapping[bytes, bytes]) -> bool:
        """Whether they also say that it is not compressed."""
        return fields.get(b"content-encoding", b"").lower() in _NO_CODING and self.is_declared(fields)


def media(usual: bytes, names: bytes) -> Media:
    """Return a media type; `names` is a pattern of type and subtype."""
    return Media(usual, re.compile(rb"(?:" + names + rb")[ \t]*(?:;[ \t]*charset=\"?utf-8\"?[ \t]*)?", re.IGNORECASE))


JSON_BODY: Final = media(JSON, rb"application/(?:[!-~]+\+)?json")


@dataclass(slots=True, frozen=True)
class Context:
    """What all requests of one application share.

    Attributes:
        surface: the router.
        tasks: starts what must run beside a request.
        started_at: monotonic seconds at which the application was made.
        description: the OpenAPI document.
    """

    surface: Surface
    tasks: Tasks
    started_at: float
    description: Callable[[], bytes]


class Request:
    """One request.

    Attributes:
        channel: the way in and out.
        context: what it shares with others.
        surface: the router.
        fields: headers by name in lower case.
        parameters: parameters in the path.
        identity: who sent it; filled before the route is asked.
        lane: of its messages, see `Envelope.lane`.
    """

    __slots__ = ("channel", "context", "fields", "identity", "lane", "parameters", "surface")

    identity: Identity

    def __init__(self, channel: Channel, context: Context) -> None:
        headers = channel.headers
        self.channel = channel
        self.context = context
        self.surface = context.surface
        self.fields = channel.fields
        self.parameters: Mapping[str, str] = {}
        self.lane = ""
        if len(self.fields) != len(headers):
            _refuse_doubles([name for name, _ in headers])

    async def body(self, cap_bytes: int, expected: Media = JSON_BODY) -> bytes:
        """Return the request's body, at most `cap_bytes` long.

        That its type must be declared also keeps web pages out: a browser asks before it sends such a body elsewhere.

        Raises:
            RequestError: `unsupported_media_type`, `too_large` or `receive_timeout`.
            ClientGone: nobody waits for an answer any more.
        """
        fields = self.fields
        body = await read_body(self.channel, fields, cap_bytes, self.surface.settings().server)
        declared = fields.get(b"content-type", b"")
        if not expected.is_declared(fields):
            got = repr(declared[:60].decode("latin-1")) if declared else "none"
            detail = f"content-type: got {got}, expected {expected.usual.decode()}"
            raise RequestError("unsupported_media_type", detail)
        coding = fields.get(b"content-encoding")
        if coding is not None and coding.lower() not in _NO_CODING:
            got = repr(coding[:60].decode("latin-1"))
            raise RequestError("unsupported_media_type", f"content-encoding: got {got}, expected none")
        return body

    async def while_there(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns; cancel it as soon as the client hangs up. The body must have been read.

        Raises:
            ClientGone: the client is gone.
        """
        link = self.channel.link
        if link is None:
            return await while_listening(work, self.channel.receive, self.context.tasks)
        return await while_linked(work, link)

    @property
    def trace_id(self) -> str:
        """Trace id of a W3C `traceparent` header; empty where there is none, and where it is malformed."""
        value = self.fields.get(b"traceparent")
        found = _TRACE.fullmatch(value) if value else None
        return found[1].decode() if found and found[1] != _NO_TRACE else ""

    def query(self, *names: str) -> dict[str, str]:
        """Return the query's parameters.

        Raises:
            RefusedError: `invalid`: one is unknown, stands twice or is no UTF-8.
        """
        found: dict[str, str] = {}
        try:
            pairs = parse_qsl(
                self.channel.query.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_PARAMETERS,
            )
        except ValueError:
            raise invalid("the query is malformed, expected name=value&... in percent-encoded UTF-8") from None
        for name, value in pairs:
            if name not in names:
                known = ", ".join(names) or "none"
                raise invalid(f"unknown query parameter {wire.shorten(name)}; known: {known}", name[:60])
            if name in found:
                raise invalid(f"query parameter {name!r} stands twice, expected once", name)
            found[name] = value
        return found


def ok(value: Any, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    """Return an answer that holds a value of ours as JSON."""
    return Response(status, wire.encode(value), JSON, headers)


def _refuse_doubles(names: list[bytes]) -> None:
    for name in _ONCE:
        if names.count(name) > 1:
            raise invalid(f"header {name.decode()} stands more than once, expected once", name.decode())
