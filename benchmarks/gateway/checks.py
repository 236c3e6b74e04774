"""Whether an answer is the one the provider sent: nothing lost, twice or held back, no cut passed off as an end.

A check takes an answer's body as it comes and judges it when it has ended. What came over the wire (status, whether the
transfer ended as HTTP says it must) is the caller's to tell.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import Final

from benchmarks.gateway import payloads

HELD_BACK_S: Final = 0.025
"""A chunk that arrives later than this after it was sent was held back."""

_POSITION: Final = re.compile(rb"t(\d\d)-(\d{10})")
_ERROR: Final = re.compile(rb'^event: *error|^data: *\{ *"error"', re.MULTILINE)


class PlainCheck:
    """The reply to a plain request.

    Args:
        number: the request's.
        exact: whether the body must be the provider's byte for byte; else only its text is looked for.
    """

    __slots__ = ("body", "exact", "number")

    def __init__(self, number: int, exact: bool) -> None:
        self.number = number
        self.exact = exact
        self.body = b""

    def take(self, data: bytes, at: float) -> None:
        """Take a piece of the body."""
        self.body = self.body + data if self.body else data

    def fault(self) -> str | None:
        """Return what is wrong with a reply that has ended; None = nothing."""
        if self.exact:
            return None if self.body == payloads.reply(self.number) else "the reply is not the provider's"
        return None if b"bench-p-%010d" % self.number in self.body else "the reply lacks the provider's text"


class StreamCheck:
    """A stream of server-sent events.

    Attributes:
        arrivals: when each chunk of the provider arrived, seconds, in the order of arrival.
        done: whether `[DONE]` came.
        error_event: whether an error event came.
    """

    __slots__ = ("_mistake", "_raw", "_rest", "arrivals", "done", "error_event", "exact", "number")

    def __init__(self, number: int, exact: bool) -> None:
        self.number = number
        self.exact = exact
        self.arrivals: list[float] = []
        self.done = False
        self.error_event = False
        self._rest = b""
        self._raw: list[bytes] = []
        self._mistake: str | None = None

    def take(self, data: bytes, at: float) -> None:
        """Take a piece of the body; events may begin and end anywhere in it."""
        if self.exact:
            self._raw.append(data)
        events = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n\n")
        self._rest = events.pop()
        for one in events:
            self._take_event(one, at)

    def _take_event(self, one: bytes, at: float) -> None:
        found = _POSITION.search(one)
        if found is not None:
            expected = len(self.arrivals)
            if int(found[2]) != self.number:
                self._mistake = self._mistake or f"a chunk of request {int(found[2])} in the stream of {self.number}"
            elif int(found[1]) != expected:
                self._mistake = self._mistake or f"chunk {int(found[1])} where {expected} was due"
            self.arrivals.append(at)
        elif one.startswith(b"data: [DONE]"):
            self.done = True
        elif _ERROR.search(one):
            self.error_event = True

    def fault(self) -> str | None:
        """Return what is wrong with a stream that should be complete; None = nothing."""
        if self._mistake is not None:
            return self._mistake
        if self.error_event:
            return "an error event"
        if len(self.arrivals) != payloads.CHUNKS:
            return f"{len(self.arrivals)} chunks of {payloads.CHUNKS}"
        if not self.done:
            return "no [DONE]"
        if self.exact and b"".join(self._raw) != payloads.stream(self.number):
            return "the bytes are not the provider's"
        return None

    def delays(self, sent: Sequence[float]) -> list[float]:
        """Return how long each chunk that came was under way, seconds."""
        return [arrived - left for left, arrived in zip(sent, self.arrivals, strict=False)]


class End(enum.Enum):
    """How a stream that the provider cut looked to the client."""

    ERROR_EVENT = "error event"
    BROKEN = "broken transfer"
    REFUSED = "error status"
    CLEAN = "clean end"
    """Passed off as complete: the one that must not be."""


def end_of_cut(status: int, *, whole: bool, check: StreamCheck) -> End:
    """Tell how a cut stream ended for the client.

    Args:
        status: HTTP status; 0 = there was none.
        whole: whether the transfer ended as HTTP says that a complete one does.
        check: what came of the body.
    """
    if not whole:
        return End.BROKEN
    if status != 200:
        return End.REFUSED
    return End.ERROR_EVENT if check.error_event and not check.done else End.CLEAN
