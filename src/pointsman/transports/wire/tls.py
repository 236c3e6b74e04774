"""From TLS settings to what checks a server and shows it who we are. Every mistake in them is told at once.

Authorities of one's own replace those of the operating system, so that a worker inside is not vouched for by everybody
outside. What stands in `ca_file` is trusted as it is: it may be an authority's certificate, one between, or the
worker's own.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from pointsman.model.errors import SettingsError
from pointsman.model.settings import TlsSettings


def context(settings: TlsSettings | None, beside: Path, key: str = "tls") -> ssl.SSLContext | None:
    """Return the TLS context that settings describe; None means the certificates the operating system trusts.

    Args:
        beside: directory that relative file names start from: that of the settings file.
        key: dotted key of these settings, or what else an operator knows them by, for messages.

    Raises:
        SettingsError: with every mistake in them: file, what is wrong with it, and what to do.
    """
    if settings is None:
        return None
    made = _Context(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    mistakes = [f"{key}.{mistake}" for mistake in _fill(made, settings, beside)]
    if mistakes:
        raise SettingsError(mistakes)
    return made


class _Context(ssl.SSLContext):
    """Expects the certificate to bear `server_name`, where that is set, whatever host is connected to."""

    server_name: str | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """See `ssl.SSLContext`; both event loops call this for each connection."""
        return super().wrap_bio(incoming, outgoing, server_side, self.server_name or server_hostname, session)


class _Locked(Exception):
    """A key asked for its passphrase; nobody is there to type it."""


def _fill(made: _Context, settings: TlsSettings, beside: Path) -> list[str]:
    """Apply all settings, and return what is wrong with them."""
    mistakes = []
    if settings.ca_file is None:
        made.load_default_certs()
    else:
        mistakes += _load_authorities(made, beside / settings.ca_file)
    if settings.cert_file is not None:
        certificate = beside / settings.cert_file
        mistakes += _load_certificate(made, certificate, beside / settings.key_file if settings.key_file else None)
    elif settings.key_file is not None:
        mistakes.append("key_file: a key without its certificate is of no use; name that in cert_file")
    if settings.server_name is not None:
        made.server_name = settings.server_name
        try:
            made.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())
        except (ValueError, TypeError) as error:
            mistakes.append(f"server_name: {settings.server_name!r} is no host name ({error})")
    return mistakes


def _load_authorities(made: ssl.SSLContext, path: Path) -> list[str]:
    if unreadable := _unreadable(path):
        return [f"ca_file: {unreadable}"]
    try:
        made.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        return [f"ca_file: {path} holds no PEM certificates ({_reason(error)})"]
    return []


def _load_certificate(made: ssl.SSLContext, certificate: Path, key: Path | None) -> list[str]:
    unreadable = [("cert_file", _unreadable(certificate)), ("key_file", key and _unreadable(key))]
    if mistakes := [f"{name}: {what}" for name, what in unreadable if what]:
        return mistakes
    try:
        made.load_cert_chain(certificate, key, _refuse_to_ask)
    except _Locked:
        name, path = ("key_file", key) if key else ("cert_file", certificate)
        return [f"{name}: the key in {path} is locked by a passphrase; store it without one, readable to us only"]
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error):
            return [
                f"{'key_file' if key else 'cert_file'}: the key does not belong to the certificate in {certificate}"
            ]
        if key is None:
            expected = "a PEM certificate and its key; name the key in key_file where it is a file of its own"
        else:
            expected = f"a PEM certificate there and its PEM key in {key}"
        return [f"cert_file: {certificate} cannot be used, expected {expected} ({_reason(error)})"]
    return []


def _refuse_to_ask() -> str:
    raise _Locked


def _unreadable(path: Path) -> str:
    """Return why a file cannot be read; empty if it can."""
    try:
        path.open("rb").close()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return ""


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
