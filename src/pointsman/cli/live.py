"""Pictures made of lines: shown once, or drawn again and again until Ctrl-C.

On a terminal a picture stays in its place and changes; elsewhere it is printed anew whenever what matters in it has
changed, so that a log of it can be read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pointsman.cli import output
from pointsman.cli.client import Unreachable

if TYPE_CHECKING:
    from rich.text import Text

Part = tuple[str, str]
"""A piece of a line, and its style: a colour, or nothing."""

Line = Sequence[Part]
View = Mapping[str, Any]
Draw = Callable[[View, int], list[Line]]
"""Turns what was seen into lines, for a screen of so many columns."""

PLAIN_COLUMNS: Final = 120
"""How wide a picture is that is not on a terminal."""

EVERY_S: Final = 1.0


def show(draw: Draw, seen: View) -> None:
    """Print a picture once."""
    if not output.on_terminal():
        _print(draw(seen, PLAIN_COLUMNS))
        return
    console = output.screen()
    console.print(_text(draw(seen, console.width)), soft_wrap=True)


def watch(look: Callable[[], View], draw: Draw, essence: Callable[[View], object], every_s: float = EVERY_S) -> None:
    """Look again and again and show what is seen, until Ctrl-C.

    Args:
        look: asks the router. Raises Unreachable: the first time it ends the watch; later the last picture stays.
        draw: makes the picture.
        essence: what of the view must differ for another picture where there is no terminal.
        every_s: seconds between two looks.
    """
    try:
        if output.on_terminal():
            _redraw(look, draw, every_s)
        else:
            _follow(look, draw, essence, every_s)
    except KeyboardInterrupt:
        return


def records(look: Callable[[], View], essence: Callable[[View], object], every_s: float = EVERY_S) -> None:
    """Print a line of JSON at each change, until Ctrl-C; arguments as for `watch`."""
    try:
        _each_change(look, essence, every_s, output.record)
    except KeyboardInterrupt:
        return


def _redraw(look: Callable[[], View], draw: Draw, every_s: float) -> None:
    from rich.live import Live

    console, pause = output.screen(), threading.Event()
    seen, trouble = look(), ""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            lines = draw(seen, console.width)
            if trouble:
                lines.append([(trouble, "red")])
            live.update(_text(lines), refresh=True)
            pause.wait(every_s)
            try:
                seen, trouble = look(), ""
            except Unreachable as error:
                trouble = f"the last that was seen: {error}"


def _follow(look: Callable[[], View], draw: Draw, essence: Callable[[View], object], every_s: float) -> None:
    def tell(seen: View) -> None:
        _print(draw(seen, PLAIN_COLUMNS))
        output.say()
        output.flush()

    _each_change(look, essence, every_s, tell)


def _each_change(
    look: Callable[[], View], essence: Callable[[View], object], every_s: float, tell: Callable[[View], None]
) -> None:
    pause = threading.Event()
    seen = look()
    tell(seen)
    known, trouble = essence(seen), ""
    while True:
        pause.wait(every_s)
        try:
            seen, now_wrong = look(), ""
        except Unreachable as error:
            now_wrong = str(error)
        if now_wrong and not trouble:
            output.complain(now_wrong)
        trouble = now_wrong
        if not trouble and essence(seen) != known:
            known = essence(seen)
            tell(seen)


def _print(lines: Iterable[Line]) -> None:
    for line in lines:
        output.say("".join(text for text, _ in line).rstrip())


def _text(lines: Iterable[Line]) -> Text:
    from rich.text import Text

    rows = [Text.assemble(*((output.printable(text), style) for text, style in line)) for line in lines]
    return Text("\n").join(rows)
