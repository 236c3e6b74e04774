from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.ids import INSTANCES, IdSource, instant
from pointsman.model.errors import UsageError


def source(instance: int = 7, seed: int = 1) -> IdSource:
    """A source with its own seeded generator."""
    return IdSource(instance, random.Random(seed))


def test_an_id_is_a_uuid_of_version_8():
    """Version nibble 8, variant bits 10, 32 lower-case hexadecimal digits (RFC 9562, section 5.8)."""
    ids = source()
    for step in range(200):
        id = ids.new(1_800_000_000.0 + step * 0.0005)
        assert re.fullmatch(r"[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}", id)


@pytest.mark.parametrize("instance", [0, 1, 255, 4095])
def test_an_id_carries_its_instance_number(instance):
    """Twelve bits after the version are the router that made it, so routers cannot make the same id."""
    assert int(source(instance).new(1_800_000_000.0)[13:16], 16) == instance


@given(st.lists(st.floats(0.0, 4e9), min_size=1, max_size=100), st.integers(0, 2**32))
def test_ids_of_one_source_only_grow(walls, seed):
    """Whatever the wall clock does, each id is greater than the one before, as text."""
    ids = source(seed=seed)
    made = [ids.new(wall) for wall in walls]
    assert made == sorted(set(made))


def test_ids_within_one_millisecond_grow():
    """Ten thousand ids without a tick of the clock are all different and in order."""
    ids = source()
    made = [ids.new(1_800_000_000.0) for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {instant(id) for id in made} == {1_800_000_000.0}


def test_ids_grow_where_the_generator_gives_nothing():
    """The random step may be 0; the counter still moves."""

    class Zeros(random.Random):
        def getrandbits(self, k: int) -> int:
            return 0

    ids = IdSource(7, Zeros())
    made = [ids.new(1_800_000_000.0) for _ in range(10)]
    assert made == sorted(set(made))


def test_ids_keep_the_last_instant_while_the_clock_is_behind():
    """A clock that steps back an hour does not break the order; the instant stays until time catches up."""
    ids = source()
    assert instant(ids.new(1_800_000_000.0)) == 1_800_000_000.0
    assert instant(ids.new(1_800_000_000.0 - 3600.0)) == 1_800_000_000.0
    assert instant(ids.new(1_800_000_000.25)) == 1_800_000_000.25


def test_a_full_counter_borrows_the_next_millisecond():
    """Where a millisecond has no numbers left, the next one is used, and order is kept."""
    ids = source()
    before = ids.new(1_800_000_000.0)
    ids._counter = 2**62 - 1
    after = ids.new(1_800_000_000.0)
    assert after > before
    assert instant(after) == 1_800_000_000.001
    assert re.fullmatch(r"[0-9a-f]{12}8007[89ab][0-9a-f]{15}", after)


@given(st.floats(0.0, 4e9))
def test_instant_returns_when_it_was_made(wall):
    """The instant comes back to the millisecond."""
    assert 0.0 <= wall - instant(source().new(wall)) < 0.001 + 1e-6


def test_equal_seeds_give_equal_ids():
    """A simulated run can be repeated, ids included."""
    first, second = source(seed=5), source(seed=5)
    assert [first.new(wall) for wall in range(100)] == [second.new(wall) for wall in range(100)]


@pytest.mark.parametrize("instance", [-1, INSTANCES])
def test_an_instance_number_out_of_range_is_refused(instance):
    """Twelve bits hold 0 to 4095."""
    with pytest.raises(UsageError, match="expected 0 to 4095"):
        source(instance)


@pytest.mark.parametrize("text", ["", "abc", "g" * 32, "0" * 31, "0" * 33, "A" * 32, "0" * 32 + "\n"])
def test_instant_refuses_what_is_no_id(text):
    """Anything but 32 lower-case hexadecimal digits is named as wrong."""
    with pytest.raises(UsageError, match="no message id"):
        instant(text)
