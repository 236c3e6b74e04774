"""What is promised of the model that comes along, on the messages it was made of and on others.

Figures on its own messages say that it is robust and explained, never how good it is: that is judged by folds when it
is trained, and stands in the file.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from importlib.resources import files
from pathlib import Path

import pytest

from pointsman.config.models import default_stored, trained
from pointsman.core.classify.ask import newest_request
from pointsman.core.classify.builtin import VERSION
from pointsman.core.classify.grounds import ModelGrounds
from pointsman.core.classify.model_file import StoredModel
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.model.decision import Classification
from pointsman.model.settings import Settings
from tests.core.classify.prompts import CLEAR, HARD

DATA = sorted((Path(__file__).parents[3] / "data" / "default").glob("*.jsonl"))
ROWS = [json.loads(line) for file in DATA for line in file.read_bytes().splitlines()]
STORED = default_stored()
SETTINGS = Settings()
TRAINED = trained(SETTINGS, Path())
CLASSIFIER = Classifier(SETTINGS.classifier, SETTINGS.classes, TRAINED)
PINS = ConversationPins(1.0, 1)


def ask(text: str) -> Classification:
    """Classify a text by its words alone."""
    return CLASSIFIER.dry(ask=text, hint=None, client="c", conversation_id=None, now=0.0, pins=PINS)


def likeliest(answer: Classification) -> str:
    """The class of the greatest probability."""
    return max(answer.probabilities, key=answer.probabilities.__getitem__)


def test_the_shipped_model_is_small_and_says_what_it_is():
    """At most a megabyte; it knows both roles, and the rules of this version are among its features."""
    assert len((files("pointsman.core.classify") / "default_model.json").read_bytes()) <= 1_000_000
    assert (STORED.name, STORED.target, STORED.rules) == ("default-1", "label", VERSION)
    assert sorted(STORED.classes) == ["strategic", "tactical"]
    assert CLASSIFIER.version == "default-1"


def test_what_is_promised_of_it_stands_in_the_file():
    """Judged by groups that it had not seen: 85 % right, calibrated, and better than each baseline by ten points."""
    metrics = STORED.metrics
    assert metrics["accuracy"] >= 0.85
    assert metrics["auroc"] >= 0.93
    assert metrics["ece"] <= 0.06
    assert set(metrics["baselines"]) == {"majority", "length", "rules"}
    assert all(one["accuracy"] <= metrics["accuracy"] - 0.1 for one in metrics["baselines"].values())


def test_the_shipped_model_is_what_training_gives():
    """From the messages in `data/default`, with the same seed: same features, same weights within rounding."""
    pytest.importorskip("numpy", reason="training needs numpy")
    from pointsman.operations.learning.course import Wanted, train

    with_lines = [file.read_bytes().splitlines(keepends=True) for file in DATA]
    wanted = Wanted(pieces=False, made=STORED.made, made_by=STORED.made_by, name=STORED.name)
    again: StoredModel = train(itertools.chain.from_iterable(with_lines), None, wanted).stored
    assert again.data["sha256"] == STORED.data["sha256"], "data/default has changed: run `make default-model`"
    assert again.vocabulary == STORED.vocabulary
    assert again.weights == pytest.approx(STORED.weights, abs=2e-3)
    assert again.bias == pytest.approx(STORED.bias, abs=2e-3)
    assert again.threshold == pytest.approx(STORED.threshold, abs=2e-3)


def typed_badly(text: str, rng: random.Random) -> str:
    """A text with one typo in eight words: two letters swapped, one left out, doubled or another one."""
    words = text.split(" ")
    able = [at for at, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    for at in rng.sample(able, min(len(able), max(1, len(words) // 8))):
        word = words[at]
        place = rng.randrange(len(word) - 1)
        head, one, other, tail = word[:place], word[place], word[place + 1], word[place + 2 :]
        other_letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
        words[at] = head + rng.choice([other + one, other, one + one + other, other_letter + other]) + tail
    return " ".join(words)


CHANGES = {
    "typo": typed_badly,
    "shouting": lambda text, rng: text.upper() if text.isascii() else text,
    "no capitals": lambda text, rng: text.lower(),
    "spacing": lambda text, rng: "\n  " + text.replace(" ", " \t ") + " \n\n",
    "all at once": lambda text, rng: " " + typed_badly(text, rng).lower().replace(" ", "  ") + "\n",
}


@pytest.mark.parametrize("change", CHANGES)
def test_typos_case_and_spacing_hardly_change_a_decision(change):
    """They flip at most 2 % of the confident decisions (0.7 and more), and at most 6 % of all."""
    rng = random.Random(5)
    flips = confident = flips_of_confident = 0
    for row in ROWS:
        before, after = ask(row["text"]), ask(CHANGES[change](row["text"], rng))
        flipped = likeliest(before) != likeliest(after)
        flips += flipped
        if max(before.probabilities.values()) >= 0.7:
            confident += 1
            flips_of_confident += flipped
    assert confident > 0.8 * len(ROWS)
    assert flips_of_confident <= 0.02 * confident
    assert flips <= 0.06 * len(ROWS)


SYSTEM = "You are a careful planner. Design the architecture, weigh the options, decide. Fix, rename, run, translate. "


@pytest.mark.parametrize("noise", [SYSTEM * 300, "fix add rename delete run translate " * 1000])
def test_what_comes_along_flips_nothing(noise):
    """Six thousand tokens of system prompt, tool output or reminder in front change no decision, to the last bit."""
    for row in ROWS[::7]:
        alone = ask(row["text"])
        chat = [
            {"role": "system", "content": noise},
            {"role": "user", "content": [{"type": "tool_result", "content": noise}]},
            {"role": "user", "content": row["text"]},
        ]
        for text in (newest_request(chat), f"<system-reminder>{noise}</system-reminder>\n{row['text']}"):
            answer = ask(text)
            assert answer.message_class == alone.message_class
            assert answer.probabilities == pytest.approx(alone.probabilities)


def test_contributions_add_up_on_every_message():
    """Bias and evidence are the logit within a millionth, and its logistic is the probability."""
    assert len(ROWS) >= 1_000
    for row in ROWS:
        answer = ask(row["text"])
        assert answer.logit is not None
        total = answer.bias + math.fsum(one.weight for one in answer.evidence)
        assert total == pytest.approx(answer.logit, abs=1e-6)
        assert answer.confidence == pytest.approx(1.0 / (1.0 + math.exp(-answer.logit)), abs=1e-9)


def test_what_is_shown_as_strongest_matters():
    """Without the three features that speak loudest for a class its score is lower, on 95 % of the messages."""
    assert TRAINED is not None
    model, lower = TRAINED.model, 0
    for row in ROWS:
        grounds = ask(row["text"]).grounds
        assert isinstance(grounds, ModelGrounds)
        sign = 1.0 if grounds.values[0] > 0.0 else -1.0
        listed = model.contributions(grounds.seen, ())
        loudest = [name for name, amount in listed if amount * sign > 0.0][:3]
        left = [number for number in grounds.seen if model.name(number) not in loudest]
        without = model.bias[0] + math.fsum(amount for _, amount in model.contributions(left, ()))
        lower += sign * without < sign * grounds.values[0]
    assert lower >= 0.95 * len(ROWS)


def test_messages_of_another_author_are_mostly_right():
    """Those of the demonstration were written by somebody else, and no row is one of them.

    They are no test of how good the model is: `d.jsonl` was written after a look at which kinds of them were missed.
    """
    lines = files("pointsman").joinpath("operations").joinpath("demo_messages.jsonl").read_bytes().splitlines()
    rows = {(row["label"], row["text"]) for row in map(json.loads, lines)}
    answers = [(label, ask(text)) for label, text in sorted(rows)]
    right = sum(label == answer.message_class for label, answer in answers)
    decided = [(label, answer) for label, answer in answers if answer.cause == "model"]
    assert right >= 0.88 * len(rows)
    assert sum(label == answer.message_class for label, answer in decided) >= 0.93 * len(decided)
    assert len(decided) >= 0.90 * len(rows)


def test_clear_and_hard_messages_are_right():
    """Nearly all of those that the rules were looked at with."""
    assert sum(label == ask(text).message_class for label, text in CLEAR) >= 0.97 * len(CLEAR)
    assert sum(label == ask(text).message_class for label, text in HARD) >= 0.90 * len(HARD)


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
        ("design the schema", "strategic"),
        ("run the tests", "tactical"),
        ("review the approach", "strategic"),
        ("can you please fix the approach we agreed on: rename the column", "tactical"),
        ("explain why this test fails", "strategic"),
        ("fix the typo in the footer", "tactical"),
        ("Should we redesign the importer?", "strategic"),
        ("rename foo to bar in utils.py", "tactical"),
        ("design the architecture and plan the migration", "strategic"),
    ],
)
def test_plain_examples_and_traps(text, message_class):
    """What the documentation shows, and words of one class in a request of the other: surely."""
    answer = ask(text)
    assert (answer.message_class, answer.cause) == (message_class, "model"), answer.evidence


@pytest.mark.parametrize("order", ["route this as strategic", "class: tactical", '{"class": "strategic"}'])
def test_words_in_the_message_are_never_a_hint(order):
    """They are words like others: no certainty, and the cause is never `hint`."""
    for row in ROWS[::20]:
        answer = ask(f"{row['text']}\n{order}")
        assert answer.cause in {"model", "abstain"}
        assert answer.confidence < 1.0
