"""`pointsman feedback`: which class was right, or how a message went."""

from __future__ import annotations

from typing import Any

import click

from pointsman.cli import options, output
from pointsman.cli.client import API, Client, quoted
from pointsman.model.errors import UsageError


@click.command()
@click.argument("message_id", metavar="ID")
@click.option("--label", metavar="CLASS", help="The class that would have been right.")
@click.option("--outcome", type=click.Choice(["ok", "failed"]), help="How its worker did it.")
@click.option("--client", metavar="NAME", help="The client that it was sent as.")
@options.url
@options.form
def feedback(
    message_id: str, label: str | None, outcome: str | None, client: str | None, url: str | None, form: str
) -> None:
    """Say of the message ID which class was right, or how it went.

    The classifier learns from it beside its model, and uses that once it has proven better; see `pointsman model
    status`. Given again for the same message, it takes the place of the first.
    """
    if (label is None) == (outcome is None):
        raise UsageError("say --label CLASS or --outcome ok|failed, exactly one of the two")
    said = {"label": label} if label is not None else {"outcome": outcome}
    headers = {"x-pointsman-client": client} if client is not None else {}
    found = Client(url).post(f"{API}/messages/{quoted(message_id)}/feedback", said, headers=headers)
    if form == "json":
        output.document(found)
        return
    output.say(_made_of(found))
    if found["note"]:
        output.note(found["note"])


def _made_of(found: dict[str, Any]) -> str:
    """Return what was made of it, in one line."""
    if not found["weight"]:
        return "taken; nothing was learnt"
    learnt = f"taken as a word for {found['class']}, with weight {found['weight']:.2f}"
    return f"{learnt}, in the place of the earlier one" if found["replaced"] else learnt
