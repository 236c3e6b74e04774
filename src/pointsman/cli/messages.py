"""`pointsman messages`: what the router has in hand, and what became of what it had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client, Problem, quoted
from pointsman.cli.exits import ExitCode
from pointsman.cli.reasons import tokens
from pointsman.cli.send import reply_text

Command = TypeVar("Command", bound=Callable[..., Any])

_STATUSES: Final = ("queued", "delayed", "leased", "delivered", "failed", "dead", "expired", "cancelled")
_OPEN: Final = ("queued", "delayed", "leased")


def _filters(command: Command) -> Command:
    for add in (
        options.since,
        click.option("--conversation", "conversation_id", metavar="ID", help="Only of this conversation."),
        click.option("--client", metavar="NAME", help="Only of this client."),
        click.option("--status", type=click.Choice(_STATUSES), help="Only in this state."),
    ):
        command = add(command)
    return command


@click.group()
def messages() -> None:
    """List, show and cancel messages."""


@messages.command()
@_filters
@options.limit
@options.url
@options.form
def ls(url: str | None, form: str, **wanted: Any) -> None:
    """List messages: those that have not ended first, each group the newest first."""
    from pointsman.runtime.clock import SystemClock

    found = Client(url).listing(f"{API}/messages", "messages", **wanted)
    if form == "json":
        output.document(found)
        return
    now = SystemClock().wall()
    output.table(
        ["id", "status", "class", "priority", "client", "tries", "age", "why"],
        [
            [
                one["id"],
                one["status"],
                one["class"],
                one["priority"],
                one["client"],
                one["attempts"],
                figures.age(one["created"], now),
                one["cause"],
            ]
            for one in found
        ],
        empty="No messages.",
        optional=["priority", "tries", "age"],
    )


@messages.command()
@click.argument("message_id")
@options.url
@options.form
def show(message_id: str, url: str | None, form: str) -> None:
    """Show a message: its state, and its reply where its sender had stopped waiting for it."""
    found = Client(url).get(f"{API}/messages/{quoted(message_id)}")
    if form == "json":
        output.document(found)
        return
    reply = found.pop("reply", None)
    for name in ("created", "ended"):
        if name in found:
            found[name] = figures.instant(found[name])
    if found.get("usage"):
        found["usage"] = tokens(found["usage"])
    if found.get("cost") is not None:
        found["cost"] = figures.amount(found["cost"])
    output.pairs(found)
    if reply is not None:
        output.say("reply", "bold")
        output.body(reply_text(reply))


@messages.command()
@click.argument("message_ids", nargs=-1, metavar="[ID]...")
@_filters
@options.yes
@options.url
def cancel(message_ids: tuple[str, ...], yes: bool, url: str | None, **wanted: Any) -> None:
    """Cancel messages, in their queue or at their worker: those named, or all that the options describe."""
    chosen = any(value is not None for value in wanted.values())
    if bool(message_ids) == chosen:
        raise click.UsageError(
            "Name the messages, or describe them with --client, --conversation, --status or --since."
        )
    client = Client(url)
    if not message_ids:
        message_ids = _unended(client, wanted)
        if not message_ids:
            output.note("No message to cancel.")
            return
        output.ask(f"Cancel {figures.count(len(message_ids), 'message')}?", agreed=yes)
    failed = 0
    for message_id in message_ids:
        try:
            client.delete(f"{API}/messages/{quoted(message_id)}")
            output.say(f"{message_id} cancelled")
        except Problem as problem:
            failed += 1
            output.complain(str(problem))
    if failed:
        raise click.exceptions.Exit(ExitCode.FAILED)


def _unended(client: Client, wanted: dict[str, Any]) -> tuple[str, ...]:
    """Return the ids of messages that can still be cancelled."""
    found = client.listing(f"{API}/messages", "messages", **wanted, limit=1000)
    return tuple(one["id"] for one in found if one["status"] in _OPEN)
