from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pointsman.cli import live
from pointsman.cli.client import Unreachable
from tests.cli.test_output import on_a_terminal


def looks(*seen: Any) -> Callable[[], dict[str, Any]]:
    """Returns these views one after the other; raises those that are exceptions, and Ctrl-C comes at the end."""
    left: Iterator[Any] = iter(seen)

    def look() -> dict[str, Any]:
        found = next(left, KeyboardInterrupt())
        if isinstance(found, BaseException):
            raise found
        return {"n": found}

    return look


def draw(seen: Any, width: int) -> list[live.Line]:
    """Two lines."""
    return [[("n is ", ""), (str(seen["n"]), "red")], [(f"of {width}\x1b", "")]]


def test_a_picture_without_a_terminal_is_plain_text(capsys):
    """Nothing in it acts."""
    live.show(draw, {"n": 1})
    assert capsys.readouterr().out == "n is 1\nof 120\\x1b\n"


def test_a_watch_without_a_terminal_prints_a_block_at_each_change(capsys):
    """And ends with Ctrl-C as if nothing had happened."""
    live.watch(looks(1, 1, 2, 2, 1), draw, lambda seen: seen["n"], 0.0)
    out, err = capsys.readouterr()
    assert out == "".join(f"n is {n}\nof 120\\x1b\n\n" for n in (1, 2, 1))
    assert err == ""


def test_a_watch_goes_on_when_the_router_is_away_for_a_while(capsys):
    """It says so once."""
    gone = Unreachable("gone")
    live.watch(looks(1, gone, gone, 1, gone, 2), draw, lambda seen: seen["n"], 0.0)
    out, err = capsys.readouterr()
    assert out.count("n is") == 2
    assert err == "error: gone\n" * 2


def test_a_router_that_was_never_there_ends_the_watch():
    """There is nothing to show."""
    with pytest.raises(Unreachable):
        live.watch(looks(Unreachable("gone")), draw, lambda seen: seen["n"], 0.0)


def test_records_are_a_line_of_json_at_each_change(capsys):
    """For programs."""
    live.records(looks(1, 1, 2), lambda seen: seen["n"], 0.0)
    assert capsys.readouterr().out == '{"n": 1}\n{"n": 2}\n'


PROGRAM = """\
from pointsman.cli import live
from pointsman.cli.client import Unreachable
from tests.cli.test_live import draw, looks
live.show(draw, {"n": 0})
live.watch(looks(1, 2, Unreachable("gone"), 3), draw, lambda seen: None, 0.0)
"""


def test_a_watch_on_a_terminal_redraws_in_its_place():
    """Every look is shown, coloured and escaped, and the last that was seen while the router is away."""
    shown = on_a_terminal(f"import sys\nsys.path.insert(0, '.')\n{PROGRAM}")
    for n in range(4):
        assert f"n is \x1b[31m{n}" in shown
    assert "of 60\\x1b" in shown
    assert "the last that was seen: gone" in shown
    assert "\x1b[1A" in shown
