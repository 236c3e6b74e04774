"""What the scheduler promises, (a) to (d) in the head of `core/schedule.py`, each as a property."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.schedule import Scheduler, Ticket

WEIGHTS = (16, 8, 4, 2, 1)
NEVER = 1e9


def ticket(
    id: str = "t",
    level: int = 2,
    client: str = "a",
    *,
    expires_at: float = NEVER,
    queued_at: float = 0.0,
    strict: bool = False,
) -> Ticket:
    """A ticket that never expires, unless it says so."""
    return Ticket(id=id, level=level, client=client, expires_at=expires_at, queued_at=queued_at, strict=strict)


@given(st.lists(st.sampled_from([None, None, 0, 0, 1, 2, 3, 4]), max_size=400))
def test_a_while_level_0_has_something_four_of_five_dispatches_are_its_own(steps):
    """(a) Of any five dispatches in a row during which level 0 had something, at most one went elsewhere."""
    scheduler = Scheduler()
    waiting = Counter[int]()
    run: list[int] = []
    for level in steps:
        if level is not None:
            scheduler.push(ticket(level=level))
            waiting[level] += 1
            continue
        popped = scheduler.pop(0.0)
        if popped is None:
            assert not waiting.total()
            continue
        run = [*run[-4:], popped.level] if waiting[0] else []
        assert sum(served != 0 for served in run) <= 1
        waiting[popped.level] -= 1


@pytest.mark.parametrize("ahead", [0, 1, 3, 4, 9, 100])
@pytest.mark.parametrize("turn", range(5))
def test_a_an_urgent_message_waits_for_those_ahead_and_one_in_five_others(ahead, turn):
    """(a) With `k` urgent messages ahead of it, it is among the next `k + 1 + ceil((k + 1) / 4)` dispatches."""
    scheduler = Scheduler()
    for level in range(1, 5):
        for _ in range(200):
            scheduler.push(ticket(level=level))
    for _ in range(turn):
        scheduler.pop(0.0)
    for number in range(ahead + 1):
        scheduler.push(ticket(str(number), level=0))
    dispatches = 1
    while (popped := scheduler.pop(0.0)) is not None and popped.id != str(ahead):
        dispatches += 1
    assert dispatches <= ahead + 1 + -(-(ahead + 1) // 4)


@pytest.mark.parametrize("level", range(5))
@given(st.integers(0, 10_000))
def test_b_a_backlogged_level_gets_its_share_of_any_155_dispatches(level, seed):
    """(b) At least 0.2 * w_i / 31 of any 155 dispatches, that is `w_i`, whatever arrives on the other levels."""
    scheduler, rng = Scheduler(), random.Random(seed)
    served = []
    scheduler.push(ticket(level=level))
    for _ in range(400):
        for _ in range(rng.choice((0, 1, 1, 5))):
            scheduler.push(ticket(level=rng.choice((0, 0, 0, 1, 2, 3, 4)), client=rng.choice("abc")))
        scheduler.push(ticket(level=level))
        popped = scheduler.pop(0.0)
        assert popped is not None
        served.append(popped.level == level)
    windows = [sum(served[begin : begin + 155]) for begin in range(len(served) - 155)]
    assert min(windows) >= WEIGHTS[level] == round(0.2 * WEIGHTS[level] / 31 * 155)


@given(st.integers(0, 10_000), st.integers(1, 8), st.floats(0.0, 1.0))
def test_c_a_client_with_something_gets_its_turn_of_any_n_dispatches(seed, others, busy):
    """(c) While `n` clients have something, each gets one of any `n` dispatches, though others come and go."""
    scheduler, rng = Scheduler(), random.Random(seed)
    waiting = Counter[str]()

    def push(client: str) -> None:
        scheduler.push(ticket(client=client))
        waiting[client] += 1

    since_turn = most_since_turn = 0
    for _ in range(300):
        push("steady")
        for other in range(others):
            if rng.random() < busy / others:
                push(str(other))
        most_since_turn = max(most_since_turn, sum(count > 0 for count in waiting.values()))
        popped = scheduler.pop(0.0)
        assert popped is not None
        waiting[popped.client] -= 1
        since_turn += 1
        assert since_turn <= most_since_turn
        if popped.client == "steady":
            since_turn = most_since_turn = 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), max_size=80))
def test_c_order_is_first_in_first_out_for_each_client_and_level(pushes):
    """(c) A client's messages of one level come out in the order in which they went in."""
    scheduler = Scheduler()
    for number, (client, level) in enumerate(pushes):
        scheduler.push(ticket(f"{number:04}", level, client))
    out: dict[tuple[str, int], list[str]] = {}
    while (popped := scheduler.pop(0.0)) is not None:
        out.setdefault((popped.client, popped.level), []).append(popped.id)
    assert all(names == sorted(names) for names in out.values())
    assert sum(map(len, out.values())) == len(pushes)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("push"), st.integers(0, 4), st.floats(-1.0, 4000.0)),
            st.tuples(st.sampled_from(["pop", "guest", "expire"]), st.just(0), st.floats(0.0, 50.0)),
        ),
        max_size=120,
    ),
    st.sampled_from([0.03125, 0.01, 0.05]),
)
def test_d_nothing_is_popped_after_its_time_and_everything_over_is_expired_once(steps, tick_s):
    """(d) A ticket is popped before its time or expired at most a tick after it, never both, never twice."""
    scheduler = Scheduler(tick_s=tick_s)
    inside: dict[str, float] = {}
    now = 1000.0
    for number, (verb, level, value) in enumerate(steps):
        if verb == "push":
            one = ticket(str(number), level, "ab"[number % 2], expires_at=now + value, queued_at=now, strict=level == 3)
            scheduler.push(one)
            inside[one.id] = one.expires_at
            continue
        now += value
        if verb == "expire":
            for over in scheduler.expire(now):
                assert inside.pop(over.id) <= now
            assert all(expires_at > now - tick_s * 1.000001 for expires_at in inside.values())
        elif (popped := scheduler.pop(now, verb == "guest")) is not None:
            assert inside.pop(popped.id) > now
    assert len(scheduler) == len(inside)
    assert sorted(one.id for one in scheduler.expire(NEVER)) == sorted(inside)


@given(st.lists(st.floats(0.0, 1000.0), min_size=1, max_size=40))
def test_d_at_the_next_expiry_something_expires(spans):
    """(d) Whoever calls `expire` exactly when told makes progress each time, and is told of nothing else."""
    scheduler = Scheduler()
    for number, span_s in enumerate(spans):
        scheduler.push(ticket(str(number), number % 5, "abc"[number % 3], expires_at=50.0 + span_s, queued_at=50.0))
    expired = 0
    while (due_at := scheduler.next_expiry()) is not None:
        found = scheduler.expire(due_at)
        assert found
        expired += len(found)
    assert expired == len(spans)
    assert len(scheduler) == 0


def test_d_a_ticket_is_over_at_its_very_instant():
    """At `expires_at` itself a ticket is not handed out any more; a moment before it is."""
    scheduler = Scheduler()
    scheduler.push(ticket(expires_at=100.0))
    assert scheduler.pop(100.0) is None
    scheduler = Scheduler()
    scheduler.push(ticket(expires_at=100.0))
    assert scheduler.pop(99.999) is not None
