"""How API keys are written down: JSON lines that are only ever added to.

One line makes a key, another revokes it. Revoking counts wherever it stands: in which order lines came to be in the
file (two files put together, a backup brought back) never makes a revoked key good again. What cannot be understood is
refused as a whole, because a line that was skipped might be the one that revokes. Only what stands behind the last line
end and is no JSON yet is left out: a write that never ended, and of which nobody was told that it did.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from pointsman.core.keys import ID_LENGTH, KeyRing
from pointsman.model.errors import SettingsError
from pointsman.model.keys import ApiKey

VERSION: Final = 1
"""Of the format; a router that does not know a version refuses it, as an older one might let in too many."""

NAME: Final = r"[A-Za-z0-9._:@-]{1,64}"
"""What a key's name, a client and a group may be: safe in headers, queries, logs and file names."""

_NAME: Final = re.compile(NAME)

_Name = Annotated[str, Meta(pattern=rf"\A{NAME}\Z")]
_Id = Annotated[str, Meta(pattern=rf"\A[a-z2-7]{{{ID_LENGTH}}}\Z")]
_Instant = Annotated[float, Meta(ge=0.0)]


class _Created(msgspec.Struct, tag_field="do", tag="create", frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: int = VERSION
    id: _Id
    name: _Name
    client: _Name
    group: _Name | None = None
    created: _Instant
    expires: _Instant | None = None
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class _Revoked(msgspec.Struct, tag_field="do", tag="revoke", frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: int = VERSION
    id: _Id
    revoked: _Instant


class _Any(msgspec.Struct, frozen=True):
    v: int


class Ledger(msgspec.Struct, frozen=True):
    """What a file of keys says.

    Attributes:
        ring: the keys.
        whole_bytes: length of the file without a last line that was not written to its end.
        ends_line: the last whole line has its line end, so that another may follow.
    """

    ring: KeyRing
    whole_bytes: int
    ends_line: bool


_LINE: Final[msgspec.json.Decoder[_Created | _Revoked]] = msgspec.json.Decoder(_Created | _Revoked)
_ANY: Final = msgspec.json.Decoder(_Any)
_JSON: Final = msgspec.json.Decoder(msgspec.Raw)


def read(data: bytes) -> Ledger:
    """Return the keys that a file holds.

    Raises:
        SettingsError: a line is none of ours, or of another version; says which and why, and repeats nothing of it.
    """
    created: dict[str, _Created] = {}
    revoked: dict[str, float] = {}
    pieces = data.split(b"\n")
    last = pieces.pop()
    if is_torn := _is_torn(last):
        data = data[: len(data) - len(last)]
    elif last:
        pieces.append(last)
    for number, piece in enumerate(pieces, 1):
        if not piece.strip():
            continue
        line = _decode(piece, number)
        if isinstance(line, _Revoked):
            revoked[line.id] = min(line.revoked, revoked.get(line.id, line.revoked))
        elif created.setdefault(line.id, line) is not line:
            raise SettingsError([f"line {number}: key {line.id} stands there already; an id has one key"])
    keys = [_key(line, revoked.get(line.id)) for line in created.values()]
    return Ledger(KeyRing(keys, required=bool(created or revoked)), len(data), is_torn or not last)


def _is_torn(last: bytes) -> bool:
    """Whether what stands behind the last line end is no whole JSON value."""
    if not last:
        return False
    try:
        _JSON.decode(last)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    return False


def _decode(piece: bytes, number: int) -> _Created | _Revoked:
    try:
        version = _ANY.decode(piece).v
        if version != VERSION:
            raise SettingsError(
                [
                    f"line {number}: format {version}, and this version of Pointsman knows {VERSION} only:"
                    " run the version that wrote it, or a newer one"
                ]
            )
        return _LINE.decode(piece)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SettingsError(
            [
                f"line {number}: neither makes a key nor revokes one as `pointsman keys` writes it;"
                " bring the file back from a copy, or take the line out if you know what it was"
            ]
        ) from None


def _key(line: _Created, revoked: float | None) -> ApiKey:
    return ApiKey(
        id=line.id,
        name=line.name,
        client=line.client,
        group=line.group or "",
        created=line.created,
        expires=line.expires,
        revoked=revoked,
        digest=bytes.fromhex(line.sha256),
    )


def created_line(key: ApiKey) -> bytes:
    """Return the line that makes a key."""
    return _written(
        _Created(
            id=key.id,
            name=key.name,
            client=key.client,
            group=key.group or None,
            created=key.created,
            expires=key.expires,
            sha256=key.digest.hex(),
        )
    )


def revoked_line(key_id: str, revoked: float) -> bytes:
    """Return the line that revokes a key at `revoked`, Unix seconds."""
    return _written(_Revoked(id=key_id, revoked=revoked))


def _written(line: _Created | _Revoked) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def is_name(text: str) -> bool:
    """Whether `text` can name a key, a client or a group."""
    return _NAME.fullmatch(text) is not None
