"""Holding both ends of a layer: what it passes inwards, and what it makes of the answer.

    inner = Probe(Accepted("x"))
    admit = MyLayer(...)(inner)
    receipt = await admit(envelope)
    assert inner.seen == [envelope]

Idea: tower-rs/tower `tower-test/src/mock`.
"""

from __future__ import annotations

from typing import Any


class Probe:
    """An inner function that remembers what it was given and answers as told.

    Args:
        answer: returned each time; an exception is raised instead.
    """

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.seen: list[Any] = []

    async def __call__(self, request: Any) -> Any:
        """Remember and answer."""
        self.seen.append(request)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer
