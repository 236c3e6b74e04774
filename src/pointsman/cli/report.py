"""`pointsman report`: the deployment report of a rollout, from what a running router can show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from pointsman.cli import options, output
from pointsman.cli.client import Client, with_query

_UNHEALTHY: Final = (503,)
"""Status of an answer about health where something fails; it is evidence all the same."""


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "html"]),
    default=None,
    help="Markdown, or one HTML page; default by the name of the file, else md.",
)
@click.option(
    "--output", "file", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing it."
)
@click.option(
    "--tests",
    "tests",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Results of tests as JUnit XML, such as `pytest --junitxml FILE` writes.",
)
@options.url
def report(form: str | None, file: Path | None, tests: Path | None, url: str | None) -> None:
    """Write the deployment report of the rollout at hand: phases, gates, service levels, shadow, health, open points.

    Every figure comes from the router itself; what was not measured is called so.
    """
    from pointsman.operations.report import collect, compose, html, junit, markdown
    from pointsman.runtime.clock import SystemClock

    client, now = Client(url), SystemClock().wall()
    results = junit.read(tests) if tests is not None else None

    def get(path: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
        return client.call("GET", with_query(path, **query), also=_UNHEALTHY)

    found = collect.collect(get, client.url, now, results)
    form = form or ("html" if file is not None and file.suffix in {".html", ".htm"} else "md")
    text = (html if form == "html" else markdown).write(compose.compose(found, now))
    if file is None:
        output.raw(text)
        return
    file.write_text(text, "utf-8")
    output.note(f"written to {file}")
