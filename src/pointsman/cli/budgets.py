"""`pointsman budgets`: what may be spent, what has been, and when each budget begins anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client

COLUMNS: Final = ("budget", "whose", "per", "limit", "spent", "reserved", "left", "used", "begins anew")
_OPTIONAL: Final = ("begins anew", "reserved", "per")
_EMPTY: Final = "No budgets. A table `budgets` in the settings makes one."

View = Mapping[str, Any]


@click.group()
def budgets() -> None:
    """Show budgets and what has been spent of them."""


@budgets.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Owners of each budget.")
@options.url
@options.form
def ls(limit: int, url: str | None, form: str) -> None:
    """List budgets: limit, spent, reserved for messages in flight, left; whoever is nearest the limit first."""
    found = Client(url).get(f"{API}/budgets", limit=limit)
    if form == "json":
        output.document(found)
    else:
        rows = [row for budget in found["budgets"] for row in _rows(budget, found["currency"])]
        output.table(COLUMNS, rows, empty=_EMPTY, optional=_OPTIONAL)


def _rows(budget: View, currency: str) -> Iterator[list[Any]]:
    """Yield a row for each owner, and two where money and tokens are both limited."""
    for account in budget["accounts"] or [None]:
        head = [budget["name"], _whose(budget, account), budget["per"]]
        share = figures.share(account["used_share"] if account else 0.0)
        foot = [share, figures.instant(budget["resets_at"])]
        if budget["money"] is not None:
            kept = _amounts(account, "money", budget["money"])
            yield [*head, *(figures.money(amount, currency) for amount in kept), *foot]
        if budget["tokens"] is not None:
            kept = _amounts(account, "tokens", budget["tokens"])
            yield [*head, *(f"{amount:,} tokens" for amount in kept), *foot]


def _amounts(account: View | None, kind: str, limit: float) -> list[Any]:
    if account is None:
        return [limit, 0, 0, limit]
    return [limit, account[f"{kind}_spent"], account[f"{kind}_reserved"], account[f"{kind}_left"]]


def _whose(budget: View, account: View | None) -> str:
    scope = budget["scope"]
    if scope == "overall":
        return "everybody"
    if account is None:
        return f"each {scope}"
    return f"all other {scope}s" if account["owner"] == "*" else f"{scope} {account['owner']}"
