"""One HTTP connection: uvicorn's protocol, with what it leaves out.

Deadlines and bounds for a request's head, a number of connections, refusals as problems instead of bare text,
and word to whoever waits for a result when the client hangs up, the first of several pipelined requests
included. The body's bounds are in `body`. Written against uvicorn 0.54 (`protocols/http/httptools_impl.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pointsman.http import problems
from pointsman.http.one_write import OneWrite
from pointsman.http.problems import RequestError
from pointsman.http.waiting import EXTENSION, Link
from pointsman.model.errors import PointsmanError, RefusedError
from pointsman.model.outcome import Refusal, Refused

HEAD_S: Final = 10.0
"""Seconds from the first byte of a request's head to its last."""

MAX_HEAD_BYTES: Final = 65_536

MAX_HEADERS: Final = 100

_PHRASES: Final = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class Connection(HttpToolsProtocol):
    """A client's connection. `most` is the number of connections above which requests are refused."""

    most: ClassVar[int] = 4096

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._link = Link()
        self._extensions = {EXTENSION: self._link}
        self._running: RequestResponseCycle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a first request; one who says nothing is let go like one who has nothing more to say."""
        super().connection_made(transport)
        self._one_write = OneWrite(transport)
        self.transport = self._one_write
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        if len(self.connections) > self.most:
            self.app = refuse_crowd

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits on behalf of the client."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_head_timer()
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
        self._link.lose()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that is not whole yet is bounded in size and time."""
        super().data_received(data)
        if self._in_head or self._is_idle():
            self._watch_head(len(data))

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _watch_head(self, size: int) -> None:
        self._head_bytes += size
        if self.transport.is_closing():
            return
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(RequestError("head_too_large", f"the headers have more than {MAX_HEAD_BYTES} bytes"))
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S, self._end_head)

    def _end_head(self) -> None:
        self._head_timer = None
        self._refuse(RequestError("receive_timeout", f"the headers were not whole after {HEAD_S:.0f} s"))

    def _stop_head_timer(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def on_message_begin(self) -> None:
        """A request begins; the application may learn from its scope when the client goes."""
        super().on_message_begin()
        self._in_head = True
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]

    def on_headers_complete(self) -> None:
        """The head is whole; its time runs on until the first byte of the body, whose own time is the reader's."""
        if len(self.headers) > MAX_HEADERS or _head_bytes(self.headers, self.url) > MAX_HEAD_BYTES:
            raise _TooManyHeaders
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._in_head:
            self._leave_head()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is whole; go on reading, because only a reader learns that the client is gone."""
        if self._in_head:
            self._leave_head()
        super().on_message_complete()
        if not self.pipeline:
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """An answer is whole, perhaps without a body."""
        self._one_write.flush()
        super().on_response_complete()

    def _leave_head(self) -> None:
        self._in_head = False
        self._stop_head_timer()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that is not understood is ignored, as RFC 9110 (7.8) allows; nobody needs to be told."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP/1.1."""
        headers = self.headers or ()
        if len(headers) > MAX_HEADERS:
            self._refuse(RequestError("head_too_large", f"there are more than {MAX_HEADERS} headers"))
        elif _head_bytes(headers, self.url) > MAX_HEAD_BYTES:
            self._refuse(RequestError("head_too_large", f"the headers have more than {MAX_HEAD_BYTES} bytes"))
        else:
            self._refuse(RefusedError(Refused(Refusal.INVALID, "what came is no valid HTTP/1.1 request")))

    def _refuse(self, error: PointsmanError) -> None:
        """Answer with a problem and hang up.

        Behind a request that is whole and still being answered, only hang up after its answer.
        """
        self._stop_head_timer()
        if not self._is_idle():
            cycle = self.cycle
            if cycle is not self._running or not cycle.more_body or cycle.response_started:
                cycle.keep_alive = False
                self.flow.pause_reading()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        problem = problems.of_error(error)
        body = problems.encode(problem, "/")
        lines = [b"HTTP/1.1 %d %b" % (problem.status, _PHRASES[problem.status])]
        lines += [b"%b: %b" % field for field in (*self.server_state.default_headers, *problems.headers(problem))]
        lines += [b"content-type: " + problems.MEDIA_TYPE, b"content-length: %d" % len(body), b"connection: close"]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self.transport.close()


def _head_bytes(headers: Iterable[tuple[bytes, bytes]], url: bytes) -> int:
    return len(url) + sum([len(name) + len(value) for name, value in headers])


class _TooManyHeaders(Exception):
    """Leaves the parser from inside a callback; `data_received` turns it into a refusal."""


async def refuse_crowd(scope: Any, receive: Any, send: Any) -> None:
    """Answer in the application's place while there are too many connections."""
    detail = "there are more connections than server.max_connections allows"
    problem = problems.of_refused(Refused(Refusal.OVERLOADED, detail, 1.0))
    body = problems.encode(problem, scope["path"])
    fields = [
        (b"content-type", problems.MEDIA_TYPE),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *problems.headers(problem),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
