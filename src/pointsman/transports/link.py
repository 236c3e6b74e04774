"""What the HTTP transports share: one client to one worker, its lifetime, and the worker's token.

Not a base class: each transport holds one and hands its own lifetime on to it.
"""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable

from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.errors import ConnectFailed
from pointsman.transports.wire.origin import parse_origin
from pointsman.transports.wire.request_head import Headers
from pointsman.transports.wire.response import Response


class Link:
    """The way to one worker.

    Args:
        url: where it listens, http or https.
        max_in_flight: requests at once, >= 1.
        token: returns the bearer token the worker wants; asked before each request, so that a changed one is used.
        ssl: how to check an https worker; None means the certificates the operating system trusts.

    Raises:
        UsageError: the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        max_in_flight: int,
        token: Callable[[], str] | None = None,
        ssl: tls.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._max_in_flight = max_in_flight
        self._token = token
        self._ssl = tls.create_default_context() if ssl is None and parse_origin(url).secure else ssl
        self._client: HttpClient | None = None

    async def open(self) -> None:
        """Be ready to connect; connects to nothing yet. Idempotent."""
        if self._client is None:
            self._client = HttpClient(self._url, max_connections=self._max_in_flight, ssl=self._ssl)

    async def post(self, path: str, headers: Headers, body: bytes) -> Response:
        """Post JSON to the worker.

        Raises:
            As `HttpClient.request`; ConnectFailed also where the link is not open.
        """
        if self._client is None:
            raise ConnectFailed("the way to this worker is closed: it has left, or was not opened")
        fields = [("content-type", "application/json"), ("accept-encoding", "identity"), *headers]
        if self._token is not None:
            fields.append(("authorization", f"Bearer {self._token()}"))
        return await self._client.request("POST", path, fields, body)

    async def probe(self) -> bool:
        """Whether the worker takes a new connection."""
        return self._client is not None and await self._client.reach()

    async def close(self) -> None:
        """Close all connections. Idempotent; `open` may follow."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
