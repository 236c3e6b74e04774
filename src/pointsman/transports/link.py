"""What the HTTP transports share: one client to one worker, its lifetime, and the worker's token.

Not a base class: each transport holds one and hands its own lifetime on to it.
"""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal

from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.errors import ConnectFailed
from pointsman.transports.wire.origin import parse_origin
from pointsman.transports.wire.proxy import parse_proxy
from pointsman.transports.wire.request_head import Headers, encode_lines
from pointsman.transports.wire.response import Response

TokenStyle = Literal["bearer", "x-api-key"]

_API_KEY = "x-api-key"
_CREDENTIALS = frozenset({"authorization", _API_KEY})
_DEFAULTS = (("content-type", "application/json"), ("accept-encoding", "identity"))
_OURS = _CREDENTIALS.union(name for name, _ in _DEFAULTS)

Shared = tuple[tuple[str, str], ...]
"""Headers that many requests have in common; none of them is ours."""

KEPT: Final = 128
"""Encoded headers that are kept: a client sends the same ones with each request."""


class Link:
    """The way to one worker.

    Args:
        url: where it listens, http or https.
        max_in_flight: requests at once, >= 1.
        token: returns the token the worker wants; asked before each request, so that a changed one is used.
        token_style: how it is sent: `authorization: Bearer ...`, or `x-api-key: ...`.
        ssl: how to check an https worker; None means the certificates the operating system trusts.
        proxy: URL of an HTTP proxy that all requests go through, with its user and password if it wants any.

    Raises:
        UsageError: a URL cannot be used; nothing of a user and password in it is shown.
    """

    def __init__(
        self,
        url: str,
        *,
        max_in_flight: int,
        token: Callable[[], str] | None = None,
        token_style: TokenStyle = "bearer",
        ssl: tls.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        secure = parse_origin(url).secure
        self._url = url
        self._max_in_flight = max_in_flight
        self._token = token
        self._token_name, self._token_kind = ("authorization", "Bearer ") if token_style == "bearer" else (_API_KEY, "")
        self._proxy = None if proxy is None else parse_proxy(proxy)
        self._ssl = tls.create_default_context() if ssl is None and secure else ssl
        self._client: HttpClient | None = None

    async def open(self) -> None:
        """Be ready to connect; connects to nothing yet. Idempotent."""
        if self._client is None:
            self._client = HttpClient(self._url, max_connections=self._max_in_flight, ssl=self._ssl, proxy=self._proxy)

    async def post(
        self,
        path: str,
        headers: Headers,
        body: bytes,
        *,
        shared: Shared = (),
        first_s: float | None = None,
        idle_s: float | None = None,
        method: str = "POST",
    ) -> Response:
        """Post JSON to the worker.

        Args:
            path: below the URL's own path.
            headers: of the caller, who may say otherwise about `content-type` and `accept-encoding`. Where the link
                has a token, credentials among them are left out: the worker gets its own and no other.
            body: sent as it is.
            shared: further headers, which are encoded once and kept; no credential, and no name that `headers` has.
            first_s: longest time from the request's last byte to the first byte of the answer's body, seconds, > 0.
            idle_s: longest silence after it, seconds, > 0; counted only while we wait for the worker.
            method: upper case.

        Raises:
            As `HttpClient.request`; ConnectFailed also where the link is not open.
        """
        if self._client is None:
            raise ConnectFailed("the way to this worker is closed: it has left, or was not opened")
        lines = _encoded(shared) if shared else b""
        fields = self._fields(headers)
        return await self._client.request(method, path, fields, body, lines=lines, first_s=first_s, idle_s=idle_s)

    def _fields(self, headers: Headers) -> list[tuple[str, str]]:
        """Return all headers that are sent, no name of ours twice."""
        theirs = [name for name, _ in headers if name.lower() in _OURS]
        fields = [*_DEFAULTS, *headers] if not theirs else _settle(headers, self._token is not None)
        if self._token is not None:
            fields.append((self._token_name, self._token_kind + self._token()))
        return fields

    async def probe(self) -> bool:
        """Whether the worker takes a new connection."""
        return self._client is not None and await self._client.reach()

    async def close(self) -> None:
        """Close all connections. Idempotent; `open` may follow."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


_encoded = lru_cache(maxsize=KEPT)(encode_lines)


def _settle(headers: Headers, has_token: bool) -> list[tuple[str, str]]:
    """Return the headers where a caller names some that are ours: its credentials give way, our defaults too."""
    theirs = [header for header in headers if not (has_token and header[0].lower() in _CREDENTIALS)]
    named = {name.lower() for name, _ in theirs}
    return [default for default in _DEFAULTS if default[0] not in named] + theirs
