"""What a provider's prompt cache knows: the longest beginning of a prompt that it has been sent before.

A prompt is a row of parts (tools, system prompt, turns). Each server knows the rows it has seen; of a new one, the
parts up to the first that differs count as cached. Turns of a conversation that stay at one server are therefore
cached but for the newest, and a conversation that hops between servers is not: that is what the measurements are
about.

Source: the public pages on prompt caching of OpenAI and Anthropic; both match from the beginning, in the order
tools, system, messages. Their smallest sizes and steps (1,024 tokens and 128) are left out, so that short texts can
be measured.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

BYTES_PER_TOKEN = 4


class Tokens(NamedTuple):
    """Input tokens of a prompt, and how many of them were cached."""

    total: int
    cached: int


class PromptCache:
    """The beginnings that one server knows."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._lock = threading.Lock()
        self.total = 0
        self.cached = 0

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._known.clear()
            self.total = self.cached = 0

    def take(self, parts: Sequence[Any]) -> Tokens:
        """Count a prompt, and know it from now on."""
        total = cached = 0
        chain = hashlib.sha256()
        with self._lock:
            for part in parts:
                text = json.dumps(part, sort_keys=True).encode()
                tokens = count(text)
                chain.update(text + b"\0")
                place = chain.digest()
                if place in self._known and cached == total:
                    cached += tokens
                total += tokens
                self._known.add(place)
            self.total += total
            self.cached += cached
        return Tokens(total, cached)

    @property
    def cached_share(self) -> float:
        """Cached share of all input tokens so far, 0..1."""
        return self.cached / self.total if self.total else 0.0


def count(text: bytes) -> int:
    """Return the tokens of a text, as near as it matters here; at least one."""
    return max(1, len(text) // BYTES_PER_TOKEN)
