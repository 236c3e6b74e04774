"""What is said about each code: one row of the table in `codes`."""

from __future__ import annotations

import msgspec


class Code(msgspec.Struct, frozen=True, gc=False):
    """One row.

    Attributes:
        code: stable; what programs compare.
        status: HTTP status of the answer; 0 for codes that stand only in records, dead letters and on the screen.
        title: the same for every occurrence.
        meaning: what happened.
        retryable: the same request may succeed later, and sending it again does no harm.
        advice: what to do.
    """

    code: str
    status: int
    title: str
    meaning: str
    retryable: bool
    advice: str
