"""`pointsman keys`: who may send to the router. Works on the file of keys itself, so that no router need run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pointsman.cli import figures, options, output
from pointsman.cli.exits import ExitCode
from pointsman.cli.settings import read
from pointsman.model.errors import NotFound

if TYPE_CHECKING:
    from pointsman.core.keys import KeyRing
    from pointsman.model.keys import ApiKey

_UNITS_S: Final = {"m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LONGEST_S: Final = 36_500 * 86_400.0


@click.group()
def keys() -> None:
    """Create, list and revoke API keys.

    With a key in the file, each request to the router needs one; only /livez and /readyz answer without. A router that
    runs notices within a second.
    """


@keys.command()
@click.argument("name")
@click.option("--client", metavar="NAME", help="Whose limits its messages fall under; default NAME.")
@click.option("--group", metavar="NAME", help="Group of clients, for budgets.")
@click.option("--expires", metavar="WHEN", help="After 90d, 12h or 30m, or at an instant such as 2030-01-31T12:00:00Z.")
@options.settings_file
@options.settings_values
@options.form
def create(
    name: str,
    client: str | None,
    group: str | None,
    expires: str | None,
    file: Path | None,
    values: Mapping[str, str],
    form: str,
) -> None:
    """Make a key called NAME and show it, this once.

    The key alone goes to standard output, what is to be said about it to standard error. Kept is only its hash.
    """
    from pointsman.operations import keys as made
    from pointsman.runtime.clock import SystemClock

    path, now = _path(file, values), SystemClock().wall()
    new = made.create(
        path,
        name=name,
        client=name if client is None else client,
        group=group or "",
        expires=None if expires is None else _end(expires, now),
        now_wall=now,
    )
    key = new.key
    if form == "json":
        output.document(
            {
                "id": key.id,
                "key": new.text,
                "client": key.client,
                "group": key.group or None,
                "created": key.created,
                "expires": key.expires,
            }
        )
        return
    output.say(new.text)
    until = f"until {figures.instant(key.expires)}" if key.expires is not None else "until it is revoked"
    group_words = f" in group {key.group}" if key.group else ""
    output.note(f"Copy it now: only its hash is kept, in {path}, and it cannot be shown again.")
    output.note(f"It is key {key.id}, for client {key.client}{group_words}, and good {until}.")
    output.note("Send it as `Authorization: Bearer KEY` or `x-api-key: KEY`; commands take it from POINTSMAN_KEY.")
    if new.is_first:
        output.note("It is the first one: from now on each request to a router with this file needs a key.")


def _path(file: Path | None, values: Mapping[str, str]) -> Path:
    from pointsman.config.keys_file import keys_path

    return keys_path(read(file, values))


def _end(text: str, now: float) -> float:
    """Return Unix seconds of an end: so long from now, or an instant."""
    from pointsman.core.instants import parse_instant

    number, unit_s = text[:-1], _UNITS_S.get(text[-1:], 0.0)
    if unit_s and number.isascii() and number.isdecimal() and 0.0 < float(number[:12]) * unit_s <= _LONGEST_S:
        return now + float(number) * unit_s
    found = parse_instant(text)
    if found is None:
        expected = "90d, 12h or 30m (at most 36500d), or an instant such as 2030-01-31T12:00:00Z"
        raise click.BadParameter(f"got {text[:40]!r}, expected {expected}", param_hint="--expires")
    return found


@keys.command()
@options.settings_file
@options.settings_values
@options.form
def ls(file: Path | None, values: Mapping[str, str], form: str) -> None:
    """List the keys: whose they are, and whether they count. The keys themselves are kept nowhere."""
    from pointsman.config.keys_file import ring_of
    from pointsman.core.keys import state
    from pointsman.runtime.clock import SystemClock

    now = SystemClock().wall()
    ring = ring_of(_path(file, values))
    if form == "json":
        output.document([{**_shown(key), "state": state(key, now)} for key in ring])
        return
    output.table(
        ["id", "state", "name", "client", "group", "created", "expires"],
        [
            [
                key.id,
                state(key, now),
                key.name,
                key.client,
                key.group,
                figures.instant(key.created),
                figures.instant(key.expires),
            ]
            for key in ring
        ],
        empty="No keys. `pointsman keys create NAME` makes the first; from then on each request needs one.",
        optional=["group", "created", "client"],
    )


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "client": key.client,
        "group": key.group or None,
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
    }


@keys.command()
@click.argument("key_ids", nargs=-1, required=True, metavar="ID...")
@options.settings_file
@options.settings_values
@options.yes
@click.pass_context
def revoke(
    ctx: click.Context, key_ids: tuple[str, ...], file: Path | None, values: Mapping[str, str], yes: bool
) -> None:
    """Revoke keys for good: whoever sends one is refused within a second. This cannot be undone.

    ID is the one that `pointsman keys ls` shows, or the whole key.
    """
    from pointsman.config.keys_file import ring_of
    from pointsman.core.keys import id_in
    from pointsman.operations import keys as made
    from pointsman.runtime.clock import SystemClock

    path, now = _path(file, values), SystemClock().wall()
    ids = list(dict.fromkeys(id_in(text) for text in key_ids))
    ring = ring_of(path)
    to_go = [key for key in ring if key.id in ids and key.revoked is None]
    if to_go:
        output.ask(_question(ring, to_go, now), agreed=yes)
    all_well = True
    for key_id in ids:
        try:
            made.revoke(path, key_id, now)
        except NotFound as error:
            all_well = False
            output.complain(str(error))
        else:
            output.say(f"{key_id} revoked")
    if not all_well:
        ctx.exit(ExitCode.FAILED)


def _question(ring: KeyRing, to_go: list[ApiKey], now: float) -> str:
    """Return what is asked before keys are revoked, with what it will mean."""
    from pointsman.core.keys import state

    which = f"key {to_go[0].id} of client {to_go[0].client}" if len(to_go) == 1 else figures.count(len(to_go), "key")
    going = {key.id for key in to_go}
    left = [key for key in ring if key.id not in going and state(key, now) == "usable"]
    return f"Revoke {which}?" + ("" if left else " No usable key is left then, and nobody is let in.")
