"""What every transport must do, as cases that each one runs: the meaning of `ports.Transport`, executable.

A case sends messages through a transport and looks at outcome and reply. What the worker at the other end does is
told in the message itself, `params["do"]`; a `Peer` per transport makes such a worker and says which of these deeds it
cannot show. The cases wait for events only and never sleep.

    for case in CASES:
        if not case.needs & MyPeer.cannot:
            async with MyPeer() as peer:
                await run_case(case, peer)

Idea: riverqueue/river `riverdrivertest`, one library of cases that every driver runs.
"""

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


def _case(*needs: str) -> Callable[[Callable[[Peer], Awaitable[None]]], Callable[[Peer], Awaitable[None]]]:
    def add(run: Callable[[Peer], Awaitable[None]]) -> Callable[[Peer], Awaitable[None]]:
        CASES.append(Case(run.__name__, frozenset(needs), run))
        return run

    return add


@dataclass(slots=True)
class _Sent:
    """What came of one message."""

    outcome: Outcome
    sink: RecordingSink
    reply: Any = field(default=None)


async def _send(peer: Peer, do: str, text: str = "hello", **options: Any) -> _Sent:
    attempt = make_attempt(text, do=do, **options)
    peer.dress(attempt)
    sink = attempt.reply
    assert isinstance(sink, RecordingSink)
    outcome = await peer.transport.send(attempt)
    delivered = isinstance(outcome, Delivered)
    return _Sent(outcome, sink, peer.reply(sink) if delivered else None)


async def _expect_failed(peer: Peer, do: str, reason: Failure, *, sent: bool, **options: Any) -> Failed:
    outcome = (await _send(peer, do, **options)).outcome
    assert isinstance(outcome, Failed), f"expected Failed({reason}), got {outcome}"
    assert outcome.reason is reason, f"expected {reason}, got {outcome}"
    assert outcome.sent is sent, f"expected sent={sent}, got {outcome}"
    assert outcome.worker == WORKER, f"expected the worker's id, got {outcome}"
    assert 0 < len(outcome.detail) <= 500, f"expected 1 to 500 characters of detail, got {len(outcome.detail)}"
    assert outcome.detail.isprintable(), f"expected one printable line, got {outcome.detail!r}"
    return outcome


async def _expect_text(peer: Peer, text: str = "still here", **options: Any) -> None:
    sent = await _send(peer, "text", text, **options)
    assert sent.outcome == Delivered(WORKER), f"expected Delivered, got {sent.outcome}"
    assert sent.reply["text"] == text, f"expected {text[:40]!r}, got {sent.reply!r:.80}"


async def _give_up(task: asyncio.Task[_Sent]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        outcome = (await task).outcome
        raise AssertionError(f"a cancelled send returned {outcome}")
    assert task.cancelled(), "a cancelled send passes the cancellation on"


def _start(peer: Peer, do: str, text: str = "hello", **options: Any) -> asyncio.Task[_Sent]:
    return asyncio.get_running_loop().create_task(_send(peer, do, text, **options))


@_case("text")
async def a_text_is_delivered(peer: Peer) -> None:
    """The simplest way through."""
    await _expect_text(peer, "what is asked is said")


@_case("text")
async def any_text_passes_unchanged(peer: Peer) -> None:
    """Scripts, emoji, line ends, quotes, control characters, and 256 KiB of it in, 1 MB out."""
    await _expect_text(peer, 'Grüße, 世界, \U0001f469\u200d\U0001f680, "quoted" \\ back\r\n\ttab\u2028\x01\x7f end')
    await _expect_text(peer, "ä" * 131_072)
    sent = await _send(peer, "text", say="z" * 1_000_000)
    assert sent.reply["text"] == "z" * 1_000_000


@_case("json")
async def any_json_passes_as_the_reply(peer: Peer) -> None:
    """A worker may answer what it likes."""
    for value in ({"plan": [1, 2.5, None, True, {"deep": "ü"}]}, {"text": "t", "usage": {"tokens": 3}}):
        sent = await _send(peer, "json", value=value)
        assert sent.outcome == Delivered(WORKER), f"expected Delivered, got {sent.outcome}"
        assert sent.reply == value, f"expected {value}, got {sent.reply}"


@_case("error")
async def a_worker_that_fails_is_told_apart(peer: Peer) -> None:
    """With its own words, cut and on one line; it may have acted."""
    failed = await _expect_failed(peer, "error", Failure.WORKER_ERROR, sent=True, say="disk\nfull " + "x" * 2000)
    assert "disk full" in failed.detail, failed.detail
    await _expect_text(peer)


@_case("fault")
async def a_message_that_is_wrong_is_told_apart(peer: Peer) -> None:
    """No other worker should be asked."""
    failed = await _expect_failed(peer, "fault", Failure.MESSAGE_FAULT, sent=True, say="no such repository")
    assert "no such repository" in failed.detail, failed.detail


@_case("busy")
async def a_busy_worker_has_not_begun(peer: Peer) -> None:
    """And may say when to come again."""
    failed = await _expect_failed(peer, "busy", Failure.WORKER_BUSY, sent=False)
    assert failed.retry_after_s == 7.0, failed
    await _expect_text(peer)


@_case("garbage")
async def garbage_is_told_apart(peer: Peer) -> None:
    """Nothing reaches the reply as a value, and the next message is answered."""
    await _expect_failed(peer, "garbage", Failure.WORKER_GARBAGE, sent=True)
    await _expect_text(peer)


@_case("cut")
async def an_answer_cut_short_has_an_unknown_outcome(peer: Peer) -> None:
    """It is never taken for a whole one, and the next message is answered."""
    await _expect_failed(peer, "cut", Failure.WORKER_CLOSED, sent=True)
    await _expect_text(peer)


@_case("away")
async def an_unreachable_worker_was_sent_nothing(peer: Peer) -> None:
    """The probe says so too; when the worker is back, the next message is answered."""
    await peer.go_away()
    await _expect_failed(peer, "text", Failure.WORKER_UNREACHABLE, sent=False)
    assert not await peer.transport.probe()
    await peer.come_back()
    await _expect_text(peer)
    assert await peer.transport.probe()


@_case("silent")
async def a_cancelled_message_frees_all_it_held(peer: Peer) -> None:
    """At both ends, at once, and time and again; the same message can be sent again."""
    for round_number in range(1, 4):
        waiting = [_start(peer, "silent", number=number, attempt=round_number) for number in (1, 2)]
        await peer.seen(2 * round_number)
        for task in waiting:
            await _give_up(task)
        await peer.freed(2 * round_number)
    await _expect_text(peer, number=1, attempt=4)


@_case("late")
async def a_late_answer_is_not_the_next_ones(peer: Peer) -> None:
    """The answer to an attempt that was given up does not answer the attempt after it."""
    waiting = _start(peer, "late", say="too late", number=1, attempt=1)
    await peer.seen(1)
    await _give_up(waiting)
    await _expect_text(peer, "in time", number=1, attempt=2)


@_case("meet")
async def thirty_two_messages_travel_at_once(peer: Peer) -> None:
    """The worker answers when all are there, and each gets its own answer."""
    tasks = [_start(peer, "meet", f"message {number}", number=number, count=32) for number in range(1, 33)]
    for number, task in enumerate(tasks, 1):
        sent = await task
        assert sent.outcome == Delivered(WORKER), f"expected Delivered, got {sent.outcome}"
        assert sent.reply["text"] == f"message {number}", f"message {number} got {sent.reply!r:.80}"


@_case("text")
async def a_closed_transport_can_be_opened_again(peer: Peer) -> None:
    """Opening and closing twice changes nothing; while closed it sends nothing, and says so."""
    transport = peer.transport
    await transport.open()
    await _expect_text(peer)
    await transport.close()
    await transport.close()
    await _expect_failed(peer, "text", Failure.WORKER_UNREACHABLE, sent=False)
    assert not await transport.probe()
    await transport.open()
    await _expect_text(peer)


@_case("silent", "closing")
async def closing_ends_what_is_on_its_way(peer: Peer) -> None:
    """Its outcome is unknown; nobody waits for ever."""
    waiting = _start(peer, "silent")
    await peer.seen(1)
    await peer.transport.close()
    outcome = (await waiting).outcome
    assert isinstance(outcome, Failed), outcome
    assert outcome.sent, f"the worker had been given the message: {outcome}"
