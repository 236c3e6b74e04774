from __future__ import annotations

import json
from pathlib import Path

ROWS = b"""\
design the architecture of a payment system
{"text": "fix the typo in line 12", "id": 4}

{"text": 5}
{bad
{"messages": [{"role": "user", "content": "rename variable x to y"}]}
{"text": "x", "class": "nope"}
"""


def test_rows_are_answered_one_a_line_in_their_order(command):
    """A row that a router would refuse is an error in its place; the rest goes on, and the exit code is 0."""
    Path("rows.txt").write_bytes(ROWS)
    ran = command("classify", "--input", "rows.txt", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert [one.get("class") for one in answers] == [
        "strategic",
        "tactical",
        "strategic",
        None,
        None,
        "tactical",
        None,
    ]
    assert [one.get("cause") for one in answers][:3] == ["model", "model", "abstain"]
    assert set(answers[0]) == {"class", "confidence", "probabilities", "cause"}
    assert set(answers[3]) == {"error"}
    assert answers[6]["error"].startswith("unknown_class")


def test_rows_come_from_standard_input_for_a_dash(command):
    """As in the middle of a pipe."""
    ran = command("classify", "--input", "-", "-o", "json", stdin=ROWS)
    assert len(ran.out.splitlines()) == 7


def test_a_single_text_is_classified(command):
    """One line for people; one JSON object for programs."""
    assert command("classify", "fix the typo").out.split()[0] == "tactical"
    assert json.loads(command("classify", "fix the typo", "-o", "json").out)["class"] == "tactical"


def test_a_single_text_that_would_be_refused_fails(command):
    """Exit code 1, the reason on standard error, and in JSON on standard output."""
    ran = command("classify", "a\u202eb", "-o", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["error"].startswith("harmful")
    assert ran.err.startswith("error: harmful")


def test_the_settings_decide(command):
    """A rule of the user's own is in force here too."""
    rule = '[[classifier.rules]]\nphrase = "zebra"\nmessage_class = "tactical"\nforce = true\n'
    Path("pointsman.toml").write_text(rule, "utf-8")
    assert json.loads(command("classify", "the zebra", "-o", "json").out)["class"] == "tactical"


def test_neither_or_both_is_a_usage_error(command):
    """There must be exactly one thing to classify."""
    assert command("classify").code == 2
    assert command("classify", "x", "--input", "-").code == 2
    assert command("classify", "--input", "nowhere.txt").code == 2


def test_standard_input_that_is_no_text_is_refused(command):
    """TEXT - reads one message, which must be UTF-8."""
    ran = command("classify", "-", stdin=b"\xff")
    assert ran.code == 2
    assert "standard input is not UTF-8" in ran.err
