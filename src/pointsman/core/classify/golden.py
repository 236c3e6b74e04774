"""Messages whose class is beyond doubt: what the health check asks the classifier, and what it must answer.

Each is answered by the model that comes along, and by the built-in rules alone, with a margin to spare, so that a
change of thresholds within reason changes none of them, while a classifier that is broken, or was given settings that
turn it around, gets some of them wrong.
"""

from __future__ import annotations

from typing import Final

from pointsman.core.classify.builtin import STRATEGIC, TACTICAL

GOLDEN: Final[tuple[tuple[str, str], ...]] = (
    ("Why does the deployment fail every Monday? Find the root cause and the possible causes.", STRATEGIC),
    ("Compare the two storage engines and recommend one: which approach has fewer risks?", STRATEGIC),
    ("Write a migration plan for the billing database, with milestones and what could go wrong.", STRATEGIC),
    ("Should we build or buy the search service? Weigh the trade-offs and the long term cost.", STRATEGIC),
    ("Rename the function parse_date to read_date and run the tests.", TACTICAL),
    ("Fix the typo in README.md and commit it.", TACTICAL),
    ("Translate this sentence into French: the parcel arrives tomorrow.", TACTICAL),
    ("Add a unit test for the empty list and update the changelog.", TACTICAL),
)
"""Text, and the role of the class it belongs to."""
