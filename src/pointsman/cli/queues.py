"""`pointsman queues`: how much waits, and what an operator may do about it."""

from __future__ import annotations

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client, quoted
from pointsman.cli.views import QUEUE_COLUMNS, QUEUE_OPTIONAL, queue_rows


@click.group()
def queues() -> None:
    """List, pause, resume and empty queues."""


@queues.command()
@options.url
@options.form
def ls(url: str | None, form: str) -> None:
    """List queues: what waits, by priority, and for how long."""
    found = Client(url).listing(f"{API}/queues", "queues")
    if form == "json":
        output.document(found)
    else:
        output.table(QUEUE_COLUMNS, queue_rows(found), empty="No queues.", optional=QUEUE_OPTIONAL)


@queues.command()
@click.argument("name")
@options.url
def pause(name: str, url: str | None) -> None:
    """Hand out nothing more from a queue; messages are still accepted into it."""
    Client(url).post(f"{API}/queues/{quoted(name)}/pause")
    output.say(f"{name} is paused")


@queues.command()
@click.argument("name")
@options.url
def resume(name: str, url: str | None) -> None:
    """Hand out from a paused queue again."""
    Client(url).post(f"{API}/queues/{quoted(name)}/resume")
    output.say(f"{name} is handed out again")


@queues.command()
@click.argument("name")
@options.yes
@options.url
def purge(name: str, yes: bool, url: str | None) -> None:
    """Cancel everything that waits in a queue. This cannot be undone."""
    client = Client(url)
    found = client.listing(f"{API}/queues", "queues")
    waiting = {one["name"]: sum(one["queued"].values()) + one["delayed"] for one in found}
    if name not in waiting:
        output.fail(f"there is no queue {name!r}; known: {', '.join(sorted(waiting)) or 'none'}")
    if waiting[name]:
        output.ask(f"Cancel {figures.count(waiting[name], 'message')} in queue {name}?", agreed=yes)
    purged = client.delete(f"{API}/queues/{quoted(name)}/messages")["purged"]
    output.say(f"{figures.count(purged, 'message')} cancelled")
