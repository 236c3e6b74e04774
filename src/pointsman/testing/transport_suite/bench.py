"""What the cases for transports stand on: what a worker can be asked to do, who does it, and how one case runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.ports import Attempt, Transport
from pointsman.testing.attempts import WORKER, RecordingSink, make_attempt

DEEDS = {
    "text": 'answers {"text": params["say"]}, or the text it was given where nothing is to be said',
    "json": 'answers params["value"]',
    "meet": 'answers like "text" once params["count"] messages have come',
    "error": 'fails with the words params["say"]; trying again makes sense',
    "fault": 'refuses the message with the words params["say"]',
    "busy": "is busy, and wants to be left alone for 7 seconds",
    "garbage": "answers what no reply can be read from",
    "cut": "stops in the middle of its answer, for good",
    "silent": "does not answer",
    "late": 'answers params["say"] only when the next message has come, and before that one',
    "stream": 'streams params["say"] in words, each only once the one before it was shown',
    "stream_cut": 'streams params["say"], then stops as if that were all, without its last event',
    "stream_break": 'streams params["say"], then breaks the connection',
    "stream_error": 'streams params["say"], and once it was shown says in the stream that it failed',
    "stream_hang": 'streams params["say"], then says nothing',
}
"""What a message can ask of the worker at the other end."""


class Peer(Protocol):
    """A transport and the worker at its other end, which does what `DEEDS` says. Made anew for each case."""

    @property
    def transport(self) -> Transport:
        """Speaks to the worker; always the same one, opened and closed by the cases."""
        ...

    def dress(self, attempt: Attempt) -> None:
        """Change an attempt to what this transport is given, such as a body in its protocol."""
        ...

    def reply(self, sink: RecordingSink) -> Any:
        """Return the answer as a native worker would have given it: `{"text": ...}` or another JSON value."""
        ...

    def shown(self, sink: RecordingSink) -> str:
        """Return the text that a sender has been shown so far; only for peers that stream."""
        ...

    async def seen(self, count: int) -> None:
        """Wait until the worker has been given `count` messages since the peer was made."""
        ...

    async def freed(self, count: int) -> None:
        """Wait until whatever was held for `count` messages given up is free at both ends."""
        ...

    async def go_away(self) -> None:
        """Make the worker unreachable."""
        ...

    async def come_back(self) -> None:
        """Make it reachable again."""
        ...

    async def go_on(self) -> None:
        """What was streamed last has been shown; only for peers that stream."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: the fact it shows.
        needs: deeds, `away` (the worker can be made unreachable) and `closing` (closing the transport ends what is on
            its way), without which the case means nothing.
        run: shows it, or raises AssertionError.
    """

    name: str
    needs: frozenset[str]
    run: Callable[[Peer], Awaitable[None]]


CASES: list[Case] = []
"""All cases, in reading order."""

CASE_S = 20.0
"""A case that takes longer hangs, seconds."""


async def run_case(case: Case, peer: Peer) -> None:
    """Run one case on an opened transport, and close it.

    Raises:
        AssertionError: the transport does not do what the case says.
        TimeoutError: it hangs.
    """
    await peer.transport.open()
    try:
        async with asyncio.timeout(CASE_S):
            await case.run(peer)
    finally:
        await peer.transport.close()


def case(*needs: str) -> Callable[[Callable[[Peer], Awaitable[None]]], Callable[[Peer], Awaitable[None]]]:
    """Make a case of a function."""

    def add(run: Callable[[Peer], Awaitable[None]]) -> Callable[[Peer], Awaitable[None]]:
        CASES.append(Case(run.__name__, frozenset(needs), run))
        return run

    return add


@dataclass(slots=True)
class Sent:
    """What came of one message."""

    outcome: Outcome
    sink: RecordingSink
    reply: Any = field(default=None)


async def send(peer: Peer, do: str, text: str = "hello", **options: Any) -> Sent:
    """Send a message that asks the worker to do something; `options` are those of `make_attempt`."""
    return await send_attempt(peer, make_attempt(text, do=do, **options))


async def send_attempt(peer: Peer, attempt: Attempt) -> Sent:
    """Send what was made elsewhere."""
    peer.dress(attempt)
    sink = attempt.reply
    assert isinstance(sink, RecordingSink)
    outcome = await peer.transport.send(attempt)
    delivered = isinstance(outcome, Delivered)
    return Sent(outcome, sink, peer.reply(sink) if delivered else None)


async def expect_failed(peer: Peer, do: str, reason: Failure, *, sent: bool, **options: Any) -> Failed:
    """Send a message that must fail so, with the worker's id and a readable detail."""
    outcome = (await send(peer, do, **options)).outcome
    assert isinstance(outcome, Failed), f"expected Failed({reason}), got {outcome}"
    assert outcome.reason is reason, f"expected {reason}, got {outcome}"
    assert outcome.sent is sent, f"expected sent={sent}, got {outcome}"
    assert outcome.worker == WORKER, f"expected the worker's id, got {outcome}"
    assert 0 < len(outcome.detail) <= 500, f"expected 1 to 500 characters of detail, got {len(outcome.detail)}"
    assert outcome.detail.isprintable(), f"expected one printable line, got {outcome.detail!r}"
    return outcome


async def expect_text(peer: Peer, text: str = "still here", **options: Any) -> None:
    """Send a message that must be answered with its own text."""
    sent = await send(peer, "text", text, **options)
    assert sent.outcome == Delivered(WORKER), f"expected Delivered, got {sent.outcome}"
    assert sent.reply["text"] == text, f"expected {text[:40]!r}, got {sent.reply!r:.80}"


async def give_up(task: asyncio.Task[Sent]) -> None:
    """Cancel a message, which must pass the cancellation on."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        outcome = (await task).outcome
        raise AssertionError(f"a cancelled send returned {outcome}")
    assert task.cancelled(), "a cancelled send passes the cancellation on"


def start(peer: Peer, do: str, text: str = "hello", **options: Any) -> asyncio.Task[Sent]:
    """Send a message and do not wait."""
    return asyncio.get_running_loop().create_task(send(peer, do, text, **options))
