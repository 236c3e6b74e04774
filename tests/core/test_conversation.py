"""Facts about the shape of chat lists."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.conversation import ROLES, check_turns, count_text_bytes


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
