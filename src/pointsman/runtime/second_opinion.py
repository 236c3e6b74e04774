"""Asks somebody else for the class of a message that the model is unsure of: in time, or not at all.

The embedder is the user's own function and may do anything. It has a deadline; what it raises, or says that cannot be
understood, counts as no opinion; and after many such it is left alone for a while.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from pointsman.core.rollout.shedding import Fuse
from pointsman.model.settings import ClassifierSettings
from pointsman.ports import Clock
from pointsman.runtime.trial import try_out

log = logging.getLogger("pointsman.runtime")

Embedder = Callable[[str], Awaitable[Mapping[str, float]]]
"""Takes what is asked and returns a probability by class name."""

_ABOUT_ONE: Final = 0.01


class SecondOpinion:
    """Somebody to ask.

    Args:
        embedder: the user's function.
        settings: returns those in force: its deadline, and from which confidence on it is not asked.
        clock: time.
    """

    def __init__(self, embedder: Embedder, settings: Callable[[], ClassifierSettings], clock: Clock) -> None:
        self._embedder = embedder
        self._settings = settings
        self._clock = clock
        self._fuse = Fuse()

    async def ask(self, text: str) -> Mapping[str, float] | None:
        """Return probabilities by class, None where there are none in time."""
        if self._fuse.is_off(self._clock.monotonic()):
            return None
        tried = await try_out(lambda: self._embedder(text), self._settings().second_opinion_s, self._clock)
        trouble = "it took too long" if tried.timed_out else _trouble(tried.value, tried.fault)
        if not trouble:
            return tried.value
        if self._fuse.fail(self._clock.monotonic()):
            log.warning("the embedder gives no second opinions (%s) and is left alone for a while", trouble)
        return None


def _trouble(value: object, fault: BaseException | None) -> str:
    """Return what is wrong with an opinion, or nothing."""
    if fault is not None:
        return f"it raised {type(fault).__name__}"
    if not isinstance(value, Mapping) or not value:
        return f"it returned {type(value).__name__}, expected a probability by class"
    shares = list(value.values())
    if not all(isinstance(one, int | float) and 0.0 <= one <= 1.0 for one in shares):
        return "it returned what are no probabilities"
    if abs(sum(shares) - 1.0) > _ABOUT_ONE:
        return "its probabilities do not sum to 1"
    return ""
