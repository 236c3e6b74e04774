"""`pointsman dlq`: messages that ended badly, kept to be looked at and sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client, Problem, quoted
from pointsman.cli.exits import ExitCode
from pointsman.cli.send import PATIENCE_S

_PATH: Final = f"{API}/dead-letters"
_MOST: Final = 1000
_BAD_ENDS: Final = frozenset({"failed", "dead", "expired", "cancelled"})


@click.group()
def dlq() -> None:
    """List, show and replay dead letters: messages that ended failed, dead or expired."""


@dlq.command()
@options.limit
@options.url
@options.form
def ls(limit: int, url: str | None, form: str) -> None:
    """List dead letters, the newest first."""
    from pointsman.runtime.clock import SystemClock

    found = Client(url).listing(_PATH, "dead_letters", limit=limit)
    if form == "json":
        output.document(found)
        return
    now = SystemClock().wall()
    output.table(
        ["id", "status", "cause", "class", "client", "tries", "age", "detail"],
        [
            [
                one["id"],
                one["status"],
                one["cause"],
                one["class"],
                one["client"],
                one["attempts"],
                figures.age(one["ended"], now),
                one["detail"],
            ]
            for one in found
        ],
        empty="No dead letters.",
        optional=["tries", "class", "age"],
    )


@dlq.command()
@click.argument("message_id", metavar="ID")
@options.url
@options.form
def show(message_id: str, url: str | None, form: str) -> None:
    """Show a dead letter with its text and what came of each attempt."""
    found = Client(url).get(f"{_PATH}/{quoted(message_id)}")
    if form == "json":
        output.document(found)
        return
    trail = found["trail"]
    texts = {name: found[name] for name in ("text", "messages", "metadata", "params") if found[name]}
    rest = {
        name: value for name, value in found.items() if name not in {"trail", "text", "messages", "metadata", "params"}
    }
    output.pairs({**rest, "created": figures.instant(found["created"]), "ended": figures.instant(found["ended"])})
    for name, value in texts.items():
        output.say(name, "bold")
        output.body(value if isinstance(value, str) else output.as_json(value))
    output.say("attempts", "bold")
    output.table(
        ["number", "pool", "worker", "status", "took", "detail"],
        [
            [one["number"], one["pool"], one["worker"], one["result"], figures.duration(one["took_s"]), one["detail"]]
            for one in trail
        ],
        empty="None: it was never handed out.",
    )


@dlq.command()
@click.argument("message_ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All of them, the oldest first; at most 1,000 at a time.")
@options.yes
@options.url
@click.pass_context
def replay(ctx: click.Context, message_ids: tuple[str, ...], everything: bool, yes: bool, url: str | None) -> None:
    """Send the messages of dead letters again, each as a new message, and wait for its end.

    A letter is forgotten once its new message is accepted.
    """
    client = Client(url, PATIENCE_S)

    def replay_one(message_id: str) -> bool:
        answer = client.post(f"{_PATH}/{quoted(message_id)}/replay")
        output.say(f"{message_id} replayed as {answer['id']}: {answer['status']}")
        return answer["status"] not in _BAD_ENDS

    ids = _chosen(client, message_ids, everything, "Send", yes)
    if not _each(ids, "replaying", replay_one):
        ctx.exit(ExitCode.FAILED)


@dlq.command()
@click.argument("message_ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All of them; at most 1,000 at a time.")
@options.yes
@options.url
@click.pass_context
def drop(ctx: click.Context, message_ids: tuple[str, ...], everything: bool, yes: bool, url: str | None) -> None:
    """Forget dead letters. This cannot be undone."""
    client = Client(url)

    def drop_one(message_id: str) -> bool:
        client.delete(f"{_PATH}/{quoted(message_id)}")
        output.say(f"{message_id} dropped")
        return True

    ids = _chosen(client, message_ids, everything, "Drop", yes)
    if not _each(ids, "dropping", drop_one):
        ctx.exit(ExitCode.FAILED)


def _chosen(client: Client, message_ids: tuple[str, ...], everything: bool, verb: str, yes: bool) -> list[str]:
    """Return the ids of the letters that are meant, asking first where there are several or where it is for good."""
    if bool(message_ids) == everything:
        raise click.UsageError("Name the dead letters, or say --all.")
    ids = list(message_ids)
    if everything:
        ids = [one["id"] for one in reversed(client.listing(_PATH, "dead_letters", limit=_MOST))]
        if not ids:
            output.note("There are no dead letters.")
    if ids and (everything or verb == "Drop"):
        again = " again" if verb == "Send" else ""
        output.ask(f"{verb} {figures.count(len(ids), 'dead letter')}{again}?", agreed=yes)
    return ids


def _each(ids: list[str], what: str, act: Callable[[str], bool]) -> bool:
    """Do something to each letter, going on after one that fails; whether all went well."""
    all_well = True
    with output.progress(what, len(ids)) as advance:
        for message_id in ids:
            try:
                all_well &= act(message_id)
            except Problem as problem:
                all_well = False
                output.complain(f"{message_id}: {problem}")
            advance(1)
    return all_well
