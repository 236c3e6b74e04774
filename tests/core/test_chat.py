"""Facts about the shape of chat lists."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.chat import MAX_DEPTH, ROLES, check_depth, check_list, check_turns, count_text_bytes


def test_all_roles_and_contents_pass():
    """Text, parts of any type, no content, and fields we know nothing of."""
    turns: list[dict[str, Any]] = [{"role": role, "content": "x"} for role in ROLES]
    turns += [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "assistant"},
        {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {}}]},
        {"role": "user", "content": [], "name": "Ada"},
    ]
    assert check_turns(turns) == ""


@pytest.mark.parametrize(
    ("messages", "part"),
    [
        ("x", "got 'x', expected a list"),
        ({}, "got an object, expected a list"),
        ([], "got an empty list"),
        (["x"], "turn 0: got 'x', expected an object"),
        ([{"role": "user", "content": "x"}, {"content": "x"}], "turn 1: role: got null, expected one of system"),
        ([{"role": "root", "content": "x"}], "role: got 'root'"),
        ([{"role": ["user"], "content": "x"}], "role: got a list"),
        ([{"role": "user", "content": 3}], "content: got 3, expected a string"),
        ([{"role": "user", "content": {}}], "content: got an object"),
        ([{"role": "user", "content": ["x"]}], "got 'x' as a part"),
        ([{"role": "user", "content": [{"text": "x"}]}], "got an object as a part, expected an object whose type"),
        ([{"role": "user", "content": [{"type": "text"}]}], "a text part whose text is null"),
    ],
)
def test_a_wrong_shape_is_named_with_its_place(messages, part):
    """Which turn, which field, what was got, what was expected."""
    assert part in check_turns(messages)


def test_all_text_counts_in_bytes():
    """Every role, strings and text parts, as UTF-8; other parts do not count."""
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": "abc"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": [{"type": "text", "text": "é"}, {"type": "image_url", "text": "xxxxxxx"}]},
        {"role": "tool", "content": "\ud800"},
    ]
    assert count_text_bytes(turns) == 3 + 2 + 3
    strange: list[dict[str, Any]] = [{"content": 3}, {"content": [7, {"type": "text", "text": 7}, {"text": "x"}]}, {}]
    assert count_text_bytes(strange) == 0


STRANGE: list[dict[str, Any]] = [
    {},
    {"role": "critic", "content": 3},
    {"role": ["user"], "content": [{"type": ["text"], "text": 7}, "x", None]},
    {"content": {"type": "new_block"}, "name": 9},
]


def test_a_compatible_list_may_hold_what_we_have_never_heard_of():
    """Roles, parts and fields of tomorrow: only objects in a list are asked for."""
    assert check_list(STRANGE) == ""
    assert check_list([]) == check_turns([])
    assert check_list("x") == check_turns("x")
    assert check_list([{}, 3]) == "turn 1: got 3, expected an object with role and content"


def nested(depth: int) -> Any:
    """Return objects and lists in each other, so many of them."""
    value: Any = "leaf"
    for at in range(depth):
        value = [value] if at % 2 else {"a": value}
    return value


def test_depth_is_bounded_and_nothing_else():
    """A turn may nest `MAX_DEPTH` levels, itself included; wide and long lists cost no depth."""
    assert check_depth([{"content": nested(MAX_DEPTH - 1)}]) == ""
    assert (
        check_depth([{}, {"content": [nested(MAX_DEPTH - 1)]}])
        == f"got objects or lists nested deeper than {MAX_DEPTH}"
    )
    assert check_depth([{"content": nested(100_000)}]) != ""
    assert check_depth([{"content": [{"type": "text", "text": "x"}] * 1000}] * 100) == ""
