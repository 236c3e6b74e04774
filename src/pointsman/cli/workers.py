"""`pointsman workers`: who does the work, and how they are."""

from __future__ import annotations

from typing import Any

import click

from pointsman.cli import options, output
from pointsman.cli.client import API, Client, quoted
from pointsman.cli.views import WORKER_COLUMNS, worker_rows


@click.group()
def workers() -> None:
    """List, add, drain and remove workers."""


@workers.command()
@click.option("--pool", metavar="POOL", help="Only of this pool.")
@options.url
@options.form
def ls(pool: str | None, url: str | None, form: str) -> None:
    """List workers: state, circuit breaker, load, learned speed and reliability."""
    found = Client(url).listing(f"{API}/workers", "workers", pool=pool)
    if form == "json":
        output.document(found)
    else:
        empty = "No workers. `pointsman workers add` adds one."
        output.table(WORKER_COLUMNS, worker_rows(found), empty=empty, optional=["from", "transport", "succeeds"])


@workers.command()
@click.argument("pool")
@click.argument("worker_id", metavar="ID")
@click.argument("worker_url", metavar="WORKER_URL")
@click.option(
    "--transport", type=click.Choice(["http", "openai"]), default="http", show_default=True, help="What it speaks."
)
@click.option("--model", help="Model name that an openai worker is asked for.")
@click.option("--max-in-flight", type=click.IntRange(1), help="Messages it may work on at once.")
@options.url
def add(pool: str, worker_id: str, worker_url: str, url: str | None, **more: Any) -> None:
    """Add a worker that listens at WORKER_URL to a pool, until it is removed or the router stops."""
    wanted = {key: value for key, value in more.items() if value is not None}
    Client(url).post(f"{API}/workers", {"pool": pool, "id": worker_id, "url": worker_url, **wanted})
    output.say(f"{worker_id} has joined pool {pool}")


@workers.command()
@click.argument("worker_id", metavar="ID")
@options.url
def rm(worker_id: str, url: str | None) -> None:
    """Remove a worker; it finishes what it has in hand."""
    Client(url).delete(f"{API}/workers/{quoted(worker_id)}")
    output.say(f"{worker_id} leaves its pool, and ends what it has in hand")


@workers.command()
@click.argument("worker_id", metavar="ID")
@options.url
def drain(worker_id: str, url: str | None) -> None:
    """Give a worker nothing new; what it has in hand goes on."""
    view = Client(url).post(f"{API}/workers/{quoted(worker_id)}/drain")
    output.say(f"{worker_id} is {view['state']}, with {view['in_flight']} in hand")


@workers.command()
@click.argument("worker_id", metavar="ID")
@options.url
def resume(worker_id: str, url: str | None) -> None:
    """Let a drained worker work again."""
    view = Client(url).post(f"{API}/workers/{quoted(worker_id)}/resume")
    output.say(f"{worker_id} is {view['state']}")
