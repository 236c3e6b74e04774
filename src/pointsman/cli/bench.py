"""`pointsman bench`: throughput and latency, of this machine or of a running router."""

from __future__ import annotations

import sys
from typing import Any

import click

from pointsman.cli import options, output


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(0.1, 3600), default=5.0, show_default=True, help="How long to measure."
)
@click.option(
    "--concurrency", type=click.IntRange(1, 1000), default=32, show_default=True, help="Messages in hand at once."
)
@click.option("--url", metavar="URL", help="Measure the router that runs there, instead of one in this process.")
@options.key
@click.option("--client", default="bench", show_default=True, help="Client that the messages come from, with --url.")
@options.yes
@options.form
def bench(seconds: float, concurrency: int, url: str | None, client: str, yes: bool, form: str) -> None:
    """Send messages as fast as replies come, and show throughput and latency.

    Without --url everything is in this process: a router with default settings, limits aside, and a worker that answers
    at once. With --url the messages are real: the workers of that router answer every one of them, and its limits hold.
    """
    if url is None:
        summary = _in_process(seconds, concurrency)
    else:
        output.ask(f"Send messages to {url} for {seconds:g} s? Its workers will answer all of them.", agreed=yes)
        summary = _over_http(url, seconds, concurrency, client)
    if form == "json":
        output.document(summary)
    else:
        _show(summary)


def _in_process(seconds: float, concurrency: int) -> dict[str, Any]:
    from pointsman.cli.event_loop import run_in
    from pointsman.cli.load import in_process

    with output.progress("measuring", seconds) as progress:
        figures, loop = run_in("auto", lambda: in_process(seconds, concurrency, progress))
    return {"target": f"in process, {loop}", "concurrency": concurrency, **figures.summary()}


def _over_http(url: str, seconds: float, concurrency: int, client: str) -> dict[str, Any]:
    from pointsman.cli.load import over_http

    with output.progress("measuring", seconds) as progress:
        figures = over_http(url, seconds, concurrency, client, progress)
    return {"target": url, "concurrency": concurrency, **figures.summary()}


def _show(summary: dict[str, Any]) -> None:
    python = ".".join(map(str, sys.version_info[:3]))
    output.say(f"{summary['target']}, {summary['concurrency']} at once, Python {python}", "bold")
    output.say(
        f"delivered  {summary['delivered']:,} in {summary['seconds']:.1f} s: {summary['per_second']:,.0f} a second"
    )
    latency = summary["latency_ms"]
    if summary["delivered"]:
        parts = ", ".join(f"{name} {value:.2f} ms" for name, value in latency.items())
        output.say(f"latency    {parts}")
    others = summary["not_delivered"]
    if others:
        codes = ", ".join(f"{number:,} {code}" for code, number in sorted(others.items()))
        output.say(f"other      {codes}")
        if "rate_limited" in others:
            output.note("The router's limits held the measurement back: see limits.rate_per_min and limits.burst.")
