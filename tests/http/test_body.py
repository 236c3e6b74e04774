"""Reading a body within bounds of size and time, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, cast

import pytest

from pointsman.http.body import read_body
from pointsman.http.channel import Channel
from pointsman.http.problems import RequestError
from pointsman.http.waiting import ClientGone
from pointsman.model.errors import RefusedError
from pointsman.model.settings import ServerSettings

CAP = 100
SETTINGS = ServerSettings(discard_bytes=1_000, discard_s=5.0)


class Sender:
    """A client that sends chunks, each after a pause, and perhaps goes then; what a body needs of a `Channel`."""

    def __init__(self, *chunks: bytes, pause_s: float = 0.0, ends: bool = True, whole: bool = False) -> None:
        self.chunks = list(chunks)
        self.pause_s = pause_s
        self.ends = ends
        self.whole = whole

    def arrived(self) -> bytes | None:
        return b"".join(self.chunks) if self.whole else None

    async def receive(self) -> MutableMapping[str, Any]:
        await asyncio.sleep(self.pause_s)
        if not self.chunks:
            return {"type": "http.disconnect"}
        body = self.chunks.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.chunks) or not self.ends}


async def read(sender: Sender, **fields: str) -> bytes:
    """Read what a sender sends; header names with underscores for hyphens."""
    named = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    return await read_body(cast(Channel, sender), named, CAP, SETTINGS)


@pytest.mark.parametrize("chunks", [(b"",), (b"a" * 100,), (b"a", b"b" * 98, b"c"), (b"", b"", b"abc")])
async def test_a_body_within_the_cap_comes_whole(chunks: tuple[bytes, ...]) -> None:
    """However it was cut up, up to the last byte of the cap."""
    assert await read(Sender(*chunks)) == b"".join(chunks)


async def test_a_body_that_has_arrived_is_not_waited_for() -> None:
    """If it is within the cap; above it, it is thrown away and refused like any other."""
    assert await read(Sender(b"a" * 60, b"b" * 40, pause_s=999.0, whole=True)) == b"a" * 60 + b"b" * 40
    assert await read(Sender(pause_s=999.0, whole=True)) == b""
    sender = Sender(b"a" * 101, whole=True)
    with pytest.raises(RequestError, match="101 bytes"):
        await read(sender, content_length="101")
    assert sender.chunks == []


@pytest.mark.parametrize("chunks", [(b"a" * 101,), (b"a" * 100, b"a"), (b"a" * 60, b"b" * 60, b"c" * 60)])
async def test_a_body_above_the_cap_is_read_to_its_end_and_refused(chunks: tuple[bytes, ...]) -> None:
    """Without a declared length too; the connection ends afterwards."""
    sender = Sender(*chunks)
    with pytest.raises(RequestError) as caught:
        await read(sender)
    assert (caught.value.code, caught.value.http_status) == ("too_large", 413)
    assert caught.value.headers == ((b"connection", b"close"),)
    assert sender.chunks == []


async def test_a_declared_length_above_the_cap_is_thrown_away_unread() -> None:
    """The sender may finish; nothing of it is kept."""
    sender = Sender(*[b"a" * 90] * 4)
    with pytest.raises(RequestError, match="360 bytes, expected at most 100"):
        await read(sender, content_length="360")
    assert sender.chunks == []


async def test_a_sender_who_asks_first_is_refused_before_it_sends() -> None:
    """`Expect: 100-continue` saves both sides the body."""
    sender = Sender(b"a" * 360)
    with pytest.raises(RequestError, match="360 bytes"):
        await read(sender, content_length="360", expect="100-Continue")
    assert len(sender.chunks) == 1


async def test_throwing_away_ends_at_a_bound_of_bytes() -> None:
    """A sender without end is cut off after `discard_bytes`."""
    sender = Sender(*[b"a" * 100] * 50)
    with pytest.raises(RequestError, match="expected at most"):
        await read(sender)
    assert len(sender.chunks) == 40


async def test_throwing_away_ends_at_a_bound_of_time() -> None:
    """A slow sender is cut off after `discard_s`."""
    began = asyncio.get_running_loop().time()
    sender = Sender(*[b"a" * 10] * 50, pause_s=1.0)
    with pytest.raises(RequestError, match="500 bytes"):
        await read(sender, content_length="500")
    assert asyncio.get_running_loop().time() - began == 5.0


async def test_a_body_that_trickles_in_is_cut_off() -> None:
    """Ten seconds and one more for each 64 KiB declared; a small body has no more than ten."""
    began = asyncio.get_running_loop().time()
    with pytest.raises(RequestError) as caught:
        await read(Sender(*[b"a"] * 90, pause_s=1.0), content_length="90")
    assert (caught.value.code, caught.value.http_status, caught.value.retryable) == ("receive_timeout", 408, True)
    assert 9.0 < asyncio.get_running_loop().time() - began < 12.0


@pytest.mark.parametrize("chunks", [(), (b"a",), (b"a" * 101,)])
async def test_a_client_that_goes_is_noticed(chunks: tuple[bytes, ...]) -> None:
    """Before the first byte, in the middle, and while its body is thrown away."""
    with pytest.raises(ClientGone):
        await read(Sender(*chunks, ends=False))


@pytest.mark.parametrize("length", ["", "-1", "1e2", "1 2", "0x10", "٣", "9" * 19])
async def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    """Two servers must not read two lengths out of one header."""
    with pytest.raises(RefusedError) as caught:
        await read(Sender(b"a"), content_length=length)
    assert caught.value.refused.field == "content-length"
