from __future__ import annotations

import numpy as np
import pytest

from pointsman.core.classify.linear import LinearModel
from pointsman.training.dataset import Labelled
from pointsman.training.evaluation import Judged, LabelsUnknown, figures, judge, outcome_figures

MODEL = LinearModel(["no", "yes"], {"good": 3.0, "bad": -3.0}, [0.0])
ROWS = [
    Labelled("good", "yes"),
    Labelled("bad", "no"),
    Labelled("good", "no"),
    Labelled("unheard of", "yes"),
    Labelled("strange", None),
    Labelled("good but strange", None),
]


def judged(threshold: float = 0.7) -> Judged:
    """What the model says of the rows."""
    return judge(MODEL, threshold, ROWS, lambda tokens: ())


def test_rows_are_judged_by_the_model_in_use():
    """One known word of weight three; nothing known is a half."""
    sure = 1 / (1 + np.exp(-3.0))
    assert judged().probabilities[:, 1] == pytest.approx([sure, 1 - sure, sure, 0.5, 0.5, sure])
    assert judged().truth.tolist() == [1, 0, 0, 1, -1, -1]


def test_figures_by_hand():
    """Of four in scope two are right, three above the threshold; of two out of scope one falls below it."""
    found = figures(judged())
    assert found["accuracy"] == 0.5
    assert found["accuracy_at_reject"] == 0.5
    assert found["oos_recall"] == 0.5
    assert found["rejected_share"] == 0.25
    assert (found["n"], found["n_out_of_scope"]) == (4, 2)
    assert found["auroc"] == pytest.approx((0.5 + 1.0 + 0.0 + 1.0) / 4)
    assert found["per_class"]["yes"] == {"recall": 0.5, "precision": 0.5, "n": 2}
    assert found["oos_auroc"] == pytest.approx((3 * 1.5 + 0.5) / 8, abs=0.07)  # a tie may hang on the last bit


def test_what_there_are_no_rows_for_is_not_measured():
    """None, and never 0 or NaN, which JSON does not know."""
    found = figures(judge(MODEL, 0.7, ROWS[:1], lambda tokens: ()))
    assert (found["oos_recall"], found["auroc"], found["per_class"]["no"]["recall"]) == (None, None, None)
    nothing = figures(judge(MODEL, 0.7, ROWS[4:], lambda tokens: ()))
    assert (nothing["accuracy"], nothing["ece"], nothing["n"]) == (None, None, 0)


def test_a_label_in_another_case_is_named():
    """With the classes that there are."""
    with pytest.raises(LabelsUnknown, match=r"1 labels are no class .* 'Yes'; its classes are 'no', 'yes'; case"):
        judge(MODEL, 0.5, [Labelled("x", "Yes")], lambda tokens: ())


def test_outcomes_are_set_beside_length_and_chance():
    """A perfect order recovers more than all of the gap; length here runs against it."""
    rows = [Labelled("x" * (9 - at), None, None, 1.0, at < 6, at != 2) for at in range(8)]
    gain = np.array(
        [float(not row.weak_ok and row.strong_ok) - float(row.weak_ok and not row.strong_ok) for row in rows]
    )
    found = outcome_figures(gain, rows, np.random.default_rng(0))
    assert found["apgr"] > 1.0 > 0.5 > found["apgr_length"]
    assert (found["weak_ok"], found["strong_ok"], found["n"]) == (0.75, 0.875, 8)
    assert found["recovery"][0] == (0.0, 0.75)
    assert found["recovery"][-1] == (1.0, 0.875)
