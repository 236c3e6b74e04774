from __future__ import annotations

import numpy as np
import pytest

from pointsman.core.classify.ask import extract
from pointsman.core.classify.model_file import Reference, Sparse, build, read, write
from pointsman.core.classify.tokens import tokenize
from pointsman.training.dataset import Labelled
from pointsman.training.evaluation import judge
from pointsman.training.learning import Candidate, Learner, Row
from pointsman.training.storing import store
from tests.training.rows import messages, outcomes, topics

NUMBER = {"tactical": 0, "strategic": 1}


@pytest.mark.parametrize("with_pieces", [False, True])
def test_the_stored_model_says_what_the_learnt_one_says(with_pieces: bool):
    """Judged on validation rows by both ways; rounding moves no probability by more than a hundredth."""
    proof = [Row(one["text"], NUMBER[one["label"]]) for one in messages(60, seed=2)]
    data = [Row(one["text"], NUMBER[one["label"]]) for one in messages(200)]
    learnt = Learner(data, 2, proof, candidates=(Candidate(with_pieces, 1.0),)).learn([])
    stored = store(learnt, list(NUMBER), name="m", made="2030-01-01T00:00:00Z", made_by="1")
    model = build(read(write(stored), "m"), "m")
    found = judge(model, 0.0, [Labelled(row.text, None) for row in proof], lambda tokens: ()).probabilities
    assert found == pytest.approx(learnt.probabilities, abs=0.01)


def test_of_many_classes_too_with_weights_of_one_byte():
    """The likeliest class is the same, and what weighs nothing is not written."""
    rows = topics(12, 12)
    data = [Row(one["text"], int(one["label"].split()[1])) for one in rows]
    learnt = Learner(data, 12, data[::3], candidates=(Candidate(False, 1.0),)).learn([])
    names = sorted({one["label"] for one in rows})
    stored = store(learnt, names, name="m", made="", made_by="1")
    found = judge(build(stored, "m"), 0.0, [Labelled(row.text, None) for row in data[::3]], lambda tokens: ())
    assert found.probabilities == pytest.approx(learnt.probabilities, abs=0.01)
    assert (found.probabilities.argmax(axis=1) == learnt.probabilities.argmax(axis=1)).all()
    assert len(stored.vocabulary) <= len(learnt.known)
    assert isinstance(stored.weights, Sparse)
    assert stored.weights.unit * 127 == pytest.approx(float(np.abs(learnt.weights.features).max()) * learnt.slope)


def test_sizes_count_where_they_were_learnt():
    """As in outcome models."""
    rows = [Row(one["text"], int(one["strong_ok"] and not one["weak_ok"])) for one in outcomes(120)]
    learnt = Learner(rows, 2, rows[:40], candidates=(Candidate(False, 0.1),), with_sizes=True).learn([])
    stored = store(learnt, ["weak", "strong"], name="m", made="", made_by="1", target="outcome", with_sizes=True)
    model = build(stored, "m")
    text = extract(rows[0].text)
    assert len(stored.sizes) == 4
    assert model.score(rows[0].text, text, tokenize(text)).sizes
    found = judge(model, 0.0, [Labelled(row.text, None) for row in rows[:40]], lambda tokens: ()).probabilities
    assert found == pytest.approx(learnt.probabilities, abs=0.01)


def test_facts_figures_and_reference_are_in_the_file():
    """Whoever has the model can see where it comes from."""
    data = [Row(one["text"], NUMBER[one["label"]]) for one in messages(60)]
    learnt = Learner(data, 2, data, candidates=(Candidate(False, 1.0),), reject=0.2).learn([])
    reference = Reference(confidence=(0.5, 0.5), class_share={"tactical": 0.5})
    stored = store(
        learnt,
        list(NUMBER),
        name="mine",
        made="2030-01-01T00:00:00Z",
        made_by="9",
        data={"rows": 60},
        metrics={"accuracy": 0.9},
        reference=reference,
    )
    again = read(write(stored), "m")
    assert again == stored
    assert (again.name, again.made_by, again.data, again.metrics) == ("mine", "9", {"rows": 60}, {"accuracy": 0.9})
    assert again.reference == reference
    assert again.threshold == pytest.approx(learnt.threshold, abs=1e-4)
    assert not np.isnan(again.threshold)
