"""URLs of workers: what is understood and what is refused."""

from __future__ import annotations

import pytest

from pointsman.model.errors import UsageError
from pointsman.transports.wire.origin import parse_origin


@pytest.mark.parametrize(
    ("url", "secure", "host", "port", "authority", "target"),
    [
        ("http://worker", False, "worker", 80, "worker", "/"),
        ("http://worker/", False, "worker", 80, "worker", "/"),
        ("http://worker:80/run", False, "worker", 80, "worker", "/run"),
        ("https://api.example.com/v1", True, "api.example.com", 443, "api.example.com", "/v1"),
        ("https://api.example.com:443/v1/", True, "api.example.com", 443, "api.example.com", "/v1"),
        ("http://API.Example.com:8443", False, "api.example.com", 8443, "api.example.com:8443", "/"),
        ("https://w:80", True, "w", 80, "w:80", "/"),
        ("http://agent_1.local:9/a%20b?x=1&y=2", False, "agent_1.local", 9, "agent_1.local:9", "/a%20b?x=1&y=2"),
        ("http://10.0.0.1?key=a", False, "10.0.0.1", 80, "10.0.0.1", "/?key=a"),
        ("http://[::1]:9000/run", False, "::1", 9000, "[::1]:9000", "/run"),
        ("http://[2001:DB8:0:0::1]", False, "2001:db8::1", 80, "[2001:db8::1]", "/"),
        ("http://worker.", False, "worker.", 80, "worker.", "/"),
        ("http://" + "a" * 63 + ".b", False, "a" * 63 + ".b", 80, "a" * 63 + ".b", "/"),
        ("http://worker:", False, "worker", 80, "worker", "/"),
        ("HTTP://worker", False, "worker", 80, "worker", "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, secure: bool, host: str, port: int, authority: str, target: str) -> None:
    """Scheme, host, port, Host header and target come out as RFC 9110 wants them."""
    origin = parse_origin(url)
    assert (origin.secure, origin.host, origin.port, origin.authority) == (secure, host, port, authority)
    assert origin.target() == target


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("http://w", "/run", "/run"),
        ("http://w/v1", "/chat/completions", "/v1/chat/completions"),
        ("http://w/v1/", "/chat/completions", "/v1/chat/completions"),
        ("http://w/v1?version=2", "/chat", "/v1/chat?version=2"),
    ],
)
def test_a_path_goes_below_the_urls_own(url: str, path: str, target: str) -> None:
    """The URL's query stays at the end."""
    assert parse_origin(url).target(path) == target


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://worker", "expected http"),
        ("worker:9000", "expected http"),
        ("//worker", "expected http"),
        ("", "percent-encoded"),
        ("http://", "is no host"),
        ("http:///run", "is no host"),
        ("http://:9000", "is no host"),
        ("http://wor ker", "percent-encoded"),
        ("http://worker/a b", "percent-encoded"),
        ("http://worker/\r\nX: y", "percent-encoded"),
        ("http://worker\t", "percent-encoded"),
        ("http://wörker", "xn--"),
        ("http://worker/ü", "percent-encoded"),
        ("http://worker#top", "fragment"),
        ("http://wor%6ber", "is no host"),
        ("http://worker,other", "is no host"),
        ("http://a..b", "is no host"),
        ("http://.a", "is no host"),
        ("http://" + "a" * 64, "is no host"),
        ("http://worker:0", "port 0 cannot"),
        ("http://worker:65536", "port 65536 cannot"),
        ("http://worker:-1", "is no host"),
        ("http://worker:x", "is no host"),
        ("http://[::1", "is no|does not appear|IP"),
        ("http://[::1]x", "is no|does not appear|IP"),
        ("http://[v1.x]", "is no|does not appear|IP"),
        ("http://[fe80::1%25eth0]", "is no|does not appear|IP"),
        ("http://[1.2.3.4]", "is no|does not appear|IP"),
        ("http://[12345::]", "is no|does not appear|IP"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_the_reason(url: str, words: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match=words):
        parse_origin(url)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    """The text of the error may be logged."""
    with pytest.raises(UsageError, match="use `auth`") as caught:
        parse_origin("https://user:secret@worker/run")
    assert "secret" not in str(caught.value)
