"""How many tokens an answer took: from what a provider says, or from bytes where it does not.

Decides what a provider's figures mean in our terms, which of them are nonsense and count for nothing, and what stands
in for a figure that is missing. Where they stand in an answer is told by `core.answer_scan`.

OpenAI counts cached tokens among `prompt_tokens`. Anthropic's `input_tokens` are only those that no cache knew: the two
cache figures come on top. Its figures within a stream are cumulative, and come in two parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from pointsman.model.usage import Usage

BYTES_PER_TOKEN: Final = 4
"""The rule of thumb that providers give for English."""

_MOST: Final = 1_000_000_000
"""A figure above it is no count of tokens."""


class Figures(NamedTuple):
    """What a provider says of one answer, in our terms: `input` is all of it. None where it says nothing usable."""

    input: int | None
    output: int | None
    cached: int = 0
    written: int = 0


NOTHING_SAID: Final = Figures(None, None)


def openai_figures(said: Any) -> Figures:
    """Return what an object called `usage` means in an answer of OpenAI's protocol."""
    if not isinstance(said, dict):
        return NOTHING_SAID
    details = said.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return _figures(_count(said.get("prompt_tokens")), _count(said.get("completion_tokens")), cached or 0, 0)


def anthropic_figures(said: Any) -> Figures:
    """Return what an object called `usage` means in an answer of Anthropic's protocol."""
    if not isinstance(said, dict):
        return NOTHING_SAID
    fresh = _count(said.get("input_tokens"))
    cached = _count(said.get("cache_read_input_tokens")) or 0
    written = _count(said.get("cache_creation_input_tokens")) or 0
    input_tokens = None if fresh is None and not cached and not written else (fresh or 0) + cached + written
    return _figures(input_tokens, _count(said.get("output_tokens")), cached, written)


def merged(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a stream's beginning with those of its end laid over them; a 0 hides no figure."""
    return {**first, **{name: value for name, value in last.items() if _count(value) or name not in first}}


def usage_of(figures: Figures, input_guess: Callable[[], int], output_guess: Callable[[], int]) -> Usage:
    """Return the usage of an answer; a guess, which marks it as estimated, stands in for what was not said."""
    input_tokens, output_tokens, cached, written = figures
    estimated = input_tokens is None or output_tokens is None
    if input_tokens is None:
        input_tokens, cached, written = input_guess(), 0, 0
    if output_tokens is None:
        output_tokens = output_guess()
    return Usage(input_tokens, cached, written, output_tokens, estimated)


def tokens_in(size_bytes: int) -> int:
    """Return about how many tokens so many bytes of text are, rounded up."""
    return -(-size_bytes // BYTES_PER_TOKEN)


def _figures(input_tokens: int | None, output_tokens: int | None, cached: int, written: int) -> Figures:
    """Return figures that fit together. No input is no answer: some servers fill in zeros where they do not count."""
    if not input_tokens:
        return Figures(None, output_tokens or None)
    cached = min(cached, input_tokens)
    return Figures(input_tokens, output_tokens, cached, min(written, input_tokens - cached))


def _count(value: Any) -> int | None:
    """Return a count of tokens, or None for whatever is none: negative, no number, a fraction, absurdly many."""
    if isinstance(value, float) and value.is_integer():
        value = int(value) if abs(value) <= _MOST else None
    if type(value) is not int or not 0 <= value <= _MOST:
        return None
    return value
