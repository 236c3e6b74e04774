from __future__ import annotations

import datetime
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.shape import Shape, find
from pointsman.config.values import got, is_variable, parse, printable, toml
from pointsman.model.settings import Secret


def shape(key: str) -> Shape:
    """What may stand at a key."""
    entry = find(tuple(key.split(".")))
    assert entry is not None
    return entry.shape


MODEL = "pools.x.workers.0.model"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("limits.burst", "50", 50),
        ("limits.burst", " 1_000 ", 1000),
        ("classifier.threshold", "0.5", 0.5),
        ("classifier.rules.0.force", "true", True),
        ("classes.x.alias", '["a", "b"]', ["a", "b"]),
        ("pools.x.workers", '[{id = "a"}]', [{"id": "a"}]),
        ("pools.x.workers", '[{"id": "a", "url": null}]', [{"id": "a", "url": None}]),
        ("limits.burst", "many", "many"),
        ("limits.burst", "", ""),
    ],
)
def test_a_value_is_read_as_toml_then_as_json_then_as_text(key, text, value):
    """What is neither TOML nor JSON stays text, so that the mistake shows what was written."""
    assert parse(text, shape(key)) == value


@pytest.mark.parametrize("text", ["4", "true", "1979-05-27", "[a]", "127.0.0.1:80", "", 'a"b'])
def test_where_text_is_wanted_a_value_is_the_text_itself(text):
    """A model named `4` needs no quotes."""
    assert parse(text, shape(MODEL)) == text


def test_quoted_text_loses_its_quotes():
    """Both kinds of TOML quotes; a quote that does not close is text."""
    assert parse('"a\\tb"', shape(MODEL)) == "a\tb"
    assert parse("'a'", shape(MODEL)) == "a"
    assert parse("'a", shape(MODEL)) == "'a"


def test_a_value_cannot_smuggle_in_a_second_key():
    """A line break in a variable begins no new setting."""
    assert parse("1\nother = 2", shape("limits.burst")) == "1\nother = 2"


def test_a_value_nested_without_end_is_text():
    """It costs no crash, only a mistake that says what was expected."""
    deep = "[" * 100_000
    assert parse(deep, shape("pools.x.workers")) == deep


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ten", '"ten"'),
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        ({"a": 1}, "a table"),
        ([1], "a list"),
        ([], "an empty list"),
        (None, "nothing"),
        ("x" * 70, '"' + "x" * 60 + '" and more'),
        (10**40, "a number of more than 38 digits"),
        (datetime.date(1979, 5, 27), "1979-05-27"),
    ],
)
def test_what_was_got_is_shown_short(value, shown):
    """Containers by kind alone, long text cut."""
    assert got(value) == shown


TOML_VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(blacklist_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(TOML_VALUES)
def test_shown_toml_reads_back_as_the_same_value_on_one_printable_line(value):
    """What `config explain` shows can be pasted into the file, and acts on no terminal."""
    shown = toml(value)
    assert tomllib.loads(f"v = {shown}")["v"] == value
    assert shown.isprintable()


def test_a_secret_shows_as_where_it_comes_from():
    """Its source, not its value; a name that cannot be one may be the secret itself."""
    assert toml(Secret(env="TOKEN")) == "env TOKEN"
    assert toml(Secret(file="token.txt")) == "file token.txt"
    assert toml(Secret(env="sk-abc")) == "env (not a name)"
    assert toml(Secret()) == "unset"
    assert toml(None) == "unset"


@given(st.text())
def test_printable_text_is_one_line_that_acts_on_no_terminal(text):
    """Whatever goes in, and text that was printable comes out as it was."""
    shown = printable(text)
    assert shown.isprintable()
    assert text.isprintable() is False or shown == text


def test_names_of_variables_are_letters_digits_and_underscores():
    """A first digit, a dash, a blank or a letter outside ASCII makes it none."""
    assert [name for name in ("A_1", "_x", "1A", "a-b", "a b", "é", "") if is_variable(name)] == ["A_1", "_x"]
