"""One request's way in and its answer's way out, whoever carries them: our own server or any ASGI server.

`Channel` is all that the application asks of a server. `AsgiChannel` makes one of an ASGI scope (ASGI 3, HTTP spec
2.3), so that the application can be mounted in another one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from pointsman.http.waiting import EXTENSION, Link, Receive

Fields = Sequence[tuple[bytes, bytes]]
"""Header lines; names in lower case."""

Passing = tuple[tuple[str, str], ...]
"""Headers of a request that pass to a worker."""


class Memo:
    """What was worked out of a request's head. Requests with the same head share it, so it holds nothing of a body, and
    nothing that settings decide.

    Attributes:
        passing: the headers that pass to a worker; None until somebody has asked.
        target: path and query as they came.
    """

    __slots__ = ("passing", "target")

    def __init__(self, target: bytes = b"") -> None:
        self.passing: Passing | None = None
        self.target = target


Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Channel(Protocol):
    """What the application asks of whoever serves it.

    What is written after the client has gone is dropped without a word; the link tells, and `receive`.

    Attributes:
        method: of HTTP, upper case.
        path: decoded, below the place where the application is mounted.
        query: as it came, percent-encoded.
        headers: of the request, in their order.
        fields: the same by name; of those that stand twice, the last.
        memo: what was worked out of all that.
        link: tells when the client goes; None where the server cannot tell, and `receive` must be asked.
    """

    method: str
    path: str
    query: bytes
    headers: Fields
    fields: Mapping[bytes, bytes]
    memo: Memo
    link: Link | None

    def arrived(self) -> bytes | None:
        """Return the request's body if all of it has arrived and none of it was received yet; costs nothing."""
        ...

    async def receive(self) -> MutableMapping[str, Any]:
        """Return the next `http.request` or `http.disconnect` event, as ASGI has them."""
        ...

    def put_back(self, body: bytes) -> None:
        """Let a body that was received whole be received once more."""
        ...

    async def respond(self, status: int, headers: Fields, body: bytes) -> None:
        """Write a whole answer at once; `headers` has its content-length. The body of an answer to HEAD stays here."""
        ...

    async def start(self, status: int, headers: Fields) -> None:
        """Begin an answer whose length is not known; it goes out with the first bytes of the body."""
        ...

    async def start_as_is(self, status: int, headers: Fields, *, is_sized: bool, at_once: bool) -> None:
        """Begin somebody else's answer, whose headers go out as they are.

        Args:
            status: 200..999.
            headers: names in lower case; date and server are theirs, none frames the body but content-length.
            is_sized: content-length is among them, and so many bytes follow, or there is no body.
            at_once: it does not wait for the first bytes of the body.
        """
        ...

    async def write(self, chunk: bytes) -> None:
        """Write a part of the body, not empty; waits while the client is slower than we are."""
        ...

    def write_now(self, chunk: bytes) -> bool:
        """Do the same if it takes no waiting; where it would, do nothing and return False."""
        ...

    async def end(self) -> None:
        """End an answer that was started."""
        ...

    def abort(self) -> None:
        """Break an answer that was started off, so that its client sees that it is not whole."""
        ...


class AnswerCut(Exception):
    """Leaves the application to tell an ASGI server that an answer is broken off."""


class AsgiChannel:
    """A channel over an ASGI scope."""

    __slots__ = (
        "_aborted",
        "_back",
        "_receive",
        "_send",
        "fields",
        "headers",
        "link",
        "memo",
        "method",
        "path",
        "query",
    )

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        root: str = scope.get("root_path", "")
        path: str = scope["path"]
        self.path = path.removeprefix(root) if root else path
        self.query: bytes = scope["query_string"]
        self.headers: Fields = scope["headers"]
        self.fields: Mapping[bytes, bytes] = dict(self.headers)
        self.memo = Memo(_target(scope))
        extensions = scope.get("extensions")
        self.link: Link | None = extensions.get(EXTENSION) if extensions else None
        self._receive = receive
        self._send = send
        self._aborted = False
        self._back: bytes | None = None

    def arrived(self) -> bytes | None:
        """An ASGI server does not tell; only what was put back is known."""
        return self._back

    async def receive(self) -> MutableMapping[str, Any]:
        """See `Channel`."""
        back, self._back = self._back, None
        if back is not None:
            return {"type": "http.request", "body": back, "more_body": False}
        return await self._receive()

    def put_back(self, body: bytes) -> None:
        """See `Channel`."""
        self._back = body

    async def respond(self, status: int, headers: Fields, body: bytes) -> None:
        """See `Channel`."""
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await self._send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})

    async def start(self, status: int, headers: Fields) -> None:
        """See `Channel`."""
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def start_as_is(self, status: int, headers: Fields, *, is_sized: bool, at_once: bool) -> None:
        """See `Channel`."""
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def write(self, chunk: bytes) -> None:
        """See `Channel`."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    def write_now(self, chunk: bytes) -> bool:
        """ASGI knows no way that does not wait."""
        return False

    async def end(self) -> None:
        """See `Channel`."""
        if self._aborted:
            raise AnswerCut("the answer was broken off")
        await self._send({"type": "http.response.body", "body": b""})

    def abort(self) -> None:
        """ASGI knows no other way than to leave the answer open and raise."""
        self._aborted = True

    @property
    def aborted(self) -> bool:
        """Whether the answer was broken off."""
        return self._aborted


def _target(scope: MutableMapping[str, Any]) -> bytes:
    """Return path and query as they came, where the server tells."""
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
    query: bytes = scope["query_string"]
    return b"%b?%b" % (path, query) if query else path
