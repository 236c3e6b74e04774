"""The shape of a chat list: what `Message.messages` may hold. Its words are looked at elsewhere."""

from __future__ import annotations

from typing import Any, Final

from pointsman.core.classify.ask import TEXT_PARTS
from pointsman.core.payload import show

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")


def check_turns(messages: Any) -> str:
    """Return what is wrong with the shape of a chat list, as a sentence, or an empty string.

    Each turn is an object with a `role` and a `content`: a string, a list of parts, or null (an assistant that
    calls tools). Whatever else it holds passes.
    """
    if not isinstance(messages, list):
        return f"got {show(messages)}, expected a list of objects with role and content"
    if not messages:
        return "got an empty list, expected at least one object with role and content"
    for position, turn in enumerate(messages):
        wrong = _check_turn(turn)
        if wrong:
            return f"turn {position}: {wrong}"
    return ""


def count_text_bytes(messages: list[dict[str, Any]]) -> int:
    """Return the UTF-8 bytes of all the text in a chat list of valid shape."""
    size = 0
    for turn in messages:
        content = turn.get("content")
        if isinstance(content, str):
            size += count_bytes(content)
        elif content is not None:
            size += sum(count_bytes(part["text"]) for part in content if part.get("type") in TEXT_PARTS)
    return size


def count_bytes(text: str) -> int:
    """Return the length of a text in UTF-8; a lone surrogate counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _check_turn(turn: Any) -> str:
    if not isinstance(turn, dict):
        return f"got {show(turn)}, expected an object with role and content"
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
