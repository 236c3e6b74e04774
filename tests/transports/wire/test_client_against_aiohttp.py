"""The whole client beside aiohttp's, before the same server: where both take a reply they see the same one."""

from __future__ import annotations

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken
from tests.transports.raw_server import Talk, serve
from tests.transports.wire.corpus import ALL
from tests.transports.wire.replies import cut_up, damaged, replies

pytestmark = pytest.mark.real_loop(timeout_s=30)

Seen = tuple[str, int, list[tuple[str, str]], bytes]

# What aiohttp refuses and we take: there the reply is whole, and only its connection is spoilt.
ONLY_OURS = {"longer than said", "204 with a body", "304 with a body"}


async def ours(url: str) -> Seen:
    """What our client sees."""
    client = HttpClient(url, max_connections=1)
    try:
        with await client.request("GET", "", []) as response:
            return "taken", response.status, response.headers, await response.read(1 << 20)
    except ConnectionClosed:
        return "cut", 0, [], b""
    except ProtocolBroken:
        return "refused", 0, [], b""
    finally:
        await client.close()


async def theirs(url: str) -> Seen:
    """What aiohttp sees."""
    try:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
            return "taken", response.status, [(name.lower(), value) for name, value in pairs], await response.read()
    except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
        return "cut", 0, [], b""
    except aiohttp.ClientError:
        return "refused", 0, [], b""


async def both(pieces: list[bytes]) -> tuple[Seen, Seen]:
    """Let both ask a server that answers in these pieces and closes."""

    async def script(talk: Talk) -> None:
        await talk.request()
        for piece in pieces:
            talk.send(piece)
            await talk.drain()
        talk.close()

    async with serve(script) as server:
        return await ours(server.url), await theirs(server.url)


@pytest.mark.parametrize("name", ALL)
async def test_odd_replies_are_read_as_aiohttp_reads_them_or_refused(name: str) -> None:
    """We take nothing that aiohttp does not take, and cut is cut for both."""
    one, other = await both([ALL[name]])
    if one[0] == "taken" and name not in ONLY_OURS:
        assert one == other
    assert (one[0] == "cut") is (other[0] == "cut")


@settings(max_examples=30)
@given(cut_up(replies()))
async def test_well_formed_replies_are_read_as_aiohttp_reads_them(pieces: list[bytes]) -> None:
    """Status, headers in their order, and body."""
    one, other = await both(pieces)
    assert one == other


@settings(max_examples=40)
@given(st.data())
async def test_odd_replies_mean_the_same_however_they_are_cut(data: st.DataObject) -> None:
    """To us as a whole and in pieces, and to aiohttp."""
    name = data.draw(st.sampled_from(list(ALL)))
    pieces = data.draw(cut_up(st.just(ALL[name] or b"?")))
    one, other = await both(pieces)
    whole, _ = await both([ALL[name] or b"?"])
    assert one == whole
    if one[0] == "taken" and name not in ONLY_OURS:
        assert one == other


@settings(max_examples=30)
@given(cut_up(damaged()))
async def test_damaged_replies_are_never_read_otherwise_than_aiohttp_reads_them(pieces: list[bytes]) -> None:
    """Where both take the reply, both see the same one."""
    one, other = await both(pieces)
    if one[0] == other[0] == "taken":
        assert one == other
