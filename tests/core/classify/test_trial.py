from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.trial import (
    HIGHEST_BET,
    LEAST_RECENT,
    LEAST_WEIGHT,
    RISK,
    Standing,
    Trial,
    squared_error,
)

ODDS = st.floats(0.01, 0.99).map(lambda p: [1.0 - p, p])
HEARD = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(0.01, 1.0), ODDS, ODDS, st.integers(0, 1)), min_size=1, max_size=60
)
ALONE, BETTER, WORSE = [0.5, 0.5], [0.3, 0.7], [0.7, 0.3]


def teach(trial: Trial, times: int, learnt=BETTER, senders: int = 4, weight: float = 1.0) -> None:
    """Hear that the second class was right, so often, from senders in turn."""
    for at in range(times):
        trial.hear(f"s{at % senders}", weight, ALONE, learnt, 1)


class Gambler:
    """The fortune as in the paper: all bets are worked out anew from the whole past."""

    def __init__(self) -> None:
        self.amounts: list[float] = []
        self.fortune = 1.0

    def hear(self, amount: float) -> None:
        many = len(self.amounts) + 1
        mean = sum(self.amounts) / many
        spread = (0.25 + sum(one * one for one in self.amounts)) / many
        self.fortune *= 1.0 + min(HIGHEST_BET, max(0.0, mean / spread)) * amount
        self.amounts.append(amount)


@given(HEARD)
def test_the_fortune_is_that_of_a_gambler_who_bets_by_what_he_knew_before(heard):
    """It is never lost: no bet is the whole of it."""
    trial, gambler = Trial(), Gambler()
    for sender, weight, alone, learnt, right in heard:
        match = trial.hear(sender, weight, alone, learnt, right)
        assert match.gain == pytest.approx((alone[1] - right) ** 2 - (learnt[1] - right) ** 2, abs=1e-12)
        gambler.hear(weight * match.gain)
    assert math.exp(trial.now.fortune) == pytest.approx(gambler.fortune)
    assert trial.advantage == pytest.approx(sum(gambler.amounts) / sum(weight for _, weight, *_ in heard))


@given(HEARD)
def test_what_is_taken_back_counts_no_more(heard):
    """All sums are those of the others."""
    trial = Trial()
    matches = [trial.hear(*one) for one in heard]
    for match in matches:
        trial.take_back(match)
    now = trial.now
    assert (now.count, trial.senders) == (0, 0)
    for figure in (now.fortune, now.weight, now.gain, now.squares, now.hits):
        assert figure == pytest.approx(0.0, abs=1e-9)


def test_an_advantage_is_used_once_it_is_proven_and_a_hundred_have_spoken():
    """Not before, however clear it is."""
    trial = Trial()
    teach(trial, int(LEAST_WEIGHT) - 1)
    assert trial.now.fortune > trial.needed
    assert not trial.now.in_use
    teach(trial, 1)
    assert trial.now.in_use


def test_feedback_of_little_weight_is_as_much_less_of_a_proof():
    """A hundred by weight, not by number."""
    trial = Trial()
    teach(trial, int(LEAST_WEIGHT) + 50, weight=0.25)
    assert not trial.is_proven


@pytest.mark.parametrize("senders", [1, 2])
def test_fewer_than_three_senders_prove_nothing(senders):
    """However much they say."""
    trial = Trial()
    teach(trial, 1_000, senders=senders)
    assert not trial.now.in_use


def test_an_advantage_that_is_one_senders_alone_is_none():
    """The others see a small loss; together it looks like a gain."""
    trial = Trial()
    for at in range(600):
        trial.hear("one", 1.0, ALONE, [0.1, 0.9], 1)
        trial.hear(f"s{at % 8}", 1.0, ALONE, [0.51, 0.49], 1)
    assert trial.advantage > 0.0
    assert trial.now.fortune > trial.needed
    assert not trial.now.in_use


def test_better_odds_with_fewer_right_classes_are_not_used():
    """What counts in the end is where messages go."""
    trial = Trial()
    for at in range(600):
        sender = f"s{at % 8}"
        if at % 6 == 0:
            trial.hear(sender, 1.0, [0.49, 0.51], [0.51, 0.49], 1)
        else:
            trial.hear(sender, 1.0, [0.4, 0.6], [0.1, 0.9], 1)
    assert trial.now.fortune > trial.needed
    assert not trial.now.in_use


def test_what_is_used_is_dropped_when_it_turns_worse_and_must_be_proven_anew():
    """A new trial begins, and needs more proof than the one before."""
    trial = Trial()
    teach(trial, 150)
    needed = trial.needed
    while trial.now.in_use:
        teach(trial, 1, WORSE)
        assert len(trial.now.recent) <= 200
    assert (trial.now.number, trial.now.count) == (2, 0)
    assert trial.needed > needed
    teach(trial, int(LEAST_WEIGHT))
    assert trial.now.in_use


def test_a_few_bad_words_do_not_drop_what_is_used():
    """There must be some fifty to look at."""
    trial = Trial()
    teach(trial, int(LEAST_WEIGHT))
    teach(trial, LEAST_RECENT - 1, WORSE)
    assert trial.now.in_use
    teach(trial, 1, WORSE)
    assert not trial.now.in_use


def test_whoever_changes_its_mind_again_and_again_cannot_have_it_dropped():
    """What is taken back is no longer among what was heard of late."""
    trial = Trial()
    teach(trial, 200)
    match = trial.hear("liar", 1.0, ALONE, WORSE, 1)
    for _ in range(500):
        trial.take_back(match)
        match = trial.hear("liar", 1.0, ALONE, WORSE, 1)
    assert trial.now.in_use


def test_a_match_of_an_earlier_trial_cannot_be_taken_back_from_this_one():
    """It counts there no more."""
    trial = Trial()
    match = trial.hear("a", 1.0, ALONE, BETTER, 1)
    later = Trial(Standing(number=2))
    later.take_back(match)
    assert later.now == Standing(number=2)


def test_what_has_no_advantage_is_hardly_ever_used_however_often_one_looks():
    """Both are equally far from the truth; of 300 trials of 400 looks each, no more than the risk allows find one."""
    rng = random.Random(5)
    found = 0
    for _ in range(300):
        trial = Trial()
        for at in range(400):
            trial.hear(f"s{at % 8}", 1.0, [0.5, 0.5], [0.4, 0.6], int(rng.random() < 0.55))
            if trial.now.in_use:
                found += 1
                break
    assert found <= 300 * RISK


def test_the_risk_of_all_trials_together_is_bounded():
    """What each may spend adds up to it."""
    spent = sum(math.exp(-Trial(Standing(number=number)).needed) for number in range(1, 2_000))
    assert 0.99 * RISK < spent <= RISK


def test_the_squared_error_is_that_of_brier():
    """0 for the certain truth, 2 for the certain untruth."""
    assert squared_error([0.0, 1.0], 1) == 0.0
    assert squared_error([1.0, 0.0, 0.0], 1) == 2.0
    assert squared_error([0.5, 0.5], 0) == 0.5
