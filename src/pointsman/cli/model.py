"""`pointsman model`: the trained models that are kept, and which one is in use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pointsman.cli import options, output
from pointsman.cli.client import API, Client
from pointsman.cli.model_status import rollback_feedback, status
from pointsman.cli.settings import read

if TYPE_CHECKING:
    from pointsman.model.settings import Settings
    from pointsman.operations.learning.shelf import Kept, Shelf

_RELOAD = click.option("--reload", "reloads", is_flag=True, help="Let the running router take it at once.")


@click.group()
def model() -> None:
    """Keep trained models, and choose the one in use."""


model.add_command(status)
model.add_command(rollback_feedback)


@model.command()
@options.settings_file
@options.settings_values
@options.form
def ls(file: Path | None, values: Mapping[str, str], form: str) -> None:
    """List the models that are kept in classifier.models_dir, and the one that comes along."""
    shelf, _ = _shelf(file, values)
    found = shelf.models()
    if form == "json":
        output.document([_as_json(one) for one in found])
        return
    columns = ["name", "state", "classes", "figure", "made", "trained on", "size"]
    output.table(columns, [_row(one) for one in found], empty="no models", optional=["size", "trained on", "made"])


@model.command()
@click.argument("name", required=False)
@options.settings_file
@options.settings_values
@options.form
def show(name: str | None, file: Path | None, values: Mapping[str, str], form: str) -> None:
    """Show what a model is and how it did: NAME, a file, or the one in use."""
    shelf, _ = _shelf(file, values)
    found = shelf.find(name)
    if form == "json":
        output.document(_as_json(found))
        return
    if found.stored is None:
        output.fail(f"{found.name}: {found.trouble}")
    output.say(found.name, "bold")
    output.pairs({key: value for key, value in _as_json(found).items() if not isinstance(value, (dict, list))})
    of = found.stored
    shown = ", ".join(of.classes[:12]) + (f" and {len(of.classes) - 12} more" if len(of.classes) > 12 else "")
    output.pairs({"classes": shown})
    rows = [["this model", *_figures(of.metrics)]]
    rows += [[one, *_figures(figures)] for one, figures in of.metrics.get("baselines", {}).items()]
    output.say()
    output.table(["judged when trained", "accuracy", "auroc", "ece", "apgr"], rows, empty="")


@model.command()
@click.argument("name", metavar="NAME|FILE")
@_RELOAD
@options.settings_file
@options.settings_values
@options.url
@options.form
def use(name: str, reloads: bool, file: Path | None, values: Mapping[str, str], url: str | None, form: str) -> None:
    """Choose a model by its name, or by its file, which is copied into classifier.models_dir; default goes back to
    the one that comes along.

    It is looked at as a whole first: one that is cut off, foreign, newer, or knows other classes than the settings
    changes nothing.
    """
    shelf, settings = _shelf(file, values)
    _tell(shelf.use(name), settings, form, reloads=reloads, url=url)


@model.command()
@_RELOAD
@options.settings_file
@options.settings_values
@options.url
@options.form
def rollback(reloads: bool, file: Path | None, values: Mapping[str, str], url: str | None, form: str) -> None:
    """Go back to the model that was in use before; again, and it goes back one more."""
    shelf, settings = _shelf(file, values)
    _tell(shelf.rollback(), settings, form, reloads=reloads, url=url)


def _shelf(file: Path | None, values: Mapping[str, str]) -> tuple[Shelf, Settings]:
    from pointsman.operations.learning.shelf import Shelf

    loaded = read(file, values)
    return Shelf(loaded.settings, loaded.path.parent if loaded.path else Path()), loaded.settings


def _tell(chosen: Kept, settings: Settings, form: str, *, reloads: bool, url: str | None) -> None:
    """Say what is in use now, and what is still missing for it to count."""
    from pointsman.config.models import CURRENT

    counts = settings.classifier.model == CURRENT
    if form != "json":
        output.say(f"{chosen.name} is in use")
    if reloads:
        Client(url).post(f"{API}/config/reload")
    if form == "json":
        output.document({"name": chosen.name, "counts": counts, "reloaded": reloads})
        return
    if not counts:
        output.note(
            f"but classifier.model is {settings.classifier.model!r} in the settings, which wins: leave it out, or set"
            f' it to "{CURRENT}"'
        )
    elif reloads:
        output.say("the running router has taken it")
    else:
        output.note("a running router takes it with `pointsman config reload`")


def _as_json(kept: Kept) -> dict[str, Any]:
    of = kept.stored
    common = {"name": kept.name, "in_use": kept.is_in_use}
    if of is None:
        return {**common, "trouble": kept.trouble}
    return {
        **common,
        "version": of.name,
        "target": of.target,
        "made": of.made,
        "made_by": of.made_by,
        "features": len(of.vocabulary),
        "pieces": of.pieces,
        "threshold": of.threshold,
        "size_bytes": kept.size_bytes,
        "classes": of.classes,
        "data": of.data,
        "metrics": of.metrics,
    }


def _row(kept: Kept) -> list[Any]:
    of = kept.stored
    if of is None:
        return [kept.name, "damaged", None, None, None, kept.trouble, None]
    key = "apgr" if of.target == "outcome" else "accuracy"
    figure = of.metrics.get(key)
    return [
        kept.name,
        "in use" if kept.is_in_use else None,
        len(of.classes),
        None if figure is None else f"{key} {figure:.3f}",
        of.made[:10],
        f"{of.data['rows']} rows" if "rows" in of.data else None,
        f"{kept.size_bytes / 1e6:.2f} MB" if kept.size_bytes else None,
    ]


def _figures(of: Mapping[str, Any]) -> list[Any]:
    return [of.get(name) for name in ("accuracy", "auroc", "ece", "apgr")]
