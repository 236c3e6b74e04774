"""`pointsman slo`: the service levels that are promised, and how they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client
from pointsman.cli.exits import ExitCode

COLUMNS: Final = ("objective", "bar", "observed", "n", "coverage", "budget left", "burn 1h", "verdict")
_OPTIONAL: Final = ("burn 1h", "n", "coverage")
_BAR_WIDTH: Final = 10
_EXITS: Final = {"met": ExitCode.OK, "missed": ExitCode.FAILED}
_NONE: Final = "not measured"

View = Mapping[str, Any]


def _window(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    unit_s = {"m": 60.0, "h": 3_600.0, "d": 86_400.0}.get(text[-1:]) if text else None
    if text is None:
        return None
    if unit_s is None or not text[:-1].isdecimal() or not 60.0 <= float(text[:-1]) * unit_s <= 2_592_000.0:
        raise click.BadParameter(f"{text!r}: expected 1m to 30d, such as 90m, 6h or 7d", ctx, param)
    return float(text[:-1]) * unit_s


_window_option = click.option(
    "--window", metavar="LENGTH", callback=_window, help="Over how long, up to now: 90m, 6h, 7d; default as set, 30d."
)


@click.group(invoke_without_command=True)
@_window_option
@options.url
@options.form
@click.pass_context
def slo(ctx: click.Context, window: float | None, url: str | None, form: str) -> None:
    """Show every objective: observed, coverage of the window, error budget left, verdict.

    \b
    Exits with 0 where all are met, 1 where one is missed, 6 where there is not enough data to say.
    """
    if ctx.invoked_subcommand is not None:
        return
    found = Client(url).get(f"{API}/slo", window_s=window)
    if form == "json":
        output.document(found)
    else:
        _show(found)
    _end(found)


@slo.command()
@_window_option
@click.option("--by", type=click.Choice(["hour", "day"]), default="day", show_default=True, help="Steps of the past.")
@options.url
@options.form
def report(window: float | None, by: str, url: str | None, form: str) -> None:
    """Write all figures as Markdown: objectives, times, error budgets, and the past by hour or day."""
    found = Client(url).get(f"{API}/slo", window_s=window, by=by)
    if form == "json":
        output.document(found)
    else:
        from pointsman.operations.report import levels, markdown

        output.raw(markdown.write(levels.standalone(found, by)))
    _end(found)


def _end(found: View) -> NoReturn:
    raise click.exceptions.Exit(_EXITS.get(found["verdict"], ExitCode.WARNING))


def _show(found: View) -> None:
    share = _share(found["coverage_share"])
    output.say(f"since {figures.instant(found['since'])}, of which {share} was measured")
    if found["alarm"]:
        output.complain(f"past hours: {found['alarm']}")
    output.table(COLUMNS, [_row(level) for level in found["levels"]], empty="No objectives.", optional=_OPTIONAL)
    refused = sum(count for name, count in found["apart"].items() if name.startswith("refused"))
    output.say(f"refused on purpose, no outage: {refused:,}")


def _row(level: View) -> list[Any]:
    verdict = level["verdict"].replace("_", " ") if level["is_judged"] or level["observed"] is None else "shown"
    burn = level["burn_1h"]
    return [
        level["name"],
        _bar(level),
        _observed(level),
        level["n"],
        _share(level["coverage_share"]),
        _left(level["budget"]),
        None if burn is None else f"{burn:.2f}",
        verdict,
    ]


def _bar(level: View) -> str | None:
    """Return what is promised, in short."""
    name, target, times = level["name"], level["target"], level["times"]
    if target is None:
        return None
    if times:
        return f"p95 <= {figures.duration(times['bar_s'])}"
    if level["unit"] == "share":
        return f"{'<' if name == 'errors' else '>=' if target >= 1.0 else '>'} {_share(target)}"
    return f"<= {figures.duration(target)}" if level["unit"] == "s" else f"{target:.0f}"


def _observed(level: View) -> str:
    observed, times = level["observed"], level["times"]
    if observed is None:
        return _NONE
    match level["unit"]:
        case "s":
            return figures.duration(observed)
        case "bytes":
            return f"{observed / 1e6:.1f} MB"
        case "count":
            return f"{observed:.0f}"
    if times:
        took = {name: figures.duration(times[f"{name}_s"]) for name in ("p95", "mean", "live_mean")}
        live = f", live {took['live_mean']}" if times["live_mean_s"] is not None else ""
        return f"{_share(observed)} within; p95 {took['p95']}, mean {took['mean']}{live}"
    return _share(observed)


def _share(value: float) -> str:
    """Return a share with as many places as tell it from all and from nothing."""
    for places in (1, 2, 3):
        text = f"{100.0 * value:.{places}f}"
        if not 0.0 < value < 1.0 or float(text) not in (0.0, 100.0):
            return f"{text} %"
    return "> 99.999 %" if value > 0.5 else "< 0.001 %"


def _left(budget: View | None) -> str | None:
    if budget is None:
        return None
    left = budget["left_share"]
    return f"{figures.bar(left, _BAR_WIDTH)} {100.0 * left:.0f} %"
