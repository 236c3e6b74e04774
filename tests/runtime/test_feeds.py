"""Feeds: what happens to a message, in order, live and afterwards, within bounds."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.model.events import Admitted, AttemptStarted, Ended
from pointsman.model.states import Status
from pointsman.runtime.feeds import FEED_BYTES, UNREAD_BYTES, Feed, FeedOutlet, Feeds
from pointsman.testing.make import envelope


async def names(feed: Feed, after: int = 0) -> list[tuple[int, str]]:
    """Read a feed to its end."""
    return [(event.number, event.name) async for event in feed.read(after) if event is not None]


async def test_a_reader_gets_what_was_and_what_comes() -> None:
    """In order, numbered from 1, until the end; two readers get the same."""
    feed = Feed(owned=True)
    feed.add("accepted", b"{}")
    readers = [asyncio.ensure_future(names(feed)) for _ in range(2)]
    await asyncio.sleep(1.0)
    feed.add("delta", b"{}")
    feed.add("end", b"{}")
    feed.add("delta", b"{}")
    assert [await reader for reader in readers] == [[(1, "accepted"), (2, "delta"), (3, "end")]] * 2


@pytest.mark.parametrize("after", range(4))
async def test_a_reader_goes_on_behind_the_number_it_saw_last(after: int) -> None:
    """Nothing twice, nothing left out."""
    feed = Feed(owned=True)
    for name in ("a", "b", "end"):
        feed.add(name, b"{}")
    assert await names(feed, after) == [(1, "a"), (2, "b"), (3, "end")][after:]


async def test_a_feed_that_is_too_long_loses_its_oldest_and_says_so() -> None:
    """A reader who needs them is told how many are missing."""
    feed = Feed(owned=True)
    half = b"x" * (FEED_BYTES // 2)
    for _ in range(4):
        feed.add("delta", half)
    feed.add("end", b"")
    events = [event async for event in feed.read() if event is not None]
    assert (events[0].name, events[0].data) == ("missed", b'{"events":2}')
    assert [event.number for event in events] == [2, 3, 4, 5]
    assert feed.size_bytes <= FEED_BYTES


async def test_a_worker_waits_for_a_reader_who_is_slow() -> None:
    """Once it is too far ahead; a feed that nobody reads holds nobody up."""
    feed = Feed(owned=True)
    outlet = FeedOutlet(feed)
    await outlet.write(b"x" * (2 * UNREAD_BYTES))
    reader = feed.read()
    assert await anext(reader) is not None
    await outlet.write(b"y" * (UNREAD_BYTES // 2))
    writing = asyncio.ensure_future(outlet.write(b"z" * UNREAD_BYTES))
    await asyncio.sleep(1.0)
    assert not writing.done()
    await anext(reader)
    await anext(reader)
    await writing
    await reader.aclose()  # type: ignore[attr-defined]


async def test_silence_is_told_to_whoever_asked_for_it() -> None:
    """So that a connection can be kept open."""
    feed = Feed(owned=True)
    reader = feed.read(0, 5.0)
    assert await anext(reader) is None
    assert await anext(reader) is None
    feed.add("end", b"{}")
    event = await anext(reader)
    assert event is not None
    assert event.name == "end"


async def test_only_messages_with_a_feed_are_told_of() -> None:
    """An end that nobody else adds is added with the state of the message."""
    feeds = Feeds(keep=2, keep_bytes=1000)
    message = envelope(id="1")
    other = envelope(id="2")
    feeds.observe(Admitted(1.0, message, 0.1, 0.1))
    assert len(feeds) == 0
    feed = feeds.open("1")
    for one in (message, other):
        feeds.observe(Admitted(1.0, one, 0.1, 0.1))
        feeds.observe(AttemptStarted(1.0, one, "coders"))
        feeds.observe(Ended(2.0, one, Status.DELIVERED, None, "", 0.1, 0.2))
    assert await names(feed) == [(1, "accepted"), (2, "started"), (3, "end")]
    assert (len(feeds), feeds.find("1"), feeds.find("2")) == (0, feed, None)


async def test_feeds_of_ended_messages_are_kept_within_a_bound() -> None:
    """By count and by bytes, the oldest go first."""
    feeds = Feeds(keep=2, keep_bytes=100)
    for number in range(4):
        feeds.open(str(number), owned=True)
        feeds.end(str(number), b"x" * 10)
    assert [feeds.find(str(number)) is not None for number in range(4)] == [False, False, True, True]
    feeds.open("large", owned=True)
    feeds.end("large", b"x" * 1000)
    assert [feeds.find(name) is not None for name in ("2", "3", "large")] == [False, False, True]
