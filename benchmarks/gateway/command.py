"""`python -m benchmarks gateway`: options, progress, and where the report goes."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.gateway import memory, report
from benchmarks.gateway.peers import HOW
from benchmarks.gateway.processes import Cores, NotStarted, pinned
from benchmarks.gateway.run import PARTS, Plan, loops_here, run
from benchmarks.gateway.stage import Record, Stage

_SEED: Final = 20_261_125
_WIDTH: Final = 150


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="One short round without LiteLLM, less than a minute.")
@click.option("--rounds", type=click.IntRange(1, 100), help="Rounds through all systems; default 5.")
@click.option(
    "--memory", "long", is_flag=True, help="Watch memory from 100,000 to 1,000,000 requests: ten minutes more."
)
@click.option("--peers", default=",".join(HOW), show_default=True, help="Peers to start where they are installed.")
@click.option("--loops", default=",".join(loops_here()), show_default=True, help="Event loops of Pointsman.")
@click.option("--parts", default=",".join(PARTS), show_default=True, help="What to measure.")
@click.option(
    "--peers-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="POINTSMAN_BENCH_PEERS",
    help="Virtual environment with peers of PyPI; also POINTSMAN_BENCH_PEERS.",
)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures to a file too."
)
def main(
    quick: bool,
    rounds: int | None,
    long: bool,
    peers: str,
    loops: str,
    parts: str,
    peers_dir: Path | None,
    output: str,
    file: Path | None,
) -> None:
    """Measure Pointsman beside other gateways on this machine, in one interleaved run, and hold it against its bars."""
    if sys.platform != "linux":
        raise click.ClickException("CPU time of process trees is read as Linux tells it: this benchmark needs Linux")
    wanted = _names("--peers", peers, tuple(HOW))
    plan = Plan(
        peers=tuple(name for name in wanted if not (quick and name == "litellm")),
        peers_dir=peers_dir.absolute() if peers_dir else None,
        loops=_names("--loops", loops, loops_here()),
        parts=_names("--parts", parts, PARTS),
        rounds=rounds or (1 if quick else 5),
        seconds=0.5,
        tail_s=1.0 if quick else 1.5,
        waves=3,
        cancels=100,
        cuts=16 if quick else 40,
        soak=memory.LONG if long else memory.QUICK if quick else memory.SHORT,
    )
    record = Record()
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as folder:
        stage = Stage(Path(folder), Cores.choose(), _SEED)
        where = report.machine()
        with _progress() as tick, pinned(stage.cores.load), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            try:
                runner.run(run(stage, plan, record, tick))
            except NotStarted as error:
                raise click.ClickException(str(error)) from error
        if quick and "litellm" in wanted:
            stage.missing["litellm"] = "left out by --quick"
        as_json = report.as_json(where, stage.systems, stage.missing, record)
        if file is not None:
            file.write_text(as_json + "\n")
        if output == "json":
            click.echo(as_json)
        else:
            report.show(Console(width=_WIDTH), where, stage.systems, stage.missing, record, plan.parts)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show on stderr what is being measured; drawn between measurements only, so that it does not disturb them."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        task = progress.add_task("starting", total=None)

        def tick(what: str) -> None:
            progress.update(task, description=what)
            progress.refresh()

        yield tick


def _names(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(",")))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: expected some of {', '.join(known)}", param_hint=option)
    return names


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
