"""URLs of proxies: what is understood, what is refused, and that no secret is ever shown."""

from __future__ import annotations

import base64

import pytest

from pointsman.model.errors import UsageError
from pointsman.transports.wire.proxy import parse_proxy


@pytest.mark.parametrize(
    ("url", "host", "port", "shown", "credentials"),
    [
        ("http://proxy:3128", "proxy", 3128, "proxy:3128", None),
        ("http://proxy:3128/", "proxy", 3128, "proxy:3128", None),
        ("HTTP://Proxy.Example.com", "proxy.example.com", 80, "proxy.example.com", None),
        ("http://[::1]:3128", "::1", 3128, "[::1]:3128", None),
        ("http://user:pass@proxy:3128", "proxy", 3128, "proxy:3128", b"user:pass"),
        ("http://us%40er:p%3Aa%2Fs%25s@proxy:1", "proxy", 1, "proxy:1", b"us@er:p:a/s%s"),
        ("http://user:a:b@proxy:1", "proxy", 1, "proxy:1", b"user:a:b"),
        ("http://user:p@ss@proxy:1", "proxy", 1, "proxy:1", b"user:p@ss"),
        ("http://user@proxy:1", "proxy", 1, "proxy:1", b"user:"),
        ("http://:token@proxy:1", "proxy", 1, "proxy:1", b":token"),
        ("http://us%C3%A9r:x@proxy:1", "proxy", 1, "proxy:1", "usér:x".encode()),
        ("http://u%0d%0aX:y@proxy:1", "proxy", 1, "proxy:1", b"u\r\nX:y"),
    ],
)
def test_a_proxys_url_is_taken_apart(url: str, host: str, port: int, shown: str, credentials: bytes | None) -> None:
    """User and password are decoded, then put into one header value."""
    proxy = parse_proxy(url)
    assert (proxy.host, proxy.port, proxy.authority) == (host, port, shown)
    expected = None if credentials is None else "Basic " + base64.b64encode(credentials).decode()
    assert proxy.authorization == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://hans:geheim@proxy:1", "got https://, expected http://"),
        ("socks5://hans:geheim@proxy:1", "got socks5://, expected http://"),
        ("hans:geheim@proxy:1", "got no scheme, expected http://"),
        ("http:/hans:geheim@proxy:1", "got no scheme"),
        ("geheim ://proxy", "got no scheme"),
        ("", "got no scheme"),
        ("http://", "is no host"),
        ("http://hans:geheim@", "is no host"),
        ("http://hans:geheim@pro xy:1", "percent-encoded"),
        ("http://hans:geheim@proxy:0", "port 0 cannot"),
        ("http://hans:geheim@proxy:1/path", "a path in it means nothing"),
        ("http://hans:geheim@proxy:1?x", "a path in it means nothing"),
        ("http://hans:geheim@proxy:1#x", "fragment"),
        ("http://hans:ge/heim@proxy:1", "percent-encode them"),
        ("http://proxy:1/geheim@x", "percent-encode them"),
        ("http://hans:gehe im@proxy:1", "percent-encode them"),
        ("http://hans:geheimé@proxy:1", "percent-encode them"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_with_the_reason(url: str, words: str) -> None:
    """The text names the setting and repeats nothing of the secret."""
    with pytest.raises(UsageError, match=words) as caught:
        parse_proxy(url)
    assert str(caught.value).startswith("proxy")
    for secret in ("geheim", "heim", "gehe", "hans"):
        assert secret not in str(caught.value)


def test_the_secret_shows_in_nothing() -> None:
    """Not in its repr, nor in what is said when the proxy refuses it."""
    proxy = parse_proxy("http://hans:geheim@proxy:3128")
    assert proxy.authorization is not None
    texts = [repr(proxy), str(proxy), *(proxy.explain(status) for status in (403, 407, 502))]
    for text in texts:
        assert "hans" not in text
        assert "geheim" not in text
        assert proxy.authorization not in text


def test_an_answer_of_the_proxy_itself_is_explained() -> None:
    """With what to do where that is known."""
    assert parse_proxy("http://proxy:1").explain(407) == (
        "proxy proxy:1 wants a user and password (407): put them into `proxy`, expected http://[user:password@]host:port"
    )
    assert "refuses the user and password" in parse_proxy("http://a:b@proxy:1").explain(407)
    assert parse_proxy("http://proxy:1").explain(502) == "proxy proxy:1 does not let us through: it answered 502"
