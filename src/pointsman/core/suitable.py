"""Which workers can serve a message at all: by the language of its body, and by the model its sender insists on.

A body that must reach the worker unchanged goes to a worker that speaks its language; there is no translation between
OpenAI's and Anthropic's. Workers of our own kind (http, subprocess, callable) are given the chat list instead, so they
serve chats of both, and nothing else: they have no embeddings and count no tokens. Whether a worker is well, free or
liked is decided elsewhere.

Nearly all pools have workers of one kind. So a pool knows its kinds, and asks this file anew only when a worker joins
or leaves.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pointsman.model.message import Envelope

PROTOCOLS: Final = ("openai", "anthropic")
"""Transports that pass bodies on as they are; every other one is given the message in our own words."""

_CHATS: Final = frozenset({"", "/chat/completions", "/messages"})

_MOST_NEEDS: Final = 1024
"""Needs whose answer a roster remembers; senders name models, so their number is theirs to choose."""

NOBODY: Final[frozenset[str]] = frozenset()


class Need(NamedTuple):
    """What a worker must be able to do for a message.

    Attributes:
        protocol: language of its body, or empty where that is no matter.
        chat: it asks for an answer; False for embeddings and counts.
        model: the worker model its sender insists on, or empty.
    """

    protocol: str
    chat: bool
    model: str


def is_chat(endpoint: str) -> bool:
    """Whether `Envelope.endpoint` asks for an answer, and so belongs to a conversation."""
    return endpoint in _CHATS or endpoint.partition("?")[0] in _CHATS


def need_of(envelope: Envelope) -> Need | None:
    """Return what a message needs, or None where any worker will do."""
    model = envelope.model
    if envelope.body is None or envelope.protocol not in PROTOCOLS:
        return Need("", True, model) if model else None
    return Need(envelope.protocol, is_chat(envelope.endpoint), model)


def suits(need: Need, transport: str, model: str | None) -> bool:
    """Whether a worker of this transport and model can serve it."""
    if need.model and model != need.model:
        return False
    if not need.protocol or transport == need.protocol:
        return True
    return need.chat and transport not in PROTOCOLS


class Roster:
    """The kinds of workers in one pool, by id."""

    __slots__ = ("_kinds", "_unsuitable")

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str | None], dict[str, None]] = {}
        self._unsuitable: dict[Need, frozenset[str]] = {}

    def join(self, worker_id: str, transport: str, model: str | None) -> None:
        """A worker joined."""
        self._kinds.setdefault((transport, model), {})[worker_id] = None
        self._unsuitable.clear()

    def leave(self, worker_id: str, transport: str, model: str | None) -> None:
        """A worker left; it must have joined under the same transport and model."""
        same = self._kinds[transport, model]
        del same[worker_id]
        if not same:
            del self._kinds[transport, model]
        self._unsuitable.clear()

    def unsuitable(self, need: Need) -> frozenset[str]:
        """Return the ids of the workers that cannot serve it; the empty set where all can."""
        found = self._unsuitable.get(need)
        if found is None:
            found = frozenset(
                worker_id for kind, ids in self._kinds.items() if not suits(need, *kind) for worker_id in ids
            )
            if len(self._unsuitable) >= _MOST_NEEDS:
                self._unsuitable.clear()
            self._unsuitable[need] = found
        return found

    def serves(self, need: Need) -> bool:
        """Whether a worker here can serve it, however busy or ill."""
        return any(suits(need, *kind) for kind in self._kinds)

    def knows(self, model: str) -> bool:
        """Whether a worker here has this model, whatever it speaks."""
        return any(its == model for _, its in self._kinds)

    def kinds(self) -> list[str]:
        """Return the workers' transports in order, each with its model where it has one, for people."""
        return sorted({transport if model is None else f"{transport} ({model})" for transport, model in self._kinds})


def describe(need: Need) -> str:
    """Return a need in words, as what a worker would have to do."""
    words: list[str] = []
    if need.protocol and need.chat:
        words.append(f"speaks {need.protocol}")
    elif need.protocol:
        words.append(f"speaks {need.protocol} itself (embeddings and counts are no chats)")
    if need.model:
        words.append(f"has model {need.model!r}")
    return " and ".join(words)
