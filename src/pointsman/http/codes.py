"""Every code that Pointsman answers with, in one table: its HTTP status, what it means, and what to do about it.

`docs/reference/errors.md` is generated from it (`problems.reference`) and `pointsman errors` prints it. How a code
becomes an answer is decided in `problems`.
"""

from __future__ import annotations

from typing import Final

from pointsman.http.code import Code
from pointsman.http.codes_message import ENDS, FAILURES, REFUSALS
from pointsman.http.codes_request import FAULTS, REQUESTS

SECTIONS: Final[dict[str, tuple[Code, ...]]] = {
    "Refused messages": REFUSALS,
    "Refused requests": REQUESTS,
    "Ends other than delivered": ENDS,
    "Failed attempts": FAILURES,
    "Faults": FAULTS,
}
"""The table by section, in the order of the reference page."""

CODES: Final[dict[str, Code]] = {row.code: row for rows in SECTIONS.values() for row in rows}
"""The table by code."""
