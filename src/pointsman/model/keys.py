"""What we know of an API key, and why a request is not let in. Plain data; the rules stand in `core.keys`."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class KeyFault(StrEnum):
    """Why a request is not let in; values of the label `reason` of `pointsman_auth_failures_total`."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    WRONG = "wrong"
    REVOKED = "revoked"
    EXPIRED = "expired"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One API key. The key itself is not in here, nor anywhere else.

    Attributes:
        id: public name of the key: shown in lists, logs and decision records.
        name: what its maker called it.
        client: whose limits, fairness and accounting its messages fall under.
        group: group of clients for budgets, or empty.
        created: Unix seconds.
        expires: Unix seconds from which on it is refused, or None.
        revoked: Unix seconds at which it was revoked, or None.
        digest: SHA-256 of the whole key, 32 bytes.
    """

    id: str
    name: str
    client: str
    digest: bytes
    created: float
    group: str = ""
    expires: float | None = None
    revoked: float | None = None
