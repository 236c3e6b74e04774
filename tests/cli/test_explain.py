from __future__ import annotations

import json
import re

import pytest

from pointsman.cli.stacks import stacks


def test_a_text_is_explained_without_a_router(command):
    """Class, confidence, runner-up, the pool it would wait in, and a list that adds up to the score."""
    ran = command("explain", "please design the architecture and implement the fix")
    assert (ran.code, ran.err) == (0, "")
    assert "class      strategic: the model found evidence enough (model)" in ran.out
    assert "the runner-up" in ran.out
    assert 'begins with "please"' in ran.out
    found = re.search(r"^score +([+-][0-9.]+) for strategic", ran.out, re.MULTILINE)
    assert found is not None
    score = float(found[1])
    weights = re.findall(r"^  ([+-][0-9.]+) ", ran.out, re.MULTILINE)
    assert len(weights) > 5
    assert sum(map(float, weights)) == pytest.approx(score, abs=1e-4 * len(weights))
    assert "goes to    the queue of pool planners" in ran.out


def test_a_text_that_says_nothing_is_explained_as_such(command):
    """An abstained message shows which class was likeliest, and that this was not enough."""
    ran = command("explain", "hello")
    assert "nothing decisive was found" in ran.out
    assert "the fallback class" in ran.out


def test_the_explanation_can_be_read_by_programs(command):
    """The fields of a dry run over HTTP."""
    decided = json.loads(command("explain", "fix the typo", "-o", "json").out)
    assert (decided["class"], decided["pool"]) == ("tactical", "coders")
    assert decided["would_refuse"] == "no_worker"
    total = decided["bias"] + sum(one["weight"] for one in decided["evidence"])
    assert total == pytest.approx(decided["logit"], abs=1e-6)
    assert {*decided["evidence"][0]} == {"feature", "found", "message_class", "weight"}
    assert 0.0 < decided["classify_s"] < 1.0


def test_a_text_that_would_be_refused_says_why(command):
    """Exit code 1."""
    ran = command("explain", "a\u202eb")
    assert ran.code == 1
    assert "a router with these settings would refuse it: harmful" in ran.err


def test_stack_shows_each_layer_with_its_reason(command):
    """The layers of all three stacks in their order, the leaf last."""
    ran = command("explain", "stack")
    assert ran.code == 0
    shown = [line for line in ran.out.splitlines() if line.lstrip()[:1].isdigit()]
    built = stacks()
    layers = [layer for of in built.values() for layer in of]
    assert [line.split()[1] for line in shown] == [layer["layer"] for layer in layers]
    assert all(layer["position"] in line for line, layer in zip(shown, layers, strict=True))
    assert json.loads(command("explain", "stack", "-o", "json").out) == built


def test_the_text_stack_can_be_explained_after_two_dashes(command):
    """`--` says that what follows is text."""
    decided = json.loads(command("explain", "-o", "json", "--", "stack").out)
    assert decided["pool"] in {"planners", "coders"}


def test_neither_or_both_is_a_usage_error(command):
    """There must be exactly one thing to explain."""
    assert command("explain").code == 2
    assert command("explain", "x", "--id", "y").code == 2
