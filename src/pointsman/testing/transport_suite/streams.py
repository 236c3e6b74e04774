"""Answers that come as they are made: in order, told apart when they are cut, and charged for what came."""

from __future__ import annotations

import asyncio

from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.ports import Attempt
from pointsman.testing.attempts import WORKER, LiveSink, make_attempt
from pointsman.testing.transport_suite.bench import Peer, case, expect_text, give_up, send_attempt


class _Screen(LiveSink):
    """A sender who watches: notes each text that is shown, and lets the worker go on."""

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.changed = asyncio.Event()
        self._peer = peer

    async def write(self, chunk: bytes) -> None:
        """Keep the bytes, and look."""
        await super().write(chunk)
        text = self._peer.shown(self)
        if text and text not in self.texts:
            self.texts.append(text)
            self.changed.set()
            await self._peer.go_on()


def _watched(peer: Peer, do: str, say: str) -> tuple[Attempt, _Screen]:
    attempt = make_attempt(stream=True, do=do, say=say)
    attempt.reply = screen = _Screen(peer)
    return attempt, screen


@case("stream")
async def a_streamed_answer_is_shown_as_it_comes(peer: Peer) -> None:
    """Word by word, and whole at the end; when its first byte was shown, and what it took, is written down."""
    attempt, screen = _watched(peer, "stream", "one two three")
    sent = await send_attempt(peer, attempt)
    assert sent.outcome == Delivered(WORKER), f"expected Delivered, got {sent.outcome}"
    assert screen.texts == ["one", "one two", "one two three"], f"expected a word at a time, got {screen.texts}"
    assert sent.reply["text"] == "one two three", f"expected the whole text, got {sent.reply!r:.80}"
    assert attempt.first_token_at is not None, "expected the time of the first byte"
    assert attempt.usage is not None, "expected what it took"
    assert not attempt.usage.estimated, f"expected the worker's own account, got {attempt.usage}"


async def _expect_broken_off(peer: Peer, do: str, reason: Failure) -> None:
    attempt, screen = _watched(peer, do, "eight.by")
    outcome = (await send_attempt(peer, attempt)).outcome
    assert isinstance(outcome, Failed), f"expected Failed({reason}), got {outcome}"
    assert (outcome.reason, outcome.sent, outcome.started) == (reason, True, True), f"expected {reason}, got {outcome}"
    assert screen.texts == ["eight.by"], f"expected what came to be shown, got {screen.texts}"
    assert attempt.usage is not None, "expected what it took until then"
    assert attempt.usage.output_tokens == 2, f"expected a guess by the bytes that came, got {attempt.usage}"
    assert attempt.usage.estimated, f"expected the guess to say so, got {attempt.usage}"
    await expect_text(peer)


@case("stream_cut")
async def a_stream_without_its_last_event_was_cut(peer: Peer) -> None:
    """However properly it ends otherwise; what came is charged, and the next message is answered."""
    await _expect_broken_off(peer, "stream_cut", Failure.WORKER_CLOSED)


@case("stream_break")
async def a_stream_whose_connection_breaks_was_cut(peer: Peer) -> None:
    """In the middle of anything."""
    await _expect_broken_off(peer, "stream_break", Failure.WORKER_CLOSED)


@case("stream_error")
async def an_error_within_a_stream_is_the_workers(peer: Peer) -> None:
    """Nobody else may answer, as a part was shown."""
    await _expect_broken_off(peer, "stream_error", Failure.WORKER_ERROR)


@case("stream_hang")
async def a_cancelled_stream_frees_all_it_held(peer: Peer) -> None:
    """At both ends, at once; what came is charged."""
    attempt, screen = _watched(peer, "stream_hang", "eight.by")
    task = asyncio.get_running_loop().create_task(send_attempt(peer, attempt))
    await screen.changed.wait()
    await give_up(task)
    assert attempt.usage is not None, "expected what it took until then"
    assert attempt.usage.output_tokens == 2, f"expected a guess by the bytes that came, got {attempt.usage}"
    await peer.freed(1)
    await expect_text(peer)
