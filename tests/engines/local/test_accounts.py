"""Accounts: what was taken is what has ended and what is held."""

from __future__ import annotations

from pointsman.engines.local.accounts import Accounts
from pointsman.model.states import ENDS
from pointsman.model.views import Counts


def test_each_end_is_counted_by_its_kind() -> None:
    """Five messages, one end each; bytes go with the end."""
    accounts = Accounts()
    for status in sorted(ENDS):
        accounts.took(10)
        accounts.ended(status, 10)
    accounts.took(7)
    assert accounts.held_bytes == 7
    assert accounts.counts(waiting=1, in_flight=0) == Counts(
        admitted=6, delivered=1, failed=1, dead=1, expired=1, cancelled=1, waiting=1, in_flight=0
    )
