from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from pointsman.training.learning import CANDIDATES, FOLDS, OUTCOME, Candidate, Learner, Learnt, Row
from tests.cli.conftest import SOURCE
from tests.training.rows import messages, topics

NUMBER = {"tactical": 0, "strategic": 1}
PLAIN = (Candidate(False, 1.0),)


def rows(count: int = 120, **how: Any) -> list[Row]:
    """Rows to learn from, by number of their class."""
    return [Row(one["text"], NUMBER[one["label"]], one["group"]) for one in messages(count, **how)]


def right(learnt: Learnt, of: list[Row]) -> float:
    """The share that was judged rightly."""
    return float((learnt.probabilities.argmax(axis=1) == [row.label for row in of]).mean())


def test_folds_judge_every_row_by_a_model_that_has_not_seen_its_group():
    """Each row has a fold, no group is in two, and nearly all that words tell apart is told apart."""
    data = rows()
    learnt = Learner(data, 2, candidates=PLAIN).learn([])
    assert sorted(set(learnt.fold.tolist())) == list(range(FOLDS))
    groups = {row.group: {int(learnt.fold[at]) for at in range(120) if data[at].group == row.group} for row in data}
    assert all(len(found) == 1 for found in groups.values())
    assert right(learnt, data) > 0.85
    assert learnt.probabilities.sum(axis=1) == pytest.approx(np.ones(120))


def test_near_duplicates_are_judged_in_one_fold():
    """Whoever knows the one has no hard time with the other."""
    learnt = Learner([row._replace(group=None) for row in rows()], 2, candidates=PLAIN).learn([(0, 7), (7, 50)])
    assert len({int(learnt.fold[at]) for at in (0, 7, 50)}) == 1


def test_random_labels_are_not_learnt():
    """What is seen in a model's own folds would look right; unseen rows do not."""
    rng = np.random.default_rng(0)
    data = [row._replace(label=int(rng.integers(2))) for row in rows(200)]
    learnt = Learner(data, 2, candidates=PLAIN).learn([])
    assert 0.35 < right(learnt, data) < 0.62


def test_validation_rows_are_judged_and_never_learnt():
    """Words that only they have are no features."""
    proof = [row._replace(text=f"{row.text} xylophone") for row in rows(60, seed=2)]
    learnt = Learner(rows(), 2, proof, candidates=PLAIN).learn([])
    assert learnt.probabilities.shape == (60, 2)
    assert right(learnt, proof) > 0.85
    assert not any("xylophone" in name for name in learnt.known)
    assert len(learnt.fold) == 0


def test_the_threshold_turns_the_wanted_share_away():
    """A tenth of the judged rows lies below it; without a wish, none."""
    learnt = Learner(rows(), 2, candidates=PLAIN, reject=0.1).learn([])
    assert (learnt.probabilities.max(axis=1) < learnt.threshold).sum() == 12
    assert Learner(rows(), 2, candidates=PLAIN, reject=0.0).learn([]).threshold == 0.0


def test_there_are_about_ten_fits():
    """Four ways and three parts by validation; those, four more folds and the whole without."""
    proof = rows(60, seed=2)
    assert Learner(rows(), 2, proof).learn([]).fits == len(CANDIDATES) + 3
    assert Learner(rows(), 2).learn([]).fits == len(CANDIDATES) + 4 + 3 + 1


def test_of_equal_ways_the_simplest_is_taken():
    """Where all are perfect, pieces of words are no gain."""
    data = [Row(f"{word} this thing now {at}", label) for at in range(40) for label, word in enumerate(("plan", "fix"))]
    learnt = Learner(data, 2).learn([])
    assert set(learnt.tried.values()) == {1.0}
    assert learnt.candidate == CANDIDATES[0]


def test_the_learning_curve_rises_to_all_rows_of_the_first_fold():
    """An eighth, a quarter, a half, and all that was not held out."""
    learnt = Learner(rows(400), 2, candidates=PLAIN).learn([])
    counts = [count for count, _ in learnt.curve]
    assert counts == [int(counts[-1] * part) for part in (0.125, 0.25, 0.5, 1.0)]
    assert learnt.curve[-1][1] > learnt.curve[0][1]


def test_a_heavy_row_is_learnt_first():
    """Two rows contradict each other twenty times; the heavier side wins."""
    data = [Row("the same words", label, None, 5.0 if label else 1.0) for label in (0, 1) for _ in range(30)]
    assert Learner(data, 2, data[:2], candidates=PLAIN).learn([]).weights.bias[0] > 0.0


def test_more_than_two_classes_get_a_score_each():
    """And one temperature for all."""
    data = [Row(one["text"], int(one["label"].split()[1])) for one in topics(5, 20)]
    learnt = Learner(data, 5, candidates=PLAIN).learn([])
    assert learnt.weights.bias.shape == (5,)
    assert learnt.offset == 0.0
    assert right(learnt, data) > 0.9


def test_whole_groups_are_left_out_a_second_time_where_that_is_wanted():
    """Words that tell only within a group help in plain folds, and not across groups."""
    data = [Row(f"secret{at % 6} {('no', 'yes')[at % 2]} {at}", (at + at // 2 % 3) % 2) for at in range(180)]
    groups = [str(at % 6) for at in range(180)]
    learnt = Learner(data, 2, candidates=(OUTCOME,), with_sizes=True, apart=groups).learn([])
    assert learnt.apart is not None
    assert learnt.apart.shape == (180, 1)
    assert Learner(data, 2, candidates=(OUTCOME,)).learn([]).apart is None


def test_progress_rises_from_nothing_to_the_whole():
    """And is told often."""
    heard: list[float] = []
    Learner(rows(), 2, told=lambda doing, share: heard.append(share)).learn([])
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0, abs=0.1)
    assert len(heard) > 50


PROGRAM = """
import hashlib, sys
from pointsman.operations.learning.course import Wanted, train
from pointsman.core.classify.model_file import write
from tests.training.rows import as_lines, messages
came = train(as_lines(messages(80)), None, Wanted(seed=int(sys.argv[1]), made="2030-01-01T00:00:00Z", made_by="1"))
print(hashlib.sha256(write(came.stored)).hexdigest())
"""


def bytes_of(seed: int, hash_seed: str) -> str:
    """The hash of the model that a process of its own trains."""
    root = SOURCE.parent
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(seed)],
        env={"PYTHONPATH": f"{SOURCE}{os.pathsep}{root}", "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_model_is_the_same_byte_for_byte_whatever_the_process_hashes_by():
    """Same rows, same seed, same file; another seed may give another one."""
    assert bytes_of(0, "1") == bytes_of(0, "2")
    assert bytes_of(1, "1") != bytes_of(0, "1")
