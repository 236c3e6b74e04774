"""What the connections of one server share: the application, the date, how many there are, and the order to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from pointsman.http.channel import Channel, Fields
from pointsman.http.exchange import Response
from pointsman.http.problems import Problem
from pointsman.http.response_head import CLOSE_FIELD, Heads
from pointsman.model.errors import PointsmanError
from pointsman.model.settings import ServerSettings
from pointsman.ports import Clock
from pointsman.runtime.tasks import BriefTasks

if TYPE_CHECKING:
    from pointsman.http.connection import Connection


class Fault(PointsmanError):
    """A bug of ours, as its client is told of it."""

    code = "internal"


class Application(Protocol):
    """What is served."""

    async def serve(self, channel: Channel) -> None:
        """Answer one request."""
        ...

    def refusal(self, problem: Problem, path: str) -> Response:
        """Return what is answered to a request of this path in the application's place."""
        ...

    def faulted(self) -> None:
        """A request failed by a bug of ours; its client is told so, or cut off."""
        ...


class Site:
    """What connections share.

    Args:
        app: what is served.
        settings: bounds.
        clock: for the date of answers.
        loop: the event loop that runs.
        takes_any_target: see `RequestReader`.

    Attributes:
        app, settings, loop, takes_any_target: as given.
        heads: writes the heads of answers.
        tasks: carry the requests.
        connections: those that are open.
        is_stopping: no connection outlives the answer at hand.
    """

    def __init__(
        self,
        app: Application,
        settings: ServerSettings,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        *,
        takes_any_target: bool = False,
    ) -> None:
        self.app = app
        self.settings = settings
        self.loop = loop
        self.takes_any_target = takes_any_target
        self.heads = Heads(clock.wall)
        self.tasks = BriefTasks("request")
        self.connections: set[Connection] = set()
        self.is_stopping = False
        self._empty: asyncio.Future[None] | None = None
        self._stop_until = 0.0

    @property
    def is_crowded(self) -> bool:
        """Whether there are more connections than there may be."""
        return len(self.connections) > self.settings.max_connections

    def last_words(self, problem: Problem, path: str) -> tuple[int, Fields, bytes]:
        """Return status, headers and body of an answer with which the connection ends."""
        response = self.app.refusal(problem, path)
        length = (b"content-length", b"%d" % len(response.body))
        return (
            response.status,
            [(b"content-type", response.media), length, CLOSE_FIELD, *response.headers],
            response.body,
        )

    def add(self, connection: Connection) -> None:
        """A connection is open."""
        self.connections.add(connection)

    def remove(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if self._empty is not None and not self.connections and not self._empty.done():
            self._empty.set_result(None)

    async def stop(self, patience_s: float) -> bool:
        """Close idle connections at once and the others after their answers; break off what takes longer.

        Returns:
            Whether everything ended by itself.
        """
        self.is_stopping = True
        self._stop_until = self.loop.time() + patience_s
        for connection in list(self.connections):
            connection.stop()
        if self.connections:
            self._empty = self.loop.create_future()
            await asyncio.wait([self._empty], timeout=patience_s)
        left = list(self.connections)
        late = await self.tasks.end(max(0.0, self._stop_until - self.loop.time()))
        for connection in left:
            connection.transport.abort()
        return not left and not late

    def hurry(self) -> None:
        """Wait no longer, once it stops: break off now what is not answered."""
        self._stop_until = self.loop.time()
        if self._empty is not None and not self._empty.done():
            self._empty.set_result(None)
