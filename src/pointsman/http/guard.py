"""Keeps web pages away from a service that has no keys: whoever opens a page must not lend it their loopback
address.

Two ways a page could reach us: a request across origins (browsers name the origin), and a host name of the
page's own that resolves to 127.0.0.1 ("DNS rebinding", seen against Ollama as CVE-2024-28224; then the Host
header names it). Both headers must name loopback, where they are present. Programs send no Origin, and the
Host they connect to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from pointsman.http.wire import shorten
from pointsman.model.errors import RefusedError
from pointsman.model.outcome import Refusal, Refused

Guard = Callable[[Mapping[bytes, bytes]], None]
"""Raises RefusedError for a request that must not be answered, judged by its headers."""

_HOST: Final = rb"(?:(?:[a-z0-9-]+\.)*localhost\.?|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(?::[0-9]{1,5})?"
_LOCAL_HOST: Final = re.compile(_HOST, re.IGNORECASE)
_LOCAL_ORIGIN: Final = re.compile(rb"https?://" + _HOST, re.IGNORECASE)


def refuse_foreign(fields: Mapping[bytes, bytes]) -> None:
    """Refuse requests that come by another name than loopback, or from a page that does.

    Raises:
        RefusedError: `forbidden`.
    """
    host = fields.get(b"host")
    if host and not _LOCAL_HOST.fullmatch(host):
        raise _forbidden("host", host, "localhost, 127.0.0.1 or [::1], because there are no API keys yet")
    origin = fields.get(b"origin")
    if origin is not None and not _LOCAL_ORIGIN.fullmatch(origin):
        raise _forbidden("origin", origin, "none, or a page on localhost, because there are no API keys yet")


def refuse_foreign_page(fields: Mapping[bytes, bytes]) -> None:
    """Refuse requests that a page sends which is neither ours nor on this machine; for a service that has keys.

    Such a page has no key, or one that everybody can read in its source; answers would not reach it either, as we allow
    no other origin to read them. Ours is a page of the host that the request names, whatever its scheme: TLS may end
    before us.

    Raises:
        RefusedError: `forbidden`.
    """
    origin = fields.get(b"origin")
    if origin is None or _LOCAL_ORIGIN.fullmatch(origin):
        return
    scheme, _, host = origin.partition(b"://")
    if scheme not in {b"http", b"https"} or not host or host.lower() != fields.get(b"host", b"").lower():
        raise _forbidden("origin", origin, "none, a page of this router, or one on localhost: send from a program")


def allow_everybody(fields: Mapping[bytes, bytes]) -> None:
    """Let in everybody: for an application mounted in another one that has its own way to know its clients."""


def _forbidden(field: str, value: bytes, expected: str) -> RefusedError:
    detail = f"header {field}: got {shorten(value.decode('latin-1'))}, expected {expected}"
    return RefusedError(Refused(Refusal.FORBIDDEN, detail, field=field))
