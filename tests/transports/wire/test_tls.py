"""TLS from settings: what is accepted, over real handshakes, and what each mistake is called."""

from __future__ import annotations

import re
import shutil
import ssl
from pathlib import Path

import pytest

from pointsman.model.errors import SettingsError
from pointsman.model.settings import TlsSettings
from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.errors import ConnectFailed, ConnectionClosed
from pointsman.transports.wire.tls import context
from tests.transports.raw_server import Talk, serve
from tests.transports.wire.loops import in_both_loops

CERTIFICATES = Path(__file__).with_name("certificates")
LOCALHOST = "../localhost.pem"


def serving(certificate: str, *, asks: bool = False) -> ssl.SSLContext:
    """A server's side; where it asks, it takes only who is vouched for by our authority."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(CERTIFICATES / certificate)
    if asks:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(CERTIFICATES / "authority.pem")
    return made


async def greet(talk: Talk) -> None:
    """Answer every request."""
    while True:
        await talk.request()
        talk.answer(b"secure")


async def ask(server: ssl.SSLContext, settings: TlsSettings) -> bytes:
    """Ask a server for one answer; the connection and the client are gone then."""
    async with serve(greet, server) as at:
        client = HttpClient(at.url, max_connections=1, ssl=context(settings, CERTIFICATES))
        try:
            with await client.request("GET", "", []) as response:
                return await response.read(100)
        finally:
            await client.close()


def test_no_settings_leave_it_to_the_operating_system() -> None:
    """As settings that say nothing do."""
    assert context(None, CERTIFICATES) is None
    made = context(TlsSettings(), CERTIFICATES)
    assert made is not None
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert made.cert_store_stats() == ssl.create_default_context().cert_store_stats()


def test_an_authority_of_our_own_replaces_all_others() -> None:
    """Nobody outside vouches for a worker inside."""
    made = context(TlsSettings(ca_file="authority.pem"), CERTIFICATES)
    assert made is not None
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert made.cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}


@in_both_loops
async def test_a_worker_is_reached_by_its_authority_and_the_name_it_bears() -> None:
    """It is connected to by address, and bears another name."""
    settings = TlsSettings(ca_file="authority.pem", server_name="worker.test")
    assert await ask(serving("worker.pem"), settings) == b"secure"


@pytest.mark.real_loop(timeout_s=20)
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (TlsSettings(ca_file="authority.pem"), "IP address mismatch"),
        (TlsSettings(ca_file="authority.pem", server_name="other.test"), "Hostname mismatch"),
        (TlsSettings(ca_file=LOCALHOST, server_name="worker.test"), "unable to get local issuer"),
        (TlsSettings(server_name="worker.test"), "unable to get local issuer"),
    ],
)
async def test_another_name_or_authority_is_refused_before_anything_is_sent(settings: TlsSettings, words: str) -> None:
    """And the reason is told."""
    with pytest.raises(ConnectFailed, match=words):
        await ask(serving("worker.pem"), settings)


@pytest.mark.real_loop(timeout_s=20)
async def test_a_workers_own_certificate_can_be_trusted_alone() -> None:
    """It need not be an authority's, nor signed by itself."""
    settings = TlsSettings(ca_file="worker.pem", server_name="worker.test")
    assert await ask(serving("worker.pem"), settings) == b"secure"


@pytest.mark.real_loop(timeout_s=20)
@pytest.mark.parametrize("files", [{"cert_file": "router.pem", "key_file": "router.key"}, {"cert_file": "both.pem"}])
async def test_a_worker_that_asks_who_we_are_is_shown_our_certificate(files: dict[str, str], tmp_path: Path) -> None:
    """Its key stands beside it, or in the same file. Paths start from the settings file, or are absolute."""
    (tmp_path / "both.pem").write_bytes(
        (CERTIFICATES / "router.pem").read_bytes() + (CERTIFICATES / "router.key").read_bytes()
    )
    for name in ("router.pem", "router.key", "authority.pem"):
        shutil.copy(CERTIFICATES / name, tmp_path / name)
    settings = TlsSettings(ca_file=str(CERTIFICATES / LOCALHOST), **files)
    async with serve(greet, serving(LOCALHOST, asks=True)) as server:
        client = HttpClient(server.url, max_connections=1, ssl=context(settings, tmp_path))
        with await client.request("GET", "", []) as response:
            assert await response.read(100) == b"secure"
        await client.close()


@pytest.mark.real_loop(timeout_s=20)
async def test_a_worker_that_asks_and_gets_nothing_says_no() -> None:
    """By breaking the connection, which TLS 1.3 lets us see only after we have asked."""
    with pytest.raises((ConnectFailed, ConnectionClosed)):
        await ask(serving(LOCALHOST, asks=True), TlsSettings(ca_file=LOCALHOST))


CERT = {"cert_file": "router.pem"}


@pytest.mark.parametrize(
    ("settings", "mistakes"),
    [
        ({"ca_file": "none.pem"}, [r"w\.tls\.ca_file: \S+none\.pem cannot be read: No such file"]),
        ({"ca_file": "."}, [r"w\.tls\.ca_file: \S+ cannot be read: Is a directory"]),
        ({"ca_file": "README.md"}, [r"w\.tls\.ca_file: \S+README\.md holds no PEM certificates \("]),
        ({"ca_file": "router.key"}, [r"w\.tls\.ca_file: \S+router\.key holds no PEM certificates \("]),
        ({"key_file": "router.key"}, [r"w\.tls\.key_file: a key without its certificate.* name that in cert_file"]),
        ({"cert_file": "none.pem"}, [r"w\.tls\.cert_file: \S+none\.pem cannot be read: No such file"]),
        (
            {"cert_file": "none.pem", "key_file": "none.key"},
            [r"cert_file: \S+none\.pem cannot be read", r"key_file: \S+none\.key cannot be read"],
        ),
        (CERT, [r"cert_file: \S+router\.pem cannot be used, expected a PEM certificate and its key; name the key in"]),
        (
            {**CERT, "key_file": "router.pem"},
            [r"cert_file: \S+router\.pem cannot be used, .* its PEM key in \S+router"],
        ),
        ({"cert_file": "README.md", "key_file": "router.key"}, [r"cert_file: \S+README\.md cannot be used"]),
        ({**CERT, "key_file": "worker.pem"}, [r"key_file: the key does not belong to the certificate in \S+router"]),
        ({**CERT, "key_file": "locked.key"}, [r"key_file: the key in \S+locked\.key is locked by a passphrase"]),
        ({"server_name": ".test"}, [r"w\.tls\.server_name: '\.test' is no host name"]),
        ({"server_name": "a\0b"}, [r"server_name: .* is no host name"]),
        (
            {"ca_file": "none.pem", "key_file": "router.key", "server_name": "."},
            [r"ca_file: .* cannot be read", r"key_file: a key without", r"server_name: '\.'"],
        ),
    ],
)
def test_every_mistake_is_told_with_its_key_its_file_and_what_to_do(
    settings: dict[str, str], mistakes: list[str]
) -> None:
    """All of them at once."""
    with pytest.raises(SettingsError) as caught:
        context(TlsSettings(**settings), CERTIFICATES, "w.tls")
    assert len(caught.value.mistakes) == len(mistakes)
    for mistake, expected in zip(caught.value.mistakes, mistakes, strict=True):
        assert mistake.startswith("w.tls.")
        assert re.search(expected, mistake), mistake
