"""When a rollout goes back by itself: for enough bad messages of enough clients, and for nothing else."""

from __future__ import annotations

import random
from collections import deque

import pytest

from pointsman.core.rollout.guard import Guard, Seen, evidence
from pointsman.model.settings_operations import GuardSettings

SMALL = GuardSettings(window=20, min_messages=10, min_clients=3, error_share_max=0.2, slow_s=1.0, slow_share_max=0.5)


def feed(guard: Guard, *seen: Seen) -> str:
    """Let it see messages; returns the gate that failed first, or an empty string."""
    for one in seen:
        verdict = guard.observe(one)
        if verdict is not None:
            assert verdict.verdict == "fail"
            return verdict.gate
    return ""


def verdicts(guard: Guard) -> dict[str, str]:
    """Return the verdicts by gate."""
    return {verdict.gate: verdict.verdict for verdict in guard.verdicts()}


def clients(rng: random.Random) -> str:
    """Return one of 200 clients, of whom some send far more than others."""
    return f"client-{int(200 ** rng.random())}"


@pytest.mark.parametrize("seed", range(40))
def test_a_candidate_that_fails_one_in_ten_is_back_within_a_thousand_messages(seed):
    """Whether it does so from the start or after it was well for hours."""
    rng = random.Random(seed)
    guard = Guard(GuardSettings())
    if seed % 2:
        assert not feed(guard, *(Seen(clients(rng), rng.random() < 0.001) for _ in range(20_000)))
    count = 0
    while not feed(guard, Seen(clients(rng), rng.random() < 0.1)):
        count += 1
        assert count < 1000


def test_a_healthy_candidate_stays_for_two_hundred_hours():
    """One failure in a thousand, 200 messages a minute, a quarter of them the candidate's: 600,000 messages."""
    rng = random.Random(0)
    guard = Guard(GuardSettings())
    for _ in range(200 * 60 * 50):
        assert guard.observe(Seen(clients(rng), rng.random() < 0.001, rng.expovariate(100.0))) is None
    assert verdicts(guard) == {"error": "pass", "slow": "pass"}


@pytest.mark.parametrize("seed", range(10))
def test_one_poison_client_never_trips_it(seed):
    """A client that sends a tenth of the messages and whose every message fails: held, and said whose doing it is."""
    rng = random.Random(seed)
    guard = Guard(GuardSettings())
    for _ in range(20_000):
        poison = rng.random() < 0.1
        client = "poison" if poison else clients(rng)
        assert guard.observe(Seen(client, poison or rng.random() < 0.001)) is None
    error = guard.verdicts()[0]
    assert error.verdict == "hold"
    assert "'poison'" in error.detail


def test_fewer_than_three_clients_are_held_never_tripped():
    """Two clients whose every message fails, and that is all there is: hold."""
    guard = Guard(GuardSettings())
    assert not feed(guard, *(Seen(f"client-{number % 2}", True, 9.0) for number in range(3_000)))
    assert verdicts(guard) == {"error": "hold", "slow": "hold"}
    assert feed(guard, Seen("third", True)) == "error"


def test_where_one_client_is_enough_one_is_enough():
    """A program that is its own only client would never be rolled back otherwise."""
    guard = Guard(GuardSettings(window=20, min_messages=10, min_clients=1))
    assert not feed(guard, *(Seen("only", True) for _ in range(9)))
    assert feed(guard, Seen("only", True)) == "error"


def test_enough_clients_must_have_seen_it():
    """Many clients are well, two see all the failures: hold; with the third it fails."""
    guard = Guard(SMALL)
    assert not feed(guard, *(Seen(f"client-{number}", number < 2) for number in range(12)))
    assert not feed(guard, *(Seen(f"client-{number % 2}", True) for number in range(4)))
    assert guard.verdicts()[0].verdict == "hold"
    assert guard.verdicts()[0].detail.endswith("but 2 clients saw that, and 3 are needed")
    assert feed(guard, Seen("client-2", True)) == "error"


def test_slow_messages_trip_it_like_bad_ones():
    """Each gate has a limit of its own; at the limit nothing fails, above it does."""
    guard = Guard(SMALL)
    assert not feed(guard, *(Seen(f"client-{number}", False, 1.0 + number % 2) for number in range(20)))
    assert verdicts(guard) == {"error": "pass", "slow": "pass"}
    assert feed(guard, *(Seen(f"client-{number}", False, 1.0) for number in range(20))) == ""
    assert feed(guard, *(Seen(f"client-{number}", False, 1.1) for number in range(10))) == ""
    assert feed(guard, Seen("client-10", False, 1.1)) == "slow"


def test_nothing_is_judged_before_there_is_enough():
    """Nine failures in a row are no verdict where ten messages are the least; the tenth is."""
    guard = Guard(SMALL)
    assert verdicts(guard) == {"error": "no_data", "slow": "no_data"}
    assert not feed(guard, *(Seen(f"client-{number}", True) for number in range(9)))
    assert verdicts(guard)["error"] == "no_data"
    assert feed(guard, Seen("client-9", True)) == "error"


def test_what_left_the_window_counts_no_more():
    """Old failures are forgotten, message by message; so they are all at once when a new rollout begins."""
    guard = Guard(SMALL)
    assert not feed(guard, *(Seen("ill", True, 2.0) for _ in range(9)))
    assert not feed(guard, *(Seen("other", False) for _ in range(40)))
    error, slow = guard.verdicts()
    assert (error.messages, error.bad, slow.bad, error.clients) == (20, 0, 0, 1)
    guard.forget()
    assert (guard.verdicts()[0].messages, guard.verdicts()[0].clients) == (0, 0)


def test_other_rules_judge_what_was_seen_again():
    """A shorter window keeps the newest; another bound for `slow` is applied to them."""
    guard = Guard(SMALL)
    feed(guard, *(Seen(f"client-{number}", False, number / 10) for number in range(12)))
    guard.use(GuardSettings(window=10, min_messages=5, slow_s=0.95, slow_share_max=0.4))
    error, slow = guard.verdicts()
    assert (error.messages, slow.bad, slow.limit_share) == (10, 2, 0.4)
    assert slow.verdict == "pass"


def test_a_verdict_has_the_figures_that_led_to_it():
    """For people in a sentence, for the record by name."""
    guard = Guard(SMALL)
    seen = [Seen(f"client-{number}", number % 2 == 0) for number in range(10)]
    assert feed(guard, *seen[:-1]) == ""
    verdict = guard.observe(seen[-1])
    assert verdict is not None
    assert verdict.detail == "5 of the last 10 messages went wrong, 50.00%; the limit is 20.00%"
    assert evidence(verdict) == {
        "gate": "error",
        "observed_share": 0.5,
        "limit_share": 0.2,
        "messages": 10,
        "bad": 5,
        "clients": 10,
    }


@pytest.mark.parametrize("seed", range(300))
def test_it_agrees_with_a_count_of_the_whole_window(seed):
    """The figures that it keeps up to date are those that a count of the last twenty gives, after each message."""
    rng = random.Random(seed)
    bad_share, names = rng.choice([0.1, 0.25, 0.4, 0.8]), "abcdefgh"[: rng.randrange(2, 9)]
    guard, last = Guard(SMALL), deque[Seen](maxlen=SMALL.window)
    for _ in range(60):
        last.append(Seen(rng.choice(names), rng.random() < bad_share, rng.choice([0.0, 2.0])))
        verdict = guard.observe(last[-1])
        error, slow = guard.verdicts()
        assert error.messages == len(last)
        assert error.bad == sum(seen.bad for seen in last)
        assert slow.bad == sum(seen.overhead_s > 1.0 for seen in last)
        assert error.clients == slow.clients == len({seen.client for seen in last})
        fails = [name for name in ("error", "slow") if _fails(list(last), name)]
        assert (verdict.gate if verdict else "") == (fails[0] if fails else "")


def _fails(last: list[Seen], gate: str) -> bool:
    """Return whether a gate fails, told anew from the rules."""
    if len(last) < SMALL.min_messages:
        return False
    limit = SMALL.error_share_max if gate == "error" else SMALL.slow_share_max
    bad = [seen.client for seen in last if (seen.bad if gate == "error" else seen.overhead_s > SMALL.slow_s)]
    others_fail = [
        len([client for client in bad if client != one]) > limit * len([seen for seen in last if seen.client != one])
        for one in set(bad)
    ]
    return len(bad) > limit * len(last) and len(set(bad)) >= SMALL.min_clients and all(others_fail)
