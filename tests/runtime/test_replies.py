"""Waiting callers and late replies: everyone gets the end of its own message, and what is kept is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pointsman.model.outcome import Reply
from pointsman.model.result import Result
from pointsman.model.states import Status
from pointsman.runtime.replies import BufferSink, Replies, StreamSink


def delivered(message_id: str, text: str = "ok") -> Result:
    """Return a delivered result."""
    return Result(message_id, Status.DELIVERED, Reply(value={"text": text}))


async def test_a_caller_is_woken_with_its_own_result() -> None:
    """Two callers, two results, not mixed up."""
    replies = Replies(10, 1000)
    one, two = replies.open("1"), replies.open("2")
    waits = [asyncio.ensure_future(waiter.wait(None)) for waiter in (one, two)]
    await asyncio.sleep(0)
    replies.resolve(delivered("2", "second"))
    replies.resolve(delivered("1", "first"))
    results = await asyncio.gather(*waits)
    assert [result.text for result in results if result] == ["first", "second"]
    assert len(replies) == 0


async def test_an_end_before_the_wait_is_not_lost() -> None:
    """A message may end before its caller begins to wait."""
    replies = Replies(10, 1000)
    waiter = replies.open("1")
    replies.resolve(delivered("1"))
    result = await waiter.wait(None)
    assert result is not None
    assert result.delivered


async def test_a_wait_in_vain_returns_none() -> None:
    """After its time the caller gets nothing, and can leave."""
    waiter = Replies(10, 1000).open("1")
    assert await waiter.wait(5.0) is None


async def test_a_reply_that_comes_late_is_kept_for_a_caller_that_left() -> None:
    """Left, not closed: the reply can be fetched by id; closed: it is forgotten."""
    replies = Replies(10, 1000)
    replies.open("left")
    replies.leave("left")
    replies.open("closed")
    replies.close("closed")
    for message_id in ("left", "closed"):
        replies.resolve(delivered(message_id))
    late = replies.late("left")
    assert late is not None
    assert late.text == "ok"
    assert replies.late("closed") is None


async def test_late_replies_are_bounded_by_count_and_bytes() -> None:
    """The oldest go first; the newest is always kept."""
    replies = Replies(3, 10_000)
    for number in range(5):
        replies.open(str(number))
        replies.leave(str(number))
        replies.resolve(delivered(str(number)))
    assert [replies.late(str(number)) is not None for number in range(5)] == [False, False, True, True, True]
    replies.open("big")
    replies.leave("big")
    replies.resolve(delivered("big", "x" * 20_000))
    assert replies.late("big") is not None
    assert replies.late("4") is None


async def test_a_second_attempt_replaces_what_the_first_had_written() -> None:
    """An answer that nobody saw is thrown away when the next attempt begins its own."""
    sink = BufferSink()
    sink.start(200, [("a", "1")])
    await sink.write(b"half an ans")
    sink.start(201, [("b", "2")])
    await sink.write(b"whole ")
    await sink.write(b"answer")
    assert sink.reply() == Reply(body=b"whole answer", status=201, headers=(("b", "2"),))
    sink.put({"text": "value"})
    assert sink.reply() == Reply(value={"text": "value"})


class Eager:
    """A sender's end that takes what it can at once; implements `Outlet`."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.is_slow = False

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.seen.append(b"%d" % status)

    async def write(self, chunk: bytes) -> None:
        self.seen.append(chunk)

    def write_now(self, chunk: bytes) -> bool:
        if not self.is_slow:
            self.seen.append(chunk)
        return not self.is_slow


async def test_only_what_follows_the_first_bytes_is_shown_without_waiting() -> None:
    """Before them another worker may answer, and an error is kept for the end."""
    outlet = Eager()
    sink = StreamSink(outlet)
    sink.start(200, [])
    assert not sink.write_now(b"a")
    await sink.write(b"a")
    assert sink.write_now(b"b")
    outlet.is_slow = True
    assert not sink.write_now(b"c")
    assert outlet.seen == [b"200", b"a", b"b"]
    refusal = StreamSink(Eager())
    refusal.start(500, [])
    assert not refusal.write_now(b"no")
    assert not BufferSink().write_now(b"whole")


def test_no_answer_is_no_reply() -> None:
    """A sink that nobody wrote into gives None."""
    assert BufferSink().reply() is None
