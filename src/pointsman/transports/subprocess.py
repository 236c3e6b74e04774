"""Workers that are programs: one child process that reads messages as JSON lines and answers in JSON lines.

In: the object of `work.to_work`, one a line. Out, in any order: `{"id", "text"}` or any other object with that `id`;
`{"id", "error", "retryable"}` (`retryable: false` means that the message itself is wrong; `"retry_after_s"` beside it
that the child has not begun and is busy); `{"id", "event", ...}` while it works. `attempt` may be echoed: `answers`.

The child serves many messages at once and is told nothing when one is given up. When it dies, all it had in hand is
lost with an unknown outcome, and the next message or probe starts it again, after a pause that doubles while it gets
nothing done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pointsman.model.outcome import Delivered, Failure, Outcome
from pointsman.ports import Attempt
from pointsman.transports.answers import MAX_GARBAGE_RUN, Answer, Answers, Lost
from pointsman.transports.child import Child
from pointsman.transports.failures import fail
from pointsman.transports.lines import Line
from pointsman.transports.work import encode_work, usage_in

MAX_LINE_BYTES = 1_048_576
"""Longest answer, bytes."""

GRACE_S = 5.0
"""Between closing the child's input, SIGTERM and SIGKILL, seconds."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_ADDRESS = ("id", "attempt")


class SubprocessTransport:
    """A worker that is a child process.

    Args:
        command: the program and its arguments; no shell is involved.
        max_in_flight: messages it is given at once, >= 1; one more is refused as busy.
        grace_s: seconds between the three steps of ending it.
        max_line_bytes: longest answer.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        max_in_flight: int,
        grace_s: float = GRACE_S,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        self._command = tuple(command)
        self._max_in_flight = max_in_flight
        self._grace_s = grace_s
        self._max_line_bytes = max_line_bytes
        self._answers = Answers(self._command[0])
        self._child: Child | None = None
        self._leaving: list[Child] = []
        self._starting = asyncio.Lock()
        self._is_open = False
        self._starts = 0
        self._failures = 0
        self._not_before = 0.0
        self._last_words = ""

    async def open(self) -> None:
        """Start the child; one that cannot be started now is tried again later."""
        self._is_open = True
        await self._running()

    async def send(self, attempt: Attempt) -> Outcome:
        """Write the message to the child and wait for the line that answers it."""
        child = await self._running()
        if child is None:
            return self._unreachable(attempt)
        if len(self._answers) >= self._max_in_flight:
            detail = f"the child process has {self._max_in_flight} messages in hand already"
            return fail(attempt, Failure.WORKER_BUSY, detail, sent=False)
        line = encode_work(attempt)
        message_id, number = attempt.envelope.id, attempt.lease.attempt
        future = self._answers.expect(message_id, number)
        try:
            if not await child.write(line):
                return self._unreachable(attempt)
            answer = await future
        finally:
            self._answers.give_up(message_id, number)
        return self._settle(attempt, answer)

    async def probe(self) -> bool:
        """Whether the child runs, or could be started just now."""
        return await self._running() is not None

    async def close(self) -> None:
        """Let the child finish what it can within the grace, then end it. Idempotent; `open` may follow."""
        self._is_open = False
        async with self._starting:
            if self._child is not None:
                await self._child.stop(self._grace_s)
            for child in self._leaving:
                await child.gone()
            self._failures, self._not_before = 0, 0.0

    def describe(self) -> dict[str, Any]:
        """Return facts for an operator."""
        child = self._child
        return {
            "pid": None if child is None else child.pid,
            "starts": self._starts,
            "in_hand": len(self._answers),
            "garbage_lines": self._answers.garbage_lines,
            "stderr": self._last_words if child is None else child.stderr_tail,
        }

    async def _running(self) -> Child | None:
        """Return the child, started if need be; None if it cannot be had now."""
        child = self._child
        if child is not None and child.alive:
            return child
        async with self._starting:
            if self._child is None and self._is_open and asyncio.get_running_loop().time() >= self._not_before:
                try:
                    child = await Child.start(self._command, self._take, self._ended, self._max_line_bytes)
                except (OSError, ValueError) as error:
                    self._pause(f"cannot start {self._command[0]!r}: {error}")
                else:
                    self._starts += 1
                    self._child = None if child.has_ended else child
            child = self._child
        return child if child is not None and child.alive else None

    def _take(self, line: Line) -> None:
        child = self._child
        if not self._answers.take(line) and child is not None:
            detail = f"it wrote more than {MAX_GARBAGE_RUN} lines in a row that answer nothing"
            self._answers.lose_all(Lost(Failure.WORKER_GARBAGE, detail))
            child.kill(detail)

    def _ended(self, child: Child) -> None:
        if self._child is not None and self._child is not child:
            return  # its start was cancelled, and another has taken its place
        self._child = None
        self._leaving = [each for each in (*self._leaving, child) if not each.is_gone]
        self._answers.lose_all(Lost(Failure.WORKER_CLOSED, f"the child process ended: {child.farewell}"))
        self._pause(child.farewell)

    def _pause(self, last_words: str) -> None:
        """Note that the child failed; the first new start may follow at once."""
        self._last_words = last_words
        pause_s = min(_FIRST_PAUSE_S * 2.0 ** (self._failures - 1), _LONGEST_PAUSE_S) if self._failures else 0.0
        self._failures = min(self._failures + 1, 16)
        self._not_before = asyncio.get_running_loop().time() + pause_s

    def _unreachable(self, attempt: Attempt) -> Outcome:
        wait_s = max(0.0, self._not_before - asyncio.get_running_loop().time())
        detail = self._last_words if self._is_open else "this worker has left, or was not opened"
        return fail(
            attempt,
            Failure.WORKER_UNREACHABLE,
            detail or "the child process is ending",
            sent=False,
            retry_after_s=wait_s or None,
        )

    def _settle(self, attempt: Attempt, answer: Answer) -> Outcome:
        if isinstance(answer, Lost):
            return fail(attempt, answer.reason, answer.detail, sent=True)
        self._failures = 0
        error = answer.get("error")
        if error is not None:
            return _failed(attempt, str(error) or "no explanation", answer)
        value = {key: answer[key] for key in answer if key not in _ADDRESS}
        if not value:
            detail = "the answer has an id but neither text nor error"
            return fail(attempt, Failure.WORKER_GARBAGE, detail, sent=True)
        attempt.usage = usage_in(value)
        attempt.reply.put(value)
        return Delivered(attempt.worker)


def _failed(attempt: Attempt, error: str, answer: dict[str, Any]) -> Outcome:
    if answer.get("retryable") is False:
        return fail(attempt, Failure.MESSAGE_FAULT, error, sent=True)
    wish_s = answer.get("retry_after_s")
    if isinstance(wish_s, int | float) and wish_s >= 0:
        return fail(attempt, Failure.WORKER_BUSY, error, sent=False, retry_after_s=float(wish_s))
    return fail(attempt, Failure.WORKER_ERROR, error, sent=True)
