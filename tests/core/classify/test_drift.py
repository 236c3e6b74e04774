from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.drift import (
    LABELLED,
    LEAST,
    LEAST_LABELLED,
    LONGEST_S,
    MUCH,
    WINDOW,
    Drift,
    calibration_error,
    stability_index,
)
from pointsman.core.classify.model_file import Reference
from pointsman.model.decision import Classification

COSTS = {"cheap": 1.0, "dear": 10.0}
REFERENCE = Reference(
    confidence=(0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.1, 0.2, 0.5),
    class_share={"cheap": 0.6, "dear": 0.4},
    unknown_share=0.2,
    abstain_share=0.05,
)
HOUR_S = 3_600.0


def answer(confidence: float, *, likeliest: str = "cheap", cause: str = "model", unknown: float = 0.2):
    """An answer of the classifier, of which `likeliest` is so likely; abstained messages go to the dear class."""
    chosen = "dear" if cause == "abstain" else likeliest
    of = confidence if chosen == likeliest else 1.0 - confidence
    other = "cheap" if chosen == "dear" else "dear"
    return Classification(
        message_class=chosen,
        confidence=of,
        probabilities={chosen: of, other: 1.0 - of},
        cause=cause,
        runner_up=other,
        margin=of - (1.0 - of),
        unknown_share=unknown,
    )


def like_training(rng: random.Random):
    """An answer as those of the training were."""
    at = rng.choices(range(10), REFERENCE.confidence)[0]
    confidence = (at + rng.uniform(0.05, 0.95)) / 10
    likeliest = rng.choices(["cheap", "dear"], [0.6, 0.4])[0]
    cause = "abstain" if rng.random() < 0.05 else "model"
    return answer(confidence, likeliest=likeliest, cause=cause, unknown=rng.uniform(0.0, 0.4))


def test_messages_like_those_of_the_training_have_not_moved():
    """All figures are near 0."""
    drift, rng = Drift(REFERENCE, COSTS), random.Random(1)
    for at in range(WINDOW):
        drift.see(like_training(rng), float(at))
    found = drift.figures(float(WINDOW))
    assert set(found) == {"confidence", "class", "unknown", "abstain"}
    assert found["confidence"] < 0.05
    assert found["class"] < 0.02
    assert abs(found["unknown"]) < 0.02
    assert abs(found["abstain"]) < 0.03


def test_each_kind_of_change_shows_in_its_figure():
    """Less sure; other classes; unknown words; abstaining."""
    changed = {
        "confidence": lambda rng: answer(rng.uniform(0.5, 0.65), likeliest=rng.choices(["cheap", "dear"], [6, 4])[0]),
        "class": lambda rng: answer(0.95, likeliest="dear"),
    }
    for kind, make in changed.items():
        drift, rng = Drift(REFERENCE, COSTS), random.Random(1)
        for at in range(WINDOW):
            drift.see(make(rng), float(at))
        assert drift.figures(float(WINDOW))[kind] > MUCH
    drift = Drift(REFERENCE, COSTS)
    for at in range(WINDOW):
        drift.see(answer(0.55, cause="abstain" if at % 2 else "model", unknown=0.7), float(at))
    assert drift.figures(float(WINDOW))["unknown"] == pytest.approx(0.5)
    assert drift.figures(float(WINDOW))["abstain"] == pytest.approx(0.45)
    assert drift.abstain_share(float(WINDOW)) == pytest.approx(0.5)


def test_only_the_last_messages_count_and_of_these_only_those_of_the_last_day():
    """What was before is forgotten."""
    drift = Drift(REFERENCE, COSTS)
    for at in range(3 * WINDOW):
        drift.see(answer(0.9, cause="abstain" if at < WINDOW else "model"), float(at))
    assert drift.looked_at(3.0 * WINDOW) == WINDOW
    assert drift.abstain_share(3.0 * WINDOW) == 0.0
    assert drift.looked_at(3.0 * WINDOW + LONGEST_S - 1_000.0) == 1_000
    assert drift.figures(3.0 * WINDOW + LONGEST_S) == {}


def test_too_few_messages_have_no_figure():
    """Chance alone would make it large."""
    drift = Drift(REFERENCE, COSTS)
    for _ in range(LEAST - 1):
        drift.see(answer(0.9), 0.0)
    assert drift.figures(0.0) == {}
    assert drift.abstain_share(0.0) is None
    drift.see(answer(0.9), 0.0)
    assert "confidence" in drift.figures(0.0)
    assert drift.abstain_share(0.0) == 0.0


@pytest.mark.parametrize("cause", ["hint", "pin", "rule"])
def test_what_the_words_did_not_decide_says_nothing_of_the_model(cause):
    """It is not looked at."""
    drift = Drift(REFERENCE, COSTS)
    drift.see(answer(1.0, cause=cause), 0.0)
    assert drift.looked_at(0.0) == 0


def test_without_a_reference_there_is_an_abstained_share_and_no_drift():
    """Rules were not trained on anything."""
    for reference in (None, Reference()):
        drift = Drift(reference, COSTS)
        for _ in range(LEAST):
            drift.see(answer(0.5, cause="abstain"), 0.0)
        assert drift.figures(0.0) == {}
        assert drift.abstain_share(0.0) == 1.0


def test_abstaining_costs_the_difference_to_the_likeliest_class_and_only_for_a_day():
    """Where the likeliest class is the one that it went to, it costs nothing."""
    drift = Drift(REFERENCE, COSTS)
    drift.see(answer(0.55, likeliest="cheap", cause="abstain"), 0.0)
    drift.see(answer(0.55, likeliest="dear", cause="abstain"), 0.0)
    drift.see(answer(0.55, likeliest="cheap", cause="model"), 0.0)
    assert drift.abstain_day_cost(0.0) == 9.0
    drift.see(answer(0.55, likeliest="cheap", cause="abstain"), 5 * HOUR_S)
    assert drift.abstain_day_cost(23 * HOUR_S) == 18.0
    assert drift.abstain_day_cost(24 * HOUR_S) == 9.0
    assert drift.abstain_day_cost(29 * HOUR_S) == 0.0


def test_what_was_said_by_another_model_is_forgotten_with_it():
    """The same model with other costs goes on."""
    drift = Drift(REFERENCE, COSTS)
    drift.see(answer(0.9), 0.0)
    drift.use(REFERENCE, COSTS, same_model=True)
    assert drift.looked_at(0.0) == 1
    drift.use(None, COSTS, same_model=False)
    assert drift.looked_at(0.0) == 0


def test_the_calibration_is_judged_by_the_last_labelled_messages():
    """From fifty on."""
    drift = Drift(None, COSTS)
    for _ in range(LEAST_LABELLED - 1):
        drift.labelled(0.95, right=False)
    assert drift.figures(0.0) == {}
    drift.labelled(0.95, right=False)
    assert drift.figures(0.0) == {"calibration": pytest.approx(0.95)}
    for _ in range(LABELLED):
        drift.labelled(1.0, right=True)
    assert drift.figures(0.0) == {"calibration": 0.0}


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=60))
def test_the_calibration_error_is_that_of_the_books(judged):
    """Per bin the distance between how sure and how often right, weighted by how many."""
    many, total = Counter(min(9, int(sure * 10)) for sure, _ in judged), 0.0
    for at, count in many.items():
        inside = [(sure, right) for sure, right in judged if min(9, int(sure * 10)) == at]
        distance = abs(sum(sure for sure, _ in inside) / count - sum(right for _, right in inside) / count)
        total += count / len(judged) * distance
    assert calibration_error(judged) == pytest.approx(total)


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=10))
def test_the_stability_index_is_0_for_equals_and_the_same_both_ways(parts):
    """It is a distance of a kind."""
    was = [part / sum(parts) for part in parts]
    now = was[1:] + was[:1]
    assert stability_index(was, was) == 0.0
    assert stability_index(was, now) == pytest.approx(stability_index(now, was))
    assert stability_index(was, now) >= 0.0


def test_the_stability_index_of_a_worked_example():
    """By hand: 0.1 x ln 2 + 0.1 x ln(10 / 9), twice over for both bins; an empty bin makes it large, not infinite."""
    assert stability_index([0.1, 0.9], [0.2, 0.8]) == pytest.approx(0.1 * math.log(2.0) - 0.1 * math.log(8 / 9))
    assert 1.0 < stability_index([0.5, 0.5], [0.0, 1.0]) < 10.0
