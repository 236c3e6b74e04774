"""`pointsman status`: the router at a glance."""

from __future__ import annotations

from typing import Any, Final

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client
from pointsman.cli.model_status import classifier
from pointsman.cli.views import POOL_COLUMNS, QUEUE_COLUMNS, QUEUE_OPTIONAL, pool_rows, queue_rows

_PARTS: Final = ("delivered", "failed", "dead", "expired", "cancelled", "waiting", "in_flight")


@click.command()
@options.url
@options.form
def status(url: str | None, form: str) -> None:
    """Show how the router, its pools and queues are."""
    client = Client(url)
    found = client.get(f"{API}/status")
    if form == "json":
        output.document(found)
        return
    ready = "ready" if found["ready"] else "not ready"
    output.say(
        f"Pointsman {found['version']} at {client.url}: {ready}, up {figures.duration(found['uptime_s'])}", "bold"
    )
    output.say(f"messages  {_sum(found['counts'])}")
    output.say(f"workers   {_workers(found['workers'])}")
    output.say(f"API keys  {_keys(found['keys'])}")
    output.say(f"today     {_spending(found['spending'])}")
    if found.get("classifier") is not None:
        output.say(f"classes   {classifier(found['classifier'])}")
    if found.get("rollout") is not None:
        output.say(f"rollout   {_rollout(found['rollout'])}")
    output.say()
    output.table(POOL_COLUMNS, pool_rows(found["pools"]), empty="No pools.")
    output.say()
    output.table(QUEUE_COLUMNS, queue_rows(found["queues"]), empty="No queues.", optional=QUEUE_OPTIONAL)


def _sum(counts: dict[str, Any]) -> str:
    """Return the accounting as a sum; what is 0 is left out."""
    parts = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in _PARTS if counts[name]]
    return f"{counts['admitted']:,} admitted" + (f" = {' + '.join(parts)}" if parts else "")


def _keys(counts: dict[str, int]) -> str:
    """Return how many keys there are; with none, nobody needs one."""
    parts = [f"{number:,} {state}" for state, number in counts.items() if number]
    return ", ".join(parts) or "none, so whoever reaches the router may use it; `pointsman keys create NAME`"


def _spending(today: dict[str, Any]) -> str:
    """Return what was taken today, in UTC."""
    if not today["tokens"]:
        return "no tokens taken"
    parts = [f"{today['tokens']:,} tokens", f"{figures.share(today['cached_input_share'])} of the input from a cache"]
    parts.append(f"{figures.money(today['money'], today['currency'])} spent")
    if today["savings"] is not None:
        parts.append(f"{figures.money(today['savings'], today['currency'])} saved")
    return ", ".join(parts)


def _rollout(brief: dict[str, Any]) -> str:
    from pointsman.cli.rollout_picture import one_line
    from pointsman.runtime.clock import SystemClock

    return one_line(brief, SystemClock().wall())


def _workers(states: dict[str, int]) -> str:
    parts = [f"{number:,} {state.replace('_', ' ')}" for state, number in states.items() if number]
    return ", ".join(parts) or "none; add one with `pointsman workers add`, or in the settings file"
