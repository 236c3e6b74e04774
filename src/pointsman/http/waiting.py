"""Waiting for a result while the client may hang up: then the wait ends, and the message with it.

Our own server tells through the `Link` of a request's channel, which costs nothing per request, and any other may by
putting one into the scope. Under a server that does not, a task of its own listens for `http.disconnect`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final, TypeVar

from pointsman.runtime.tasks import Tasks

T = TypeVar("T")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

EXTENSION: Final = "pointsman.link"
"""Key in `scope["extensions"]` under which a server offers the connection's `Link`."""


class ClientGone(Exception):
    """The client closed its connection; there is nobody to answer."""


class Link:
    """Whether a client is still there, and who must know when it goes.

    Attributes:
        task: waits for a result on behalf of the client; cancelled when it goes.
        server: the task that answers the client's request, where who started it has told.
    """

    __slots__ = ("_gone", "server", "task")

    def __init__(self) -> None:
        self._gone = False
        self.server: asyncio.Task[Any] | None = None
        self.task: asyncio.Task[Any] | None = None

    def is_lost(self) -> bool:
        """Return whether the client is gone."""
        return self._gone

    def lose(self) -> None:
        """The client is gone."""
        self._gone = True
        if self.task is not None:
            self.task.cancel()


async def while_linked(work: Coroutine[Any, Any, T], link: Link) -> T:
    """Return what `work` returns, as long as the client stays.

    Raises:
        ClientGone: it went; `work` has been cancelled and has cleaned up.
    """
    if link.is_lost():
        work.close()
        raise ClientGone
    link.task = task = link.server or asyncio.current_task()
    try:
        return await work
    except asyncio.CancelledError:
        if link.is_lost() and task is not None and task.uncancel() == 0:
            raise ClientGone from None
        raise
    finally:
        link.task = None


async def while_listening(work: Coroutine[Any, Any, T], receive: Receive, tasks: Tasks) -> T:
    """Do the same as `while_linked` where the server offers no link. The request's body must have been read."""
    link = Link()
    listener = tasks.spawn(_listen(receive, link), "listen for disconnect")
    try:
        return await while_linked(work, link)
    finally:
        listener.cancel()


async def _listen(receive: Receive, link: Link) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    link.lose()
