"""Finds what is asked: the newest human request in a message, without what is quoted or merely comes with it.

System prompts, tool results, assistant turns, fenced code and reminder blocks that agent harnesses put into the
user's turn do not vote on the class: they are long, they repeat, and their words are not the sender's
(BlockRunAI/ClawRouter issue 50, BerriAI/litellm issue 42720). Nothing here judges the words. Every function is
linear in the length of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pointsman.model.message import Message

CAP: Final = 4000
"""Characters of an ask that are looked at: the first three quarters of it, and the last quarter."""

FENCE: Final = "```"

QUOTING_TAGS: Final = (
    "additional_data",
    "attached_files",
    "bash-stderr",
    "bash-stdout",
    "command-message",
    "command-name",
    "context",
    "document",
    "documents",
    "environment_context",
    "environment_details",
    "file_contents",
    "function_results",
    "git_status",
    "ide_diagnostics",
    "ide_opened_file",
    "ide_selection",
    "local-command-caveat",
    "local-command-stderr",
    "local-command-stdout",
    "open_files",
    "project_layout",
    "reminder",
    "search_results",
    "system-reminder",
    "system_reminder",
    "task-notification",
    "tool_output",
    "tool_response",
    "tool_result",
    "user-prompt-submit-hook",
    "user_info",
)
"""Elements that harnesses wrap around what no human asked, lower case. One without its end tag counts as plain
text."""

_TAG_NAME_ENDS: Final = (">", " ")

TEXT_PARTS: Final = ("text", "input_text")
"""Types of content parts that hold words. A tuple, so that a type of any kind can be looked for in it."""


def extract(source: str | Sequence[dict[str, Any]]) -> str:
    """Return the words that vote on the class: the newest human request, at most `CAP` characters.

    Args:
        source: a text, or a chat list as in `Message.messages`.

    Returns: The text itself, the same object, where it is short, quotes nothing and has no blanks around; an empty
        string where nobody asks anything.
    """
    text = source if isinstance(source, str) else newest_request(source)
    if FENCE in text or "~~~" in text:
        text = _without_fences(text)
    if "</" in text:
        text = _without_quotes(text)
    # Blank lines around it are no sign of anything.
    text = text.strip()
    if len(text) > CAP:
        text = f"{text[: CAP * 3 // 4]}\n{text[-CAP // 4 :]}"
    return text


def ask_of(message: Message) -> str:
    """Return what the newest human wrote in a valid message, whole and unchanged; what limits, floods and checks
    look at.

    Not what `extract` returns: two messages that differ in their code only are two messages to the flood guard.
    """
    if message.text is not None:
        return message.text
    return newest_request(message.messages or ())


def newest_request(messages: Sequence[dict[str, Any]]) -> str:
    """Return the text of the last `user` message that says something, or an empty string.

    A turn that holds nothing but reminder blocks or tool results is the harness speaking, and the turn before it
    counts.
    """
    for message in reversed(messages):
        if message.get("role") != "user":
            continue
        text = text_of(message.get("content"))
        if text and not text.isspace() and ("</" not in text or _without_quotes(text).strip()):
            return text
    return ""


def text_of(content: Any) -> str:
    """Return the text of a chat message's `content`: a string, or the text parts of a list, one per line."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(
        part["text"]
        for part in content
        if isinstance(part, dict) and part.get("type") in TEXT_PARTS and isinstance(part.get("text"), str)
    )


def _without_fences(text: str) -> str:
    """Drop what stands between fences; an open one reaches to the end, as in CommonMark 4.5."""
    text = "\n".join(text.split(FENCE)[::2])
    if "~~~" in text:  # only at the start of a line: people underline and decorate with tildes
        text = "\n".join(f"\n{text}".split("\n~~~")[::2])
    return text


def _without_quotes(text: str) -> str:
    for tag in QUOTING_TAGS:
        end = f"</{tag}>"
        if end in text:
            *closed, rest = text.split(end)
            start = f"<{tag}"
            text = "\n".join([*(_before(start, piece) for piece in closed), rest])
    return text


def _before(start: str, piece: str) -> str:
    """The part of `piece` in front of the first start tag, all of it where there is none."""
    at = piece.find(start)
    while at >= 0 and piece[at + len(start) : at + len(start) + 1] not in _TAG_NAME_ENDS:
        at = piece.find(start, at + 1)  # the name of a longer tag
    return piece if at < 0 else piece[:at]
