from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.shape import Leaf, Listed, Named, Table, find, tree, walk
from pointsman.model.settings import CHOICES, Settings


def leaf(key: str) -> Leaf:
    """The single value at a key."""
    entry = find(tuple(key.split(".")))
    assert entry is not None
    assert isinstance(entry.shape, Leaf)
    return entry.shape


def test_every_key_of_the_structs_is_in_the_tree_with_a_description():
    """A setting without a description would be a blank row of the reference page."""
    assert [field.encode_name for field in msgspec.structs.fields(Settings)] == list(tree().entries)
    blank = [".".join(path) for path, entry in walk() if not entry.description]
    assert blank == []


def test_every_closed_set_belongs_to_a_key():
    """A key of CHOICES that points nowhere would be checked by nobody."""
    for key, choices in CHOICES.items():
        assert leaf(key).choices == choices


def test_names_and_positions_stand_anywhere_in_a_path():
    """Pools and classes are the user's names; list entries go by position."""
    assert leaf("pools.whatever.workers.17.url").optional
    assert find(("pools", "x", "workers", "first")) is None
    assert find(("pools", "x", "workers", "0", "uri")) is None
    assert find(("limits", "burst", "x")) is None
    assert isinstance(tree().entries["pools"].shape, Named)
    assert isinstance(tree().entries["limits"].shape, Table)


def test_a_table_may_have_words_that_stand_in_its_place():
    """`auth` is a secret, or the word that says whose key to use, or nothing."""
    entry = find(("pools", "x", "workers", "0", "auth"))
    assert entry is not None
    assert isinstance(entry.shape, Table)
    assert (entry.shape.words, entry.shape.is_secret, entry.shape.optional) == (("passthrough",), True, True)
    assert find(("pools", "x", "workers", "0", "auth", "env")) is not None


def test_a_field_of_an_unknown_kind_is_reported_where_it_is_added():
    """Whoever adds a setting of a new kind learns it at once, by name."""
    from pointsman.config import shape

    class Odd(msgspec.Struct):
        when: bytes = b""

    with pytest.raises(TypeError, match=r"odd\.when: settings of type BytesType"):
        shape._table(msgspec.inspect.type_info(Odd), ("odd",))

    class Either(msgspec.Struct):
        size: int | str = 0

    with pytest.raises(TypeError, match=r"either\.size: settings of type UnionType"):
        shape._table(msgspec.inspect.type_info(Either), ("either",))


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("limits.rate_per_min", [1, 10**9], [0, 10**9 + 1, 1.0, True, "1", None, 10**400]),
        ("limits.overall_rate_per_min", [0], [-1]),
        ("classifier.threshold", [0, 0.0, 1, 1.0], [-0.1, 1.1, float("nan"), True, "0.5"]),
        ("classes.x.cost", [0.001, 5], [0, 0.0, float("inf"), 10**400]),
        ("classifier.rules.0.force", [True, False], [0, 1, "true"]),
        ("pools.x.balancer", ["p2c"], ["P2C", "", 1]),
        ("pools.x.workers.0.id", ["a", "A-1_b.c", "x" * 64], ["", "-a", "a b", "a\n", "x" * 65, 1]),
        ("pools.x.workers.0.url", ["x"], ["", 1]),
    ],
)
def test_a_leaf_accepts_its_kind_range_pattern_and_choices_only(key, good, bad):
    """Whole numbers are numbers; true is never 1; nothing is infinite; a name ends where it ends."""
    of = leaf(key)
    assert [value for value in good if not of.accepts(value)] == []
    assert [value for value in bad if of.accepts(value)] == []


SINGLES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**10), 10**10)
    | st.floats()
    | st.sampled_from(["", "a", "a b", "memory", "p2c", "down"])
)
LEAVES = sorted(".".join(path) for path, entry in walk() if isinstance(entry.shape, Leaf) and not entry.shape.choices)


@given(st.sampled_from(LEAVES), SINGLES)
def test_leaves_without_choices_accept_what_msgspec_accepts_but_for_what_is_infinite(key, value):
    """The ranges are those of the structs: the same values pass here as in `msgspec.convert`."""
    path = tuple(key.split("."))
    around = find(path[:-1])
    assert around is not None
    assert isinstance(around.shape, Table)
    field = {one.name: one for one in msgspec.structs.fields(around.shape.cls)}[path[-1]]
    assert accepts(key, value) == (_converts(value, field.type) and value not in (float("inf"), float("-inf")))


def accepts(key: str, value: Any) -> bool:
    """Whether a value may stand at a key, None included."""
    return leaf(key).accepts(value) or (value is None and leaf(key).optional)


def _converts(value: Any, annotation: Any) -> bool:
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        return False
    return not (isinstance(value, float) and value != value)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("limits.rate_per_min", "a whole number from 1 to 1,000,000,000"),
        ("classifier.threshold", "a number from 0 to 1"),
        ("classes.x.cost", "a number above 0"),
        ("limits.flood_leak_s", "a number above 0 and at most 2,592,000"),
        ("classifier.rules.0.force", "true or false"),
        ("pools.x.redeliver", 'one of "always", "unsent", "never"'),
        ("pools.x.workers.0.url", "text that is not empty"),
        ("server.listen", "text"),
        ("classes.x.fallback_on", 'a list, each entry one of "down", "busy"'),
        ("pools.x.workers", "a list of tables"),
        ("pools.x.workers.0.auth", '{ env = "NAME" } or { file = "PATH" } or "passthrough"'),
        ("pools.x.workers.0.tls", "a table"),
        ("pools", "a table of tables"),
        ("limits", "a table"),
    ],
)
def test_what_is_expected_is_said_in_words(key, expected):
    """The second half of every message about a wrong value."""
    entry = find(tuple(key.split(".")))
    assert entry is not None
    assert entry.shape.expected == expected


def test_lists_of_single_values_have_leaves_for_entries():
    """So that a wrong entry is reported by its position."""
    entry = find(("classes", "x", "alias"))
    assert entry is not None
    assert isinstance(entry.shape, Listed)
    assert isinstance(entry.shape.of, Leaf)
