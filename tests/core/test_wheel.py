from __future__ import annotations

import random
from dataclasses import dataclass
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.wheel import Wheel
from pointsman.model.errors import UsageError

TICK_S = 0.03125


@dataclass(eq=False)
class Item:
    expires_at: float
    bucket: int = 0
    slot: int = 0


def ends_at(item: Item, tick_s: float = TICK_S) -> float:
    """The end of the tick in which it expires."""
    return (floor(item.expires_at / tick_s) + 1) * tick_s


SPANS = st.one_of(st.floats(0.0, 1.0), st.floats(0.0, 100.0), st.floats(0.0, 3e6))


@given(
    st.lists(st.tuples(SPANS, st.one_of(st.none(), st.floats(0.0, 1e8)), st.booleans()), max_size=60),
    st.lists(SPANS, max_size=20),
    st.sampled_from([TICK_S, 0.01, 0.05]),
    st.sampled_from([0.0, 12345.678, 1e7]),
)
def test_everything_is_due_once_never_early_and_at_most_a_tick_late(adds, steps, tick_s, began_at):
    """Of everything added and not removed, each step returns what is over by a tick, and nothing before its time.

    Some items are added with a wrong span: it must not matter.
    """
    wheel: Wheel[Item] = Wheel(tick_s)
    inside: set[Item] = set()
    for span_s, told_s, removed in adds:
        item = Item(began_at + span_s)
        wheel.add(item, span_s if told_s is None else told_s)
        inside.add(item)
        if removed:
            gone = max(inside, key=lambda item: item.expires_at)
            wheel.remove(gone)
            inside.remove(gone)
    now = began_at
    for step in steps:
        now += step
        for item in wheel.due(now):
            assert item.expires_at <= now
            inside.remove(item)
        assert all(item.expires_at > now - tick_s * 1.000001 for item in inside)
    assert set(wheel.clear()) == inside
    assert wheel.next_due() is None


@given(st.lists(SPANS, min_size=1, max_size=60), st.floats(0.0, 1e7))
def test_the_next_due_time_is_the_earliest_that_returns_something(spans, began_at):
    """At that time the first item is returned; a moment before, nothing is; and so on to the last."""
    wheel: Wheel[Item] = Wheel(TICK_S)
    items = [Item(began_at + span_s) for span_s in spans]
    for item, span_s in zip(items, spans, strict=True):
        wheel.add(item, span_s)
    while items:
        due_at = wheel.next_due()
        assert due_at == min(ends_at(item) for item in items)
        assert wheel.due(due_at - TICK_S / 4) == []
        found = wheel.due(due_at)
        assert set(found) == {item for item in items if ends_at(item) == due_at}
        items = [item for item in items if ends_at(item) != due_at]
    assert wheel.next_due() is None


def test_an_item_whose_time_is_long_over_is_due_at_once():
    """What is added after its time is returned by the next call."""
    wheel: Wheel[Item] = Wheel(TICK_S)
    late = Item(5.0)
    wheel.add(late, -95.0)
    assert wheel.due(100.0) == [late]


def test_removal_leaves_nothing_behind():
    """A hundred thousand items that came and went occupy no more than a few dozen empty buckets."""
    wheel: Wheel[Item] = Wheel(TICK_S)
    rng = random.Random(1)
    now = 0.0
    for _ in range(20_000):
        now += 0.001
        span_s = rng.choice((0.5, 30.0, 300.0, 86_400.0))
        item = Item(now + span_s)
        wheel.add(item, span_s)
        wheel.remove(item)
    assert wheel.due(now) == []
    assert sum(len(bucket) for bucket in wheel._buckets.values()) == 0
    assert len(wheel._buckets) < 200


def test_the_number_of_buckets_does_not_grow_with_the_items():
    """Items spread over a month need a few hundred buckets, not one each."""
    wheel: Wheel[Item] = Wheel(TICK_S)
    rng = random.Random(2)
    for _ in range(20_000):
        span_s = 10.0 ** rng.uniform(-2.0, 6.4)
        wheel.add(Item(1e6 + span_s), span_s)
    assert len(wheel._buckets) < 1000


def test_an_item_moves_down_a_few_times_at_most():
    """An item with a month to live is handled less than a dozen times before it is due."""
    wheel: Wheel[Item] = Wheel(TICK_S)
    handled = 0

    class Counting(Wheel[Item]):
        def add(self, item: Item, span_s: float) -> None:
            nonlocal handled
            handled += 1
            super().add(item, span_s)

    wheel = Counting(TICK_S)
    for number in range(1000):
        wheel.add(Item(1e6 + 2_592_000.0 + number), 2_592_000.0)
    found = 0
    while (due_at := wheel.next_due()) is not None:
        found += len(wheel.due(due_at))
    assert found == 1000
    assert handled < 12_000


@pytest.mark.parametrize("tick_s", [0.0, -1.0, float("nan")])
def test_a_tick_without_length_is_refused(tick_s):
    """The tick must be above 0."""
    with pytest.raises(UsageError, match="tick_s"):
        Wheel(tick_s)
