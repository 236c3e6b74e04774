from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.cli import output
from pointsman.cli.exits import ExitCode
from tests.cli.conftest import SOURCE

ANYTHING = st.text(st.characters() | st.sampled_from("\n\r\t\x00\x1b\x7f\x9b\u2028\u202e\u200b\ud800\U000e0041"))


@given(ANYTHING)
def test_printable_text_is_one_line_and_cannot_act_on_a_terminal(text):
    """Whatever comes in, nothing but printable characters comes out."""
    assert output.printable(text).isprintable()


def test_printable_text_stays_as_it_is():
    """What is harmless is not touched: letters of any script, punctuation, emoji."""
    assert output.printable("größer → 日本 🚂 \\n") == "größer → 日本 🚂 \\n"
    assert output.printable("a\nb\x1b[2J") == "a\\nb\\x1b[2J"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | ANYTHING, lambda of: st.lists(of) | st.dictionaries(ANYTHING, of)
    )
)
def test_json_reads_back_and_cannot_act_on_a_terminal(value):
    """A document means the same value, and holds no character that a terminal would obey."""
    for indent in (None, 2):
        lines = [output._json_safe(line) for line in output._json(value, indent).split("\n")]
        assert all(line.isprintable() for line in lines)
        assert json.loads("\n".join(lines)) == value


def test_a_table_in_a_pipe_is_plain_aligned_and_whole(capsys):
    """No colour, no cut: columns are as wide as their widest cell, numbers stand to the right."""
    output.table(["id", "state", "count"], [["a", "ready", 1], ["b" * 90, None, 1200]], empty="none")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ID" + " " * 90 + "STATE  COUNT"
    assert lines[1] == "a" + " " * 91 + "ready      1"
    assert lines[2] == "b" * 90 + "  -       1200"


def test_an_empty_table_in_a_pipe_is_its_heading(capsys):
    """A program that reads the table finds no sentence in it."""
    output.table(["id"], [], empty="No workers.")
    assert capsys.readouterr().out == "ID\n"


def test_cells_that_come_from_elsewhere_are_escaped(capsys):
    """A worker's id cannot move the cursor."""
    output.table(["id"], [["\x1b[2J"]], empty="")
    assert capsys.readouterr().out == "ID\n\\x1b[2J\n"


def test_true_and_false_are_words_and_no_numbers(capsys):
    """A column of truths stands to the left."""
    output.table(["again", "x"], [[True, 1], [False, 2]], empty="")
    assert capsys.readouterr().out == "AGAIN  X\nyes    1\nno     2\n"


def test_fail_says_why_on_standard_error_and_ends_the_command(capsys):
    """The exit code is the one that was asked for; standard output stays empty."""
    with pytest.raises(click.exceptions.Exit) as ended:
        output.fail("it\nbroke", ExitCode.UNREACHABLE)
    assert ended.value.exit_code == 4
    assert capsys.readouterr() == ("", "error: it\\nbroke\n")


def test_a_body_goes_into_a_pipe_unchanged(capsys):
    """A reply that is saved to a file is the worker's own."""
    output.body("a\x1bb\tc")
    assert capsys.readouterr().out == "a\x1bb\tc\n"


def test_mistakes_in_settings_are_all_said(capsys):
    """One line each, after a line with their number."""
    output.complain_of_settings(["a.toml:1: x: wrong", "a.toml:2: y: wrong"])
    assert capsys.readouterr().err == (
        "error: the settings cannot be used: 2 mistakes\n  a.toml:1: x: wrong\n  a.toml:2: y: wrong\n"
    )


def test_pairs_are_aligned(capsys):
    """Names stand to the left, values below each other."""
    output.pairs({"id": "a", "priority": None})
    assert capsys.readouterr().out == "id        a\npriority  -\n"


def on_a_terminal(program: str) -> str:
    """What a program of these lines writes to a terminal."""
    terminal, side = pty.openpty()
    environ = {"PYTHONPATH": str(SOURCE), "TERM": "xterm-256color", "COLUMNS": "60"}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environ, stdin=side, stdout=side, stderr=side
    ) as process:
        os.close(side)
        written = b""
        while True:
            try:
                read = os.read(terminal, 4096)
            except OSError:
                break
            if not read:
                break
            written += read
    os.close(terminal)
    assert process.returncode == 0, written
    return written.decode()


def test_states_are_coloured_on_a_terminal_and_markup_is_text():
    """`open` is red; what looks like markup in a cell stays what it is."""
    shown = on_a_terminal(
        "from pointsman.cli import output\n"
        "output.table(['state', 'detail'], [['open', '[red]x[/red]'], ['ready', ':smile:']], empty='')"
    )
    assert "\x1b[31mopen" in shown
    assert "\x1b[32mready" in shown
    assert "[red]x[/red]" in shown
    assert ":smile:" in shown


def test_an_empty_table_on_a_terminal_is_a_sentence():
    """A person is told that there is nothing, instead of a heading over nothing."""
    assert "No workers." in on_a_terminal(
        "from pointsman.cli import output\noutput.table(['id'], [], empty='No workers.')"
    )


def test_a_narrow_terminal_leaves_out_what_is_optional_and_cuts_no_id():
    """60 characters: the id and the state are whole, the last column is folded, one column is gone."""
    shown = on_a_terminal(
        "from pointsman.cli import output\n"
        "output.table(['id', 'status', 'class', 'why'], [['0' * 32, 'queued', 'strategic', 'because ' * 4]],"
        " empty='', optional=['class'])"
    )
    assert "0" * 32 in shown
    assert "queued" in shown
    heading = re.sub(r"\x1b\[[0-9;]*m", "", shown.splitlines()[0])
    assert heading.split() == ["ID", "STATUS", "WHY"]
    assert shown.count("because") == 4


def test_a_body_on_a_terminal_keeps_its_lines_and_loses_its_power():
    """Line breaks act, an escape sequence does not."""
    shown = on_a_terminal("from pointsman.cli import output\noutput.body('a\\nb\\x1b[2J')")
    assert shown == "a\r\nb\\x1b[2J\r\n"
