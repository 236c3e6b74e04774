from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.generations import Generations
from pointsman.model.errors import UsageError


def write(table: Generations[str], key: str, value: float, now: float) -> None:
    """Write as the owners of a table do."""
    if key not in table.young:
        table.recall(key, now)
    table.young[key] = value


def test_what_was_written_is_recalled():
    """A value written within its lifetime is found again."""
    table: Generations[str] = Generations(10, 5.0)
    write(table, "a", 1.5, 100.0)
    assert table.get("a") == 1.5
    assert table.get("b") is None


def test_recall_saves_a_value_from_being_dropped():
    """A value that is recalled at each turn is never forgotten, however many turns there are."""
    table: Generations[str] = Generations(10, 5.0)
    write(table, "kept", 7.0, 0.0)
    for turn in range(1, 20):
        write(table, f"other {turn}", 0.0, turn * 5.0)
        if "kept" not in table.young:
            assert table.recall("kept", turn * 5.0) == 7.0


def test_what_is_not_written_for_two_lifetimes_is_dropped():
    """Memory is given back without a sweeper: two turns after its last write a value is gone."""
    table: Generations[str] = Generations(10, 5.0)
    write(table, "old", 7.0, 0.0)
    write(table, "b", 0.0, 5.0)
    write(table, "c", 0.0, 10.0)
    assert table.get("old") is None
    assert len(table) == 2


@given(st.lists(st.tuples(st.integers(0, 8), st.floats(0.0, 6.0)), max_size=80))
def test_nothing_is_dropped_within_its_lifetime_while_there_is_room(writes):
    """With room for twice the keys in use, a value is there for a whole lifetime after its last write."""
    table: Generations[str] = Generations(18, 5.0)
    written: dict[str, tuple[float, float]] = {}
    now = 0.0
    for number, step in writes:
        now += step
        key = str(number)
        write(table, key, now, now)
        written[key] = (now, now)
        for name, (value, at) in written.items():
            if now - at < 5.0:
                assert table.get(name) == value


@pytest.mark.parametrize("max_keys", [1, 2, 3, 10, 101])
def test_it_never_holds_more_than_it_may(max_keys):
    """Ten thousand different keys leave at most `max_keys` behind, or two where fewer are allowed."""
    table: Generations[str] = Generations(max_keys, 1e9)
    for number in range(2_000):
        write(table, str(number), 0.0, 0.0)
        assert len(table) <= max(2, max_keys)


def test_a_key_survives_as_long_as_fewer_than_half_of_the_others_come_between():
    """Room runs out for the idle first: who writes once in every 49 other keys, of 100, is kept."""
    table: Generations[str] = Generations(100, 1e9)
    write(table, "hot", 42.0, 0.0)
    for number in range(5_000):
        write(table, f"passing {number}", 0.0, 0.0)
        if number % 48 == 0:
            value = table.young.get("hot")
            assert (table.recall("hot", 0.0) if value is None else value) == 42.0


def test_revise_changes_every_value_and_the_lifetime():
    """Both generations get their new values, and age by the new lifetime from then on."""
    table: Generations[str] = Generations(10, 5.0)
    write(table, "a", 1.0, 0.0)
    write(table, "b", 2.0, 5.0)
    table.revise(lambda value: value * 10.0, 50.0, 6.0)
    write(table, "c", 3.0, 55.0)
    assert (table.get("a"), table.get("b"), table.get("c")) == (10.0, 20.0, 3.0)
    write(table, "d", 4.0, 56.0)
    assert table.get("a") is None
    write(table, "e", 5.0, 105.0)
    assert table.get("c") == 3.0


def test_a_table_without_room_is_refused():
    """A table must hold at least one key."""
    with pytest.raises(UsageError, match="max_keys is 0"):
        Generations(0, 1.0)
