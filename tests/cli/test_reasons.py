from __future__ import annotations

from typing import Any

from pointsman.cli.reasons import show_class, show_decision

DECIDED: dict[str, Any] = {
    "class": "tactical",
    "confidence": 0.75,
    "probabilities": {"strategic": 0.25, "tactical": 0.75},
    "cause": "rule",
    "runner_up": "strategic",
    "margin": 0.5,
    "threshold": 0.6,
    "version": "builtin-1",
    "bias": 0.0,
    "logit": None,
    "classify_s": 0.000012,
    "overruled": [],
    "evidence": [{"feature": "fix", "found": "fix\x1b[2J", "message_class": "tactical", "weight": 1.234}],
}

RECORD: dict[str, Any] = {
    **DECIDED,
    "id": "0123",
    "client": "c",
    "received": 1_800_000_000.0,
    "priority": "high",
    "pool": "coders",
    "worker": "w-2",
    "fallback": False,
    "status": "delivered",
    "ended_cause": None,
    "attempts": [],
    "total_s": None,
    "overhead_s": None,
    "conversation_id": None,
    "replay_of": None,
}


def attempt(number: int, result: str, worker: str, queued_s: float, detail: str = "") -> dict[str, Any]:
    """What came of one hand-out."""
    return {
        "number": number,
        "pool": "coders",
        "worker": worker,
        "result": result,
        "queued_s": queued_s,
        "took_s": 0.2,
        "worker_s": 0.1,
        "detail": detail,
    }


def test_the_class_is_shown_with_its_odds_and_what_spoke_for_it(capsys):
    """The likeliest first, a bar each, the runner-up and its distance; words from a message are escaped."""
    show_class(DECIDED)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "class      tactical: the rules found evidence enough (rule)"
    assert lines[1] == "  tactical  " + "█" * 18 + "░" * 6 + " 0.75"
    assert lines[2] == "  strategic " + "█" * 6 + "░" * 18 + " 0.25  the runner-up, 0.50 behind"
    assert lines[-1].split() == ["tactical", "+1.23", "fix", "fix\\x1b[2J"]


def test_what_a_model_saw_is_shown_as_a_sum(capsys):
    """The score, the bias first, then each feature in words with what it added."""
    evidence = [
        {"feature": "| fix", "found": 'begins with "fix"', "message_class": "tactical", "weight": 1.5},
        {"feature": "=question", "found": "has a question mark", "message_class": "tactical", "weight": -0.25},
    ]
    show_class({**DECIDED, "cause": "model", "version": "m-1", "bias": -0.125, "logit": 1.125, "evidence": evidence})
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "decided by m-1 in 12 us, threshold 0.60"
    assert lines[4] == "score      +1.1250 for tactical, the sum of"
    assert [" ".join(line.split()) for line in lines[6:]] == [
        "-0.1250 whatever is asked bias",
        '+1.5000 begins with "fix" | fix',
        "-0.2500 has a question mark =question",
    ]


def test_rules_that_contradict_each_other_are_said(capsys):
    """The dearer class wins, and the conflict does not stay hidden."""
    show_class({**DECIDED, "class": "strategic", "overruled": ["tactical"]})
    assert "rules of yours force tactical too; the dearer class wins" in capsys.readouterr().out


def test_a_dearer_class_than_the_likeliest_says_why(capsys):
    """Where a failure costs more than the cheap class saves."""
    dearer = {"class": "strategic", "cause": "model", "runner_up": "tactical", "margin": -0.5}
    show_class({**DECIDED, **dearer})
    assert "0.75  the likeliest, but a mistake would cost more than it saves" in capsys.readouterr().out


def test_an_abstained_message_shows_what_was_likeliest_and_where_it_goes(capsys):
    """It goes to the fallback class although another was likelier."""
    show_class({**DECIDED, "class": "strategic", "cause": "abstain", "threshold": 0.8, "evidence": []})
    out = capsys.readouterr().out
    assert "nothing decisive was found" in out
    assert "0.75  the likeliest, but below 0.80" in out
    assert "0.25  the fallback class" in out
    assert "evidence   none" in out


def test_a_decision_shows_every_attempt_and_its_place_in_time(capsys):
    """A first worker that failed, the second that answered."""
    attempts = [attempt(1, "worker_error", "w-1", 0.001, "HTTP 500"), attempt(2, "delivered", "w-2", 0.3)]
    show_decision({**RECORD, "attempts": attempts, "total_s": 0.5, "overhead_s": 0.003})
    out = capsys.readouterr().out
    assert "message    0123 delivered in 500 ms, 3.00 ms of it in the router" in out
    assert "went to    worker w-2 of pool coders" in out
    rows = [line.split() for line in out.splitlines() if line.startswith("  attempt")]
    assert rows[0] == ["attempt", "1", "1.00", "ms", "worker_error", "w-1", "200", "ms", "100", "ms", "HTTP", "500"]
    assert rows[1][:6] == ["attempt", "2", "300", "ms", "delivered", "w-2"]
    assert out.splitlines()[-1].split()[:4] == ["ended", "500", "ms", "delivered"]


def test_a_message_that_was_never_handed_out_says_so(capsys):
    """There is no timeline of nothing."""
    show_decision({**RECORD, "status": "expired", "ended_cause": "ttl", "worker": None, "total_s": 5.0})
    out = capsys.readouterr().out
    assert "0123 expired (ttl) in 5.00 s" in out
    assert "no worker; it was never handed out from the queue of pool coders" in out
    assert "timeline" not in out


def test_a_fallback_a_replay_and_a_conversation_are_said(capsys):
    """What makes a way unusual stands in it."""
    fallback = {"attempts": [attempt(1, "delivered", "w-2", 0.0)], "fallback": True}
    show_decision({**RECORD, **fallback, "replay_of": "0001", "conversation_id": "talk"})
    out = capsys.readouterr().out
    assert "a fallback pool, as its own had no admissible worker" in out
    assert "replay of  0001" in out
    assert "conversation talk" in out


def test_the_worker_a_conversation_preferred_is_said(capsys):
    """Whether it got that one, and for how long it waited for it."""
    one = {**RECORD, "attempts": [attempt(1, "delivered", "w-2", 0.0)]}
    show_decision({**one, "preferred": "w-2", "got_preferred": True, "parked_s": 0.0})
    assert "pool coders, which served its conversation last\n" in capsys.readouterr().out
    show_decision({**one, "preferred": "w-1", "got_preferred": False, "parked_s": 2.0})
    out = capsys.readouterr().out
    assert "though worker w-1 served its conversation last, after 2.00 s of waiting for a particular worker" in out
    show_decision({**one, "preferred": None, "got_preferred": None, "parked_s": 0.5})
    assert "pool coders, after 500 ms of waiting for a particular worker" in capsys.readouterr().out


def test_a_record_says_what_the_message_took_and_what_had_been_expected(capsys):
    """Tokens and money; what is estimated, or has no price, is said; without usage there is no such line."""
    usage = {"input_tokens": 1000, "cached_input_tokens": 600, "output_tokens": 100, "estimated": False}
    estimate = {"input_tokens": 24, "output_tokens": 150, "money": 0.00774}
    show_decision({**RECORD, "usage": usage, "cost": 0.0096, "estimate": estimate})
    said = "took       1,000 tokens in (600 from a cache), 100 out, cost 0.0096"
    assert f"{said}; expected 24 in, 150 out, cost 0.00774" in capsys.readouterr().out.splitlines()
    guessed = {**usage, "cached_input_tokens": 0, "estimated": True}
    show_decision({**RECORD, "usage": guessed, "cost": None, "estimate": {**estimate, "money": None}})
    said = "took       1,000 tokens in, 100 out, estimated, without a price"
    assert f"{said}; expected 24 in, 150 out" in capsys.readouterr().out.splitlines()
    show_decision(RECORD)
    assert "took" not in capsys.readouterr().out
