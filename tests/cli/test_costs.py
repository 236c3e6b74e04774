"""`pointsman costs`: what was taken, in one line and by whom."""

from __future__ import annotations

import json
from typing import Any

from pointsman.cli.costs import _row, _sum
from pointsman.cli.status import _spending
from tests.cli.conftest import Command


def row(**changed: Any) -> dict[str, Any]:
    """What somebody took."""
    tokens = {"input_tokens": 1000, "cached_input_tokens": 600, "cache_write_tokens": 0, "output_tokens": 200}
    money = {"money": 1.5, "savings": 0.5, "unpriced_tokens": 0, "cached_input_share": 0.6}
    return {"name": "alice", "messages": 3, **tokens, **money, **changed}


def test_a_sum_says_tokens_money_and_savings() -> None:
    """What has no price is said, as it is not in the money."""
    assert _sum(row(), "EUR") == (
        "3 messages, 1,200 tokens, 60.0 % of the input from a cache, 1.50 EUR spent, 0.5000 EUR saved"
    )
    assert _sum(row(money=None, savings=None, unpriced_tokens=1200), "EUR") == (
        "3 messages, 1,200 tokens, 60.0 % of the input from a cache, - spent, 1,200 tokens without a price"
    )
    assert _sum(row(messages=0), "EUR") == "nothing"


def test_a_row_leaves_out_what_is_not_known() -> None:
    """A dash, not 0."""
    assert _row("client", row(), "EUR") == ["client", "alice", 3, 1000, "60.0 %", 200, "1.50 EUR", "0.5000 EUR"]
    assert _row("client", row(money=None, savings=None, cached_input_share=None), "EUR")[4:] == ["-", 200, "-", "-"]


def test_costs_are_shown_for_the_day_or_the_month(router: Command) -> None:
    """A line for each, and who took what; for programs all of it."""
    for arguments in ((), ("--month",)):
        lines = router("costs", *arguments).out.splitlines()
        assert lines[0].startswith("today       ")
        assert lines[1].startswith("this month  ")
        assert lines[2].startswith("counted since ")
        assert lines[4].split() == ["OF", "NAME", "MESSAGES", "INPUT", "CACHED", "OUTPUT", "COST", "SAVED"]
    found = json.loads(router("costs", "-o", "json").out)
    assert set(found) == {"currency", "since", "today", "month"}


def test_the_status_says_what_was_taken_today() -> None:
    """In short."""
    today = {"currency": "EUR", "money": 1.5, "savings": 0.5, "tokens": 1200, "cached_input_share": 0.6}
    said = "1,200 tokens, 60.0 % of the input from a cache, 1.50 EUR spent"
    assert _spending(today) == f"{said}, 0.5000 EUR saved"
    assert _spending({**today, "savings": None}) == said
    assert _spending({**today, "tokens": 0}) == "no tokens taken"
