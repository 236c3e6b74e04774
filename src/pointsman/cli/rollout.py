"""`pointsman rollout`: bring the router in beside the one that was there before, and take it back at once.

What may follow on what is decided in the router. Decided here is only what a person is asked before, and what a
rollback does where no router answers: it writes the kill file, which every router of the same settings obeys.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from pointsman.cli import figures, live, options, output
from pointsman.cli.client import Client, Problem, Unreachable
from pointsman.cli.rollout_looks import PATH, differences, explain, history
from pointsman.cli.rollout_options import actor, reason
from pointsman.cli.rollout_picture import essence, may_be_promoted_at, picture, share

_ROLLBACK_TIMEOUT_S: Final = 5.0
"""A router that takes longer to obey a rollback is as good as none."""


@click.group()
def rollout() -> None:
    """Bring the router in beside the old one: shadow, partial, full; and back at once.

    \b
    start      the old router answers, this one looks on (shadow)
    promote    the next stage: a larger share of the keys comes here
    rollback   everything back to the old router, from the next message on
    ack        a rollback is understood; start may follow
    """


@rollout.command()
@click.option("-w", "--watch", is_flag=True, help="Go on showing it, until Ctrl-C.")
@options.url
@options.form
def status(watch: bool, url: str | None, form: str) -> None:
    """Show how the rollout stands: shares, the guard's verdicts, and what may be done next."""
    look = partial(Client(url).get, PATH)
    if form == "json":
        if watch:
            live.records(look, essence)
        else:
            output.document(look())
    elif watch:
        live.watch(look, _draw(), essence)
    else:
        live.show(_draw(), look())


@rollout.command()
@click.option("--ref", default="", metavar="TEXT", help='What it is about, such as "PR #234"; kept with the rollout.')
@reason("Why.")
@actor
@options.url
@options.form
def start(url: str | None, form: str, **order: Any) -> None:
    """Begin in the shadow: the old router goes on answering everything, this one only looks on."""
    _tell(Client(url).post(f"{PATH}/start", order), form)


@rollout.command()
@click.option("--force", is_flag=True, help="Below the minimum time of the stage; needs --reason.")
@reason("Why; with --force, why the minimum time need not be kept.")
@actor
@options.yes
@options.url
@options.form
def promote(force: bool, yes: bool, url: str | None, form: str, **order: Any) -> None:
    """Go on to the next stage, which gives this router a larger share. Asks first."""
    if force and not order["reason"].strip():
        raise click.UsageError("--force needs --reason TEXT: why the minimum time of the stage need not be kept.")
    client = Client(url)
    seen = client.get(PATH)
    if "promote" in seen["allowed"]:
        output.ask(_question(seen, force), agreed=yes)
    head = seen["history_head"]
    # What was agreed to is what is done: if somebody has acted in the meantime, the router refuses.
    known = head["seq"] if head else 0
    _tell(client.post(f"{PATH}/promote", {**order, "force": force, "expected_seq": known}), form)


@rollout.command()
@reason("Why.")
@actor
@options.url
@options.form
def pause(url: str | None, form: str, **order: Any) -> None:
    """Freeze the share; the guard goes on watching."""
    _tell(Client(url).post(f"{PATH}/pause", order), form)


@rollout.command()
@reason("Why.")
@actor
@options.url
@options.form
def resume(url: str | None, form: str, **order: Any) -> None:
    """Go on with the stage that was paused."""
    _tell(Client(url).post(f"{PATH}/resume", order), form)


@rollout.command()
@reason("Why.")
@actor
@options.settings_file
@options.settings_values
@options.url
@options.form
def rollback(file: Path | None, values: Mapping[str, str], url: str | None, form: str, **order: Any) -> None:
    """Give everything back to the old router, from the next message on. Never asks.

    Where no router answers, or it fails, the kill file of the settings is written: a router of these settings obeys
    it within a second, and from its start on.
    """
    try:
        seen = Client(url, _ROLLBACK_TIMEOUT_S).post(f"{PATH}/rollback", order)
    except Unreachable as error:
        _kill(file, values, order, str(error))
    except Problem as problem:
        if problem.status < 500:
            raise
        _kill(file, values, order, f"the router failed: {problem}")
    else:
        _tell(seen, form)


@rollout.command()
@reason("What was found out.", required=True)
@actor
@options.url
@options.form
def ack(url: str | None, form: str, **order: Any) -> None:
    """Say that a rollback is understood, so that a rollout may start again."""
    _tell(Client(url).post(f"{PATH}/ack", order), form)


rollout.add_command(history)
rollout.add_command(differences)
rollout.add_command(explain)


def _draw() -> live.Draw:
    from pointsman.runtime.clock import SystemClock

    clock = SystemClock()
    return lambda seen, width: picture(seen, clock.wall(), width)


def _tell(seen: live.View, form: str) -> None:
    """Show what came of a verb."""
    if form == "json":
        output.document(seen)
    else:
        live.show(_draw(), seen)


def _question(seen: live.View, force: bool) -> str:
    from pointsman.runtime.clock import SystemClock

    due = may_be_promoted_at(seen)
    is_early = due is not None and SystemClock().wall() < due
    question = (
        f"Promote {seen['stage']} -> {seen['next_stage']}:"
        f" this router answers {share(seen['share'])} -> {share(_share_of(seen['next_stage']))} of the keys"
    )
    if seen["next_stage"] == "completed":
        question += ", and nothing falls back to the old router any more"
    if is_early:
        question += f", {'although' if force else 'but'} its minimum time ends at {figures.instant(due)} only"
    return question + "?"


def _share_of(stage: str) -> float:
    """Return the share of a stage by its name."""
    _, is_partial, percent = stage.partition("partial-")
    return float(percent) / 100.0 if is_partial else 0.0 if stage == "shadow" else 1.0


def _kill(file: Path | None, values: Mapping[str, str], order: dict[str, Any], trouble: str) -> None:
    """Write the kill file, as no router obeys."""
    from pointsman.cli.rollout_kill import write_kill_file

    path = write_kill_file(file, values, trouble, actor=order["actor"], reason=order["reason"])
    output.note(
        f"warning: {trouble}. Instead the kill file {path} was written: a router of these settings gives everything to"
        f" the old router within a second, or from its start on. Afterwards remove it, and `pointsman rollout ack`"
    )
