"""Which conversation a message belongs to, also where its sender does not say.

The compatible APIs know no conversations: a client sends the whole history with each turn. What it sends again and
again is the beginning, so that is what names the conversation: client, instructions, and the first words of the user. A
sender that knows better says so (`x-pointsman-conversation`, `conversation_id`).

What changes from turn to turn although nothing was changed is left out: `cache_control`, which clients move along with
the history; whether a text stands alone or in a list of one part, which the same clients change with it; and the line
of accounting that Claude Code puts before its instructions, with a new check sum in each request
(anthropics/claude-code issues 24168 and 68900). Reminders in the first turn of the user stay: harnesses send that turn
again as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from pointsman.core.classify.ask import TEXT_PARTS
from pointsman.core.suitable import is_chat
from pointsman.model.message import Envelope

PREFIX: Final = "auto-"
"""Begins each derived id, so that nobody takes it for one that a sender chose."""

_INSTRUCTING: Final = ("system", "developer")

_ACCOUNTING: Final = "x-anthropic-billing-header:"

_DIGITS: Final = 32

_PART: Final = "\x01"
"""Stands before a part that is no text, so that a text of the same letters is another thing."""


def conversation_of(envelope: Envelope) -> str | None:
    """Return the conversation of a message, or None: embeddings and counts of tokens belong to none."""
    conversation = envelope.message.conversation_id
    return conversation if conversation is None or is_chat(envelope.endpoint) else None


def derive_id(client: str, messages: Sequence[Any], system: Any = None, hint: Any = None) -> str:
    """Return an id that all turns of one conversation share, and other conversations do not.

    Never raises, whatever the parts are. The same in every process, so that several routers agree.

    Args:
        client: conversations of two clients never meet.
        messages: the chat list. Of it count the instructions (`system`, `developer`) before the first turn of the user,
            and that turn.
        system: instructions that stand beside the list: a text or a list of parts.
        hint: what the client says about where its caches lie or who its user is (OpenAI `prompt_cache_key`, Anthropic
            `metadata.user_id`). It tells apart two conversations that begin with the same words, and joins none: such a
            key may be shared by all conversations with the same instructions, as OpenAI advises. Only a text counts.
    """
    said = [client, hint if type(hint) is str else ""]
    _add_instructions(said, system)
    for turn in messages:
        role = turn.get("role") if isinstance(turn, dict) else None
        if role == "user":
            said.append("user")
            _add(said, turn.get("content"))
            break
        if role in _INSTRUCTING:
            _add_instructions(said, turn.get("content"))
    whole = "\0".join(said).encode("utf-8", "surrogatepass")
    # Processors know SHA-256: it takes half the time of BLAKE2b here, and as long for a short text.
    return PREFIX + sha256(whole).hexdigest()[:_DIGITS]


def _add_instructions(said: list[str], content: Any) -> None:
    before = len(said)
    _add(said, content)
    if len(said) > before and said[before].startswith(_ACCOUNTING):
        rest = said[before].partition("\n")[2]
        said[before : before + 1] = [rest] if rest else []


def _add(said: list[str], content: Any) -> None:
    if type(content) is str:
        said.append(content)
    elif type(content) is list:
        for part in content:
            if type(part) is dict and part.get("type") in TEXT_PARTS and type(part.get("text")) is str:
                said.append(part["text"])
            else:
                said.append(_PART + _written(part))
    elif content is not None:
        said.append(_PART + _written(content))


def _written(part: Any) -> str:
    """Return a part as JSON without what clients move about; of what has no JSON only its kind."""
    try:
        return msgspec.json.encode(_bare(part), order="deterministic").decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return type(part).__name__


def _bare(part: Any) -> Any:
    if type(part) is not dict:
        return part
    inner = part.get("content")
    if "cache_control" not in part and type(inner) is not list:
        return part
    bare = {key: value for key, value in part.items() if key != "cache_control"}
    if type(inner) is list:
        bare["content"] = [_bare(one) for one in inner]
    return bare
