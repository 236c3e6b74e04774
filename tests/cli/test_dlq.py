from __future__ import annotations

import json

import pytest


@pytest.fixture
def letter(router):
    """Id of a dead letter; forgotten again."""
    answer = json.loads(router("send", "refuse this", "--class", "fast", "--client", "dlq", "-o", "json").out)
    yield answer["id"]
    router("dlq", "drop", answer["id"], "--yes")


def letters(router) -> list[str]:
    """Ids of all dead letters."""
    return [one["id"] for one in json.loads(router("dlq", "ls", "-o", "json").out)]


def test_a_dead_letter_is_listed_with_its_cause(router, letter):
    """A row, with the worker's words."""
    row = next(line for line in router("dlq", "ls").out.splitlines() if line.startswith(letter))
    assert row.split()[1:5] == ["failed", "message_fault", "tactical", "dlq"]
    assert row.endswith("this worker does not like it")


def test_a_dead_letter_is_shown_with_text_and_attempts(router, letter):
    """Everything that is needed to judge it."""
    ran = router("dlq", "show", letter)
    assert ran.code == 0
    assert "text\nrefuse this\n" in ran.out
    assert ran.out.splitlines()[-1].split()[:4] == ["1", "coders", "coder", "message_fault"]


def test_a_replayed_letter_becomes_a_new_message(router, letter):
    """It fails again here, so there is a new letter in the place of the old one, and exit code 1."""
    ran = router("dlq", "replay", letter)
    old, _, _, new, ended = ran.out.split()
    assert (ran.code, old, ended) == (1, letter, "failed")
    left = letters(router)
    assert letter not in left
    assert new.rstrip(":") in left
    router("dlq", "drop", new.rstrip(":"), "--yes")


def test_replaying_all_asks_with_their_number(router, letter):
    """Nothing is sent without a yes."""
    ran = router("dlq", "replay", "--all")
    assert ran.code == 2
    assert "dead letter" in ran.err
    assert "say --yes" in ran.err
    assert letter in letters(router)


def test_dropping_a_letter_asks_even_for_one(router, letter):
    """It cannot be undone."""
    assert router("dlq", "drop", letter).code == 2
    assert letter in letters(router)
    assert router("dlq", "drop", letter, "--yes").out == f"{letter} dropped\n"
    assert letter not in letters(router)


def test_one_unknown_letter_does_not_keep_the_others_from_being_done(router, letter):
    """The failure is said, the rest goes on, and the exit code is 1."""
    ran = router("dlq", "drop", "nope", letter, "--yes")
    assert ran.code == 1
    assert "error: nope: not_found" in ran.err
    assert letter not in letters(router)


def test_ids_or_all_and_not_both(router):
    """A slip must not touch everything."""
    assert router("dlq", "replay").code == 2
    assert router("dlq", "replay", "x", "--all").code == 2
