"""What a head may say, beyond its grammar."""

from __future__ import annotations

import pytest

from pointsman.http.request_head import check_headers, split_target
from pointsman.model.errors import RefusedError

HOST = (b"host", b"localhost:8080")


def check(version: str, *headers: tuple[bytes, bytes]) -> None:
    """Check headers."""
    check_headers(version, list(headers), dict(headers))


def split(target: bytes, method: str = "GET", host: bytes | None = b"localhost:8080") -> tuple[str, bytes]:
    """Split a target."""
    return split_target(method, target, {} if host is None else {b"host": host})


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", [HOST]),
        ("1.1", [HOST, (b"x", b"a"), (b"x", b"b")]),
        ("1.1", [HOST, (b"transfer-encoding", b"Chunked")]),
        ("1.0", []),
        ("1.0", [HOST]),
    ],
)
def test_what_frames_and_addresses_a_request_is_taken(version: str, headers: list[tuple[bytes, bytes]]) -> None:
    """HTTP/1.0 needs no Host."""
    check(version, *headers)


@pytest.mark.parametrize(
    ("version", "headers", "told"),
    [
        ("1.1", [], "host: got 0"),
        ("1.1", [HOST, HOST], "host: got 2"),
        ("1.0", [HOST, (b"host", b"b")], "host: got 2"),
        ("1.1", [HOST, (b"transfer-encoding", b"gzip, chunked")], "expected chunked"),
        ("1.1", [HOST, (b"transfer-encoding", b"chunked, gzip")], "expected chunked"),
        ("1.1", [HOST, (b"transfer-encoding", b"")], "expected chunked"),
        ("1.0", [(b"transfer-encoding", b"chunked")], "in HTTP/1.0"),
        ("0.9", [HOST], "version 0.9"),
        ("2.0", [HOST], "version 2.0"),
        ("1.2", [HOST], "version 1.2"),
    ],
)
def test_what_two_servers_could_read_differently_is_refused(
    version: str, headers: list[tuple[bytes, bytes]], told: str
) -> None:
    """And the refusal says what it was."""
    with pytest.raises(RefusedError, match=told):
        check(version, *headers)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", b""),
        (b"/v1/chat/completions", "/v1/chat/completions", b""),
        (b"/a?b=%20&c=?/", "/a", b"b=%20&c=?/"),
        (b"/a?", "/a", b""),
        (b"/%C3%A9%20b%2Fc%25", "/é b/c%", b""),
        (b"//a/../b", "//a/../b", b""),
        (b"http://LOCALHOST:8080/a?b", "/a", b"b"),
        (b"HTTPS://localhost:8080", "/", b""),
        (b"http://localhost:8080?b", "/", b"b"),
    ],
)
def test_a_target_is_path_and_query(target: bytes, path: str, query: bytes) -> None:
    """The path is decoded, the query is not; the absolute form is the same, for the same host."""
    assert split(target) == (path, query)


@pytest.mark.parametrize(
    "target",
    [
        b"*",
        b"a",
        b"localhost:8080",
        b"http://other/a",
        b"http://localhost:8080.evil.example/a",
        b"http://u@localhost:8080/a",
        b"ftp://localhost:8080/a",
        b"http:///a",
        b"/a#b",
        b"/a?b#c",
        b"http://localhost:8080/a#b",
        b"/%",
        b"/%4",
        b"/%zz",
        b"/%+1",
        b"/%00",
        b"/%0A",
        b"/%7F",
        b"/%C2%85",
        b"/%C0%AF",
        b"/%E0%80%AF",
        b"/%F8%88%80%80%80",
        b"/%ED%A0%80",
        b"/%C3",
        b"/%FF",
    ],
)
def test_what_is_no_path_is_refused(target: bytes) -> None:
    """Nor does anything decode to what could act on a log or a screen, or that is no text."""
    with pytest.raises(RefusedError, match="request target"):
        split(target)


def test_connect_and_an_absolute_target_without_a_host_are_refused() -> None:
    """We are no proxy, and nothing may get past whoever looks at the header Host."""
    for target, method, host in ((b"/", "CONNECT", b"a"), (b"a:1", "CONNECT", b"a:1"), (b"http://a/", "GET", None)):
        with pytest.raises(RefusedError, match="request target"):
            split(target, method, host)
