"""Where a worker may be that joins by API."""

from __future__ import annotations

import pytest

from pointsman.http.addresses import forbidden_host, is_loopback, wrong_url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000",
        "http://127.0.0.1:9000/run?x=1",
        "http://localhost:9000",
        "http://[::1]:9000/v1",
        "https://api.example.com/v1",
        "http://8.8.8.8",
        "http://[2606:4700::1111]/",
        "http://worker_1.example:1",
    ],
)
def test_usual_addresses_pass(url: str) -> None:
    """Loopback, public addresses, and names."""
    assert (wrong_url(url), forbidden_host(url, is_local=True)) == ("", "")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com",
        "http://",
        "example.com",
        "http://example.com:99999",
        "http://example.com:0",
        "http://user:pass@example.com",
        "http://exa mple.com",
        "http://example.com\n",
        "http://ex\x00ample.com",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://2852039166/",
        "http://0251.0376.0251.0376/",
        "http://0xA9FEA9FE/",
        "http://169.254.43518/",
        "http://127.1/",
        "http://-x.example",
        "http://exämple.com",
        "http://example.com/" + "a" * 2_100,
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    """Above all addresses in spellings that a resolver understands and a check does not."""
    assert wrong_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/computeMetadata",
        "http://METADATA.google.internal./",
        "http://10.0.0.5:9000",
        "http://172.16.0.1",
        "http://192.168.1.1",
        "http://100.64.0.1",
        "http://0.0.0.0:8080",
        "http://224.0.0.1",
        "http://255.255.255.255",
        "http://[::]/",
        "http://[ff02::1]/",
        "http://[fc00::1]/",
        "http://[::ffff:10.0.0.1]/",
    ],
)
def test_infrastructure_is_forbidden(url: str) -> None:
    """Cloud metadata, private networks and what is no unicast address, wrapped or not."""
    assert wrong_url(url) == ""
    assert forbidden_host(url, is_local=True)
    assert forbidden_host(url, is_local=False)


@pytest.mark.parametrize("url", ["http://[::ffff:127.0.0.1]:9000/", "http://127.9.9.9:1/"])
def test_all_of_loopback_passes(url: str) -> None:
    """Whoever can reach the service can reach loopback anyway."""
    assert (wrong_url(url), forbidden_host(url, is_local=True)) == ("", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "localhost", "a.LOCALHOST."])
def test_loopback_is_refused_where_others_reach_the_service(host: str) -> None:
    """They would reach through us what only this machine may."""
    assert wrong_url(f"http://{host}:9000") == ""
    assert "settings file" in forbidden_host(f"http://{host}:9000", is_local=False)
    assert forbidden_host("https://models.example/v1", is_local=False) == ""


@pytest.mark.parametrize(
    ("listen", "local"),
    [
        ("127.0.0.1:8080", True),
        ("localhost:8080", True),
        ("[::1]:8080", True),
        ("127.0.0.2:0", True),
        ("0.0.0.0:8080", False),
        ("[::]:8080", False),
        ("10.0.0.1:80", False),
    ],
)
def test_who_reaches_the_service_follows_from_where_it_listens(listen: str, local: bool) -> None:
    """As it stands in `server.listen`."""
    assert is_loopback(listen) == local
