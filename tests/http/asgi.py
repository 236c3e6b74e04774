"""An ASGI server for tests: gives the application one request, takes its answer, and can hang up in the middle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from pointsman.http.app import App

PROBLEM_MEMBERS = {"type", "title", "status", "code", "detail", "instance", "retryable", "retry_after_s", "trace_id"}


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks: tuple[bytes, ...] = ()
    whole: bool = True

    def json(self) -> Any:
        """The body, decoded by a parser that is not ours."""
        return json.loads(self.body)

    def problem(self) -> dict[str, Any]:
        """The body, which must be a problem as RFC 9457 and the product page have it, and agree with the answer."""
        found: dict[str, Any] = self.json()
        assert self.headers["content-type"] == "application/problem+json"
        assert set(found) >= PROBLEM_MEMBERS, found
        assert found["type"] == f"urn:pointsman:problem:{found['code']}"
        assert found["status"] == self.status
        assert isinstance(found["title"], str)
        assert found["title"]
        assert isinstance(found["detail"], str)
        assert found["detail"]
        assert isinstance(found["retryable"], bool)
        assert found["instance"].startswith("/")
        retry_after = self.headers.get("retry-after")
        assert (retry_after is None) == (found["retry_after_s"] is None)
        assert retry_after is None or int(retry_after) >= max(1.0, found["retry_after_s"])
        return found

    def openai_error(self) -> dict[str, Any]:
        """The body, which must be OpenAI's error object."""
        found: dict[str, Any] = self.json()
        assert self.headers["content-type"] == "application/json"
        assert set(found) == {"error"}
        assert set(found["error"]) == {"message", "type", "param", "code"}
        assert self.headers["x-should-retry"] in {"true", "false"}
        return dict(found["error"])


class Client:
    """Calls an application.

    Args:
        app: the application.
        extensions: of the scope, such as a `Link`.
    """

    def __init__(self, app: App, extensions: Mapping[str, Any] | None = None) -> None:
        self._app = app
        self._extensions = extensions

    async def call(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        hang_up: asyncio.Event | None = None,
    ) -> Answered | None:
        """Send a request and return the answer, or None where the application gave none.

        Args:
            method: of HTTP.
            target: path and query.
            body: whole, or in chunks.
            headers: as they are.
            hang_up: once set, the client is gone.
        """
        path, _, query = target.partition("?")
        chunks = [body] if isinstance(body, bytes) else list(body)
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        }
        if self._extensions is not None:
            scope["extensions"] = self._extensions
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            if chunks:
                return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}
            await (hang_up or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(event: MutableMapping[str, Any]) -> None:
            sent.append(event)

        await self._app(scope, receive, send)
        return _answered(sent) if sent else None

    async def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answered:
        """GET."""
        return certain(await self.call("GET", target, headers=headers or {}))

    async def post(self, target: str, value: Any = None, headers: Mapping[str, str] | None = None) -> Answered:
        """POST a JSON value, or bytes as they are, declared as JSON."""
        body = value if isinstance(value, bytes) else b"" if value is None else json.dumps(value).encode()
        return certain(await self.call("POST", target, body, {"content-type": "application/json", **(headers or {})}))

    async def delete(self, target: str) -> Answered:
        """DELETE."""
        return certain(await self.call("DELETE", target))


def certain(answered: Answered | None) -> Answered:
    """Return the answer, which there must be, whole."""
    assert answered is not None
    assert answered.whole
    return answered


def _answered(sent: list[MutableMapping[str, Any]]) -> Answered:
    start, *bodies = sent
    assert start["type"] == "http.response.start"
    assert all(body["type"] == "http.response.body" for body in bodies)
    assert all(body.get("more_body", False) for body in bodies[:-1])
    names = [name for name, _ in start["headers"]]
    assert all(name == name.lower() for name in names)
    assert len(set(names)) == len(names), names
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    chunks = tuple(bytes(body.get("body", b"")) for body in bodies)
    return Answered(start["status"], headers, b"".join(chunks), chunks, not bodies[-1].get("more_body", False))
