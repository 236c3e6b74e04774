from __future__ import annotations

from fractions import Fraction
from math import inf, ulp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.bucket import TokenBucket
from pointsman.model.errors import UsageError


class ReferenceBucket:
    """A token bucket as in the books, in exact arithmetic: a level and the instant it was true."""

    def __init__(self, rate_per_min: int, burst: int) -> None:
        self.rate = Fraction(rate_per_min, 60)
        self.burst = Fraction(burst)
        self.tokens = self.burst
        self.at = Fraction(0)

    def pour(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (Fraction(now) - self.at) * self.rate)
        self.at = Fraction(now)

    def take(self, now: float, cost: float) -> bool:
        self.pour(now)
        if self.tokens < Fraction(cost):
            return False
        self.tokens -= Fraction(cost)
        return True

    def refund(self, now: float, cost: float) -> None:
        self.pour(now)
        self.tokens = min(self.burst, self.tokens + Fraction(cost))


def test_a_burst_is_admitted_at_once_and_the_next_waits_for_one_token():
    """100 a minute with a burst of 20: twenty at once, the next in 0.6 s."""
    bucket = TokenBucket(100, 20, 1000)
    assert [bucket.take("a", 1e6) for _ in range(20)] == [0.0] * 20
    assert bucket.take("a", 1e6) == pytest.approx(0.6, abs=1e-6)
    assert bucket.take("a", 1e6 + 0.6) == 0.0
    assert bucket.take("a", 1e6 + 0.6) > 0.0


def test_a_refusal_takes_nothing():
    """However often a key is refused, it waits no longer than for its next token."""
    bucket = TokenBucket(60, 1, 10)
    assert bucket.take("a", 0.0) == 0.0
    assert [bucket.take("a", 0.5) for _ in range(100)] == pytest.approx([0.5] * 100)
    assert bucket.take("a", 1.0) == 0.0


def test_keys_do_not_share_a_bucket():
    """What one client uses up is not missing for another."""
    bucket = TokenBucket(60, 2, 10)
    assert [bucket.take("a", 0.0) for _ in range(2)] == [0.0, 0.0]
    assert bucket.take("a", 0.0) > 0.0
    assert [bucket.take("b", 0.0) for _ in range(2)] == [0.0, 0.0]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "refund"]),
        st.floats(0.0, 30.0),
        st.sampled_from([1.0, 1.0, 1.0, 2.5, 0.25]),
    ),
    max_size=120,
)


@given(st.integers(1, 2_000), st.integers(1, 50), STEPS, st.floats(0.0, 1e7))
def test_it_decides_like_a_token_bucket(rate_per_min, burst, steps, began_at):
    """Every decision equals that of a token bucket in exact arithmetic, but within a millionth of a token."""
    bucket, reference = TokenBucket(rate_per_min, burst, 10), ReferenceBucket(rate_per_min, burst)
    now = began_at
    for verb, step, cost in steps:
        now += step
        if verb == "refund":
            bucket.refund("a", now, cost)
            reference.refund(now, cost)
            continue
        reference.pour(now)
        close = abs(float(reference.tokens) - cost) < 1e-5
        admitted = bucket.take("a", now, cost) == 0.0
        if close:
            if admitted:
                reference.tokens = max(Fraction(0), reference.tokens - Fraction(cost))
        else:
            assert admitted == reference.take(now, cost)


@given(
    st.integers(1, 60_000_000),
    st.integers(1, 1000),
    st.floats(0.0, 1e7),
    st.lists(st.floats(0.1, 1.0), min_size=1, max_size=5),
)
def test_the_wait_is_enough_and_not_too_long(rate_per_min, burst, now, costs):
    """Who waits as long as it was told is admitted; who waits a thousandth of a token less is not."""
    bucket = TokenBucket(rate_per_min, burst, 10)
    assert bucket.take("a", now, float(burst)) == 0.0
    for cost in costs:
        wait_s = bucket.take("a", now, cost)
        assert wait_s > 0.0
        early = now + wait_s - max(0.06 / rate_per_min, 8.0 * ulp(now))
        if early > now:
            assert bucket.take("a", early, cost) > 0.0
        now += wait_s
        assert bucket.take("a", now, cost) == 0.0


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=200), st.integers(30, 600), st.integers(1, 10))
def test_no_span_admits_more_than_burst_and_rate_allow(gaps, rate_per_min, burst):
    """Between any two instants at most `burst + rate * span` is admitted."""
    bucket = TokenBucket(rate_per_min, burst, 10)
    now, admitted = 0.0, []
    for gap in gaps:
        now += gap
        for _ in range(3):
            if bucket.take("a", now) == 0.0:
                admitted.append(now)
    for first, begin in enumerate(admitted):
        for last in range(first, len(admitted)):
            span = admitted[last] - begin
            assert last - first + 1 <= burst + rate_per_min / 60.0 * span + 1e-5


@pytest.mark.parametrize("rate_per_min", [1, 100, 7_777_777, 1_000_000_000])
def test_the_long_run_rate_has_no_drift(rate_per_min):
    """A key that asks all the time gets its rate to the token, from one a minute to a billion."""
    bucket = TokenBucket(rate_per_min, 10, 10)
    began_at = now = 5e6
    admitted = 0
    for _ in range(20_000):
        admitted += bucket.take("a", now) == 0.0
        now += 60.0 / rate_per_min / 3.0
    assert admitted == pytest.approx(10 + (now - began_at) * rate_per_min / 60.0, abs=2.0)


def test_more_than_the_bucket_holds_is_never_admitted():
    """No wait helps where the cost is larger than the burst, and the answer says so."""
    bucket = TokenBucket(60, 5, 10)
    assert bucket.take("a", 0.0, 5.5) == inf
    assert bucket.take("a", 0.0, 5.0) == 0.0


def test_a_refund_puts_back_what_was_taken():
    """A message refused elsewhere costs its client nothing."""
    bucket = TokenBucket(60, 2, 10)
    for _ in range(50):
        assert bucket.take("a", 10.0) == 0.0
        bucket.refund("a", 10.0)
    assert bucket.peek("a", 10.0) == 2.0


def test_a_refund_never_fills_over_the_brim():
    """Refunds to a full or unknown bucket are lost."""
    bucket = TokenBucket(60, 2, 10)
    bucket.refund("stranger", 10.0, 5.0)
    assert bucket.tracked == 0
    bucket.take("a", 10.0)
    bucket.refund("a", 10.0, 100.0)
    assert [bucket.take("a", 10.0) for _ in range(2)] == [0.0, 0.0]
    assert bucket.take("a", 10.0) > 0.0


def test_peek_changes_nothing():
    """Looking at a bucket neither fills it nor makes it known."""
    bucket = TokenBucket(60, 10, 10)
    assert bucket.peek("a", 100.0) == 10.0
    assert bucket.tracked == 0
    bucket.take("a", 100.0, 4.0)
    assert bucket.peek("a", 100.0) == 6.0
    assert bucket.peek("a", 101.0) == 7.0
    assert bucket.peek("a", 1000.0) == 10.0
    assert bucket.peek("a", 0.0) == 0.0


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0.0, 20.0)), max_size=150))
def test_forgetting_idle_keys_changes_no_decision(calls):
    """A table with room for twice the keys decides like one that never forgets."""
    small, large = TokenBucket(100, 5, 10), TokenBucket(100, 5, 1_000_000)
    large._full_at._lifetime_s = inf
    now = 0.0
    for key, step in calls:
        now += step
        assert small.take(key, now) == large.take(key, now)


def test_a_bucket_is_remembered_until_it_is_full():
    """While others come and go, a key that used up its burst is not forgotten before it has all of it back."""
    bucket = TokenBucket(60, 10, 1000)
    bucket.take("a", 100.0, 10.0)
    for second in range(1, 10):
        bucket.take(f"other {second}", 100.0 + second)
        assert bucket.peek("a", 100.0 + second) == pytest.approx(second)


def test_it_tracks_a_bounded_number_of_keys():
    """However many clients pass by, no more than `max_keys` are remembered."""
    bucket = TokenBucket(100, 20, 100)
    for number in range(5_000):
        bucket.take(f"client {number}", 1.0)
        assert bucket.tracked <= 100


def test_a_busy_key_keeps_its_limit_among_a_crowd():
    """A client at 1,000/s among 100 others for each of its calls gets exactly burst and rate, not more."""
    bucket = TokenBucket(100, 20, 1_000)
    admitted = 0
    for call in range(2_000):
        now = call / 1000.0
        admitted += bucket.take("hot", now) == 0.0
        for other in range(20):
            bucket.take(f"{call}/{other}", now)
    assert admitted == 20 + int(1.999 * 100 / 60)


def test_resize_keeps_what_was_used():
    """A new rate or burst is no amnesty: tokens that were taken stay taken, and come back at the new rate."""
    bucket = TokenBucket(60, 20, 10)
    bucket.take("a", 100.0, 20.0)
    bucket.resize(600, 30, 105.0)
    assert bucket.peek("a", 105.0) == pytest.approx(15.0)
    assert bucket.peek("a", 106.0) == pytest.approx(25.0)
    assert bucket.peek("new", 106.0) == 30.0


def test_resize_to_a_smaller_bucket_leaves_nobody_in_debt():
    """Who had used more than the new bucket holds waits for one token, not for all of them."""
    bucket = TokenBucket(60, 20, 10)
    bucket.take("a", 100.0, 20.0)
    bucket.resize(60, 2, 100.0)
    assert bucket.take("a", 100.0) == pytest.approx(1.0, abs=1e-6)


def test_resize_to_a_slower_rate_does_not_forget_early():
    """A bucket that now takes longer to fill is remembered for longer."""
    bucket = TokenBucket(6000, 10, 100)
    bucket.take("a", 100.0, 10.0)
    bucket.resize(60, 10, 100.0)
    for second in range(1, 9):
        bucket.take(f"other {second}", 100.0 + second)
        assert bucket.peek("a", 100.0 + second) == pytest.approx(second)


@pytest.mark.parametrize(
    ("rate_per_min", "burst"), [(0, 1), (-1, 1), (2e9, 1), (60, 0.5), (60, inf), (float("nan"), 1)]
)
def test_impossible_limits_are_refused(rate_per_min, burst):
    """Rates of 0, above 1e9 and buckets smaller than a message are errors, at the start and at a reload."""
    with pytest.raises(UsageError, match="expected"):
        TokenBucket(rate_per_min, burst, 10)
    bucket = TokenBucket(60, 3, 10)
    with pytest.raises(UsageError, match="expected"):
        bucket.resize(rate_per_min, burst, 0.0)
    assert bucket.peek("a", 0.0) == 3.0
