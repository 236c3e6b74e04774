"""A small blocking HTTP client of a router's native API, for commands.

What goes wrong on the way becomes `Unreachable`; what the router answers to a request it does not like, `Problem`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from pointsman.cli import figures, options
from pointsman.config import environment
from pointsman.model.errors import PointsmanError, UsageError

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

DEFAULT_URL: Final = "http://127.0.0.1:8080"
VARIABLE: Final = "POINTSMAN_URL"
KEY_VARIABLE: Final = "POINTSMAN_KEY"
TIMEOUT_S: Final = 10.0
API: Final = "/api/v1"


class Unreachable(PointsmanError):
    """Nothing answers at the address, or what answers is no router."""

    code = "unreachable"
    retryable = True


class Problem(PointsmanError):
    """The router answered that it will not, or could not.

    Attributes:
        status: HTTP status.
        document: the problem as it came (RFC 9457).
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code") or f"http_{status}")
        self.retryable = bool(document.get("retryable"))
        super().__init__(_described(status, self.code, document))


def _described(status: int, code: str, document: Mapping[str, Any]) -> str:
    text = f"{code}: {document.get('detail') or document.get('title') or 'no reason was given'}"
    if status == 401:
        return f"{text}. This command takes a key from {KEY_VARIABLE} or --key"
    wait = document.get("retry_after_s")
    return f"{text}; try again in {figures.duration(wait)}" if isinstance(wait, (int, float)) else text


class Client:
    """Speaks to one router, for one thread.

    Args:
        url: where the router is; None takes `POINTSMAN_URL`, or the default address.
        timeout_s: how long an answer may take.
        keep_alive: keep the connection between requests, until `close`; for measuring.
        key: the API key; None takes the `--key` of the command that runs in this thread, or `POINTSMAN_KEY`.

    Raises:
        UsageError: `url` is none, or `key` cannot be one.
    """

    def __init__(
        self,
        url: str | None = None,
        timeout_s: float = TIMEOUT_S,
        *,
        keep_alive: bool = False,
        key: str | None = None,
    ) -> None:
        from urllib.parse import urlsplit

        self._headers = {"Accept": "application/json", **_authorization(key or options.given_key())}
        self.url = (url or environment.snapshot().get(VARIABLE) or DEFAULT_URL).rstrip("/")
        self.timeout_s = timeout_s
        self._keep_alive = keep_alive
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise UsageError(f"{self.url!r} is no address of a router: {error}") from None
        if parts.scheme not in {"http", "https"} or not host:
            raise UsageError(f"{self.url!r} is no address of a router; expected something like {DEFAULT_URL}")
        self._prefix = parts.path
        self._connection = self._connect(parts.scheme, host, port)

    def _connect(self, scheme: str, host: str, port: int | None) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection

        kind = HTTPSConnection if scheme == "https" else HTTPConnection
        return kind(host, port, timeout=self.timeout_s)

    def get(self, path: str, /, **query: Any) -> dict[str, Any]:
        """Return what the router answers; `query` is sent but for what is None. Raises Unreachable, Problem."""
        return self.call("GET", with_query(path, **query))

    def listing(self, path: str, name: str, **query: Any) -> list[dict[str, Any]]:
        """Return the list that stands under `name` in what the router answers. Raises Unreachable, Problem."""
        found = self.get(path, **query).get(name)
        if not isinstance(found, list):
            raise self._no_router(200, f"an object without {name}")
        return found

    def post(self, path: str, value: Any = None, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Send a JSON value and return what the router answers. Raises Unreachable, Problem."""
        return self.call("POST", path, value, headers=headers)

    def delete(self, path: str) -> dict[str, Any]:
        """Ask for something to go. Raises Unreachable, Problem."""
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> dict[str, Any]:
        """Make a request; return the JSON object answered.

        Args:
            method: of HTTP.
            path: below the router's address, such as `/api/v1/workers`.
            value: sent as JSON; None sends no body.
            headers: further ones.
            also: statuses beside 2xx whose answer is a document and no problem.

        Raises:
            Unreachable: no answer, or none of a router.
            Problem: the router refused, or failed.
        """
        status, kind, raw = self.exchange(method, path, value, headers=headers)
        answer = self._decoded(status, kind, raw)
        if status >= 400 and "code" in answer:
            raise Problem(status, answer)
        if not 200 <= status < 300 and status not in also:
            raise self._no_router(status, "no problem document")
        return answer

    def exchange(
        self, method: str, path: str, value: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str, bytes]:
        """Make a request; return status, content type and body as they are. Raises Unreachable."""
        from http.client import HTTPException

        sent = {**self._headers, **(headers or {})}
        body = None
        if value is not None:
            body = json.dumps(value).encode("utf-8", "surrogatepass")
            sent["Content-Type"] = "application/json"
        keep = False
        try:
            if self._connection.sock is None:
                self._open()
            self._connection.request(method, self._prefix + path, body, sent)
            response: HTTPResponse = self._connection.getresponse()
            exchanged = response.status, response.headers.get_content_type(), response.read()
            keep = self._keep_alive
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error
        except ValueError as error:
            raise UsageError(f"this cannot be sent as an HTTP header: {error}") from None
        finally:
            if not keep:
                self._connection.close()
        return exchanged

    def _open(self) -> None:
        try:
            self._connection.connect()
        except UnicodeError:
            raise UsageError(f"{self.url!r} is no address of a router: its host cannot be a name") from None

    def _decoded(self, status: int, kind: str, raw: bytes) -> dict[str, Any]:
        if not kind.endswith("json"):
            raise self._no_router(status, kind)
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError):
            raise self._no_router(status, "broken JSON") from None
        if not isinstance(answer, dict):
            raise self._no_router(status, "JSON that is no object")
        return answer

    def _no_router(self, status: int, what: str) -> Unreachable:
        return Unreachable(
            f"{self.url} answers {status} with {what}, as Pointsman does not: is something else running there?"
            f" Name the router's address with --url or {VARIABLE}"
        )

    def _unreachable(self, error: Exception) -> Unreachable:
        elsewhere = f"start one with `pointsman serve`, or name its address with --url or {VARIABLE}"
        match error:
            case ConnectionRefusedError():
                return Unreachable(f"no router listens at {self.url}: {elsewhere}")
            case TimeoutError():
                return Unreachable(f"{self.url} did not answer within {self.timeout_s:g} s")
            case OSError() if not isinstance(error, ConnectionError):
                return Unreachable(f"{self.url} cannot be reached: {error.strerror or error}; {elsewhere}")
        return Unreachable(f"{self.url} ended the connection without an answer ({type(error).__name__})")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _authorization(key: str | None) -> dict[str, str]:
    """Return the header that lets us in, none where there is no key. Nothing here repeats a key."""
    key = (key or environment.snapshot().get(KEY_VARIABLE) or "").strip()
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(f"the API key in {KEY_VARIABLE} or --key holds characters that no key has")
    return {"Authorization": f"Bearer {key}"}


def quoted(part: str) -> str:
    """Return text as one step of a path."""
    from urllib.parse import quote

    return quote(part, safe="")


def with_query(path: str, /, **query: Any) -> str:
    """Return a path with a query of these parameters, but for those that are None."""
    from urllib.parse import urlencode

    wanted = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(wanted)}" if wanted else path
