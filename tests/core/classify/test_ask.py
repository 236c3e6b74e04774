"""Facts about what counts as the request in a message."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.ask import CAP, QUOTING_TAGS, ask_of, extract, newest_request, text_of
from pointsman.model.message import Message


def user(content: object) -> dict[str, Any]:
    """A turn of the user."""
    return {"role": "user", "content": content}


def test_a_plain_text_is_its_own_request():
    """Short text without fences or tags comes back as the same object: no copy on the message path."""
    text = "fix the login, a < b and b > c"
    assert extract(text) is text


def test_fenced_code_does_not_vote():
    """What stands between fences is left out, before and after stays; an open fence reaches to the end."""
    assert extract("before\n```py\ndesign()\n```\nafter").split() == ["before", "after"]
    assert extract("before ```design``` after").split() == ["before", "after"]
    assert extract("before\n```\ndesign").split() == ["before"]


def test_tildes_fence_only_at_the_start_of_a_line():
    """`~~~` opens a fence where CommonMark says so, and is decoration elsewhere."""
    assert extract("~~~\ndesign\n~~~\nafter").split() == ["after"]
    assert extract("~ wow ~~~ design ~~~").split() == ["~", "wow", "~~~", "design", "~~~"]


@pytest.mark.parametrize("tag", QUOTING_TAGS)
def test_quoting_elements_do_not_vote(tag):
    """Each known element is left out, with and without attributes, however often it comes."""
    text = f"one <{tag}>design</{tag}> two <{tag} path='x'>plan</{tag}> three"
    assert extract(text).split() == ["one", "two", "three"]


def test_the_common_harnesses_are_known():
    """Reminders, tool results and environment blocks of the agents people use; a human's own question is none."""
    assert {"system-reminder", "system_reminder", "tool_result", "environment_details", "reminder"} <= {*QUOTING_TAGS}
    assert not {"user_query", "question", "task"} & {*QUOTING_TAGS}


def test_a_quotation_begins_at_its_first_start_tag():
    """An element inside one of the same name does not let the outer one's words through."""
    assert extract("one <context>two <context id='2'>three</context> four").split() == ["one", "four"]


def test_elements_that_quote_nothing_stay():
    """Unknown elements, a start tag without end and a longer name are plain text; a lone end tag just goes."""
    for text in ("<b>fix</b> it", "what does <system-reminder> do?", "<contexts>a</contexts>"):
        assert extract(text) == text
    assert extract("fix </context> it").split() == ["fix", "it"]


def test_a_long_request_keeps_its_beginning_and_its_end():
    """Of more than the cap, three quarters are the beginning and one quarter the end."""
    text = "a" * 5000 + "b" * 5000
    found = extract(text)
    assert found == "a" * (CAP * 3 // 4) + "\n" + "b" * (CAP // 4)


def test_the_cap_counts_after_quotes_are_left_out():
    """A long quotation in front does not push the request out of the part that is looked at."""
    text = f"<system-reminder>{'design ' * 3000}</system-reminder>fix it"
    assert extract(text) == "fix it"


def test_the_newest_user_turn_is_the_request():
    """Of a chat list only the last `user` message counts, never system, assistant or tool."""
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": "you plan"},
        user("design it"),
        {"role": "assistant", "content": "should we?"},
        user("just fix it"),
        {"role": "tool", "content": "why does it fail"},
    ]
    assert newest_request(turns) == extract(turns) == "just fix it"


def test_a_turn_of_reminders_alone_is_passed_over():
    """Where the harness speaks as the user, the turn before counts; so it does where a turn has no words."""
    noise = user("<system-reminder>why plan</system-reminder>\n")
    tool = user([{"type": "tool_result", "content": "why"}])
    assert newest_request([user("fix it"), noise, tool, user("  "), user(None)]) == "fix it"
    assert newest_request([noise]) == ""


def test_text_parts_are_joined_and_others_left_out():
    """Of a list of parts those of type text speak."""
    parts = [
        {"type": "text", "text": "one"},
        {"type": "image_url", "image_url": {"url": "why"}},
        {"type": "input_text", "text": "two"},
        {"type": "text", "text": 3},
        "why",
    ]
    assert text_of(parts) == "one\ntwo"
    assert text_of(None) == text_of(7) == ""


def test_what_limits_look_at_is_the_whole_newest_turn():
    """`ask_of` keeps fences and length: two messages that differ in their code only are two messages."""
    text = "fix\n```\na\n```" + "x" * CAP
    assert ask_of(Message(text=text)) is text
    assert ask_of(Message(messages=[user(text)])) is text
    assert ask_of(Message(messages=[{"role": "system", "content": "x"}])) == ""
    assert ask_of(Message()) == ""


PIECES = st.sampled_from(
    ["```", "~~~", "\n", "<context>", "</context>", "<reminder ", "</reminder>", "word", "<", "</", " "]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_extraction_only_leaves_out(text):
    """Whatever the nesting, the result is made of pieces of the text in their order, and never longer than the cap."""
    found = extract(text)
    assert len(found) <= CAP + 1
    rest = iter(text)
    assert all(char in rest for char in found if char != "\n")


def block(words: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": words}


def result(words: str) -> dict[str, Any]:
    """A tool's result as Anthropic clients send it: in a turn of the user."""
    return {"type": "tool_result", "tool_use_id": "t1", "content": [block(words)]}


def asks(words: str, tool: str) -> dict[str, Any]:
    """An assistant's turn that calls a tool."""
    call = {"type": "tool_use", "id": "t1", "name": tool, "input": {"command": "plan the architecture"}}
    return {"role": "assistant", "content": [block(words), call]}


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
DOCUMENT = {"type": "document", "source": {"type": "text", "data": "design the system"}, "title": "plan"}
REMINDER = block("<system-reminder>plan carefully</system-reminder>")
OPENING = [{"role": "system", "content": "design first"}, user([REMINDER, block("rename foo to bar")])]

ANTHROPIC: list[tuple[list[dict[str, Any]], str]] = [
    # A new conversation of a coding agent: reminders come as a block before the human's words.
    (OPENING, "rename foo to bar"),
    # The agent works: nothing but tool results, with and without reminders, however often.
    ([*OPENING, asks("let me look", "Bash"), user([result("why does it fail")])], "rename foo to bar"),
    ([*OPENING, asks("ok", "Bash"), user([result("plan"), REMINDER]), asks("ok", "Read")], "rename foo to bar"),
    ([*OPENING, *[asks("ok", "Bash"), user([result("design")])] * 20], "rename foo to bar"),
    # The human speaks in the turn that carries a result.
    ([*OPENING, asks("ok", "Bash"), user([result("x"), block("no, plan it first")])], "no, plan it first"),
    # Documents and images have no say, the words beside them have.
    ([user([DOCUMENT, IMAGE, block("summarise this")])], "summarise this"),
    ([user("what is this"), {"role": "assistant", "content": "a cat"}, user([IMAGE])], "what is this"),
    # Words of the harness inside a turn: command output, notes on tasks, hooks.
    ([*OPENING, user([block("<local-command-stdout>design</local-command-stdout>")])], "rename foo to bar"),
    ([*OPENING, user("<task-notification>plan done</task-notification>")], "rename foo to bar"),
    ([*OPENING, user("<user-prompt-submit-hook>ok</user-prompt-submit-hook>\nfix it")], "fix it"),
    ([*OPENING, user("<bash-stdout>plan</bash-stdout><bash-stderr>design</bash-stderr>")], "rename foo to bar"),
    # Instructions in the middle of the list, and thinking that is signed.
    ([*OPENING, {"role": "system", "content": "plan the architecture"}], "rename foo to bar"),
    ([*OPENING, {"role": "assistant", "content": [{"type": "thinking", "thinking": "design"}]}], "rename foo to bar"),
]


@pytest.mark.parametrize(("messages", "asked"), ANTHROPIC)
def test_the_words_of_the_human_are_found_in_anthropic_turns(messages, asked):
    """Blocks of every type, tool results in turns of the user, reminders and notes of the harness."""
    assert extract(messages).strip() == asked
