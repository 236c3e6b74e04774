"""API keys: what one looks like, and whether one that somebody shows is among ours.

A key is `pm_<id>_<secret>`. The id is public and finds the key; the secret is 280 bits from the operating system.
Only the SHA-256 of the whole key is known here. That is enough, and a slow password hash would be a gift to whoever
wants to keep us busy: NIST SP 800-63B, 5.1.2.2, asks for an approved one-way function where a secret has 112 bits of
entropy or more, and for salt and a password hash only below that.

Whoever guesses learns nothing from our time: every key of the right form costs one look-up by its public id, one hash
and one comparison of digests, whether there is such an id or not. That a key was revoked or has expired is told only
to those who hold it.

Where the key stands in a request, and what an answer says, is decided in `http.auth`; where keys are kept, in
`config.keys_file`.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import msgspec

from pointsman.model.errors import UsageError
from pointsman.model.keys import ApiKey, KeyFault

PREFIX: Final = "pm_"
"""What every key begins with, so that people, and programs that look for leaked secrets, know one when they see it."""

ID_BYTES: Final = 5
SECRET_BYTES: Final = 35
"""Random bytes of the two parts; both are whole in base 32, so that a key holds letters and digits alone."""

ID_LENGTH: Final = ID_BYTES * 8 // 5
_SECRET_AT: Final = len(PREFIX) + ID_LENGTH + 1
KEY_LENGTH: Final = _SECRET_AT + SECRET_BYTES * 8 // 5

_PREFIX: Final = PREFIX.encode()
_WITHIN: Final = re.compile(rb"(?<![0-9A-Za-z_-])" + re.escape(_PREFIX))
_ID: Final = slice(len(PREFIX), len(PREFIX) + ID_LENGTH)
_NOBODY: Final = bytes(32)
"""Compared with where there is no key: no text has this digest that anybody could find."""


class KeyCounts(msgspec.Struct, frozen=True):
    """How many API keys there are. With any of them, of whatever kind, each request needs a usable one."""

    usable: int
    expired: int
    revoked: int


class KeyRing:
    """All keys at one moment; never changes.

    Args:
        keys: the keys.
        required: whether each request needs one, also where there is none; None: where there is one, usable or not.

    Attributes:
        required: whether each request needs a key.

    Raises:
        UsageError: two keys share an id.
    """

    __slots__ = ("_by_id", "required")

    def __init__(self, keys: Iterable[ApiKey] = (), *, required: bool | None = None) -> None:
        self._by_id: dict[bytes, ApiKey] = {}
        for key in keys:
            if self._by_id.setdefault(key.id.encode(), key) is not key:
                raise UsageError(f"two keys have the id {key.id}")
        self.required = bool(self._by_id) if required is None else required

    def __len__(self) -> int:
        """Keys of every state."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[ApiKey]:
        """Every key, in the order in which they were made."""
        return iter(self._by_id.values())

    def get(self, key_id: str) -> ApiKey | None:
        """Return the key of this id, whatever its state, or None."""
        return self._by_id.get(key_id.encode())

    def find(self, presented: bytes, now_wall: float) -> ApiKey | KeyFault:
        """Return the key that somebody shows, or why it does not count.

        Args:
            presented: the whole key as it came, and nothing around it.
            now_wall: Unix seconds.
        """
        if len(presented) != KEY_LENGTH or not presented.startswith(_PREFIX):
            return KeyFault.MALFORMED
        key = self._by_id.get(presented[_ID])
        digest = sha256(presented).digest()
        is_same = compare_digest(digest, _NOBODY if key is None else key.digest)
        if key is None:
            return KeyFault.UNKNOWN
        if not is_same:
            return KeyFault.WRONG
        if key.revoked is not None:
            return KeyFault.REVOKED
        if key.expires is not None and now_wall >= key.expires:
            return KeyFault.EXPIRED
        return key

    def counts(self, now_wall: float) -> KeyCounts:
        """Return how many keys are in which state at `now_wall`, Unix seconds."""
        states = [state(key, now_wall) for key in self]
        return KeyCounts(states.count("usable"), states.count("expired"), states.count("revoked"))


NO_KEYS: Final = KeyRing()
"""Nobody needs a key."""


def state(key: ApiKey, now_wall: float) -> str:
    """Return `usable`, `expired` or `revoked`; what was revoked stays so, whether it would have expired or not."""
    if key.revoked is not None:
        return "revoked"
    return "expired" if key.expires is not None and now_wall >= key.expires else "usable"


def compose(id_bytes: bytes, secret_bytes: bytes) -> tuple[str, str]:
    """Return id and whole text of a new key.

    Args:
        id_bytes: `ID_BYTES` random bytes.
        secret_bytes: `SECRET_BYTES` random bytes of the operating system.

    Raises:
        UsageError: too few bytes, or too many.
    """
    if (len(id_bytes), len(secret_bytes)) != (ID_BYTES, SECRET_BYTES):
        raise UsageError(f"a key is made of {ID_BYTES} and {SECRET_BYTES} random bytes")
    key_id = b32encode(id_bytes).decode().lower()
    return key_id, f"{PREFIX}{key_id}_{b32encode(secret_bytes).decode().lower()}"


def digest_of(text: str) -> bytes:
    """Return what is kept of a key."""
    return sha256(text.encode()).digest()


def id_in(text: str) -> str:
    """Return the id of a key, where `text` is a whole one; anything else as it is."""
    return text[_ID] if len(text) == KEY_LENGTH and text.startswith(PREFIX) else text


def is_ours(value: bytes) -> bool:
    """Whether a header's value holds what is meant to be a key of a router, whole or not and whatever stands around it:
    such a value must never be handed on.
    """
    return _WITHIN.search(value) is not None
