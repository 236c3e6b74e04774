"""Which headers pass, either way."""

from __future__ import annotations

import pytest

from pointsman.http import passing


def test_a_clients_headers_reach_the_worker_but_for_those_of_its_connection_and_its_keys() -> None:
    """Vendor headers and unknown ones pass as they are, in their order."""
    passes = [(b"openai-organization", b"org-1"), (b"x-stainless-lang", b"python"), (b"anthropic-beta", b"a,b")]
    stays = [
        (b"host", b"localhost"),
        (b"connection", b"keep-alive"),
        (b"content-length", b"5"),
        (b"content-type", b"application/json"),
        (b"accept-encoding", b"gzip"),
        (b"authorization", b"Bearer secret"),
        (b"x-api-key", b"secret"),
        (b"cookie", b"a=b"),
        (b"x-pointsman-class", b"tactical"),
        (b"x-forwarded-for", b"10.0.0.1"),
        (b"sec-fetch-mode", b"cors"),
        (b"transfer-encoding", b"chunked"),
        (b"traceparent", b"00-x"),
    ]
    assert passing.inward([*stays, *passes]) == tuple((name.decode(), value.decode()) for name, value in passes)


def test_a_workers_headers_reach_the_client_but_for_those_of_its_connection_and_ours() -> None:
    """None that would break the answer, none that only we may say, nothing about a host the client never met."""
    passes = [("Content-Encoding", "gzip"), ("x-request-id", "r1"), ("Retry-After", "3")]
    stays = [
        ("content-type", "text/plain"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("connection", "x"),
        ("date", "now"),
        ("set-cookie", "a=b"),
        ("x-pointsman-class", "forged"),
        ("bad name", "x"),
        ("bad-value", "a\r\nset-cookie: b"),
        ("naïve", "x"),
        ("x-naïve", "é"),
    ]
    assert passing.outward([*stays, *passes]) == [(name.lower().encode(), value.encode()) for name, value in passes]


@pytest.mark.parametrize(
    ("headers", "media"),
    [
        ([("Content-Type", "text/plain")], b"text/plain"),
        ([("content-type", "a\nb")], b"application/json"),
        ([], b"application/json"),
    ],
)
def test_a_content_type_is_the_workers_where_it_can_be_written(headers: list[tuple[str, str]], media: bytes) -> None:
    """Else the usual one."""
    assert passing.media(headers, b"application/json") == media
