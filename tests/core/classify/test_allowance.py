from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.allowance import (
    BURST,
    LEAST_SHARE,
    MOST_SENDERS,
    MOST_SHARE,
    Allowance,
)

OFFERS = st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0.01, 1.0)), max_size=150)


@given(OFFERS)
def test_a_sender_is_learnt_from_no_more_than_the_others_have_made_room_for(offers):
    """What is granted to one is its burst and a fixed part of what all others offered, in whatever order they came."""
    allowance = Allowance()
    offered, granted = defaultdict[str, float](float), defaultdict[str, float](float)
    for sender, wanted in offers:
        got = allowance.take(sender, wanted)
        assert 0.0 <= got <= wanted
        offered[sender] += wanted
        granted[sender] += got
        others = sum(offered.values()) - offered[sender]
        assert granted[sender] <= BURST + MOST_SHARE / (1.0 - MOST_SHARE) * others + 1e-9


@given(OFFERS, st.floats(0.01, 1.0))
def test_what_is_given_back_is_as_if_it_had_not_been(offers, wanted):
    """Asked again, as much is granted."""
    allowance = Allowance()
    for sender, of in offers:
        allowance.take(sender, of)
    got = allowance.take("a", wanted)
    allowance.give_back("a", wanted, got)
    assert allowance.take("a", wanted) == pytest.approx(got, abs=1e-9)


def test_whoever_is_alone_teaches_nothing_after_its_first_words():
    """However much it says."""
    allowance = Allowance()
    assert sum(allowance.take("a", 1.0) for _ in range(1_000)) == pytest.approx(BURST)


def test_equal_senders_are_learnt_from_in_full():
    """The bound is above an equal share."""
    allowance = Allowance()
    assert sum(allowance.take(f"s{at % 8}", 1.0) for at in range(800)) == pytest.approx(800.0)


def test_a_loud_sender_among_many_is_a_twentieth():
    """It says as much as all forty others together."""
    allowance, loud, others = Allowance(), 0.0, 0.0
    for at in range(4_000):
        others += allowance.take(f"s{at % 40}", 1.0)
        loud += allowance.take("loud", 1.0)
    assert allowance.share == LEAST_SHARE
    assert others == pytest.approx(4_000.0)
    assert loud / (loud + others) == pytest.approx(LEAST_SHARE, abs=0.002)


def test_the_share_lies_between_its_bounds_whatever_the_senders():
    """A fifth of few, a twentieth of many, and half as much again as an equal one between."""
    allowance = Allowance()
    shares = []
    for at in range(60):
        allowance.take(f"s{at}", 1.0)
        shares.append(allowance.share)
    assert shares[0] == shares[6] == MOST_SHARE
    assert shares[9] == pytest.approx(0.15)
    assert shares[-1] == LEAST_SHARE


def test_senders_without_end_are_forgotten_the_silent_ones_first():
    """Memory is bounded."""
    allowance = Allowance()
    for at in range(MOST_SENDERS + 50):
        allowance.take("kept", 0.001)
        allowance.take(f"s{at}", 1.0)
    assert len(allowance) == MOST_SENDERS
    allowance.give_back("s0", 1.0, 1.0)
    assert len(allowance) == MOST_SENDERS


def test_what_is_given_back_never_fills_a_bucket_above_its_rim():
    """It was filled by others in the meantime."""
    allowance = Allowance()
    got = allowance.take("a", 1.0)
    for at in range(100):
        allowance.take(f"s{at % 9}", 1.0)
    allowance.take("a", 0.5)
    allowance.give_back("a", 1.0, got)
    assert sum(allowance.take("a", 1.0) for _ in range(20)) == pytest.approx(BURST)
