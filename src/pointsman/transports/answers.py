"""Which line of a child's output answers which message, and how much nonsense a child may say.

A line belongs to a message by its `id`. It may echo `attempt`; then it counts for that attempt only, and the late
answer to an attempt that was given up cannot be taken for the answer to the next. A child that does not echo it is
matched by `id` alone: its late answer then answers the next attempt at the same message, which asked for the same.

Lines about messages given up are expected and ignored. Any other line that is not an answer is counted; one run of too
many without a good line between them ends the child.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from typing import Any, NamedTuple

from pointsman.model.outcome import Failure
from pointsman.transports.failures import cut
from pointsman.transports.lines import Line
from pointsman.transports.work import decode_json

log = logging.getLogger("pointsman.transports")

MAX_GARBAGE_RUN = 100
"""Lines in a row that may be nonsense."""

_REMEMBERED = 1024  # messages given up whose late lines are expected
_ID_IN_START = re.compile(rb'"id"\s*:\s*"([^"\\]{1,128})"')


class Lost(NamedTuple):
    """There will be no answer: why, and in words."""

    reason: Failure
    detail: str


Answer = dict[str, Any] | Lost


class _Waiting(NamedTuple):
    attempt: int
    future: asyncio.Future[Answer]


class Answers:
    """The messages one child has in hand.

    Args:
        name: what to call the child in the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: dict[str, _Waiting] = {}
        self._given_up: OrderedDict[str, None] = OrderedDict()
        self._garbage_run = 0
        self.garbage_lines = 0

    def __len__(self) -> int:
        """Messages that wait for their answer."""
        return len(self._waiting)

    def expect(self, message_id: str, attempt: int) -> asyncio.Future[Answer]:
        """Return what will hold the answer. An older attempt at the same message that still waits loses."""
        older = self._waiting.pop(message_id, None)
        if older is not None:
            _resolve(older, Lost(Failure.LEASE_LOST, f"attempt {attempt} at the same message was begun"))
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = _Waiting(attempt, future)
        return future

    def give_up(self, message_id: str, attempt: int) -> None:
        """Nobody waits for this attempt any more; its late lines are expected."""
        waiting = self._waiting.get(message_id)
        if waiting is None or waiting.attempt != attempt:
            return
        del self._waiting[message_id]
        self._given_up[message_id] = None
        if len(self._given_up) > _REMEMBERED:
            self._given_up.popitem(last=False)

    def take(self, line: Line) -> bool:
        """Take a line of output; whether the child may go on."""
        if not line.whole:
            return self._take_oversize(line.data)
        try:
            answer = decode_json(line.data)
        except ValueError:
            answer = None
        message_id = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(message_id, str):
            return self._count_garbage(line.data)
        waiting = self._waiting.get(message_id)
        if waiting is None:
            return message_id in self._given_up or self._count_garbage(line.data)
        self._garbage_run = 0
        if "event" not in answer and answer.get("attempt", waiting.attempt) == waiting.attempt:
            del self._waiting[message_id]
            _resolve(waiting, answer)
        return True

    def lose_all(self, lost: Lost) -> None:
        """The child has ended, and with it all it had in hand."""
        waiting, self._waiting = self._waiting, {}
        self._given_up.clear()
        self._garbage_run = 0
        for each in waiting.values():
            _resolve(each, lost)

    def _take_oversize(self, start: bytes) -> bool:
        found = _ID_IN_START.search(start)
        waiting = self._waiting.pop(found[1].decode("utf-8", "replace"), None) if found else None
        if waiting is None:
            return self._count_garbage(start)
        _resolve(waiting, Lost(Failure.WORKER_GARBAGE, f"the answer is longer than a line may be: {_shown(start)}"))
        return True

    def _count_garbage(self, data: bytes) -> bool:
        self.garbage_lines += 1
        self._garbage_run += 1
        if self._garbage_run == 1:
            log.warning("%s wrote a line that answers nothing: %s", self._name, _shown(data))
        return self._garbage_run <= MAX_GARBAGE_RUN


def _resolve(waiting: _Waiting, answer: Answer) -> None:
    if not waiting.future.done():
        waiting.future.set_result(answer)


def _shown(data: bytes) -> str:
    return cut(data[:200].decode("utf-8", "replace")) or "(an empty line)"
