"""Judges the head of a request beyond its grammar, which llhttp knows: what two servers could read differently, or what
no client of ours has reason to send, is refused before anybody acts on it.

Refused: versions other than 1.0 and 1.1, no Host or several (RFC 9112, 3.2), every transfer coding but `chunked`, any
in HTTP/1.0 (RFC 9112, 6.1), CONNECT, a target that is not a path (or the same host's absolute form), a fragment,
and in a path whatever does not decode to UTF-8 without control characters. Dot segments and doubled slashes are left as
they are, and name nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import unquote_to_bytes

from pointsman.http.problems import invalid
from pointsman.model.errors import RefusedError

_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?#@]+)(/[^?]*)?(?:\?(.*))?", re.DOTALL)
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_QUERY, _ESCAPE, _FRAGMENT = b"?%#"  # as numbers: looking for one is five times as fast as looking for bytes
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_headers(version: str, headers: list[tuple[bytes, bytes]], fields: Mapping[bytes, bytes]) -> None:
    """Check what frames and addresses a request.

    Args:
        version: of HTTP, such as `1.1`.
        headers: in their order, names in lower case.
        fields: the same by name.

    Raises:
        RefusedError: `invalid`.
    """
    if version not in {"1.1", "1.0"}:
        raise invalid(f"HTTP version {version}, expected 1.1 or 1.0")
    hosts = 1 if b"host" in fields else 0
    if len(fields) != len(headers):
        hosts = sum([name == b"host" for name, _ in headers])
    if hosts != 1 and (hosts or version == "1.1"):
        raise invalid(f"header host: got {hosts}, expected one", "host")
    coding = fields.get(b"transfer-encoding")
    if coding is not None and (version == "1.0" or coding.lower() != b"chunked"):
        got = repr(coding[:40].decode("latin-1"))
        raise invalid(f"header transfer-encoding: got {got} in HTTP/{version}, expected chunked, in HTTP/1.1")


def split_target(method: str, target: bytes, fields: Mapping[bytes, bytes]) -> tuple[str, bytes]:
    """Return path, decoded, and query, as it came, of a request.

    Args:
        method: upper case.
        target: of the request line; ASCII without spaces.
        fields: headers by name.

    Raises:
        RefusedError: `invalid`.
    """
    if target.startswith(b"/") and method != "CONNECT":
        if _QUERY not in target and _ESCAPE not in target and _FRAGMENT not in target:
            return target.decode("ascii"), b""
        path, _, query = target.partition(b"?")
    else:
        path, query = _split_absolute(method, target, fields)
    if _FRAGMENT in target:
        _refuse(target, "it has a fragment (#...), which is never sent")
    return _decode(path, target) if _ESCAPE in path else path.decode("ascii"), query


def split_any_target(method: str, target: bytes, fields: Mapping[bytes, bytes]) -> tuple[str, bytes]:
    """Do the same as `split_target`, but return an empty path for a path that names nothing here, though it may
    elsewhere, and for `*`.
    """
    try:
        return split_target(method, target, fields)
    except RefusedError:
        if method == "CONNECT" or not target.startswith((b"/", b"*")):
            raise
        return "", b""


def _split_absolute(method: str, target: bytes, fields: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    parts = _ABSOLUTE.fullmatch(target)
    if method == "CONNECT" or parts is None:
        _refuse(target, "expected a path that begins with /")
    host = fields.get(b"host")
    if host is None or host.lower() != parts[1].lower():
        _refuse(target, "its host is not the one that the header host names")
    return parts[2] or b"/", parts[3] or b""


def _decode(path: bytes, target: bytes) -> str:
    if _BAD_ESCAPE.search(path):
        _refuse(target, "a % is not followed by two hexadecimal digits")
    try:
        text = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        _refuse(target, "its path is no percent-encoded UTF-8")
    if _CONTROL.search(text):
        _refuse(target, "its path holds a control character")
    return text


def _refuse(target: bytes, why: str) -> NoReturn:
    raise invalid(f"request target {target[:80].decode('latin-1')!r}: {why}")
