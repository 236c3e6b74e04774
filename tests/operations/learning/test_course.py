from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.classify.model_file import build, read, write
from pointsman.operations.learning.course import Course, Wanted, train
from pointsman.training.dataset import DataUnusable
from tests.training.rows import as_lines, messages, outcomes, topics

MADE: dict[str, Any] = {"made": "2030-01-01T00:00:00Z", "made_by": "1"}


def taught(rows, validation=None, **wanted) -> Course:
    """What comes of a training on these rows."""
    proof = None if validation is None else as_lines(validation)
    return train(as_lines(rows), proof, Wanted(**MADE, **wanted))


def test_a_model_comes_with_figures_and_baselines():
    """Better than the commonest class, the length and the rules, and the file holds the same figures."""
    came = taught(messages(160))
    assert came.beats
    assert came.figures["accuracy"] > 0.8
    assert set(came.baselines) == {"majority", "length", "rules"}
    assert came.stored.metrics["accuracy"] == came.figures["accuracy"]
    assert came.stored.metrics["baselines"] == came.baselines
    again = read(write(came.stored), "m")
    assert build(again, "m").classes == ("strategic", "tactical")


def test_facts_of_the_data_are_kept_with_the_model():
    """How many, of what, in how many groups, by which seed and hash."""
    data = taught([*messages(80), {"text": "hello there", "label": None}], seed=3, reject=0.1).stored.data
    assert (data["rows"], data["out_of_scope"], data["groups"], data["seed"], data["reject"]) == (81, 1, 12, 3, 0.1)
    assert sum(data["per_class"].values()) == 80
    assert len(data["sha256"]) == 64


def test_the_reference_for_drift_is_what_the_judged_messages_were_like():
    """Shares that add up, and as many below the threshold as was wished."""
    reference = taught(messages(100), reject=0.1).stored.reference
    assert sum(reference.confidence) == pytest.approx(1.0, abs=1e-4)
    assert sum(reference.class_share.values()) == pytest.approx(1.0, abs=1e-4)
    assert reference.abstain_share == pytest.approx(0.1, abs=0.011)


def test_random_labels_do_not_beat_the_baselines():
    """And a warning says so."""
    rows = [{**one, "label": "strategic" if at * 7919 % 11 < 7 else "tactical"} for at, one in enumerate(messages(150))]
    came = taught(rows)
    assert not came.beats
    assert "the model does not beat the baselines: what it learnt is not worth using" in came.warnings


def test_labels_that_length_decides_do_not_beat_length():
    """Words are the same on both sides, so that nothing but their number tells."""
    rows = [
        {"text": "word " * (3 + at % 4 if at % 2 else 60 + at % 9), "label": ("long", "short")[at % 2]}
        for at in range(80)
    ]
    came = taught(rows)
    assert came.baselines["length"]["accuracy"] == 1.0
    assert not came.beats
    assert any(one.startswith("length alone tells the classes apart") for one in came.warnings)


def test_validation_rows_set_the_threshold_and_show_what_is_turned_away():
    """Out of scope, nothing is learnt from them, and their share below the threshold is told."""
    strange = [{"text": f"zyx wvu {at} tsr", "label": None} for at in range(20)]
    came = taught(messages(160), [*messages(80, seed=2), *strange], reject=0.1)
    assert came.data["validation_rows"] == 100
    assert came.figures["n"] == 80
    assert came.figures["n_out_of_scope"] == 20
    assert came.figures["oos_recall"] > 0.5
    assert came.figures["rejected_share"] == pytest.approx(0.1, abs=0.02)
    assert all(one.right in {"strategic", "tactical"} for one in came.worst)


def test_validation_labels_must_be_among_those_to_learn():
    """Case counts, and the error says so."""
    with pytest.raises(DataUnusable, match="1 labels are not among those to learn, such as 'Strategic'; case counts"):
        taught(messages(60), [{"text": "x", "label": "Strategic"}])
    with pytest.raises(DataUnusable, match="no row has a label"):
        taught(messages(60), [{"text": "x", "label": None}])


def test_mistakes_are_the_surest_first():
    """Those with a wrong label, mostly."""
    came = taught(messages(160, noise=0.1))
    sure = [one.confidence for one in came.worst]
    assert sure == sorted(sure, reverse=True)
    assert all(one.right != one.found for one in came.worst)


def test_near_duplicates_are_told():
    """With what was done about them."""
    letters = "abcdefghijklmnopqrstuvwxyzäöüß"
    rows = [
        {"text": f"{word} {one}{word} {one}{one} {one}x", "label": word} for one in letters for word in ("do", "if")
    ]
    came = taught([*rows, *({**one, "text": f"{one['text']} again"} for one in rows)])
    fold = came.learnt.fold.tolist()
    assert fold[: len(rows)] == fold[len(rows) :]
    assert any("have a near-duplicate" in one and "kept in one fold" in one for one in came.warnings)
    assert not any("near-duplicate" in one for one in taught(rows).warnings)


def test_rows_without_groups_are_told():
    """Figures on strangers will be lower."""
    rows = [{"text": one["text"], "label": one["label"]} for one in messages(60)]
    assert any("no row has a `group`" in one for one in taught(rows).warnings)


def test_two_hundred_classes_with_four_rows_each():
    """Little data is enough where words tell; the model fits and says the right class."""
    came = taught(topics(200, 4), pieces=False)
    assert len(came.classes) == 200
    assert came.beats
    assert came.figures["accuracy"] > 0.8
    assert build(read(write(came.stored), "m"), "m").classes[199] == "class 199"


def test_outcomes_recover_what_length_does_not():
    """Plain folds, and whole groups left out; both beside length and chance."""
    came = taught(outcomes(600), target="outcome")
    assert came.classes == ["weak", "strong"]
    assert came.figures["apgr"] > 0.75
    assert came.figures["apgr_groups_left_out"] > 0.75
    assert came.figures["apgr_length"] < 0.65
    assert came.beats
    assert set(came.baselines) == {"length", "random"}
    assert len(came.stored.sizes) == 4


def test_with_few_groups_none_is_left_out():
    """Three groups make no five folds."""
    assert "apgr_groups_left_out" not in taught(outcomes(120, groups=3), target="outcome").figures


def test_what_helps_within_groups_only_is_told():
    """A model that knows the subjects by heart recovers less on others."""
    rows = [
        {
            "text": f"s{at % 6}q{at // 6 % 3} x{at}",
            "weak_ok": int((at % 6 + at // 6) % 3 != 0),
            "strong_ok": 1,
            "group": str(at % 6),
        }
        for at in range(360)
    ]
    came = taught(rows, target="outcome")
    assert came.figures["apgr_groups_left_out"] < came.figures["apgr"] - 0.1
    assert any(one.startswith("in groups it has seen nothing of") for one in came.warnings)


def test_progress_is_told_from_reading_to_the_end():
    """In order, and never backwards."""
    heard: list[tuple[str, float]] = []
    train(as_lines(messages(60)), None, Wanted(**MADE), told=lambda doing, share: heard.append((doing, share)))
    assert (heard[0], heard[-1]) == (("reading", 0.0), ("done", 1.0))
    assert [share for _, share in heard] == sorted(share for _, share in heard)
