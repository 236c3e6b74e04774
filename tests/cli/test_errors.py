from __future__ import annotations

import json

from pointsman.http.codes import CODES


def test_a_code_is_explained_in_words(command):
    """Title, meaning, whether to send again, and what to do."""
    ran = command("errors", "flooding")
    assert ran.code == 0
    row = CODES["flooding"]
    assert ran.out.splitlines() == [
        f"flooding: {row.title} (HTTP 429)",
        f"  {row.meaning}",
        "  Sending it again may help.",
        f"  What to do: {row.advice}",
    ]


def test_all_codes_are_listed(command):
    """One row each."""
    ran = command("errors")
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == list(CODES)


def test_an_unknown_code_suggests_one(command):
    """Exit code 1; what was meant is named."""
    ran = command("errors", "flodding")
    assert (ran.code, ran.out) == (1, "")
    assert "there is no code 'flodding'. Did you mean flooding?" in ran.err


def test_codes_can_be_read_by_programs(command):
    """One object, or a list of all."""
    assert json.loads(command("errors", "ttl", "-o", "json").out)["status"] == 504
    assert len(json.loads(command("errors", "-o", "json").out)) == len(CODES)
