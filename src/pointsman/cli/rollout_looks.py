"""What of `pointsman rollout` only looks: its history, what the shadow found, and who answers a key."""

from __future__ import annotations

from typing import Final

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client
from pointsman.cli.rollout_picture import evidence, share

PATH: Final = f"{API}/rollout"


@click.command()
@options.limit
@click.option("--before", type=click.IntRange(1), metavar="NUMBER", help="Only steps before the one of this number.")
@options.url
@options.form
def history(limit: int, before: int | None, url: str | None, form: str) -> None:
    """List what was done, by whom, when and why; the newest first."""
    found = Client(url).get(f"{PATH}/history", limit=limit, before=before)
    if form == "json":
        output.document(found["entries"])
        return
    rows = [
        [
            one["seq"],
            figures.instant(one["at"]),
            one["event"],
            one["stage"],
            share(one["share"]),
            one["actor"],
            one["ref"],
            "; ".join(filter(None, ("by force" * one["forced"], one["reason"] or evidence(one["evidence"])))),
        ]
        for one in found["entries"]
    ]
    empty = "Nothing has been done yet. `pointsman rollout start` begins."
    columns = ["#", "when", "event", "stage", "share", "actor", "ref", "why"]
    output.table(columns, rows, empty=empty, optional=["ref", "share", "stage"])
    if found["before"] is not None:
        output.note(f"There are older ones: --before {found['before']}")


@click.command()
@click.option("--kind", metavar="KIND", help="Only of this kind, such as class_mismatch.")
@options.limit
@options.url
@options.form
def differences(kind: str | None, limit: int, url: str | None, form: str) -> None:
    """Show where this router would have decided otherwise than the old one did: a sample, without any text."""
    found = Client(url).get(f"{PATH}/differences", limit=limit, kind=kind)
    if form == "json":
        output.document(found)
        return
    counts, agreed = found["counts"], found["agreement"]
    output.say(f"{counts['sampled']:,} mirrored, {counts['compared']:,} compared", "bold")
    if agreed["messages"]:
        output.say(
            f"the same class for {figures.share(agreed['share'])} of {agreed['messages']:,}"
            f" ({figures.share(agreed['low'])} to {figures.share(agreed['high'])})"
            + ("" if agreed["kappa"] is None else f", kappa {agreed['kappa']:.2f}")
        )
    output.say()
    rows = [
        [
            one["id"],
            one["kind"],
            one["legacy_class"],
            one["candidate_class"],
            figures.instant(one["at"]),
            one["legacy_worker"],
            one["reason"] or f"{one['cause']} {one['confidence']:.2f}",
        ]
        for one in found["differences"]
    ]
    columns = ["id", "kind", "old class", "new class", "when", "old worker", "why"]
    output.table(columns, rows, empty="No difference is kept.", optional=["old worker", "when"])


@click.command()
@click.argument("whose", metavar="KEY")
@click.option("--client", metavar="NAME", help="Who sends it; default KEY itself.")
@click.option("--path", metavar="PATH", help="Path that it is sent to; some may be excluded.")
@options.url
@options.form
def explain(whose: str, client: str | None, path: str | None, url: str | None, form: str) -> None:
    """Say who answers the messages of KEY now, and why.

    KEY is the conversation id, or, of messages without one, the client.
    """
    found = Client(url).get(f"{PATH}/assignment", key=whose, client=client, path=path)
    if form == "json":
        output.document(found)
        return
    output.say(f"{whose}: {_LANES[found['lane']]}", "bold")
    output.say(f"why      {found['why']}: {_WHYS.get(found['why'], '')}".rstrip(": "))
    if found["from_share"] is not None:
        output.say(
            f"place    bucket {found['bucket']:,} of 10,000: here from a share of {share(found['from_share'])} on;"
            f" it is {share(found['share'])} now"
        )


_LANES: Final = {
    "legacy": "the old router answers",
    "candidate": "this router answers",
    "both": "the old router answers, and this one looks on",
}
_WHYS: Final = {
    "disabled": "no rollout is under way",
    "static": "everybody is treated alike in this stage",
    "split": "its place decides",
    "excluded": "it is among those that stay with the old router",
    "killed": "a kill file, or the environment, holds everything at the old router",
    "error": "the record cannot be read or written, so nothing is risked",
}
