from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.flood import FloodDetector, fingerprint
from pointsman.model.errors import UsageError

HELLO = fingerprint("hello")


def test_the_eleventh_copy_is_refused():
    """Ten identical messages at once pass, the next does not."""
    detector = FloodDetector(10, 6.0, 1000)
    assert [detector.check("a", HELLO, 1e6) for _ in range(10)] == [0.0] * 10
    assert detector.check("a", HELLO, 1e6) == pytest.approx(12.0)


def test_a_flooder_gets_nothing_through_while_it_goes_on():
    """Five copies a second for ten minutes: ten pass, all the others are refused."""
    detector = FloodDetector(10, 6.0, 1000)
    passed = sum(detector.check("a", HELLO, number / 5.0) == 0.0 for number in range(3000))
    assert passed == 10


def test_a_flooder_is_served_again_soon_after_it_stops():
    """However long the flood was, a copy is accepted within 60 s of its end: here after 12 s, and not before."""
    detector = FloodDetector(10, 6.0, 1000)
    for number in range(10_000):
        detector.check("a", HELLO, number / 10.0)
    stopped_at = 999.9
    assert detector.check("a", fingerprint("something else"), stopped_at) == 0.0
    assert detector.check("a", HELLO, stopped_at + 12.0) == 0.0


def test_the_wait_is_exact():
    """A copy that comes a moment before the end of the wait is refused, one at its end is not."""
    early, punctual = (FloodDetector(3, 10.0, 100) for _ in range(2))
    for detector in (early, punctual):
        assert [detector.check("a", HELLO, second) for second in (0.0, 1.0, 2.0)] == [0.0] * 3
        assert detector.check("a", HELLO, 3.0) == pytest.approx(17.0)
    assert early.check("a", HELLO, 3.0 + 16.99) > 0.0
    assert punctual.check("a", HELLO, 3.0 + 17.0) == 0.0


def test_a_heartbeat_is_no_flood():
    """The same text every 30 s, for a day, is never refused."""
    detector = FloodDetector(10, 6.0, 1000)
    assert all(detector.check("a", HELLO, number * 30.0) == 0.0 for number in range(2880))


def test_copies_at_the_rate_of_the_leak_are_no_flood():
    """One copy in each `leak_s` may go on for ever, even after a burst."""
    detector = FloodDetector(10, 6.0, 1000)
    for _ in range(10):
        detector.check("a", HELLO, 0.0)
    assert all(detector.check("a", HELLO, number * 6.0) == 0.0 for number in range(1, 1000))


def test_silence_earns_no_credit():
    """After a day without copies ten pass, not more."""
    detector = FloodDetector(10, 6.0, 1000)
    for began_at in (0.0, 86_400.0):
        assert [detector.check("a", HELLO, began_at) for _ in range(10)] == [0.0] * 10
        assert detector.check("a", HELLO, began_at) > 0.0


def test_clients_never_count_against_each_other():
    """A thousand clients send the same text at once, and one of them floods: nobody else is refused."""
    detector = FloodDetector(10, 6.0, 100_000)
    for _ in range(100):
        detector.check("flooder", HELLO, 0.0)
    for second in range(0, 120, 30):
        for number in range(1000):
            assert detector.check(f"client {number}", HELLO, float(second)) == 0.0


def test_different_texts_do_not_count_together():
    """A client may send as many different messages as its rate allows."""
    detector = FloodDetector(10, 6.0, 10_000)
    assert all(detector.check("a", fingerprint(f"message {number}"), 0.0) == 0.0 for number in range(5000))


class ReferenceCounter:
    """A leaky counter with a cap, in exact arithmetic."""

    def __init__(self, copies: int, leak_s: float) -> None:
        self.copies, self.leak_s = copies, Fraction(leak_s)
        self.count, self.at = Fraction(0), Fraction(0)

    def check(self, now: float) -> Fraction:
        self.count = max(Fraction(0), self.count - (Fraction(now) - self.at) / self.leak_s)
        self.at = Fraction(now)
        self.count = min(self.count + 1, Fraction(self.copies + 1))
        if self.count <= self.copies:
            return Fraction(0)
        return (self.count - self.copies + 1) * self.leak_s


@given(
    st.integers(1, 12),
    st.sampled_from([0.5, 1.0, 6.0, 60.0]),
    st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 2), st.integers(0, 80)),
        max_size=150,
    ),
    st.sampled_from([0.0, 1024.0, 1e7]),
)
def test_it_counts_like_one_leaky_counter_for_each_client_and_text(copies, leak_s, calls, began_at):
    """Every answer equals that of an exact counter, with a table that is just large enough."""
    detector = FloodDetector(copies, leak_s, 12)
    reference: dict[tuple[str, int], ReferenceCounter] = {}
    now = began_at
    for client, text, eighths in calls:
        now += eighths / 8.0
        counter = reference.setdefault((client, text), ReferenceCounter(copies, leak_s))
        expected = float(counter.check(now))
        assert detector.check(client, text, now) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_it_tracks_a_bounded_number_of_fingerprints():
    """A stream of different messages leaves at most `max_tracked` behind."""
    detector = FloodDetector(10, 6.0, 64)
    for number in range(2000):
        detector.check("a", number, 0.0)
        assert detector.tracked <= 64


def test_a_flood_is_seen_in_a_crowd():
    """Copies are counted as long as fewer than half of the tracked fingerprints come between two of them."""
    detector = FloodDetector(10, 6.0, 1000)
    passed = 0
    for copy in range(200):
        passed += detector.check("flooder", HELLO, 0.0) == 0.0
        for number in range(400):
            detector.check("others", copy * 1000 + number, 0.0)
    assert passed == 10


def test_resize_keeps_the_counts():
    """After a reload a flooder is still one, by the new limit."""
    detector = FloodDetector(10, 6.0, 1000)
    for _ in range(8):
        detector.check("a", HELLO, 100.0)
    detector.resize(9, 1.0, 106.0)
    assert [detector.check("a", HELLO, 106.0) for _ in range(2)] == [0.0, 0.0]
    assert detector.check("a", HELLO, 106.0) == pytest.approx(2.0)


def test_resize_to_fewer_copies_shuts_nobody_out_for_longer():
    """A count above the new limit is cut to what a flood has at most."""
    detector = FloodDetector(100, 6.0, 1000)
    for _ in range(100):
        detector.check("a", HELLO, 0.0)
    detector.resize(2, 6.0, 0.0)
    assert detector.check("a", HELLO, 12.0) == 0.0


def test_a_fingerprint_is_equal_for_equal_texts_and_fits_64_bits():
    """Equality of texts is equality of fingerprints; the number is a machine word."""
    assert fingerprint("status?") == fingerprint("STATUS?".lower())
    assert fingerprint("status?") != fingerprint("status")
    assert -(2**63) <= fingerprint("x" * 100_000) < 2**63


@pytest.mark.parametrize(("copies", "leak_s"), [(0, 6.0), (-1, 6.0), (10, 0.0), (10, -1.0), (10, float("nan"))])
def test_impossible_limits_are_refused(copies, leak_s):
    """No copies at all, or no leak, is an error, at the start and at a reload."""
    with pytest.raises(UsageError, match="expected"):
        FloodDetector(copies, leak_s, 10)
    with pytest.raises(UsageError, match="expected"):
        FloodDetector(10, 6.0, 10).resize(copies, leak_s, 0.0)
