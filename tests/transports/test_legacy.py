"""The way to the old router, against real sockets: reuse, repetition, bodies both ways, and every way to fail."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.errors import (
    LegacyClosed,
    LegacyFault,
    LegacyGarbage,
    LegacyTimeout,
    LegacyUnreachable,
    PointsmanError,
    UsageError,
)
from pointsman.transports.legacy import LegacyLink
from pointsman.transports.legacy_answer import LegacyAnswer
from tests.http.old_router import Asked, OldRouter, Says, Talk, always, old_router, plain

POST = [(b"host", b"x"), (b"content-length", b"4")]
CHUNKED = [(b"host", b"x"), (b"transfer-encoding", b"chunked")]


@contextlib.asynccontextmanager
async def linked(url: str, **more: Any) -> AsyncIterator[LegacyLink]:
    """A link that is open while the block runs."""
    link = LegacyLink(url, **{"max_connections": 8, "timeout_s": 5.0, **more})
    await link.open()
    try:
        yield link
    finally:
        await link.close()


async def whole(answer: LegacyAnswer) -> bytes:
    """Read an answer to its end."""
    body = b""
    try:
        while piece := await answer.read():
            body += piece
    finally:
        answer.close()
    return body


async def get(link: LegacyLink, method: str = "GET") -> bytes:
    """Ask for something without a body."""
    return await whole(await link.ask(method, b"/", [(b"host", b"x")], b""))


class Pieces:
    """A body that comes piece by piece."""

    def __init__(self, *pieces: bytes | PointsmanError | None) -> None:
        self.left = [*pieces, b""]

    async def __call__(self) -> bytes | None:
        piece = self.left.pop(0)
        if isinstance(piece, PointsmanError):
            raise piece
        return piece


def raw(data: bytes, *, closes: bool = True) -> Any:
    """A script that says these bytes, whatever is asked."""

    async def script(asked: Asked, talk: Talk) -> Says:
        return Says([data], closes)

    return script


async def silent(asked: Asked, talk: Talk) -> Says:
    """Say nothing, for ever."""
    await asyncio.Event().wait()
    return plain()


@pytest.mark.real_loop
async def test_connections_are_used_again() -> None:
    """Also after an answer in chunks, and after a body in pieces; not after one that says it closes."""

    async def script(asked: Asked, talk: Talk) -> Says:
        if asked.method == b"POST":
            return Says([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n"])
        return plain(b"old", b"200 OK", b"connection: close") if asked.target == b"/close" else plain()

    async with old_router(script) as old, linked(old.url) as link:
        assert await get(link) == b"old"
        assert await whole(await link.ask("POST", b"/", POST, b"abcd")) == b"old"
        assert await whole(await link.ask("POST", b"/", POST, b"", Pieces(b"ab", b"cd"))) == b"old"
        assert await whole(await link.ask("POST", b"/", CHUNKED, b"ab", Pieces(b"cd"))) == b"old"
        assert await whole(await link.ask("POST", b"/", CHUNKED, b"abcd")) == b"old"
        assert [asked.body for asked in old.seen[1:]] == [b"abcd"] * 4
        assert (old.connections, link.open_connections) == (1, 1)
        await whole(await link.ask("GET", b"/close", [], b""))
        await get(link)
        assert old.connections == 2


@pytest.mark.real_loop
@pytest.mark.parametrize(
    ("method", "fields", "in_pieces", "repeats"),
    [
        ("GET", [], False, True),
        ("DELETE", [], False, True),
        ("PUT", POST, False, True),
        ("PUT", POST, True, False),
        ("POST", POST, False, False),
        ("POST", [*POST, (b"idempotency-key", b"k")], False, True),
        ("PATCH", POST, False, False),
    ],
)
async def test_only_what_does_no_harm_twice_is_written_again(
    method: str, fields: list[tuple[bytes, bytes]], in_pieces: bool, repeats: bool
) -> None:
    """The old router closed a resting connection at the moment it was written to: perhaps it acted, perhaps not."""

    async def script(asked: Asked, talk: Talk) -> Says:
        return Says([], closes=True) if len(old.seen) == 2 else plain()

    async with old_router(script) as old, linked(old.url) as link:
        await get(link)
        body, more = (b"", Pieces(b"abcd")) if in_pieces else (b"abcd" if fields else b"", None)
        work = link.ask(method, b"/", fields, body, more)
        if repeats:
            assert await whole(await work) == b"old"
            assert (len(old.seen), old.connections) == (3, 2)
        else:
            with pytest.raises(LegacyClosed):
                await work
            assert (len(old.seen), old.connections) == (2, 1)
        assert len({asked.body for asked in old.seen[1:]}) == 1


@pytest.mark.real_loop
async def test_a_first_connection_that_is_closed_is_not_tried_again() -> None:
    """What is new cannot have been stale."""
    async with old_router(raw(b"")) as old, linked(old.url) as link:
        with pytest.raises(LegacyClosed):
            await get(link)
        assert len(old.seen) == 1


@pytest.mark.real_loop
async def test_a_connection_that_was_closed_while_it_rested_costs_nothing() -> None:
    """Its end has been seen, so any request goes on another one."""

    async def script(asked: Asked, talk: Talk) -> Says:
        return Says(plain().parts, closes=True)

    async with old_router(script) as old, linked(old.url) as link:
        for _ in range(3):
            assert await whole(await link.ask("POST", b"/", POST, b"abcd")) == b"old"
            while link.open_connections:  # noqa: ASYNC110 - the state of a socket has no event of its own
                await asyncio.sleep(0)


@pytest.mark.real_loop
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (raw(b"SSH-2.0-OpenSSH\r\n"), LegacyGarbage),
        (raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n"), LegacyGarbage),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 300 + b"\r\n"), LegacyGarbage),
        (raw(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n"), LegacyGarbage),
        (raw(b""), LegacyClosed),
        (raw(b"HTTP/1.1 200 OK\r\nx:"), LegacyClosed),
        (silent, LegacyTimeout),
    ],
)
async def test_each_bad_answer_has_its_name(script: Any, kind: type[LegacyFault]) -> None:
    """And leaves no connection behind."""
    async with old_router(script) as old, linked(old.url, timeout_s=0.1) as link:
        with pytest.raises(LegacyFault) as raised:
            await get(link)
        assert type(raised.value) is kind
        while link.open_connections:  # noqa: ASYNC110 - the state of a socket has no event of its own
            await asyncio.sleep(0)


@pytest.mark.real_loop
@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", LegacyClosed),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", LegacyClosed),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", LegacyGarbage),
    ],
)
async def test_an_answer_that_breaks_off_is_given_out_as_far_as_it_came(start: bytes, kind: type[LegacyFault]) -> None:
    """Then it is an error, and never an end."""
    async with old_router(raw(start)) as old, linked(old.url) as link:
        answer = await link.ask("GET", b"/", [], b"")
        assert await answer.read() == b"abc"
        with pytest.raises(LegacyFault) as raised:
            await answer.read()
        assert type(raised.value) is kind
        answer.close()


@pytest.mark.real_loop
async def test_silence_within_an_answer_has_an_end_too() -> None:
    """Counted from the last byte."""

    async def script(asked: Asked, talk: Talk) -> Says:
        talk.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        return await silent(asked, talk)

    async with old_router(script) as old, linked(old.url, timeout_s=0.1) as link:
        answer = await link.ask("GET", b"/", [], b"")
        with pytest.raises(LegacyTimeout):
            await whole(answer)


@pytest.mark.real_loop
async def test_an_old_router_that_takes_no_body_is_silent() -> None:
    """Whether the body is at hand or comes in pieces."""

    class Deaf(OldRouter):
        async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

    large = b"x" * 16_000_000
    fields = [(b"content-length", b"%d" % len(large))]
    async with old_router(always, kind=Deaf) as old, linked(old.url, timeout_s=0.2) as link:
        with pytest.raises(LegacyTimeout):
            await link.ask("PUT", b"/", fields, large)
        with pytest.raises(LegacyTimeout):
            await link.ask("PUT", b"/", fields, b"", Pieces(*[large[:100_000]] * 160))


@pytest.mark.real_loop
async def test_an_early_refusal_ends_a_long_body() -> None:
    """A 413 comes through though most of the body was never read."""

    class Early(OldRouter):
        async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
            await reader.read()

    pieces = Pieces(*[b"x" * 100_000] * 200)
    async with old_router(always, kind=Early) as old, linked(old.url) as link:
        answer = await link.ask("POST", b"/", [(b"content-length", b"20000000")], b"", pieces)
        for _ in range(2_000):
            await asyncio.sleep(0)
        assert (answer.status, await whole(answer)) == (413, b"big")
        assert pieces.left


@pytest.mark.real_loop
async def test_whoever_brings_the_body_is_not_waited_for_once_there_is_an_answer() -> None:
    """Nothing is left behind of a request whose body never came."""

    class Early(OldRouter):
        async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nold")
            await reader.read()

    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    async with old_router(always, kind=Early) as old, linked(old.url) as link:
        assert await whole(await link.ask("POST", b"/", POST, b"", never)) == b"old"
        while link.open_connections or len(link._uploads):  # noqa: ASYNC110 - the state of a socket has no event
            await asyncio.sleep(0)


@pytest.mark.real_loop
async def test_what_kept_the_body_from_coming_is_what_is_told() -> None:
    """A sender that stalls is not the old router's fault; one that went away ends the request there."""
    async with old_router(silent) as old, linked(old.url) as link:
        with pytest.raises(UsageError, match="stalled"):
            await link.ask("POST", b"/", CHUNKED, b"", Pieces(b"a", UsageError("stalled")))
        with pytest.raises(LegacyClosed):
            await link.ask("POST", b"/", CHUNKED, b"", Pieces(b"a", None))
        while old.lost < 2:  # noqa: ASYNC110 - the state of a socket has no event of its own
            await asyncio.sleep(0)
        assert not old.seen


@pytest.mark.real_loop
async def test_a_cancelled_request_closes_its_connection() -> None:
    """At once, in each phase, and nothing is left behind."""
    reached = asyncio.Event()

    async def script(asked: Asked, talk: Talk) -> Says:
        reached.set()
        return await silent(asked, talk)

    async with old_router(script) as old, linked(old.url) as link:
        task = asyncio.create_task(link.ask("POST", b"/", POST, b"abcd"))
        await reached.wait()
        task.cancel()
        await asyncio.wait([task])
        while link.open_connections:  # noqa: ASYNC110 - the state of a socket has no event of its own
            await asyncio.sleep(0)


@pytest.mark.real_loop
@pytest.mark.parametrize("refuses", [False, True])
async def test_a_body_that_waits_for_word_is_not_sent_before_it(refuses: bool) -> None:
    """`Expect: 100-continue` is the old router's to answer."""
    async with old_router(always) as old, linked(old.url) as link:
        old.refuses_expectations = refuses
        pieces = Pieces(b"abcd")
        answer = await link.ask("POST", b"/", [*POST, (b"expect", b"100-continue")], b"", pieces)
        assert answer.status == (417 if refuses else 200)
        await whole(answer)
        assert old.seen[0].body == (b"" if refuses else b"abcd")
        assert bool(pieces.left) == refuses


@pytest.mark.real_loop
async def test_by_tls_and_below_a_path() -> None:
    """The base URL's path stands before the request's own."""
    pem = Path(__file__).parent / "wire" / "localhost.pem"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=pem)
    async with old_router(always, server) as old:
        url = old.url.replace("127.0.0.1", "localhost") + "/base/"
        async with linked(url, ssl=trusting) as link:
            assert await whole(await link.ask("GET", b"/x?y", [], b"")) == b"old"
            assert await whole(await link.ask("OPTIONS", b"*", [], b"")) == b"old"
            assert [asked.target for asked in old.seen] == [b"/base/x?y", b"*"]
        async with linked(url) as link:
            with pytest.raises(LegacyUnreachable, match="certificate"):
                await get(link)


@pytest.mark.real_loop
async def test_a_probe_says_whether_it_can_be_reached() -> None:
    """And a closed way reaches nothing."""
    async with old_router(always) as old:
        link = LegacyLink(old.url, max_connections=1, timeout_s=1.0)
        assert not await link.probe()
        with pytest.raises(LegacyUnreachable):
            await get(link)
        await link.open()
        assert await link.probe()
        assert await get(link) == b"old"
        assert old.connections == 1
        await link.close()
    await link.open()
    assert not await link.probe()
    with pytest.raises(LegacyUnreachable):
        await get(link)
    await link.close()


def test_a_query_in_the_url_is_refused() -> None:
    """Each request brings its own."""
    with pytest.raises(UsageError, match="query"):
        LegacyLink("http://old/?a=b", max_connections=1, timeout_s=1.0)
