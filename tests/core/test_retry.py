from __future__ import annotations

import random
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.retry import after, counts
from pointsman.model.message import REDELIVER, Envelope, Message
from pointsman.model.outcome import (
    Ack,
    AttemptRecord,
    Cause,
    Dead,
    Delivered,
    Expire,
    Expired,
    Fail,
    Failed,
    Failure,
    RetryIn,
    Settlement,
)
from pointsman.model.settings import RetrySettings

POLICY = RetrySettings(max_attempts=3, base_s=0.2, max_s=30.0, jitter_share=0.5)

# Every failure, by what was sent and what may be done twice. F: failed. U: dead, outcome unknown. N: dead, not
# redeliverable. r: again, counted. f: again, free. The last column is any attempt of which the sender saw a part.
TABLE = {
    #                        not sent                  sent                      started
    #                        always  unsent  never     always  unsent  never
    "message_fault":        ("F",    "F",    "F",      "F",    "F",    "F",      "F"),
    "worker_error":         ("r",    "r",    "N",      "r",    "N",    "N",      "U"),
    "worker_unreachable":   ("r",    "r",    "N",      "r",    "U",    "U",      "U"),
    "worker_closed":        ("r",    "r",    "N",      "r",    "U",    "U",      "U"),
    "worker_timeout":       ("r",    "r",    "N",      "r",    "U",    "U",      "U"),
    "worker_garbage":       ("r",    "r",    "N",      "r",    "U",    "U",      "U"),
    "worker_busy":          ("f",    "f",    "f",      "f",    "f",    "f",      "U"),
    "worker_left":          ("f",    "f",    "f",      "r",    "U",    "U",      "U"),
    "breaker_open":         ("f",    "f",    "f",      "r",    "U",    "U",      "U"),
    "no_worker":            ("f",    "f",    "f",      "r",    "U",    "U",      "U"),
    "lease_lost":           ("r",    "r",    "N",      "r",    "U",    "U",      "U"),
    "router_error":         ("r",    "r",    "N",      "r",    "U",    "U",      "U"),
}  # fmt: skip

CASES = [
    (Failure(reason), sent, started, redeliver, row[6 if started else 3 * sent + column])
    for reason, row in TABLE.items()
    for sent, started, (column, redeliver) in product((False, True), (False, True), enumerate(REDELIVER))
]
AGAIN = [case for case in CASES if case[4] in "rf"]


def envelope(*, redeliver: str = "always", tries: int = 1, expires_at: float = 1e9) -> Envelope:
    """A message of which `tries` of three attempts have been made."""
    return Envelope(
        id="0" * 32,
        message=Message(text="hello"),
        client="a",
        received_at=0.0,
        received_wall=0.0,
        expires_at=expires_at,
        redeliver=redeliver,
        max_attempts=3,
        tries=tries,
        attempt=tries,
    )


def settle(outcome: Failed, message: Envelope, policy: RetrySettings = POLICY, now: float = 100.0) -> Settlement:
    """Settle with an rng of its own."""
    return after(outcome, message, policy, now, random.Random(1))


def delay_of(settlement: Settlement) -> float:
    """The delay of what must be a retry."""
    assert isinstance(settlement, RetryIn)
    return settlement.delay_s


def test_the_table_is_closed():
    """Each failure has a row, and each combination is tested."""
    assert set(TABLE) == set(Failure)
    assert len(CASES) == len(Failure) * 2 * 2 * len(REDELIVER)


@pytest.mark.parametrize(("reason", "sent", "started", "redeliver", "expected"), CASES)
def test_each_failure_has_its_settlement(reason, sent, started, redeliver, expected):
    """The first attempt of three is settled as the table says."""
    settlement = settle(Failed(reason, "details", sent=sent, started=started), envelope(redeliver=redeliver))
    match settlement:
        case Fail():
            got = "F"
        case Dead(Cause.OUTCOME_UNKNOWN):
            got = "U"
        case Dead(Cause.NOT_REDELIVERABLE):
            got = "N"
        case RetryIn():
            got = "again"
        case _:
            got = repr(settlement)
    assert got == ("again" if expected in "rf" else expected)


@pytest.mark.parametrize(("reason", "sent", "started", "redeliver", "expected"), CASES)
def test_an_attempt_counts_unless_it_was_free(reason, sent, started, redeliver, expected):
    """Only what is tried again for free does not count; how it is settled otherwise makes no difference."""
    assert counts(Failed(reason, "details", sent=sent, started=started)) == (expected != "f")


@pytest.mark.parametrize(("reason", "sent", "started", "redeliver", "expected"), AGAIN)
def test_only_counted_attempts_are_used_up(reason, sent, started, redeliver, expected):
    """At `max_attempts` a counted failure ends the message; a free one never does, however many there were."""
    outcome = Failed(reason, "details", worker="w1", sent=sent, started=started)
    for tries in (3, 4, 1000):
        settlement = settle(outcome, envelope(redeliver=redeliver, tries=tries))
        if expected == "f":
            assert isinstance(settlement, RetryIn)
        else:
            assert isinstance(settlement, Dead)
            assert settlement.cause is Cause.ATTEMPTS_USED_UP
            assert f"{reason.value} at worker w1: details" in settlement.detail


def test_a_delivered_attempt_is_acknowledged():
    """An answer ends the message, whatever came before; it counts as an attempt."""
    assert after(Delivered("w1"), envelope(tries=3), POLICY, 0.0, random.Random(1)) == Ack()
    assert counts(Delivered("w1"))


def test_an_expired_attempt_is_expired():
    """A message whose time ended before a worker had it ends expired, and no attempt was made."""
    assert after(Expired(), envelope(), POLICY, 0.0, random.Random(1)) == Expire()
    assert not counts(Expired())


def test_a_message_at_fault_keeps_the_workers_words():
    """What the worker said about the message reaches the dead letter."""
    assert settle(Failed(Failure.MESSAGE_FAULT, "text is empty", sent=True), envelope()) == Fail("text is empty")


@given(st.integers(1, 99), st.floats(0.01, 10.0), st.floats(0.01, 100.0), st.floats(0.0, 1.0), st.integers(0, 99))
def test_the_back_off_doubles_up_to_its_longest(tries, base_s, max_s, jitter_share, seed):
    """The delay is between its un-jittered length and that less the random share."""
    policy = RetrySettings(max_attempts=100, base_s=base_s, max_s=max_s, jitter_share=jitter_share)
    message = envelope(tries=tries)
    message.max_attempts = 100
    outcome = Failed(Failure.WORKER_ERROR, "500")
    delay_s = delay_of(after(outcome, message, policy, 0.0, random.Random(seed)))
    longest = min(max_s, base_s * 2.0 ** (tries - 1))
    assert longest * (1.0 - jitter_share) - 1e-9 <= delay_s <= longest + 1e-9


def test_the_jitter_is_spread_over_its_share():
    """Delays of many messages that failed together reach both ends of the range."""
    rng = random.Random(1)
    outcome = Failed(Failure.WORKER_ERROR, "500")
    delays = [delay_of(after(outcome, envelope(), POLICY, 0.0, rng)) for _ in range(1000)]
    assert 0.1 <= min(delays) < 0.101
    assert 0.199 < max(delays) <= 0.2


def test_a_worker_may_ask_for_a_longer_wait_but_not_for_a_shorter_one():
    """`Retry-After` is a lower bound of the back-off, even above `max_s`."""
    steady = msgspec.structs.replace(POLICY, jitter_share=0.0)
    for wish_s, expected in ((None, 0.2), (0.0, 0.2), (0.1, 0.2), (5.0, 5.0), (100.0, 100.0)):
        assert (
            delay_of(settle(Failed(Failure.WORKER_ERROR, "503", retry_after_s=wish_s), envelope(), steady)) == expected
        )


@given(st.floats(-10.0, 100.0), st.floats(0.0, 1000.0), st.sampled_from(list(Failure)))
def test_a_retry_is_never_later_than_the_message_expires(left_s, wish_s, reason):
    """What cannot be tried in time waits for its end, and is ended as expired by the engine, not here."""
    settlement = settle(Failed(reason, "x", retry_after_s=wish_s), envelope(expires_at=100.0 + left_s))
    if reason is Failure.MESSAGE_FAULT:
        assert isinstance(settlement, Fail)
    else:
        assert 0.0 <= delay_of(settlement) <= max(0.0, left_s) + 1e-9


def record(number: int, result: str) -> AttemptRecord:
    """An attempt that came to `result`."""
    return AttemptRecord(number=number, pool="p", worker="w", result=result, queued_s=0.0, took_s=0.0)


@pytest.mark.parametrize("already_written", [False, True])
def test_busy_workers_are_asked_less_often_the_longer_they_are_busy(already_written):
    """The back-off grows with busy answers in a row, and begins anew after anything else."""
    steady = msgspec.structs.replace(POLICY, jitter_share=0.0)
    message = envelope()
    delays = []
    results = ["worker_busy"] * 4 + ["worker_error"] + ["worker_busy"] * 2
    for number, result in enumerate(results, start=1):
        message.attempt = number
        if already_written:
            message.trail.append(record(number, result))
        delays.append(delay_of(settle(Failed(Failure(result), "x"), message, steady)))
        if not already_written:
            message.trail.append(record(number, result))
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6, 0.2, 0.2, 0.4])


def test_a_busy_worker_that_names_a_time_is_believed():
    """After many busy answers, a `Retry-After` of one second means one second; of zero, the first back-off."""
    steady = msgspec.structs.replace(POLICY, jitter_share=0.0)
    message = envelope()
    message.trail = [record(number, "worker_busy") for number in range(1, 11)]
    message.attempt = 11
    assert delay_of(settle(Failed(Failure.WORKER_BUSY, "429", retry_after_s=1.0), message, steady)) == 1.0
    assert delay_of(settle(Failed(Failure.WORKER_BUSY, "429", retry_after_s=0.0), message, steady)) == 0.2
    assert delay_of(settle(Failed(Failure.WORKER_BUSY, "429"), message, steady)) == 30.0


@pytest.mark.parametrize("already_written", [False, True])
def test_after_the_first_silence_the_next_worker_gets_it_at_once(already_written):
    """The time-out was wait enough; a second silence is a pattern, and backs off like any failure."""
    steady = msgspec.structs.replace(POLICY, jitter_share=0.0)
    message = envelope(tries=0)
    delays = []
    for number, result in enumerate(["worker_error", "worker_timeout", "worker_timeout"], start=1):
        message.attempt = message.tries = number
        message.max_attempts = 10
        if already_written:
            message.trail.append(record(number, result))
        delays.append(delay_of(settle(Failed(Failure(result), "x", sent=True), message, steady)))
        if not already_written:
            message.trail.append(record(number, result))
    assert delays == pytest.approx([0.2, 0.0, 0.8])


def test_a_silence_is_forgiven_only_where_another_attempt_is_allowed():
    """Not the last attempt, not what must not be done twice, not what the sender has seen a part of."""
    silent = Failed(Failure.WORKER_TIMEOUT, "x", sent=True)
    assert settle(silent, envelope()) == RetryIn(0.0)
    assert isinstance(settle(silent, envelope(tries=3)), Dead)
    assert isinstance(settle(silent, envelope(redeliver="unsent")), Dead)
    assert isinstance(settle(msgspec.structs.replace(silent, started=True), envelope()), Dead)


def test_a_very_long_trail_of_busy_answers_is_harmless():
    """Thousands of busy answers neither overflow nor wait longer than the longest back-off, nor are they all read."""
    message = envelope()
    message.trail = [record(number, "worker_busy") for number in range(1, 5001)]
    message.attempt = 5001
    message.trail[:4900] = [None] * 4900  # type: ignore[list-item]
    assert 15.0 <= delay_of(settle(Failed(Failure.WORKER_BUSY, "429"), message)) <= 30.0


def test_a_message_that_found_no_worker_comes_back_soon():
    """Without a worker the wait does not grow: one may join at any moment."""
    message = envelope(tries=0)
    message.trail = [record(number, "no_worker") for number in range(1, 50)]
    message.attempt = 50
    assert 0.1 <= delay_of(settle(Failed(Failure.NO_WORKER, "none"), message)) <= 0.2
