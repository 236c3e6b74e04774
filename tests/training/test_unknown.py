from __future__ import annotations

import pytest

from pointsman.training.unknown import unknown_share


def test_a_word_is_known_that_stands_twice_in_what_was_learnt():
    """Each word of a message counts once; breaks are no words."""
    learnt = ["fix the typo", "fix the line. the line", "plan"]
    assert unknown_share(learnt, ["fix the garden, fix the line", "plan"], []) == pytest.approx((2 / 4 + 1) / 2)


def test_of_folds_only_the_others_are_known():
    """What stands in one's own fold was not seen by the model that judged it."""
    texts = ["fix it", "fix it", "fix it", "plan all"]
    assert unknown_share(texts, texts, [0, 0, 1, 1]) == pytest.approx((1 + 1 + 0 + 1) / 4)
    assert unknown_share(texts, texts, [0, 1, 2, 3]) == pytest.approx(1 / 4)


def test_nothing_is_no_share():
    """Neither no texts, nor one without words."""
    assert unknown_share([], [], []) == 0.0
    assert unknown_share(["", ""], [""], []) == 0.0
