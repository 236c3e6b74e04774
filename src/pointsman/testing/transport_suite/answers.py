"""Answers in one piece: what is delivered, what a failure means, what is freed, and what happens at the end."""

from __future__ import annotations

from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.usage import Usage
from pointsman.testing.attempts import WORKER, make_attempt
from pointsman.testing.transport_suite.bench import (
    Peer,
    case,
    expect_failed,
    expect_text,
    give_up,
    send,
    send_attempt,
    start,
)


@case("text")
async def a_text_is_delivered(peer: Peer) -> None:
    """The simplest way through."""
    await expect_text(peer, "what is asked is said")


@case("text")
async def any_text_passes_unchanged(peer: Peer) -> None:
    """Scripts, emoji, line ends, quotes, control characters, and 256 KiB of it in, 1 MB out."""
    await expect_text(peer, 'Grüße, 世界, \U0001f469\u200d\U0001f680, "quoted" \\ back\r\n\ttab\u2028\x01\x7f end')
    await expect_text(peer, "ä" * 131_072)
    sent = await send(peer, "text", say="z" * 1_000_000)
    assert sent.reply["text"] == "z" * 1_000_000


@case("json")
async def any_json_passes_as_the_reply(peer: Peer) -> None:
    """A worker may answer what it likes."""
    for value in ({"plan": [1, 2.5, None, True, {"deep": "ü"}]}, {"text": "t", "usage": {"tokens": 3}}):
        sent = await send(peer, "json", value=value)
        assert sent.outcome == Delivered(WORKER), f"expected Delivered, got {sent.outcome}"
        assert sent.reply == value, f"expected {value}, got {sent.reply}"


@case("json")
async def what_a_worker_says_it_took_is_taken_down(peer: Peer) -> None:
    """Its tokens are charged; nothing is made up for one that does not say."""
    for value, usage in (
        ({"text": "t", "usage": {"input_tokens": 5, "output_tokens": 2}}, Usage(5, 0, 0, 2)),
        ({"text": "t"}, None),
    ):
        attempt = make_attempt(do="json", value=value)
        await send_attempt(peer, attempt)
        assert attempt.usage == usage, f"expected {usage}, got {attempt.usage}"


@case("error")
async def a_worker_that_fails_is_told_apart(peer: Peer) -> None:
    """With its own words, cut and on one line; it may have acted."""
    failed = await expect_failed(peer, "error", Failure.WORKER_ERROR, sent=True, say="disk\nfull " + "x" * 2000)
    assert "disk full" in failed.detail, failed.detail
    await expect_text(peer)


@case("fault")
async def a_message_that_is_wrong_is_told_apart(peer: Peer) -> None:
    """No other worker should be asked."""
    failed = await expect_failed(peer, "fault", Failure.MESSAGE_FAULT, sent=True, say="no such repository")
    assert "no such repository" in failed.detail, failed.detail


@case("busy")
async def a_busy_worker_has_not_begun(peer: Peer) -> None:
    """And may say when to come again."""
    failed = await expect_failed(peer, "busy", Failure.WORKER_BUSY, sent=False)
    assert failed.retry_after_s == 7.0, failed
    await expect_text(peer)


@case("garbage")
async def garbage_is_told_apart(peer: Peer) -> None:
    """Nothing reaches the reply as a value, and the next message is answered."""
    await expect_failed(peer, "garbage", Failure.WORKER_GARBAGE, sent=True)
    await expect_text(peer)


@case("cut")
async def an_answer_cut_short_has_an_unknown_outcome(peer: Peer) -> None:
    """It is never taken for a whole one, and the next message is answered."""
    await expect_failed(peer, "cut", Failure.WORKER_CLOSED, sent=True)
    await expect_text(peer)


@case("away")
async def an_unreachable_worker_was_sent_nothing(peer: Peer) -> None:
    """The probe says so too; when the worker is back, the next message is answered."""
    await peer.go_away()
    await expect_failed(peer, "text", Failure.WORKER_UNREACHABLE, sent=False)
    assert not await peer.transport.probe()
    await peer.come_back()
    await expect_text(peer)
    assert await peer.transport.probe()


@case("silent")
async def a_cancelled_message_frees_all_it_held(peer: Peer) -> None:
    """At both ends, at once, and time and again; the same message can be sent again."""
    for round_number in range(1, 4):
        waiting = [start(peer, "silent", number=number, attempt=round_number) for number in (1, 2)]
        await peer.seen(2 * round_number)
        for task in waiting:
            await give_up(task)
        await peer.freed(2 * round_number)
    await expect_text(peer, number=1, attempt=4)


@case("late")
async def a_late_answer_is_not_the_next_ones(peer: Peer) -> None:
    """The answer to an attempt that was given up does not answer the attempt after it."""
    waiting = start(peer, "late", say="too late", number=1, attempt=1)
    await peer.seen(1)
    await give_up(waiting)
    await expect_text(peer, "in time", number=1, attempt=2)


@case("meet")
async def thirty_two_messages_travel_at_once(peer: Peer) -> None:
    """The worker answers when all are there, and each gets its own answer."""
    tasks = [start(peer, "meet", f"message {number}", number=number, count=32) for number in range(1, 33)]
    for number, task in enumerate(tasks, 1):
        sent = await task
        assert sent.outcome == Delivered(WORKER), f"expected Delivered, got {sent.outcome}"
        assert sent.reply["text"] == f"message {number}", f"message {number} got {sent.reply!r:.80}"


@case("text")
async def a_closed_transport_can_be_opened_again(peer: Peer) -> None:
    """Opening and closing twice changes nothing; while closed it sends nothing, and says so."""
    transport = peer.transport
    await transport.open()
    await expect_text(peer)
    await transport.close()
    await transport.close()
    await expect_failed(peer, "text", Failure.WORKER_UNREACHABLE, sent=False)
    assert not await transport.probe()
    await transport.open()
    await expect_text(peer)


@case("silent", "closing")
async def closing_ends_what_is_on_its_way(peer: Peer) -> None:
    """Its outcome is unknown; nobody waits for ever."""
    waiting = start(peer, "silent")
    await peer.seen(1)
    await peer.transport.close()
    outcome = (await waiting).outcome
    assert isinstance(outcome, Failed), outcome
    assert outcome.sent, f"the worker had been given the message: {outcome}"
