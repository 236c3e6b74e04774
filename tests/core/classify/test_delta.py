from __future__ import annotations

import math
import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.delta import ALWAYS, MOST_FEATURES, MOST_MOVED, MOST_PARTS, STEP, Delta

FEATURES = st.lists(st.integers(1, 12), min_size=1, max_size=8)
LESSONS = st.lists(
    st.tuples(st.sampled_from("abc"), FEATURES, st.floats(0.0, 1.0), st.integers(0, 1), st.floats(0.05, 1.0)),
    max_size=40,
)


class Reference:
    """AdaGrad with capped parts, feature by feature as in the paper; two classes."""

    def __init__(self) -> None:
        self.parts: dict[tuple[int, str], float] = defaultdict(float)
        self.squares: dict[int, float] = defaultdict(float)

    def learn(self, sender, features, second, right, weight):
        shown = [ALWAYS, *features]
        gradient = (second - right) / math.sqrt(len(shown))
        for number in shown:
            self.squares[number] += weight * gradient**2
            step = STEP * weight * gradient / math.sqrt(1.0 + self.squares[number])
            part = self.parts[number, sender] - step
            self.parts[number, sender] = max(-MOST_MOVED, min(MOST_MOVED, part))

    def add(self, features):
        shown = [ALWAYS, *features]
        of = [part for number in shown for (known, _), part in self.parts.items() if known == number]
        return sum(of) / math.sqrt(len(shown))


@given(LESSONS, FEATURES)
def test_weights_are_those_of_adagrad_with_each_senders_part_capped(lessons, asked):
    """Compared with the formula written out."""
    delta, reference = Delta(1), Reference()
    for sender, features, second, right, weight in lessons:
        delta.learn(sender, features, [1.0 - second, second], right, weight)
        reference.learn(sender, features, second, right, weight)
    assert delta.add(asked).get(0, 0.0) == pytest.approx(reference.add(asked), abs=1e-9)
    for cells in delta.cells.values():
        assert all(abs(part) <= MOST_MOVED for part in cells[0].parts.values())


@given(LESSONS, st.randoms(use_true_random=False))
def test_what_is_taken_back_leaves_no_more_than_a_sender_may_move(lessons, order):
    """Taken back in any order, each part stays within its bound, and a total is the sum of its parts."""
    delta = Delta(1)
    moves = [delta.learn(sender, shown, [1.0 - p, p], right, weight) for sender, shown, p, right, weight in lessons]
    order.shuffle(moves)
    for one in moves[: len(moves) // 2]:
        delta.take_back(one)
    for cells in delta.cells.values():
        for cell in cells.values():
            assert all(abs(part) <= MOST_MOVED for part in cell.parts.values())
            assert cell.total == pytest.approx(math.fsum(cell.parts.values()), abs=1e-9)
            assert cell.gathered >= 0.0


def test_the_last_feedback_taken_back_is_as_if_it_had_not_been():
    """Weights and what steps shrink by, of two classes and of many."""
    for width, odds in ((1, [0.3, 0.7]), (4, [0.1, 0.2, 0.3, 0.4])):
        delta = Delta(width)
        delta.learn("a", [1, 2, 2], odds, 0, 1.0)
        before = {number: {at: (of.total, of.gathered) for at, of in cells.items()} for number, cells in _of(delta)}
        delta.take_back(delta.learn("b", [2, 3], odds, 1, 0.5))
        for number, cells in _of(delta):
            for at, cell in cells.items():
                total, gathered = before.get(number, {}).get(at, (0.0, 0.0))
                assert cell.total == pytest.approx(total, abs=1e-12)
                assert cell.gathered == pytest.approx(gathered, abs=1e-12)


def _of(delta):
    return list(delta.cells.items())


def test_a_first_wholly_wrong_feedback_moves_its_message_by_about_a_step():
    """Whatever the length of the message."""
    for length in (10, 100):
        delta = Delta(1)
        delta.learn("a", list(range(1, length + 1)), [1.0, 0.0], 1, 1.0)
        moved = delta.add(list(range(1, length + 1)))[0]
        assert 0.6 * STEP <= moved <= STEP


def test_of_many_classes_the_right_one_rises_and_its_strongest_rival_falls():
    """The others stay."""
    delta = Delta(4)
    delta.learn("a", [7], [0.1, 0.2, 0.6, 0.1], 1, 1.0)
    added = delta.add([7])
    assert set(added) == {1, 2}
    assert added[1] > 0.0 > added[2]
    sure = Delta(4)
    sure.learn("a", [7], [0.1, 0.2, 0.6, 0.1], 2, 1.0)
    assert sure.add([7])[2] > 0.0 > sure.add([7])[1]


def test_whoever_says_the_same_a_thousand_times_moves_no_weight_farther_than_its_bound():
    """And a second sender goes on from there."""
    delta = Delta(1)
    for _ in range(1_000):
        delta.learn("liar", [1], [1.0, 0.0], 1, 1.0)
    assert delta.cells[1][0].total == MOST_MOVED
    delta.learn("other", [1], [1.0, 0.0], 1, 1.0)
    assert delta.cells[1][0].total > MOST_MOVED


def test_memory_is_bounded_and_what_was_moved_longest_ago_goes_first():
    """A feature that is still in use is kept."""
    delta, rng = Delta(1), random.Random(1)
    times = MOST_PARTS // 400 + 20
    for at in range(times):
        delta.learn("a", [1, *(at * 400 + other + 2 for other in range(400))], [0.5, 0.5], rng.randrange(2), 1.0)
    assert sum(len(of[0].parts) for of in delta.cells.values()) <= MOST_PARTS
    assert {ALWAYS, 1} <= set(delta.cells)
    assert delta.cells[1][0].gathered == pytest.approx(times * 0.25 / 402), "it was never forgotten"
    assert 2 not in delta.cells


def test_of_a_very_long_message_only_the_first_features_are_learnt():
    """One message cannot fill the memory."""
    delta = Delta(1)
    delta.learn("a", list(range(1, 5_000)), [0.5, 0.5], 1, 1.0)
    assert len(delta.cells) == MOST_FEATURES + 1


def test_what_another_has_learnt_can_be_taken_over():
    """It answers the same, and its memory is bounded too."""
    delta = Delta(1)
    delta.learn("a", [1, 2], [0.5, 0.5], 1, 1.0)
    other = Delta(1)
    other.restore(dict(delta.cells))
    assert other.add([1, 2, 3]) == delta.add([1, 2, 3])
    assert other.add([9]) == delta.add([9])
