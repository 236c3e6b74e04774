"""Where a worker may be that joins by API."""

from __future__ import annotations

import pytest

from pointsman.http.addresses import forbidden_host, wrong_url


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
    assert (wrong_url(url), forbidden_host(url)) == ("", "")


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
    assert forbidden_host(url)


@pytest.mark.parametrize("url", ["http://[::ffff:127.0.0.1]:9000/", "http://127.9.9.9:1/"])
def test_all_of_loopback_passes(url: str) -> None:
    """Whoever can reach the service can reach loopback anyway."""
    assert (wrong_url(url), forbidden_host(url)) == ("", "")
