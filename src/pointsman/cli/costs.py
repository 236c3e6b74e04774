"""`pointsman costs`: what messages took, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client

COLUMNS: Final = ("of", "name", "messages", "input", "cached", "output", "cost", "saved")
_KINDS: Final = {"classes": "class", "workers": "worker", "clients": "client", "keys": "key", "groups": "group"}
_EMPTY: Final = "Nothing has been taken yet."

View = Mapping[str, Any]


@click.command()
@click.option("--month", is_flag=True, help="The month so far, instead of the day.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Rows of each kind.")
@options.url
@options.form
def costs(month: bool, limit: int, url: str | None, form: str) -> None:
    """Show what messages took today (UTC): tokens, money and savings, by class, worker, client, key and group.

    Savings are against sending everything to the dearest class. Counted since the router started.
    """
    found = Client(url).get(f"{API}/costs", limit=limit)
    if form == "json":
        output.document(found)
        return
    currency, shown = found["currency"], found["month" if month else "today"]
    output.say(f"today       {_sum(found['today']['total'], currency)}")
    output.say(f"this month  {_sum(found['month']['total'], currency)}")
    output.say(f"counted since {figures.instant(found['since'])}")
    output.say()
    rows = [_row(word, one, currency) for kind, word in _KINDS.items() for one in shown[kind]]
    output.table(COLUMNS, rows, empty=_EMPTY, optional=["saved", "output", "input"])


def _sum(total: View, currency: str) -> str:
    """Return the whole in one line."""
    if not total["messages"]:
        return "nothing"
    tokens = total["input_tokens"] + total["output_tokens"]
    parts = [
        figures.count(total["messages"], "message"),
        f"{tokens:,} tokens",
        f"{figures.share(total['cached_input_share'])} of the input from a cache",
        f"{figures.money(total['money'], currency)} spent",
    ]
    if total["savings"] is not None:
        parts.append(f"{figures.money(total['savings'], currency)} saved")
    if total["unpriced_tokens"]:
        parts.append(f"{total['unpriced_tokens']:,} tokens without a price")
    return ", ".join(parts)


def _row(kind: str, one: View, currency: str) -> list[Any]:
    return [
        kind,
        one["name"],
        one["messages"],
        one["input_tokens"],
        figures.share(one["cached_input_share"]),
        one["output_tokens"],
        figures.money(one["money"], currency),
        figures.money(one["savings"], currency),
    ]
