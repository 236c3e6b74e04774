"""`pointsman errors`: what a code means and what to do about it."""

from __future__ import annotations

import difflib

import click

from pointsman.cli import options, output


@click.command()
@click.argument("code", required=False)
@options.form
def errors(code: str | None, form: str) -> None:
    """Look up an error code, or list them all.

    CODE is what stands in `code` of an answer, in a decision record, or on a dead letter.
    """
    import msgspec

    from pointsman.http.codes import CODES, SECTIONS

    if code is not None and code not in CODES:
        close = difflib.get_close_matches(code, CODES, 3)
        near = f" Did you mean {' or '.join(close)}?" if close else " `pointsman errors` lists them all."
        output.fail(f"there is no code {code!r}.{near}")
    if form == "json":
        output.document(msgspec.to_builtins(CODES[code] if code else list(CODES.values())))
    elif code is None:
        rows = [
            [row.code, row.status or None, row.retryable, section, row.meaning]
            for section, codes in SECTIONS.items()
            for row in codes
        ]
        output.table(["code", "http", "again", "kind", "meaning"], rows, empty="no codes")
    else:
        row = CODES[code]
        output.say(f"{row.code}: {row.title}" + (f" (HTTP {row.status})" if row.status else ""), "bold")
        output.say(f"  {row.meaning}")
        output.say("  Sending it again may help." if row.retryable else "  Sending it again does not help.")
        output.say(f"  What to do: {row.advice}")
