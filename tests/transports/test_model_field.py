"""Replacing `model` in a request, byte by byte, against the json module."""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.transports.model_field import MAX_STEPS, replace_model


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"model":"auto"}', '{"model":"m"}'),
        ('{"model": "auto", "a": 1}', '{"model": "m", "a": 1}'),
        ('{"a": 1, "model" :\t"auto" , "b": 2}', '{"a": 1, "model" :\t"m" , "b": 2}'),
        ('{"a": {"model": "x"}, "model": "auto"}', '{"a": {"model": "x"}, "model": "m"}'),
        ('{"model": "auto", "a": {"model": "x"}}', '{"model": "m", "a": {"model": "x"}}'),
        (
            '{"model": "auto", "a": [{"model": "x"}], "model": "b"}',
            '{"model": "m", "a": [{"model": "x"}], "model": "m"}',
        ),
        ('{"model": null}', '{"model": "m"}'),
        ('{"model": -1.5e+3, "a": 1}', '{"model": "m", "a": 1}'),
        ('{"model": {"a": ["]", "}"]}, "b": 1}', '{"model": "m", "b": 1}'),
        ('{"model": "a\\"b\\\\", "b": 1}', '{"model": "m", "b": 1}'),
        (
            '{"a": ["model", "\\\\", "x\\""], "b\\"": "", "model": "c"}',
            '{"a": ["model", "\\\\", "x\\""], "b\\"": "", "model": "m"}',
        ),
        ('{"a": {"model": ""}, "b\\\\": "\\"", "model": ""}', '{"a": {"model": ""}, "b\\\\": "\\"", "model": "m"}'),
        ('{"mod\\u0065l": "auto"}', '{"mod\\u0065l": "m"}'),
        ('{"\\u006D\\u006fdel": "auto", "model": "x"}', '{"\\u006D\\u006fdel": "m", "model": "m"}'),
        ('{"a": "\\"model\\": 1"}', '{"model":"m","a": "\\"model\\": 1"}'),
        ('{"a": "model"}', '{"model":"m","a": "model"}'),
        ('{"Model": "x", "model ": "y", "models": "z"}', '{"model":"m","Model": "x", "model ": "y", "models": "z"}'),
        ("{}", '{"model":"m"}'),
        (" \r\n\t{ } \n", ' \r\n\t{"model":"m" } \n'),
        ('{ "a" : 1 }', '{"model":"m", "a" : 1 }'),
        ('{"a": {"model": "x"}}', '{"model":"m","a": {"model": "x"}}'),
        ('{"a": "\\u00e9"}', '{"model":"m","a": "\\u00e9"}'),
        ('{"a": "é 世"}', '{"model":"m","a": "é 世"}'),
        ('{"n": 1.0, "m": 1E5, "model": "x", "t": true}', '{"n": 1.0, "m": 1E5, "model": "m", "t": true}'),
    ],
)
def test_only_the_top_level_model_changes(body: str, expected: str) -> None:
    """Wherever it stands and however it is written; it is added where it is missing."""
    assert replace_model(body.encode(), "m").decode() == expected


def test_a_name_is_written_as_json() -> None:
    """It may hold anything."""
    assert json.loads(replace_model(b'{"model": "x"}', 'a"b\\\n\u20ac')) == {"model": 'a"b\\\n\u20ac'}


def test_bytes_that_are_no_utf8_are_left_alone() -> None:
    """They are the worker's to judge."""
    assert replace_model(b'{"a": "\xff\xfe", "model": "x"}', "m") == b'{"a": "\xff\xfe", "model": "m"}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r'{"a": "\ud800", "model": "x"}', r'{"a": "\ud800", "model": "m"}'),
        (r'{"model": "\udc00", "a": {"model": "\ud800"}}', r'{"model": "m", "a": {"model": "\ud800"}}'),
        (r'{"\ud800": 1, "mod\u0065l": 2}', r'{"\ud800": 1, "mod\u0065l": "m"}'),
        (r'{"a": "\ud83d"}', r'{"model":"m","a": "\ud83d"}'),
        (r'["\ud800"]', None),
        (r'{"a": "\ud800", "model": NaN}', None),
        (r'{"a": "\ud800", "model": "x"', None),
        (r'{"a": "\ud800", "b": ' + "[" * 100_000, None),
    ],
)
def test_half_a_surrogate_pair_is_left_alone(body: str, expected: str | None) -> None:
    """Other readers take it; what is no JSON for them either is refused."""
    if expected is not None:
        assert replace_model(body.encode(), "m").decode() == expected
        return
    with pytest.raises(ValueError, match="no JSON object"):
        replace_model(body.encode(), "m")


NO_OBJECTS = [
    *(
        "",
        " ",
        "[]",
        '"model"',
        "null",
        "{",
        '{"model"',
        '{"model":',
        '{"model": "x',
        '{"model": "x"',
        '{"model": }',
        "}",
    ),
    *('{"model" "x"}', '{"a": 1 "model": "x"}', "{'model': 'x'}", '{a: 1, "model": 2}', '{"a": 1,, "model": 2}', "{,}"),
    *(
        '{"a": [, "model": 1}',
        '{"a": "\\',
        '{"a": nope, "model": 1}',
        '{, "model": 1}',
        '\ufeff{"model": "x"}',
        "{} {}",
    ),
    *('{"model": NaN}', '{"model": "x",}', '{"model": Infinity}', '{"a": "\n", "model": 1}', '{"model": 01}'),
]


@pytest.mark.parametrize("body", NO_OBJECTS)
def test_what_is_no_json_object_is_refused(body: str) -> None:
    """It is the sender's fault, and no worker is troubled with it."""
    with pytest.raises(ValueError, match="no JSON object"):
        replace_model(body.encode(), "m")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("model"), inner, max_size=3),
    max_leaves=12,
)
PAIRS = st.lists(
    st.tuples(st.just("model") | st.text() | st.sampled_from(["Model", "mode", 'model"']), VALUES), max_size=6
)


class Part(NamedTuple):
    """One pair of an object, as it is written: what stands before its value, the value, what stands behind."""

    key: str
    before: str
    value: str
    behind: str


@st.composite
def objects(draw: st.DrawFn) -> tuple[str, list[Part], str]:
    """A JSON object as text, taken apart: its opening, its pairs, its end."""
    parts: list[Part] = []
    ascii_only = draw(st.booleans())
    separators = draw(st.sampled_from([None, (",", ":")]))
    for key, value in draw(PAIRS):
        space = draw(st.sampled_from(["", " ", "\r\n\t"]))
        name = json.dumps(key, ensure_ascii=ascii_only)
        if key == "model" and draw(st.booleans()):
            name = '"' + "".join(f"\\u{ord(char):04x}" for char in key) + '"'
        written = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
        parts.append(Part(key, f"{',' if parts else ''}{space}{name}{space}:{space}", written, space))
    return draw(st.sampled_from(["{", " {", "\n{"])), parts, draw(st.sampled_from(["}", "\n}\n"]))


@given(objects(), st.text(st.characters(codec="utf-8")))
def test_all_bytes_but_those_of_the_model_stay_where_they_are(written: tuple[str, list[Part], str], model: str) -> None:
    """And the json module reads the result as the same object with another model."""
    opening, parts, end = written
    body = opening + "".join(part.before + part.value + part.behind for part in parts) + end
    result = replace_model(body.encode("utf-8", "surrogatepass"), model).decode("utf-8", "surrogatepass")
    name = replace_model(b'{"model":0}', model).decode()[len('{"model":') : -1]
    assert json.loads(name) == model
    assert json.loads(result) == {**json.loads(body), "model": model}
    if any(part.key == "model" for part in parts):
        values = [name if part.key == "model" else part.value for part in parts]
        pairs = [part.before + value + part.behind for part, value in zip(parts, values, strict=True)]
        assert result == opening + "".join(pairs) + end
    else:
        assert result == f'{opening}"model":{name}{"," if parts else ""}{body[len(opening) :]}'


@given(st.binary(max_size=60) | st.text('{}[]":,\\model u006', max_size=60).map(str.encode))
def test_any_bytes_give_an_object_or_a_value_error(body: bytes) -> None:
    """Nothing else comes out, and what is JSON stays JSON."""
    try:
        value = json.loads(body)
    except (ValueError, UnicodeDecodeError, RecursionError):
        value = None
    try:
        result = replace_model(body, "m")
    except ValueError:
        assert not isinstance(value, dict)
        return
    if isinstance(value, dict):
        assert json.loads(result) == {**value, "model": "m"}


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(['"model": "x"', "\\", '\\"', "}{]["])
BLOCKS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": TEXTS, "signature": TEXTS}),
    st.fixed_dictionaries({"type": st.just("tool_use"), "input": st.dictionaries(st.just("model") | TEXTS, TEXTS)}),
    st.fixed_dictionaries({"type": st.just("model"), "model": TEXTS}),
)
TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXTS | st.lists(BLOCKS)}),
    max_size=3,
)
TOOLS = st.lists(
    st.just({"name": "t", "input_schema": {"type": "object", "properties": {"model": {"type": "string"}}}}), max_size=2
)
FIELDS = st.fixed_dictionaries(
    {"messages": TURNS},
    optional={"system": TEXTS | st.lists(BLOCKS), "tools": TOOLS, "max_tokens": st.integers(), "model": TEXTS},
)


@given(FIELDS, st.randoms(use_true_random=False), st.booleans())
def test_a_message_of_anthropics_keeps_every_byte_but_those_of_its_model(
    fields: dict[str, object], rng: Random, ascii_only: bool
) -> None:
    """Signed thoughts, tools that have a `model` of their own, text that looks like one."""
    names = list(fields)
    rng.shuffle(names)
    written = {name: json.dumps(fields[name], ensure_ascii=ascii_only) for name in names}
    body = "{" + ", ".join(f'"{name}": {value}' for name, value in written.items()) + "}"
    result = replace_model(body.encode(), "claude-x").decode()
    if "model" in fields:
        written["model"] = '"claude-x"'
        assert result == "{" + ", ".join(f'"{name}": {value}' for name, value in written.items()) + "}"
    else:
        assert result == '{"model":"claude-x",' + body[1:]


def test_the_work_is_bounded() -> None:
    """A body made to be slow is refused; large honest ones are not."""
    with pytest.raises(ValueError, match="more than 200000 nested values"):
        replace_model(b'{"a": [' + b"[]," * MAX_STEPS + b'"model"], "model": "x"}', "m")
    with pytest.raises(ValueError, match="more than 200000 nested values"):
        replace_model(b'{"model": "x", "a": ["model", ' + b"[]," * MAX_STEPS + b"1]}", "m")
    with pytest.raises(ValueError, match="more than 200000 nested values"):
        replace_model(b'{"model": 1' + b', "a": 1' * MAX_STEPS + b', "model": 2}', "m")
    with pytest.raises(ValueError, match="no JSON object"):
        replace_model(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b', "model": "x"}', "m")
    image = b'{"messages": [{"content": "' + b"A" * 20_000_000 + b'"}], "model": "auto"}'
    assert replace_model(image, "m").endswith(b'"model": "m"}')
    text = (
        b'{"messages": [' + b'{"role": "model", "content": "a\\n\\"b\\" \\u00e9"},' * 10_000 + b'{}], "model": "auto"}'
    )
    assert replace_model(text, "m").endswith(b'"model": "m"}')
