"""Facts about data that passes through untouched."""

from __future__ import annotations

import enum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.payload import MAX_INTEGER, check_data, check_tree, show


def check(value: Any) -> str:
    """Check as metadata with the default bounds."""
    return check_data(value, 64, 32, 65_536)


def nest(depth: int) -> Any:
    """A value nested `depth` deep, built without recursion."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class Colour(enum.IntEnum):
    RED = 1


CYCLE: dict[str, Any] = {}
CYCLE["again"] = CYCLE
SHARED: list[Any] = []
for _ in range(25):
    SHARED = [SHARED, SHARED]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": None, "b": True, "c": 1, "d": 1.5, "e": "é", "f": [1, (2, 3)], "g": {"h": {}}},
        {"big": MAX_INTEGER, "small": -MAX_INTEGER, "float": 1e308},
        {str(number): number for number in range(64)},
        {"deep": nest(31)},
        {"a": "x" * (65_536 - 8)},
    ],
)
def test_plain_data_passes(value):
    """All of JSON, up to each bound."""
    assert check(value) == ""


REFUSED: list[tuple[Any, str]] = [
    (None, "got null, expected an object"),
    ([], "got a list, expected an object"),
    ({str(number): number for number in range(65)}, "got 65 keys, expected at most 64"),
    ({"deep": nest(32)}, "nested deeper than 32"),
    ({"deep": nest(100_000)}, "nested deeper than 32"),
    (CYCLE, "nested deeper than 32"),
    ({"a": SHARED}, "got more than 65536 values"),
    ({"a": [0] * 65_537}, "got more than 65536 values"),
    ({"a": "x" * (65_536 - 7)}, "got 65537 bytes as JSON"),
    ({"a": "é" * 40_000}, "bytes as JSON, expected at most 65536"),
    ({"a": MAX_INTEGER + 1}, "beyond 2^53: send it as a string"),
    ({"a": [-MAX_INTEGER - 1]}, "beyond 2^53"),
    ({"a": 10**5000}, "beyond 2^53"),
    ({"a": float("nan")}, "got nan"),
    ({"a": float("-inf")}, "got -inf"),
    ({"a": "\ud800"}, "lone surrogate, U+D800"),
    ({"\udfff": 1}, "lone surrogate, U+DFFF"),
    ({"a": {1: 2}}, "got 1 as a key, expected a string"),
    ({"a": {3, 4}}, "got a Python set"),
    ({"a": b"x"}, "got a Python bytes"),
    ({"a": object()}, "got a Python object"),
    ({"a": Colour.RED}, "got a Python Colour"),
]


@pytest.mark.parametrize(("value", "part"), REFUSED, ids=[f"{at}-{part}" for at, (_, part) in enumerate(REFUSED)])
def test_what_readers_would_not_agree_on_is_refused(value, part):
    """The sentence names what was found and what was expected."""
    assert part in check(value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=()), max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(alphabet=st.characters(exclude_categories=()), max_size=3), JSON, max_size=5))
def test_what_passes_survives_the_way_through_json(value):
    """Data in order comes out of JSON as it went in; data refused would not, or is larger than its bounds."""
    if not check_data(value, 64, 6, 200):
        assert msgspec.json.decode(msgspec.json.encode(value)) == value


def test_a_value_alone_is_a_tree():
    """Depth 0 means that no list or object may come."""
    assert check_tree("x", 0, 0) == ""
    assert check_tree([], 0, 0) == "got objects or lists nested deeper than 0"


SHOWN: list[tuple[Any, str]] = [
    ("short", "'short'"),
    ("x" * 41, f"'{'x' * 40}'..."),
    ("\x1b\ud800", "'\\x1b\\ud800'"),
    (3, "3"),
    (2.5, "2.5"),
    (10**5000, "an integer beyond 2^53"),
    (True, "true"),
    (None, "null"),
    ([1], "a list"),
    ({}, "an object"),
    (b"", "a Python bytes"),
]


@pytest.mark.parametrize(("value", "shown"), SHOWN, ids=[str(at) for at in range(len(SHOWN))])
def test_values_are_shown_short_and_printable(value, shown):
    """A refusal never carries a control character or more than a few words of the sender's."""
    assert show(value) == shown
