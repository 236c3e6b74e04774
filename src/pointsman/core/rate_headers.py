"""Reads what a provider says about its rate limits in the headers of a reply.

Decides what a header means, and that what cannot be understood means nothing: a provider's headers are a hint, never an
error. What follows from them stands in `core.quota`.

Two dialects. OpenAI, and most who imitate it: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, reset as a
duration such as `1s`, `6m0s` or `120ms`; tokens are input and output together. Anthropic:
`anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, reset as an RFC 3339
instant; its `tokens` are whichever limit is the narrowest, so they count only where the two others are not given.
`retry-after-ms` and `retry-after` (seconds; a date is left out, as clocks differ) go with both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from pointsman.core.instants import parse_instant

REQUESTS: Final = "requests"
INPUT: Final = "input_tokens"
OUTPUT: Final = "output_tokens"
TOKENS: Final = "tokens"

_OPENAI: Final = "x-ratelimit-"
_ANTHROPIC: Final = "anthropic-ratelimit-"
_KINDS: Final = {"requests": REQUESTS, "tokens": TOKENS, "input-tokens": INPUT, "output-tokens": OUTPUT}
_FIELDS: Final = frozenset({"limit", "remaining", "reset"})

_DURATION: Final = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m(?!s))?(?:(\d{1,8}(?:\.\d{1,9})?)(ms|s)?)?")
_MOST_DIGITS: Final = 15
_LONGEST_S: Final = 86_400.0


class Reading(NamedTuple):
    """What a reply says of one kind; None where it does not. `reset_s`: seconds until all of it is there again."""

    limit: int | None
    remaining: int | None
    reset_s: float | None


def readings(headers: Sequence[tuple[str, str]], wall: float) -> dict[str, Reading]:
    """Return the readings of a reply by kind: `requests`, `input_tokens`, `output_tokens`, `tokens`.

    Args:
        headers: of the reply, names in any case.
        wall: Unix seconds, now.
    """
    found: dict[str, dict[str, str]] = {}
    for spelled, value in headers:
        name = spelled.lower()
        if name.startswith(_OPENAI):
            field, _, kind = name.removeprefix(_OPENAI).partition("-")
        elif name.startswith(_ANTHROPIC):
            kind, _, field = name.removeprefix(_ANTHROPIC).rpartition("-")
        else:
            continue
        if kind in _KINDS and field in _FIELDS:
            found.setdefault(_KINDS[kind], {})[field] = value
    if INPUT in found or OUTPUT in found:
        found.pop(TOKENS, None)
    read = {
        kind: Reading(_count(of.get("limit")), _count(of.get("remaining")), _reset_s(of.get("reset"), wall))
        for kind, of in found.items()
    }
    return {kind: reading for kind, reading in read.items() if reading != (None, None, None)}


def retry_after_s(headers: Sequence[tuple[str, str]]) -> float | None:
    """Return for how many seconds a reply asks to be left alone, at most a day; None where it does not."""
    wish = {name.lower(): value for name, value in headers if name.lower().startswith("retry-after")}
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = wish.get(name, "").strip()
        if value.isascii() and value.replace(".", "", 1).isdigit() and len(value) <= _MOST_DIGITS:
            return min(float(value) * unit_s, _LONGEST_S)
    return None


def _count(value: str | None) -> int | None:
    if value is None:
        return None
    value = value.strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS else None


def _reset_s(value: str | None, wall: float) -> float | None:
    if value is None:
        return None
    value = value.strip()
    instant = parse_instant(value)
    seconds = _duration_s(value) if instant is None else instant - wall
    return None if seconds is None else min(max(0.0, seconds), _LONGEST_S)


def _duration_s(value: str) -> float | None:
    match = _DURATION.fullmatch(value)
    if not value or match is None:
        return None
    days, hours, minutes, last, unit = match.groups()
    seconds = float(last or 0.0) * (0.001 if unit == "ms" else 1.0)
    return int(days or 0) * 86_400.0 + int(hours or 0) * 3_600.0 + int(minutes or 0) * 60.0 + seconds
