"""Facts about derived conversation ids: what leaves them as they are, and what makes another one."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.conversation import PREFIX, conversation_of, derive_id
from pointsman.testing.make import envelope

CACHED = {"cache_control": {"type": "ephemeral"}}


def text(words: str, **more: Any) -> dict[str, Any]:
    """A text part."""
    return {"type": "text", "text": words, **more}


def user(content: Any) -> dict[str, Any]:
    """A turn of the user."""
    return {"role": "user", "content": content}


def image(data: str, **more: Any) -> dict[str, Any]:
    """An image part as Anthropic clients write it."""
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}, **more}


SYSTEM = {"role": "system", "content": "you are a coder"}
FIRST = [SYSTEM, user("fix the login")]


def later(messages: list[Any]) -> list[Any]:
    """The same conversation, some turns on."""
    more = [{"role": "assistant", "content": "done"}, {"role": "tool", "content": "ok"}, user("and now the logout")]
    return [*deepcopy(messages), *more]


def test_an_id_looks_like_one_and_is_the_same_everywhere():
    """A prefix that says who made it, 32 digits, and in another process the same."""
    found = derive_id("c", FIRST)
    assert found.startswith(PREFIX)
    assert len(found) == len(PREFIX) + 32
    program = f"from pointsman.core.conversation import derive_id; print(derive_id('c', {FIRST!r}))"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == found


@pytest.mark.parametrize(
    "first",
    [
        FIRST,
        [user("fix the login")],
        [{"role": "developer", "content": "be short"}, SYSTEM, user([text("one"), text("two")])],
        [user([image("AAAA"), text("what is this")])],
        [{"role": "assistant", "content": "how can I help?"}, user("fix it")],
        [SYSTEM],
    ],
)
def test_all_turns_of_a_conversation_share_it(first):
    """The history grows behind the first turn of the user, and nothing there counts."""
    if first == [SYSTEM]:
        assert derive_id("c", first) == derive_id("c", [*first, {"role": "assistant", "content": "x"}])
        return
    assert derive_id("c", first) == derive_id("c", later(first))


MOVED = [
    ([user([text("fix it", **CACHED)])], [user([text("fix it")])]),
    ([user([text("fix it", **CACHED)])], [user("fix it")]),
    (
        [{"role": "system", "content": [text("be short", **CACHED)]}, user("x")],
        [{"role": "system", "content": "be short"}, user("x")],
    ),
    ([user([image("AAAA", **CACHED), text("what")])], [user([image("AAAA"), text("what")])]),
    (
        [user([{"type": "tool_result", "content": [text("ls", **CACHED)]}])],
        [user([{"type": "tool_result", "content": [text("ls")]}])],
    ),
    ([user([{"a": 1, "type": "new", "b": 2}])], [user([{"b": 2, "a": 1, "type": "new"}])]),
    (
        [{"role": "system", "content": [text("x-anthropic-billing-header: cch=36ee5;"), text("be short")]}, user("x")],
        [{"role": "system", "content": [text("x-anthropic-billing-header: cch=0aaa9;"), text("be short")]}, user("x")],
    ),
    (
        [{"role": "system", "content": "x-anthropic-billing-header: cch=36ee5;\nbe short"}, user("x")],
        [{"role": "system", "content": "be short"}, user("x")],
    ),
]


@pytest.mark.parametrize(("one", "same"), MOVED)
def test_what_clients_change_from_turn_to_turn_does_not_count(one, same):
    """Cache marks, a text as a string or as a part, the order of keys, and the check sum of Claude Code."""
    assert derive_id("c", one) == derive_id("c", same)


def test_instructions_beside_the_list_are_those_in_it():
    """Anthropic's `system` and OpenAI's first turn, as a text or as parts."""
    alone = derive_id("c", [user("x")], [text("x-anthropic-billing-header: 1"), text("be short", **CACHED)])
    assert alone == derive_id("c", [user("x")], "be short")
    assert alone == derive_id("c", [{"role": "system", "content": "be short"}, user("x")])


OTHERS = [
    derive_id("d", FIRST),
    derive_id("c", [SYSTEM, user("fix the logout")]),
    derive_id("c", [{"role": "system", "content": "you are a planner"}, user("fix the login")]),
    derive_id("c", [user("fix the login")]),
    derive_id("c", [SYSTEM, user([text("fix the login"), image("AAAA")])]),
    derive_id("c", [SYSTEM, user([text("fix the login"), image("AAAB")])]),
    derive_id("c", [SYSTEM, user([image("AAAA"), text("fix the login")])]),
    derive_id("c", [SYSTEM, user([text("fix"), text("the login")])]),
    derive_id("c", FIRST, hint="session-1"),
    derive_id("c", FIRST, hint="session-2"),
    derive_id("c", [SYSTEM]),
    derive_id("c", [SYSTEM, user('{"type":"image"}')]),
    derive_id("c", [SYSTEM, user([{"type": "image"}])]),
]


def test_other_conversations_have_other_ids():
    """Another client, other instructions, other words, another image, other parts, another hint."""
    assert len({derive_id("c", FIRST), *OTHERS}) == len(OTHERS) + 1


def test_a_hint_that_is_no_text_is_none():
    """Clients may put anything there."""
    assert derive_id("c", FIRST, hint=7) == derive_id("c", FIRST, hint=None) == derive_id("c", FIRST, hint={"a": 1})


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "cache_control", 1]), inner)
    ),
    max_leaves=12,
)


@given(st.lists(JUNK | st.builds(user, JUNK), max_size=4), JUNK, JUNK)
def test_no_junk_raises_and_the_answer_stays_the_same(messages, system, hint):
    """Whatever the parts are, also what has no JSON."""
    assert derive_id("c", messages, system, hint) == derive_id("c", deepcopy(messages), deepcopy(system), hint)


def test_what_has_no_json_is_named_by_its_kind():
    """Built in process: half a character, a list in itself, a value of no kind that JSON knows."""
    for odd in ("\ud800", [{"type": "text", "text": "\ud800"}], [{"type": "x", "data": "\ud800"}], [object()], 10**400):
        assert derive_id("c", [user(odd)]).startswith(PREFIX)
    loop: dict[str, Any] = {"type": "loop"}
    loop["self"] = loop
    assert derive_id("c", [user([loop])]).startswith(PREFIX)


@pytest.mark.parametrize(
    ("endpoint", "belongs"),
    [
        ("", True),
        ("/chat/completions", True),
        ("/messages?beta=true", True),
        ("/messages/count_tokens", False),
        ("/messages/count_tokens?beta=true", False),
        ("/embeddings", False),
    ],
)
def test_only_chats_belong_to_a_conversation(endpoint, belongs):
    """Whatever their sender says."""
    of = envelope(conversation_id="talk")
    of.endpoint = endpoint
    assert conversation_of(of) == ("talk" if belongs else None)
    assert conversation_of(envelope()) is None
