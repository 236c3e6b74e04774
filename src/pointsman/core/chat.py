"""The shape of a chat list: what `Message.messages` may hold. Its words are looked at elsewhere.

Two measures. A native message is ours to define, so each turn is looked at. A compatible one (OpenAI, Anthropic) is the
provider's to judge: roles, part types and fields that we have never heard of pass, and only what nobody could read
is refused.
"""

from __future__ import annotations

from typing import Any, Final

from pointsman.core.classify.ask import TEXT_PARTS
from pointsman.core.payload import show

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")

MAX_DEPTH: Final = 64
"""Nesting of one turn of a compatible message. Real tool calls nest a dozen levels."""


def check_turns(messages: Any) -> str:
    """Return what is wrong with the shape of a native chat list, as a sentence, or an empty string.

    Each turn is an object with a `role` and a `content`: a string, a list of parts, or null (an assistant that
    calls tools). Whatever else it holds passes.
    """
    wrong = check_list(messages)
    if wrong:
        return wrong
    for position, turn in enumerate(messages):
        wrong = _check_turn(turn)
        if wrong:
            return f"turn {position}: {wrong}"
    return ""


def check_list(messages: Any) -> str:
    """Return what keeps a value from being a chat list at all, as a sentence, or an empty string."""
    if not isinstance(messages, list):
        return f"got {show(messages)}, expected a list of objects with role and content"
    if not messages:
        return "got an empty list, expected at least one object with role and content"
    for position, turn in enumerate(messages):
        if not isinstance(turn, dict):
            return f"turn {position}: got {show(turn)}, expected an object with role and content"
    return ""


def check_depth(messages: list[dict[str, Any]]) -> str:
    """Return that a chat list is nested too deeply, as a sentence, or an empty string.

    Looks at objects and lists only, level by level, so no nesting can exhaust the stack. What it is given came from
    JSON and is a tree, so there is no branch that it could meet twice.
    """
    level: list[Any] = list(messages)
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for holder in level
            for inner in (holder.values() if type(holder) is dict else holder)
            if type(inner) is list or type(inner) is dict
        ]
        if not level:
            return ""
    return f"got objects or lists nested deeper than {MAX_DEPTH}"


def count_text_bytes(messages: list[dict[str, Any]]) -> int:
    """Return the UTF-8 bytes of all the text in a chat list; parts of any other shape count nothing."""
    size = 0
    for turn in messages:
        content = turn.get("content")
        if isinstance(content, str):
            size += count_bytes(content)
        elif isinstance(content, list):
            for part in content:
                if isinstance(part, dict) and part.get("type") in TEXT_PARTS and isinstance(part.get("text"), str):
                    size += count_bytes(part["text"])
    return size


def count_bytes(text: str) -> int:
    """Return the length of a text in UTF-8; a lone surrogate counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _check_turn(turn: dict[str, Any]) -> str:
    role = turn.get("role")
    if type(role) is not str or role not in ROLES:
        return f"role: got {show(role)}, expected one of {', '.join(ROLES)}"
    content = turn.get("content")
    if content is None or type(content) is str:
        return ""
    if not isinstance(content, list):
        return f"content: got {show(content)}, expected a string, a list of parts or null"
    for part in content:
        if not isinstance(part, dict) or type(part.get("type")) is not str:
            return f"content: got {show(part)} as a part, expected an object whose type is a string"
        if part.get("type") in TEXT_PARTS and type(part.get("text")) is not str:
            return f"content: got a text part whose text is {show(part.get('text'))}, expected a string"
    return ""
