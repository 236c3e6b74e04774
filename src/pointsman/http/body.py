"""Reads a request's body within bounds of size and time.

A body that is too large is read to its end and thrown away, so that its sender, who reads no answer while it
writes, gets one; but not for ever. A sender that trickles is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from pointsman.http.channel import Channel
from pointsman.http.problems import RequestError, invalid
from pointsman.http.waiting import ClientGone, Receive
from pointsman.model.settings import ServerSettings

_CLOSE: Final = ((b"connection", b"close"),)

_PATIENCE_S: Final = 10.0
"""Seconds that any body may take."""

_SLOWEST_BYTES_PER_S: Final = 65_536
"""And one more for each so many bytes of it."""


async def read_body(channel: Channel, fields: Mapping[bytes, bytes], cap_bytes: int, settings: ServerSettings) -> bytes:
    """Return the body of a request.

    Args:
        channel: what carries the request. Its first piece is awaited for as long as the server allows.
        fields: the request's headers, names in lower case.
        cap_bytes: the largest body that is taken.
        settings: how much, and for how long, is thrown away.

    Raises:
        RequestError: `too_large` or `receive_timeout`; the connection is to be closed after the answer.
        ClientGone: the client went before the body was whole.
    """
    whole = channel.arrived()
    if whole is not None and len(whole) <= cap_bytes:
        return whole
    receive = channel.receive
    declared = _declared(fields)
    if declared is not None and declared > cap_bytes:
        if fields.get(b"expect", b"").lower() != b"100-continue":
            await _discard(receive, 0, settings)
        raise _too_large(f"{declared}", cap_bytes)
    event = await receive()
    if event["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = event.get("body", b"")
    if not event.get("more_body", False):
        if len(body) > cap_bytes:
            raise _too_large(f"{len(body)}", cap_bytes)
        return body
    patience_s = _PATIENCE_S + (cap_bytes if declared is None else declared) / _SLOWEST_BYTES_PER_S
    try:
        async with asyncio.timeout(patience_s):
            return await _read_rest(receive, body, cap_bytes, settings)
    except TimeoutError:
        detail = f"the body was not whole after {patience_s:.0f} s; send it in one go"
        raise RequestError("receive_timeout", detail, _CLOSE) from None


async def _read_rest(receive: Receive, first: bytes, cap_bytes: int, settings: ServerSettings) -> bytes:
    chunks = [first]
    size = len(first)
    more = True
    while more:
        if size > cap_bytes:
            chunks.clear()
            await _discard(receive, size, settings)
            raise _too_large(f"more than {cap_bytes}", cap_bytes)
        event = await _next(receive)
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        more = event.get("more_body", False)
    if size > cap_bytes:
        raise _too_large(f"{size}", cap_bytes)
    return b"".join(chunks)


async def _discard(receive: Receive, size: int, settings: ServerSettings) -> None:
    """Throw away the rest of a body of which `size` bytes have been read, as far as the settings allow."""
    try:
        async with asyncio.timeout(settings.discard_s):
            more = True
            while more and size < settings.discard_bytes:
                event = await _next(receive)
                size += len(event.get("body", b""))
                more = event.get("more_body", False)
    except TimeoutError:
        return


async def _next(receive: Receive) -> Mapping[str, Any]:
    event = await receive()
    if event["type"] == "http.disconnect":
        raise ClientGone
    return event


def _declared(fields: Mapping[bytes, bytes]) -> int | None:
    value = fields.get(b"content-length")
    if value is None:
        return None
    if not value.isdigit() or len(value) > 18:
        raise invalid(
            f"content-length: got {value[:24].decode('latin-1')!r}, expected a number of bytes", "content-length"
        )
    return int(value)


def _too_large(size: str, cap_bytes: int) -> RequestError:
    return RequestError("too_large", f"the body has {size} bytes, expected at most {cap_bytes}", _CLOSE)
