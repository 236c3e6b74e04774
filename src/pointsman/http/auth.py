"""Who sends a request, and whether they may.

While there are no API keys, only this machine can reach us (`server`), `guard` keeps web pages away, and the sender is
whoever it says it is. With a key, of whatever state, each request needs a usable one: in `x-pointsman-key`, or in one
of the headers that official clients have for keys, `authorization` and `x-api-key`. Only a probe of `/livez` or
`/readyz` needs none, so that whoever supervises the process needs no secret.

Once keys are needed, the host a request names no longer matters: a page whose name was made to lead here has no key to
show. Where it comes from still does, see `guard.refuse_foreign_page`.

A header that names a key of ours names nobody's elsewhere: it never becomes the credential that a worker of
`auth = "passthrough"` is given.

What a key must look like and which ones count is decided in `core.keys`. Sources: RFC 6750 (bearer tokens), RFC 9110,
11 (a scheme's name has no case, and a 401 names the scheme).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pointsman.core.keys import PREFIX, is_ours
from pointsman.http import hints
from pointsman.http.guard import Guard, refuse_foreign_page
from pointsman.http.problems import RequestError
from pointsman.model.events import AccessDenied
from pointsman.model.keys import ApiKey, KeyFault
from pointsman.model.message import LOCAL_CLIENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointsman.http.exchange import Request

OPEN: Final = frozenset({"/livez", "/readyz"})
"""Paths that need no key."""

_OUR_HEADER: Final = b"x-pointsman-key"
_CLIENT_HEADER: Final = b"x-pointsman-client"
_CHALLENGE: Final = ((b"www-authenticate", b"Bearer"),)

_SEND: Final = "send it as `Authorization: Bearer KEY` or as `x-api-key: KEY`"
_DETAILS: Final = {
    KeyFault.MISSING: f"this router wants an API key: {_SEND}; `pointsman keys create NAME` makes one",
    KeyFault.MALFORMED: (
        f"what was sent is no API key of this router, which begins with {PREFIX}; where another service's key goes"
        " along, send this router's in the header x-pointsman-key"
    ),
    KeyFault.UNKNOWN: "this API key does not count here: check that it is whole, and made for this router",
    KeyFault.WRONG: "this API key does not count here: check that it is whole, and made for this router",
    KeyFault.REVOKED: "this API key was revoked: ask for another one; `pointsman keys create NAME` makes it",
    KeyFault.EXPIRED: "this API key has expired: ask for another one; `pointsman keys create NAME` makes it",
}
_TWO_KEYS: Final = (
    "authorization and x-api-key hold different keys, so that it is open which one counts: send one of them, and this"
    " router's in the header x-pointsman-key where another service's key goes along"
)


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Who sent a request.

    Attributes:
        client: whose limits, fairness and accounting it falls under: the key's client, or `client/sub` where the
            request names a sub-client in `x-pointsman-client`. Without keys that header alone says it.
        key_id: public id of the key, or empty.
        group: client group of the key, or empty.
        credential: header with another service's key that came along, for workers that are given it; else None.
    """

    client: str
    key_id: str = ""
    group: str = ""
    credential: tuple[str, str] | None = None


NOBODY: Final = Identity(LOCAL_CLIENT)
"""Whoever says nothing of itself, where no key is needed."""


class Denied(RequestError):
    """There is no key that counts.

    Attributes:
        fault: what is wrong with it.
    """

    def __init__(self, fault: KeyFault, detail: str) -> None:
        self.fault = fault
        super().__init__("unauthorized", detail, _CHALLENGE)


def identify(request: Request, guard: Guard) -> Identity:
    """Do the same as `recognize`, and tell whoever counts it of a request that is not let in."""
    try:
        return recognize(request, guard)
    except Denied as denied:
        surface = request.surface
        surface.emit(AccessDenied(surface.clock.monotonic(), denied.fault))
        raise


def recognize(request: Request, guard: Guard) -> Identity:
    """Return who sent a request.

    Args:
        request: judged by its headers and path alone.
        guard: who is let in while there are no keys.

    Raises:
        Denied: no key that counts. The answer never repeats what came.
        RefusedError: `forbidden`: it comes from a page that may not; `invalid`: a name that cannot be one.
    """
    fields, surface = request.fields, request.surface
    ring = surface.keys()
    if not ring.required:
        guard(fields)
        credential = _credential(fields)
        if credential is None and _CLIENT_HEADER not in fields:
            return NOBODY
        return Identity(hints.client(fields), credential=credential)
    if request.channel.path in OPEN:
        return NOBODY
    refuse_foreign_page(fields)
    presented = fields.get(_OUR_HEADER)
    credential = None
    if presented is not None:
        credential = _credential(fields)
    else:
        presented = _presented(request)
    found = ring.find(presented, surface.clock.wall()) if presented else KeyFault.MISSING
    if not isinstance(found, ApiKey):
        raise Denied(found, _DETAILS[found])
    client = found.client
    if _CLIENT_HEADER in fields:
        client = f"{client}/{hints.client(fields)}"
    return Identity(client, found.id, found.group, credential)


def _presented(request: Request) -> bytes:
    """Return what stands where official clients put their key, or nothing."""
    authorization, api_key = request.fields.get(b"authorization"), request.fields.get(b"x-api-key")
    if not authorization:
        return api_key or b""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise Denied(KeyFault.MALFORMED, f"authorization: got another scheme than Bearer; {_SEND}")
    token = token.strip()
    if token and api_key and token != api_key:
        raise Denied(KeyFault.MALFORMED, _TWO_KEYS)
    return token or api_key or b""


def _credential(fields: Mapping[bytes, bytes]) -> tuple[str, str] | None:
    """Return the header with another service's key, none of ours; of two, `authorization`."""
    value = fields.get(b"authorization")
    if value and not is_ours(value):
        return "authorization", value.decode("latin-1")
    value = fields.get(b"x-api-key")
    if value and not is_ours(value):
        return "x-api-key", value.decode("latin-1")
    return None
