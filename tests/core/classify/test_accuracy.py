"""How often the built-in rules are right, on messages written for the purpose.

Both sets are clean, written by the project, and easier than what agents really send: these bars guard against a change
that breaks the rules, they are no promise. Look at `prompts.py` before you trust a figure.
"""

from __future__ import annotations

from importlib.resources import files

import msgspec
import pytest

from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.model.decision import Classification
from pointsman.model.settings import Settings
from tests.core.classify.prompts import CLEAR, HARD

CLASSIFIER = Classifier(Settings().classifier, Settings().classes)
PINS = ConversationPins(1.0, 1)


class Row(msgspec.Struct):
    """What is needed of a demo message."""

    text: str
    label: str


def classify(text: str) -> Classification:
    """Classify a text by its words alone."""
    return CLASSIFIER.dry(ask=text, hint=None, client="c", conversation_id=None, now=0.0, pins=PINS)


def measure(rows: list[tuple[str, str]]) -> tuple[float, float, float]:
    """Share right of all, share right of those decided, share abstained."""
    answers = [(label, classify(text)) for label, text in rows]
    decided = [(label, answer) for label, answer in answers if answer.cause == "rule"]
    right = sum(label == answer.message_class for label, answer in answers)
    right_of_decided = sum(label == answer.message_class for label, answer in decided)
    return right / len(rows), right_of_decided / len(decided), 1.0 - len(decided) / len(rows)


def test_there_are_enough_clear_messages_of_both_classes():
    """At least 70, and neither class has less than two in five of them."""
    strategic = sum(label == "strategic" for label, _ in CLEAR)
    assert len(CLEAR) >= 70
    assert 0.4 <= strategic / len(CLEAR) <= 0.6


def test_clear_messages_are_mostly_right():
    """Nine in ten, and most of them decided."""
    right, _, abstained = measure(CLEAR)
    assert right >= 0.90
    assert abstained <= 0.10


def test_hard_messages_are_mostly_right_where_decided():
    """Where the words mislead, it may abstain, but of what it decides four in five must be right."""
    _, right_of_decided, abstained = measure(HARD)
    assert right_of_decided >= 0.80
    assert abstained <= 0.35


def test_messages_of_another_author_are_mostly_right_where_decided():
    """The demo's messages were written by somebody else: 85 % right of those decided, under 30 % abstained."""
    lines = files("pointsman").joinpath("operations").joinpath("demo_messages.jsonl").read_bytes().splitlines()
    rows = {(row.label, row.text) for row in (msgspec.json.decode(line, type=Row) for line in lines)}
    _, right_of_decided, abstained = measure(sorted(rows))
    assert right_of_decided >= 0.85
    assert abstained < 0.30


@pytest.mark.parametrize(
    ("text", "message_class"),
    [
        ("implement the plan", "tactical"),
        ("write a plan", "strategic"),
        ("plan to fix line 12", "tactical"),
        ("plan the migration", "strategic"),
        ("ok do it", "tactical"),
        ("go ahead", "tactical"),
        ("add a test for the planner", "tactical"),
        ("Translate 'Should we review the strategy?' into Polish", "tactical"),
        ("should we rename it?", "strategic"),
        ("why did you delete the file?", "strategic"),
        ("design the schema", "strategic"),
        ("run the tests", "tactical"),
        ("review the approach", "strategic"),
        ("can you please fix the approach we agreed on: rename the column", "tactical"),
    ],
)
def test_traps(text, message_class):
    """Words of one class in a request of the other."""
    answer = classify(text)
    assert (answer.message_class, answer.cause) == (message_class, "rule"), answer.evidence


def test_explain_why_leans_strategic_without_being_sure():
    """ "Explain why this test fails" may be either: strategic, with doubt."""
    answer = classify("explain why this test fails")
    assert answer.message_class == "strategic"
    assert answer.confidence < 0.9


def test_case_and_spacing_do_not_matter():
    """Shouting, or blank lines and tabs between the words, change no decision."""
    for _, text in CLEAR + HARD:
        plain = classify(text).message_class
        assert classify("  " + text.replace(" ", " \t ") + "  ").message_class == plain
        if text.isascii():
            assert classify(text.upper()).message_class == plain


@pytest.mark.parametrize("noise", ["design plan strategy why should we compare", "fix add rename delete run translate"])
def test_what_stands_in_front_of_the_request_does_not_vote(noise):
    """Thousands of words in a reminder block change no decision."""
    block = f"<system-reminder>{noise * 1000}</system-reminder>\n"
    for _, text in CLEAR + HARD:
        assert classify(block + text).message_class == classify(text).message_class
