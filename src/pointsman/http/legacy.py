"""The old router as HTTP sees it, and how one request is carried there and its answer back: unread and unchanged.

Nothing is held of either but a few pieces: who sends faster than the other side reads waits. A client that goes ends
the request to the old router at once. An answer that breaks off there breaks off here, so that it never looks whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, Protocol

from pointsman.http import problems
from pointsman.http.channel import Channel, Fields
from pointsman.http.problems import Problem, RequestError
from pointsman.http.waiting import ClientGone, while_linked, while_listening
from pointsman.model.errors import PointsmanError
from pointsman.runtime.tasks import Tasks

More = Callable[[], Awaitable[bytes | None]]
"""Returns the next piece of a request's body, nothing at its end, and None where the client has gone."""

STALLED_S: Final = 60.0
"""Seconds for which a client may send nothing of a body that is not whole."""


class Reply(Protocol):
    """An answer of the old router whose head has come.

    Attributes:
        status: 200..999.
        fields: its headers, but for those of its connection; names in lower case.
        is_sized: content-length is among them.
        has_more: whether `read` returns at once.
    """

    status: int
    fields: list[tuple[bytes, bytes]]
    is_sized: bool

    @property
    def has_more(self) -> bool:
        """See above."""
        ...

    async def read(self) -> bytes:
        """Return the next part of the body, nothing at its end. Raises LegacyFault where the rest will not come."""
        ...

    def close(self) -> None:
        """Want no more of it. Idempotent."""
        ...


class Legacy(Protocol):
    """The old router."""

    async def ask(self, method: str, target: bytes, fields: Fields, body: bytes, more: More | None = None) -> Reply:
        """Send a request on; raises LegacyFault where no answer comes."""
        ...


class Passed(NamedTuple):
    """What came of a request to the old router.

    Attributes:
        status: of its answer; 0 where none was begun.
        fields: of its answer, by name; of those that stand twice, the last.
        is_whole: all of it was written.
        problem: what the client is to be told instead, where nothing was written.
    """

    status: int
    fields: Mapping[bytes, bytes]
    is_whole: bool
    problem: Problem | None = None


async def pass_on(channel: Channel, legacy: Legacy, tasks: Tasks, body: bytes | None, more: More | None) -> Passed:
    """Let the old router answer a request.

    Args:
        channel: of the client.
        legacy: the old router.
        tasks: starts what listens for a client that goes, where its server does not tell.
        body: what has been received of the request's body; None: nothing has been asked for yet.
        more: brings the rest of it; None: there is none.

    Raises:
        ClientGone: nobody waits for the answer any more.
    """
    if body is None:
        body = channel.arrived()
        if body is None:
            body, more = b"", rest_of(channel)
    work = _carry(channel, legacy, body, more)
    if channel.link is not None:
        return await while_linked(work, channel.link)
    # Whoever sends a body is heard to go by whoever reads that.
    return await (while_listening(work, channel.receive, tasks) if more is None else work)


async def _carry(channel: Channel, legacy: Legacy, body: bytes, more: More | None) -> Passed:
    try:
        reply = await legacy.ask(channel.method, _origin_form(channel.memo.target), channel.headers, body, more)
    except PointsmanError as fault:
        return Passed(0, {}, False, problems.of_error(fault))
    try:
        return await _write(channel, reply)
    finally:
        reply.close()


async def _write(channel: Channel, reply: Reply) -> Passed:
    begun = not reply.has_more
    await channel.start_as_is(reply.status, reply.fields, is_sized=reply.is_sized, at_once=begun)
    fields = dict(reply.fields)
    try:
        while piece := await reply.read():
            begun = True
            await channel.write(piece)
    except PointsmanError as fault:
        if not begun:
            return Passed(0, {}, False, problems.of_error(fault))
        channel.abort()
        await channel.end()
        return Passed(reply.status, fields, False)
    await channel.end()
    return Passed(reply.status, fields, True)


def rest_of(channel: Channel) -> More:
    """Return what brings the rest of a request's body."""
    ended = False

    async def more() -> bytes | None:
        nonlocal ended
        while not ended:
            try:
                async with asyncio.timeout(STALLED_S):
                    event = await channel.receive()
            except TimeoutError:
                detail = f"no byte of the body came for {STALLED_S:.0f} s, and it is not whole"
                raise RequestError("receive_timeout", detail, ((b"connection", b"close"),)) from None
            if event["type"] == "http.disconnect":
                return None
            ended = not event.get("more_body", False)
            piece: bytes = event.get("body", b"")
            if piece:
                return piece
        return b""

    return more


async def gather(channel: Channel, cap_bytes: int, patience_s: float) -> tuple[bytes, More | None]:
    """Return the beginning of a request's body, and what brings the rest; None: there is none.

    Args:
        channel: of the client.
        cap_bytes: about so much is read at most.
        patience_s: seconds after which no more is waited for.

    Raises:
        ClientGone: the client went before the body was whole.
    """
    whole = channel.arrived()
    if whole is not None:
        return whole, None
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(patience_s):
            while size <= cap_bytes:
                event = await channel.receive()
                if event["type"] == "http.disconnect":
                    raise ClientGone
                pieces.append(event.get("body", b""))
                size += len(pieces[-1])
                if not event.get("more_body", False):
                    return b"".join(pieces), None
    except TimeoutError:
        pass  # the old router may have more patience
    return b"".join(pieces), rest_of(channel)


def _origin_form(target: bytes) -> bytes:
    """Return a target as a server is given it: of a whole URL, its path and query."""
    if target[:1] in {b"/", b"*"}:
        return target
    rest = target.split(b"://", 1)[-1]
    at = min([rest.index(mark) for mark in (b"/", b"?") if mark in rest], default=len(rest))
    return rest[at:] if rest[at : at + 1] == b"/" else b"/" + rest[at:]
