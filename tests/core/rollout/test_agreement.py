"""How well two routers agree on classes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.rollout.agreement import CLASSES_MAX, OTHER, Agreement, wilson


def of(*pairs: tuple[str, str, int]) -> Agreement:
    """Return the agreement of so many messages of each pair."""
    agreement = Agreement()
    for legacy, candidate, count in pairs:
        for _ in range(count):
            agreement.add(legacy, candidate)
    return agreement


def test_kappa_of_a_known_table() -> None:
    """The textbook table 20, 5, 10, 15: observed 0.7, by chance 0.5, kappa 0.4."""
    view = of(("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15)).view()
    assert (view.messages, view.agreed) == (50, 35)
    assert view.share == pytest.approx(0.7)
    assert view.kappa == pytest.approx(0.4)
    assert view.matrix == {"yes": {"yes": 20, "no": 5}, "no": {"yes": 10, "no": 15}}


def test_agreement_of_each_class_has_its_interval() -> None:
    """Per class of the old router, by its own messages."""
    view = of(("a", "a", 9), ("a", "b", 1), ("b", "b", 1)).view()
    first, second = view.classes
    assert (first.message_class, first.messages, first.agreed, first.share) == ("a", 10, 9, 0.9)
    assert (first.low, first.high) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert (second.message_class, second.share, second.high) == ("b", 1.0, 1.0)
    assert second.low == pytest.approx(0.2065, abs=1e-4)


def test_nothing_seen_says_nothing() -> None:
    """Without messages there is no share and no kappa."""
    view = Agreement().view()
    assert (view.messages, view.share, view.kappa, view.classes) == (0, None, None, [])


def test_one_class_only_has_no_kappa() -> None:
    """Where both always say the same one thing, agreement cannot be told from chance."""
    view = of(("a", "a", 100)).view()
    assert (view.share, view.kappa) == (1.0, None)


def test_names_without_end_are_counted_as_other_and_never_agree() -> None:
    """A legacy that invents a class for each message fills no memory, and `other` is no class."""
    agreement = Agreement()
    for number in range(10_000):
        agreement.add(f"class-{number}", f"class-{number}")
    view = agreement.view()
    assert view.messages == 10_000
    assert len(view.matrix) == CLASSES_MAX + 1
    assert view.agreed == CLASSES_MAX
    assert view.matrix[OTHER][OTHER] == 10_000 - CLASSES_MAX


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_stays_within_bounds(of: int, data: st.DataObject) -> None:
    """The interval is one of shares, around the one seen."""
    good = data.draw(st.integers(0, of))
    low, high = wilson(good, of)
    assert 0.0 <= low <= good / of + 1e-12
    assert good / of - 1e-12 <= high <= 1.0
    assert low < high


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=60))
def test_the_view_adds_up(pairs: list[tuple[str, str]]) -> None:
    """Matrix, classes and totals are one count, and kappa is at most the share."""
    agreement = Agreement()
    for pair in pairs:
        agreement.add(*pair)
    view = agreement.view()
    assert sum(sum(row.values()) for row in view.matrix.values()) == view.messages == len(pairs)
    assert sum(one.agreed for one in view.classes) == view.agreed == sum(a == b for a, b in pairs)
    assert view.share is not None
    assert view.kappa is None or -1.0 - 1e-9 <= view.kappa <= view.share + 1e-9
