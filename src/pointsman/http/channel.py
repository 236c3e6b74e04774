"""One request's way in and its answer's way out, whoever carries them: our own server or any ASGI server.

`Channel` is all that the application asks of a server. `AsgiChannel` makes one of an ASGI scope (ASGI 3, HTTP spec
2.3), so that the application can be mounted in another one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

from pointsman.http.waiting import EXTENSION, Link, Receive

Fields = Sequence[tuple[bytes, bytes]]
"""Header lines; names in lower case."""

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
        link: tells when the client goes; None where the server cannot tell, and `receive` must be asked.
    """

    method: str
    path: str
    query: bytes
    headers: Fields
    fields: dict[bytes, bytes]
    link: Link | None

    def arrived(self) -> bytes | None:
        """Return the request's body if all of it has arrived and none of it was received yet; costs nothing."""
        ...

    async def receive(self) -> MutableMapping[str, Any]:
        """Return the next `http.request` or `http.disconnect` event, as ASGI has them."""
        ...

    async def respond(self, status: int, headers: Fields, body: bytes) -> None:
        """Write a whole answer at once; `headers` has its content-length. The body of an answer to HEAD stays here."""
        ...

    async def start(self, status: int, headers: Fields) -> None:
        """Begin an answer whose length is not known; it goes out with the first bytes of the body."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Write a part of the body, not empty; waits while the client is slower than we are."""
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

    __slots__ = ("_aborted", "_receive", "_send", "fields", "headers", "link", "method", "path", "query")

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        root: str = scope.get("root_path", "")
        path: str = scope["path"]
        self.path = path.removeprefix(root) if root else path
        self.query: bytes = scope["query_string"]
        self.headers: Fields = scope["headers"]
        self.fields = dict(self.headers)
        extensions = scope.get("extensions")
        self.link: Link | None = extensions.get(EXTENSION) if extensions else None
        self._receive = receive
        self._send = send
        self._aborted = False

    def arrived(self) -> bytes | None:
        """An ASGI server does not tell."""
        return None

    async def receive(self) -> MutableMapping[str, Any]:
        """See `Channel`."""
        return await self._receive()

    async def respond(self, status: int, headers: Fields, body: bytes) -> None:
        """See `Channel`."""
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await self._send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})

    async def start(self, status: int, headers: Fields) -> None:
        """See `Channel`."""
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def write(self, chunk: bytes) -> None:
        """See `Channel`."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

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
