"""One HTTP/1.1 connection of our own server: bytes in, requests in their turn, answers out.

Decides when a request is handed over, when reading pauses, what ends the connection, and how long anything may take.
What a request is, `request_reader` knows; an answer is framed in `turn`; bodies are bounded by their reader (`body`).

A request is handed over once it is whole, so that a small body costs no turn of the event loop; one with a large body,
or one that asks before it sends it (`Expect: 100-continue`), once its head is there. Requests that come before the one
at hand is answered wait, most of them unparsed (RFC 9112, 9.3.2).
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Final, cast

from pointsman.http import problems
from pointsman.http.flow import Flow
from pointsman.http.half_closed import ask_whether_gone
from pointsman.http.patience import NEVER, Patience
from pointsman.http.problems import Problem, RequestError
from pointsman.http.request_reader import RequestReader
from pointsman.http.response_head import CLOSE
from pointsman.http.site import Fault, Site
from pointsman.http.turn import Turn
from pointsman.http.waiting import Link
from pointsman.model.errors import PointsmanError
from pointsman.model.outcome import Refusal, Refused

log = logging.getLogger("pointsman.http")

HEAD_S: Final = 10.0
"""Seconds from the first byte of a request's head to its last, and as many for a body that is held back."""

KEEP_ALIVE_S: Final = 75.0
"""Seconds a connection may rest, before its first request as between two: longer than common clients keep theirs (60 s
and less), so that it is they who close."""

MAX_PIPELINED: Final = 64
"""Requests that may wait, parsed, for the answer to the one before them."""

HELD_BYTES: Final = 65_536
"""A body up to this size is held back until it is whole; also what is read ahead of a reader, or of an answer."""

_FEED_BYTES: Final = 16_384
"""Bytes that are parsed at a time: what is behind a whole request in them cannot wait unparsed."""

# What a connection waits for; while a request is being answered, for nothing.
_NOTHING, _REQUEST, _HEAD, _BODY, _REST = range(5)


class Connection(asyncio.Protocol):
    """A client's connection.

    Args:
        site: what it shares with others.

    Attributes:
        site, loop: as given.
        transport: to the client.
        flow: its back-pressure.
        ends: no more is read than has been, so that the connection ends with the last answer.
    """

    transport: asyncio.Transport
    flow: Flow

    def __init__(self, site: Site) -> None:
        self.site = site
        self.loop = site.loop
        self._link = Link()
        self._reader = RequestReader(partial(Turn, self, self._link), self._on_whole)
        self._reader.takes_any_target = site.takes_any_target
        self._patience = Patience(site.loop, self._on_late)
        self._waits_for = _REQUEST
        self._turn: Turn | None = None
        self._waiting: list[Turn] = []
        self._held = b""
        self._is_crowd = False
        self._is_deaf = False
        self._is_closed = False
        self._is_half_closed = False
        self.ends = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self.transport = cast(asyncio.Transport, transport)
        self.flow = Flow(self.transport, self.loop)
        self.site.add(self)
        self._is_crowd = self.site.is_crowded
        if self.site.is_stopping:
            self._close()
        else:
            self._patience.wait(self.loop.time() + KEEP_ALIVE_S)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._is_deaf:
            return
        if self._turn is not None and self._reader.reading is not self._turn:
            if not self.ends:
                self._hold(self._held + data)
        elif len(data) > _FEED_BYTES:
            self._feed_all(data)
        else:
            self._feed(data)

    def eof_received(self) -> bool:
        """The client sends no more. Unless it may still read an answer to a whole request, it is gone."""
        turn = self._turn
        if turn is None or turn.is_begun or self._reader.reading is turn:
            return False
        self._is_half_closed = self.ends = True
        self._find_out(turn)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: tell whoever waits."""
        self._is_closed = self._is_deaf = True
        self._patience.close()
        self._link.lose()
        for turn in (self._turn, self._reader.reading, *self._waiting):
            if turn is not None:
                turn.lose()
        self._turn = None
        self._waiting.clear()
        self._held = b""
        self.flow.lose()
        self.site.remove(self)

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        self.flow.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        self.flow.resume()

    # Requests.

    def _hold(self, data: bytes) -> None:
        self._held = data
        if len(data) > HELD_BYTES:
            self.flow.stop_reading()

    def _feed_all(self, data: bytes) -> None:
        view = memoryview(data)
        for at in range(0, len(data), _FEED_BYTES):
            if self._is_deaf:
                return
            if self._turn is not None and self._reader.reading is not self._turn:
                self._hold(data[at:])
                return
            self._feed(view[at : at + _FEED_BYTES])

    def _feed(self, data: bytes | memoryview) -> None:
        try:
            self._reader.feed(data)
        except PointsmanError as error:
            self._refuse(error)
            return
        if self._turn is None or self._reader.reading is not None:
            self._judge_rest()

    def _judge_rest(self) -> None:
        """Decide what to do about a request that is not whole yet."""
        reading = self._reader.reading
        if reading is None:
            if not self._reader.is_idle:
                self._wait(_HEAD, HEAD_S)
        elif reading.is_over:
            if reading.buffered_bytes > self.site.settings.discard_bytes:
                self._close()
        elif reading is self._turn:
            reading.wake()
            if reading.buffered_bytes > HELD_BYTES:
                self.flow.stop_reading()
        elif self._turn is None:
            declared = int(reading.fields.get(b"content-length", 0))
            if reading.expects or declared > HELD_BYTES or reading.buffered_bytes > HELD_BYTES:
                self._begin(reading)
            else:
                self._wait(_BODY, HEAD_S)

    def _on_whole(self, turn: Turn) -> None:
        if turn is self._turn:
            turn.wake()
            self.flow.read_on()
        elif turn.is_over and turn.keeps_alive:
            self._wait(_REQUEST, KEEP_ALIVE_S)
        elif turn.is_over:
            self._close()
        elif self._turn is None:
            self._begin(turn)
        elif len(self._waiting) < MAX_PIPELINED:
            self._waiting.append(turn)
        else:
            raise RequestError("head_too_large", f"more than {MAX_PIPELINED} requests wait for an answer")

    def _begin(self, turn: Turn) -> None:
        if self._is_closed:
            return
        self._turn = turn
        self._waits_for = _NOTHING
        self._patience.until = NEVER
        if self._is_crowd:
            detail = "there are more connections than server.max_connections allows"
            self._answer(turn, problems.of_refused(Refused(Refusal.OVERLOADED, detail, 1.0)))
        else:
            self._link.server = self.site.tasks.start(self.loop, self.site.app.serve(turn), turn.on_served)
            if self._is_half_closed:
                self._find_out(turn)

    def _find_out(self, turn: Turn) -> None:
        """The client sends no more: is it gone? One that speaks HTTP/1.0 cannot be asked, and counts as gone."""
        if turn.is_old:
            self._link.lose()
        else:
            ask_whether_gone(turn, self.transport, self.loop)

    # Answers.

    @property
    def goes_on(self) -> bool:
        """Whether another request may be answered after the one at hand."""
        return not self.ends or bool(self._waiting or self._held)

    def finish(self, turn: Turn, now: float) -> None:
        """The answer of the turn at hand has been written."""
        if turn is not self._turn:
            return
        self._turn = None
        if self._reader.reading is turn:
            if turn.hangs_up or self._is_deaf:
                self._close()
            else:
                turn.forget()
                self._wait(_REST, self.site.settings.discard_s)
                self.flow.read_on()
        elif turn.keeps_alive:
            self._waits_for = _REQUEST
            self._patience.wait(now + KEEP_ALIVE_S)
            if self._held or self._waiting or self.ends or not self._reader.is_idle:
                self._go_on()
        else:
            self._close()

    def _go_on(self) -> None:
        """Take up what has come while the last request was answered."""
        if self._waiting:
            self._begin(self._waiting.pop(0))
        elif self._held:
            held, self._held = self._held, b""
            self.flow.read_on()
            self._feed_all(held)
        elif not self.ends:
            self._judge_rest()
        if self.ends and self._turn is None:
            self._close()

    def break_off(self, turn: Turn) -> None:
        """End a turn whose answer will not become whole. Whoever asked for that is not told that the client is gone."""
        self._link = Link()
        self._give_up(turn)

    def _give_up(self, turn: Turn) -> None:
        turn.lose()
        if turn is self._turn:
            self._turn = None
        if turn.is_begun and turn.is_old:
            # To HTTP/1.0 the end of the connection is the end of the answer; a reset is not.
            self.flow.reset()
        else:
            self._close()

    def on_served(self, turn: Turn, fault: BaseException | None) -> None:
        """The task of a turn has ended by a fault, or without an answer; one that was cancelled is stopping with us."""
        if isinstance(fault, Exception) or (fault is None and not self._link.is_lost()):
            log.error("a request to %s failed: a bug in Pointsman, please report it", turn.path, exc_info=fault)
            self.site.app.faulted()
        if turn.is_over:
            return
        if turn.is_begun or self._link.is_lost() or not isinstance(fault, Exception | None):
            self._give_up(turn)
        else:
            self._answer(turn, problems.of_error(Fault("an internal fault, logged; the request was not answered")))

    def _answer(self, turn: Turn, problem: Problem) -> None:
        turn.answer(*self.site.last_words(problem, turn.path))

    def _refuse(self, error: PointsmanError) -> None:
        """Refuse what has come with a problem and hang up; not before requests that are whole have their answers."""
        turn = self._turn
        reading = self._reader.reading
        self._held = b""
        if turn is not None and reading is not turn:
            self._is_deaf = self.ends = True
            return
        if reading is not None and reading.is_begun:
            self._give_up(reading)
            return
        if turn is not None:
            self._turn = None
            turn.lose()
        status, fields, body = self.site.last_words(problems.of_error(error), "/")
        self.transport.write(self.site.heads.encode(self.loop.time(), status, fields, CLOSE) + body)
        self._close()

    # The end, and the time.

    def stop(self) -> None:
        """Take no further request; close now where none is at hand."""
        self.ends = True
        self._held = b""
        reading = self._reader.reading
        if self._turn is None and (reading is None or reading.is_over):
            self._close()

    def _close(self) -> None:
        self._is_closed = self._is_deaf = True
        self._held = b""
        self._patience.close()
        self.flow.close()

    def _wait(self, what: int, patience_s: float) -> None:
        if what != self._waits_for:
            self._waits_for = what
            self._patience.wait(self.loop.time() + patience_s)

    def _on_late(self) -> None:
        if self._waits_for == _HEAD:
            self._refuse(RequestError("receive_timeout", f"the headers were not whole after {HEAD_S:.0f} s"))
        elif self._waits_for == _BODY:
            detail = f"the body was not whole after {HEAD_S:.0f} s; send it in one go"
            self._refuse(RequestError("receive_timeout", detail))
        else:
            self._close()
