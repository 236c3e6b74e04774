"""`pointsman model status` and `rollback-feedback`: how the classifier of a running router stands, and the way back."""

from __future__ import annotations

from typing import Any, Final

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client

_DELTA: Final = {
    "none": "nothing was learnt from it",
    "shadow": "what it taught is only compared with the model",
    "in_use": "what it taught is used",
}


@click.command()
@options.url
@options.form
def status(url: str | None, form: str) -> None:
    """Show how the classifier of the running router stands: model, abstained messages, drift, feedback."""
    found = Client(url).get(f"{API}/classifier")
    if form == "json":
        output.document(found)
    else:
        _show(found)


@click.command("rollback-feedback")
@options.yes
@options.url
@options.form
def rollback_feedback(yes: bool, url: str | None, form: str) -> None:
    """Forget all that the running router has learnt from feedback; its model decides alone again."""
    client = Client(url)
    output.ask("Forget all that was learnt from feedback? This cannot be undone.", agreed=yes)
    found = client.post(f"{API}/classifier/rollback")
    if form == "json":
        output.document(found)
    else:
        output.say("forgotten; the model decides alone")


def classifier(found: dict[str, Any]) -> str:
    """Return the classifier in one line."""
    parts = [f"by {found['model']}"]
    if found["abstain_share"] is not None:
        parts.append(f"{figures.share(found['abstain_share'])} abstained")
    if found["drift"]:
        kind = max(found["drift"], key=found["drift"].__getitem__)
        parts.append(f"drift {found['drift'][kind]:.2f} ({kind})")
    told = sum(found["feedback"].values())
    if told:
        parts.append(f"{told:,} times feedback, {_DELTA[found['delta']['state']]}")
    if found["delta"]["alarm"]:
        parts.append(found["delta"]["alarm"])
    return ", ".join(parts)


def _show(found: dict[str, Any]) -> None:
    output.say(found["model"], "bold")
    threshold, share, delta = found["threshold"], found["abstain_share"], found["delta"]
    output.pairs(
        {
            "threshold": "that of the rules" if threshold is None else f"{threshold:.3f}",
            "looked at": figures.count(found["looked_at"], "message"),
            "abstained": "too few to tell" if share is None else figures.share(share),
            "cost of it, a day": f"{found['abstain_day_cost']:g}",
            "feedback": ", ".join(f"{count:,} {kind}" for kind, count in found["feedback"].items()),
            "state": _DELTA[delta["state"]],
        }
    )
    if delta["state"] != "none":
        output.pairs(
            {
                "features": f"{delta['features']:,}",
                "counted": f"{delta['feedbacks']:,} of {figures.count(delta['senders'], 'sender')}",
                "advantage": f"{delta['advantage']:+.4f} squared error",
                "proof": f"{delta['proof']:.2f} of 1",
            }
        )
    if delta["alarm"]:
        output.note(delta["alarm"])
    output.say()
    rows = [[kind, f"{figure:.3f}"] for kind, figure in found["drift"].items()]
    output.table(["drift", "figure"], rows, empty="Too few messages to tell drift by.")
