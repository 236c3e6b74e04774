"""One request: its headers, its query, its trace."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, cast

import pytest

from pointsman.http.channel import AsgiChannel
from pointsman.http.exchange import Context, Request
from pointsman.model.errors import RefusedError
from tests.http.asgi import certain
from tests.http.service import service

CONTEXT = cast("Context", type("NoContext", (), {"surface": None})())


async def nothing() -> MutableMapping[str, Any]:
    """Receive nothing."""
    return {"type": "http.disconnect"}


async def nowhere(event: MutableMapping[str, Any]) -> None:
    """Send nothing."""


def request(headers: list[tuple[bytes, bytes]], query: str = "") -> Request:
    """Return a request."""
    scope: dict[str, Any] = {"method": "GET", "path": "/", "headers": headers, "query_string": query.encode()}
    return Request(AsgiChannel(scope, nothing, nowhere), CONTEXT)


@pytest.mark.parametrize(
    "name", ["content-type", "content-length", "host", "idempotency-key", "x-pointsman-class", "x-pointsman-client"]
)
def test_a_header_that_decides_may_stand_only_once(name: str) -> None:
    """Also when both say the same."""
    with pytest.raises(RefusedError) as caught:
        request([(name.encode(), b"a"), (b"accept", b"*/*"), (name.encode(), b"a")])
    assert caught.value.refused.field == name


def test_other_headers_may_stand_twice() -> None:
    """As HTTP has it."""
    assert request([(b"accept", b"a"), (b"accept", b"b")]).fields == {b"accept": b"b"}


@pytest.mark.parametrize(
    ("value", "trace_id"),
    [
        (b"00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01", "ab" * 16),
        (b"cc-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01-more", "ab" * 16),
        (b"00-" + b"00" * 16 + b"-" + b"cd" * 8 + b"-01", ""),
        (b"00-" + b"AB" * 16 + b"-" + b"cd" * 8 + b"-01", ""),
        (b"00-abc-def-01", ""),
        (b"", ""),
    ],
)
def test_a_trace_is_taken_over_or_left(value: bytes, trace_id: str) -> None:
    """A malformed `traceparent` is as good as none."""
    assert request([(b"traceparent", value)]).trace_id == trace_id


def test_query_parameters_are_read() -> None:
    """Percent-encoding included."""
    assert request([], "a=1&b=%C3%A9+x&c=").query("a", "b", "c", "d") == {"a": "1", "b": "é x", "c": ""}


@pytest.mark.parametrize("query", ["x=1", "a=1&a=2", "a=%ff", "&".join("a=1" for _ in range(20))])
def test_a_query_that_is_not_understood_is_refused(query: str) -> None:
    """Unknown, doubled, no UTF-8, too many."""
    with pytest.raises(RefusedError):
        request([], query).query("a")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 200),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"content-type": 'Application/JSON;charset="UTF-8"'}, 200),
        ({"content-type": "application/vnd.x+json"}, 200),
        ({"content-type": "application/json", "content-encoding": "identity"}, 200),
        ({}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/jsonp"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
    ],
)
async def test_only_plain_json_is_taken(headers: dict[str, str], status: int) -> None:
    """What a web page can send without asking is not among it."""
    async with service() as run:
        answered = certain(await run.client.call("POST", "/api/v1/messages", b'{"text": "fix it"}', headers))
        assert answered.status == status
        if status == 415:
            assert answered.problem()["code"] == "unsupported_media_type"
