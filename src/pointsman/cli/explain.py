"""`pointsman explain`: why a text would go where it would, why a message went where it did, how the house is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pointsman.cli import options, output
from pointsman.cli.client import API, Client, quoted
from pointsman.cli.settings import read


class _Explain(click.Command):
    """Remembers whether `--` came first, so that even the text "stack" can be explained."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments."""
        ctx.meta["literal"] = "--" in args
        return super().parse_args(ctx, args)


@click.command(cls=_Explain)
@click.argument("text", required=False)
@click.option("--id", "message_id", metavar="MESSAGE_ID", help="Explain a message that the router has had.")
@options.settings_file
@options.settings_values
@options.url
@options.form
@click.pass_context
def explain(
    ctx: click.Context,
    text: str | None,
    message_id: str | None,
    file: Path | None,
    values: Mapping[str, str],
    url: str | None,
    form: str,
) -> None:
    """Show why a message goes where it goes.

    \b
    pointsman explain "fix the typo"    what the settings would decide; needs no router
    pointsman explain --id MESSAGE_ID   what the router decided and what came of it
    pointsman explain stack             the layers a message passes, and why in this order
    pointsman explain -- stack          the text "stack"
    pointsman explain -                 the text on standard input
    """
    if (text is None) == (message_id is None):
        raise click.UsageError("Give either a TEXT, or --id MESSAGE_ID, or the word stack.")
    if message_id is not None:
        _message(Client(url), message_id, form)
    elif text == "stack" and not ctx.meta["literal"]:
        _stack(form)
    else:
        _text(text or "", file, values, form)


def _message(client: Client, message_id: str, form: str) -> None:
    from pointsman.cli.reasons import show_decision

    record = client.get(f"{API}/messages/{quoted(message_id)}/decision")
    if form == "json":
        output.document(record)
    else:
        show_decision(record)


def _text(text: str, file: Path | None, values: Mapping[str, str], form: str) -> None:
    import msgspec

    from pointsman.cli.local import Local
    from pointsman.cli.reasons import show_class
    from pointsman.cli.rows import whole_text

    loaded = read(file, values)
    local = Local(loaded.settings, loaded.path.parent if loaded.path else None)
    decided = local.preview(text=whole_text(text))
    if isinstance(decided, str):
        output.fail(f"a router with these settings would refuse it: {decided}")
    if form == "json":
        output.document(msgspec.to_builtins(decided))
        return
    show_class(msgspec.to_builtins(decided))
    output.say(f"goes to    the queue of pool {decided.pool}")


def _stack(form: str) -> None:
    from pointsman.cli.stacks import stacks

    built = stacks()
    if form == "json":
        output.document(built)
        return
    for place, (title, layers) in enumerate(built.items()):
        if place:
            output.say()
        _show_layers(title, layers)


def _show_layers(title: str, layers: Sequence[Mapping[str, Any]]) -> None:
    output.say(title, "bold")
    rows = [[number, layer["layer"], layer["position"]] for number, layer in enumerate(layers, 1)]
    output.table(["", "layer", "where it stands, and why"], rows, empty="")
