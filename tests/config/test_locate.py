"""The scanner against tomllib: random documents in random spellings, whose lines their writer knows."""

from __future__ import annotations

import json
import random
import re
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.config.locate import locate


def place(text: str, *path: str) -> int:
    """Line of a key in a text that tomllib accepts."""
    tomllib.loads(text)
    return locate(text)[path]


def test_a_key_stands_on_the_line_it_is_written_on():
    """Blank lines and comments count as lines."""
    assert place("# head\n\n[limits]\nburst = 3\n", "limits", "burst") == 4


def test_tables_and_entries_of_arrays_of_tables_have_lines_of_their_own():
    """`[[a.b]]` opens entry 0, then entry 1; `[a.b.c]` belongs to the last one."""
    text = "[a]\n[[a.b]]\nid = 1\n[[a.b]]\nid = 2\n[a.b.c]\nd = 3\n"
    assert locate(text) == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "b", "0"): 2,
        ("a", "b", "0", "id"): 3,
        ("a", "b", "1"): 4,
        ("a", "b", "1", "id"): 5,
        ("a", "b", "1", "c"): 6,
        ("a", "b", "1", "c", "d"): 7,
    }


def test_a_table_that_only_stands_implicitly_is_where_it_is_first_mentioned():
    """Neither `a` nor `a.b` has a header; both are on the line of `[a.b.c]`, and a later `[a]` does not move them."""
    found = locate("[a.b.c]\nx = 1\n[a]\ny = 2\n")
    assert (found[("a",)], found[("a", "b")], found[("a", "y")]) == (1, 1, 4)


def test_dotted_and_quoted_keys_are_split_as_tomllib_splits_them():
    """A dot within quotes is part of the key, and escapes are resolved."""
    found = locate('a . "b.c" . \'d"\' = 1\n"\\u00e9\\t" = 2\n')
    assert found[("a", "b.c", 'd"')] == 1
    assert found[("é\t",)] == 2


@pytest.mark.parametrize(
    "value",
    [
        '"""\n[no]\nx = 1 # "\n\\""" ]\n"""',
        "'''\n[[no]]\n\"\"\" '' x = 1\n'''",
        '[ # ] not yet\n "]", [1, "[x]"], # ]\n]',
        '"[x] # = \\" ["',
        "'[x] # = \\'",
        '""""two quotes""""\n',
        '""',
        "''",
        '""""""',
        "1979-05-27 07:32:00",
    ],
)
def test_brackets_and_hashes_in_values_are_not_taken_for_structure(value):
    """Whatever a value holds, the key after it is found on its own line and nothing else is."""
    text = f"a = {value}\nb = 1\n"
    found = {path: line for path, line in locate(text).items() if len(path) == 1}
    assert tomllib.loads(text).keys() == {"a", "b"}
    assert found == {("a",): 1, ("b",): text[: text.rindex("b = 1")].count("\n") + 1}


def test_keys_of_inline_tables_stand_where_the_table_stands():
    """Inline tables have one line; those in a list over many lines have each their own."""
    text = 'w = [\n  { id = "a", auth = { env = "X" } },\n  { id = "b" }, # last\n]\n'
    found = locate(text)
    assert found[("w", "0", "auth", "env")] == 2
    assert found[("w", "1", "id")] == 3


def test_line_ends_of_windows_count_once():
    """CR LF is one line end."""
    assert place("[a]\r\nb = 1\r\nc = 2\r\n", "a", "c") == 3


def test_a_file_without_a_final_line_end_is_read_to_its_end():
    """The last key counts too, and so does a comment there."""
    assert place("a = 1\nb = 2", "b") == 2
    assert place("a = 1 # end", "a") == 1
    assert locate("") == {}


class Writer:
    """Writes a document in a random spelling and notes the line of everything it writes."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.text = ""
        self.lines: dict[tuple[str, ...], int] = {}

    def note(self, path: tuple[str, ...]) -> None:
        line = self.text.count("\n") + 1
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def key(self, key: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9_-]+", key) and self.rng.random() < 0.7:
            return key
        if key.isprintable() and "'" not in key and self.rng.random() < 0.5:
            return f"'{key}'"
        return json.dumps(key).replace("\x7f", "\\u007f")

    def noise(self) -> None:
        self.text += self.rng.choice(["", "", "\n", "# [x]\n", '  # y = "\n'])

    def table(self, table: dict[str, Any], path: tuple[str, ...], names: list[str]) -> None:
        later = []
        for key, value in table.items():
            if self.opens_table(value) and self.rng.random() < 0.6:
                later.append((key, value))
            elif isinstance(value, dict) and value and self.rng.random() < 0.5:
                for inner, one in value.items():
                    self.pair([key, inner], one, path)
            else:
                self.pair([key], value, path)
        for key, value in later:
            inner = [*names, self.key(key)]
            for position, one in enumerate(value if isinstance(value, list) else [value]):
                self.noise()
                many = isinstance(value, list)
                here = (*path, key, str(position)) if many else (*path, key)
                self.note(here)
                self.text += ("[[ %s ]]\n" if many else "[%s] # ]\n") % self.rng.choice([".", " . "]).join(inner)
                self.table(one, here, inner)

    def opens_table(self, value: Any) -> bool:
        if isinstance(value, list):
            return bool(value) and all(isinstance(one, dict) for one in value)
        return isinstance(value, dict)

    def pair(self, keys: list[str], value: Any, path: tuple[str, ...]) -> None:
        self.noise()
        self.inline_pair(keys, value, path)
        self.text += self.rng.choice(["\n", "  # ]\n", '\t# """\n'])

    def inline_pair(self, keys: list[str], value: Any, path: tuple[str, ...]) -> None:
        here = (*path, *keys)
        self.note(here)
        self.text += ".".join(self.key(key) for key in keys) + self.rng.choice(["=", " = "])
        self.value(value, here)

    def value(self, value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            self.text += "{ "
            for place, (key, one) in enumerate(value.items()):
                self.text += ", " if place else ""
                self.inline_pair([key], one, path)
            self.text += " }"
        elif isinstance(value, list):
            self.text += "["
            for place, one in enumerate(value):
                self.text += self.rng.choice(["", "\n", " # ], '''\n  "])
                self.note((*path, str(place)))
                self.value(one, (*path, str(place)))
                self.text += self.rng.choice([",", "\n,", " ,"])
            self.text += self.rng.choice(["]", "\n]", "# [\n]"])
        elif isinstance(value, str):
            self.text += self.string(value)
        else:
            self.text += json.dumps(value)

    def string(self, value: str) -> str:
        style = self.rng.randrange(4)
        if style == 0 and value.isprintable() and "'" not in value:
            return f"'{value}'"
        if style == 1 and value.isprintable() and "'''" not in value and not value.endswith("'"):
            return f"'''\n{value}'''"
        escaped = json.dumps(value)[1:-1].replace("\x7f", "\\u007f")
        return f'"""\n{escaped}"""' if style == 2 else f'"{escaped}"'


KEYS = st.text(st.sampled_from("ab.[]#='\" \té-_1"), max_size=4)
TEXTS = st.text(st.sampled_from("ab[]{}#=,'\"\\\n é"), max_size=8)
VALUES = st.recursive(
    st.integers(-9, 99) | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def flat(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every path of a parsed document."""
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} - {()} | {step for key, one in inside for step in flat(one, (*path, str(key)))}


@settings(max_examples=150)
@given(st.dictionaries(KEYS, VALUES, max_size=5), st.integers(0, 2**32))
def test_every_path_that_tomllib_sees_is_found_where_it_was_written(document, seed):
    """For any document in any spelling: the same paths as tomllib, on the lines the writer wrote them on."""
    writer = Writer(random.Random(seed))
    writer.table(document, (), [])
    assert tomllib.loads(writer.text) == document
    found = locate(writer.text)
    assert found.keys() == flat(document)
    assert found == writer.lines
