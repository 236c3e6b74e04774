from __future__ import annotations

import json


def test_the_reply_goes_to_standard_output_and_what_is_said_about_it_to_standard_error(router):
    """So that a pipe gets the reply and nothing else."""
    ran = router("send", "fix the typo", "--client", "send-1")
    assert (ran.code, ran.out) == (0, "done: fix the typo\n")
    assert "worker coder of pool coders" in ran.err
    assert "pointsman explain --id" in ran.err


def test_a_text_is_read_from_standard_input_for_a_dash(router):
    """Its final line break is not part of it."""
    assert router("send", "-", stdin="fix\nthe typo\n").out == "done: fix\nthe typo\n"


def test_the_sender_may_insist_on_a_class(router):
    """An alias is enough."""
    answer = json.loads(router("send", "design it", "--class", "fast", "-o", "json").out)
    assert (answer["decision"]["class"], answer["decision"]["cause"]) == ("tactical", "hint")


def test_a_message_that_a_worker_refuses_fails_with_its_words(router):
    """Exit code 1, the reason, and where to look for more."""
    ran = router("send", "refuse this", "--client", "send-2")
    assert (ran.code, ran.out) == (1, "")
    assert "error: message_fault: this worker does not like it" in ran.err
    assert "Why: pointsman explain --id" in ran.err


def test_a_failure_can_be_read_by_programs(router):
    """The problem as it came, on standard output."""
    ran = router("send", "refuse this", "-o", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["code"] == "message_fault"


def test_a_message_that_is_refused_says_why(router):
    """An unknown class is named with those that are known."""
    ran = router("send", "x", "--class", "nope")
    assert ran.code == 1
    assert "error: unknown_class: class: got 'nope', expected one of" in ran.err


def test_a_message_that_cannot_be_kept_is_refused(router):
    """The memory engine keeps nothing for a sender who does not wait."""
    ran = router("send", "x", "--no-wait")
    assert ran.code == 1
    assert "error: not_stored" in ran.err


def test_a_client_that_is_no_header_is_a_usage_error(router):
    """A line break in a name forges no header."""
    ran = router("send", "x", "--client", "a\nb: c")
    assert ran.code == 2
    assert "cannot be sent as an HTTP header" in ran.err


def test_an_unknown_priority_is_a_usage_error(router):
    """The five are named."""
    ran = router("send", "x", "--priority", "urgent")
    assert ran.code == 2
    assert "critical" in ran.err
