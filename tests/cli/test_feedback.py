from __future__ import annotations

import json

import pytest


def sent(router, *more: str) -> str:
    """Send a message and return its id."""
    return str(json.loads(router("send", "fix the typo in line 12", *more, "-o", "json").out)["id"])


def test_feedback_says_what_was_made_of_it(router):
    """And that it takes the place of an earlier one."""
    message = sent(router)
    first = router("feedback", message, "--label", "strategic")
    assert first.code == 0
    assert first.out == "taken as a word for strategic, with weight 1.00\n"
    second = router("feedback", message, "--label", "fast")
    assert second.out == "taken as a word for tactical, with weight 1.00, in the place of the earlier one\n"
    found = json.loads(router("feedback", message, "--label", "tactical", "-o", "json").out)
    assert (found["id"], found["class"], found["replaced"]) == (message, "tactical", True)
    # Both classes of this router cost the same, so that an outcome speaks for none.
    assert "says nothing of another class" in router("feedback", message, "--outcome", "failed").err


def test_feedback_that_teaches_nothing_says_why(router):
    """A hint decided."""
    ran = router("feedback", sent(router, "--class", "tactical"), "--label", "strategic")
    assert ran.code == 0
    assert ran.out == "taken; nothing was learnt\n"
    assert "came of a hint" in ran.err


def test_feedback_is_given_as_the_client_that_sent_the_message(router):
    """As another it is refused."""
    message = sent(router, "--client", "alice")
    refused = router("feedback", message, "--outcome", "failed")
    assert refused.code == 1
    assert "not_yours" in refused.err
    assert router("feedback", message, "--outcome", "failed", "--client", "alice").code == 0


@pytest.mark.parametrize("options", [[], ["--label", "tactical", "--outcome", "ok"]])
def test_feedback_is_one_thing(command, options):
    """Neither nothing nor both; no router is asked."""
    ran = command("feedback", "0" * 32, *options)
    assert ran.code == 2
    assert "exactly one of the two" in ran.err


def test_an_unknown_message_or_class_is_said(router):
    """With those that there are."""
    assert "not_found" in router("feedback", "0" * 32, "--outcome", "ok").err
    assert "there are: strategic, tactical" in router("feedback", sent(router), "--label", "nope").err
