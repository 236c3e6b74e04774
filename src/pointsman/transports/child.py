"""One child process: its pipes, its end, and its orderly or less orderly farewell.

The child leads a session of its own, so that a Ctrl-C meant for the router does not reach it, and so that what it
started can be ended with it. It counts as ended when it has exited and its output has been read to the end; where only
one of the two happens (something it started holds the pipe; it closed its output and lives on) it gets a second, then
it is killed (uvloop does not tell of closed pipes while the process lives; there only its exit counts). No task is
started: everything happens in the event loop's callbacks.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from typing import cast

from pointsman.transports.lines import Line, LineSplitter

STDERR_BYTES = 8192
"""How much of the end of the child's error output is kept."""

_HALF_END_S = 1.0


class Child(asyncio.SubprocessProtocol):
    """A process that runs; made by `start`.

    Args:
        on_line: called with each line of its output.
        on_end: called once, when it has ended.
        max_line_bytes: longest line of output.
    """

    _transport: asyncio.SubprocessTransport

    def __init__(self, on_line: Callable[[Line], None], on_end: Callable[[Child], None], max_line_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._on_line = on_line
        self._on_end = on_end
        self._splitter = LineSplitter(max_line_bytes)
        self._stderr = bytearray()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._gone: asyncio.Future[None] = loop.create_future()
        self._exited = False
        self._output_ended = False
        self._stopping = False
        self._why_killed = ""
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        on_line: Callable[[Line], None],
        on_end: Callable[[Child], None],
        max_line_bytes: int,
    ) -> Child:
        """Start a program, without a shell.

        Raises:
            OSError, ValueError: it cannot be started.
        """
        _, child = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(on_line, on_end, max_line_bytes), *command, start_new_session=True
        )
        return child

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._transport.get_pid()

    @property
    def alive(self) -> bool:
        """It has not ended, and its input is open."""
        return not self._ended.done() and self._timer is None and not self._input.is_closing()

    @property
    def has_ended(self) -> bool:
        """Nothing will come from it any more."""
        return self._ended.done()

    @property
    def farewell(self) -> str:
        """How it ended, and its last words on stderr; for people."""
        code = self._transport.get_returncode()
        if self._why_killed:
            how = f"it was killed: {self._why_killed}"
        elif code is None:
            how = "it ended"
        elif code < 0:
            how = f"it was ended by signal {-code}"
        else:
            how = f"it exited with status {code}"
        last = self.stderr_tail.strip()[-300:]
        return f"{how}; stderr: {last}" if last else how

    @property
    def stderr_tail(self) -> str:
        """The end of what it wrote to stderr."""
        return self._stderr.decode("utf-8", "replace")

    async def write(self, line: bytes) -> bool:
        """Write a line as soon as the child has read enough of the earlier ones; whether it could be written.

        A call cancelled while it waits has written nothing.
        """
        while not self._can_write.is_set():
            await self._can_write.wait()
        if not self.alive:
            return False
        self._input.write(line + b"\n")
        return True

    async def stop(self, grace_s: float) -> None:
        """End it: close its input, then SIGTERM, then SIGKILL, `grace_s` seconds apart. Returns when it is gone."""
        self._stopping = True
        self._input.close()
        try:
            if not await self._ends_within(grace_s):
                self._signal(signal.SIGTERM)
                await self._ends_within(grace_s)
        finally:
            self.kill("it did not end when asked to")
        await self.gone()

    async def gone(self) -> None:
        """Return when it has ended, its pipes are closed and the operating system has forgotten it."""
        await asyncio.shield(self._gone)

    @property
    def is_gone(self) -> bool:
        """Nothing is left of it."""
        return self._gone.done()

    def kill(self, why: str) -> None:
        """End it, and what it started, at once. One that has ended is left alone."""
        if not self._ended.done():
            self._why_killed = why
            self._end()

    async def _ends_within(self, seconds: float) -> bool:
        await asyncio.wait([self._ended], timeout=seconds)
        return self._ended.done()

    @property
    def _input(self) -> asyncio.WriteTransport:
        return cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))

    def _signal(self, number: signal.Signals) -> None:
        if self._gone.done():
            return
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left; macOS says so with the second

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It has started."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It wrote something."""
        if fd == 1:
            self._hand_on(self._splitter.feed(data))
        else:
            self._stderr += data
            del self._stderr[:-STDERR_BYTES]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """It closed a pipe, or we did."""
        if fd == 1:
            self._hand_on(self._splitter.finish())
            self._output_ended = True
        if fd == 1 or (fd == 0 and not self._stopping):
            self._half_end()

    def process_exited(self) -> None:
        """It exited; its output may still be on its way."""
        self._exited = True
        self._half_end()

    def pause_writing(self) -> None:
        """It does not read what we write."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._can_write.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """All is closed and the process is reaped."""
        self._end()
        self._gone.set_result(None)

    def _hand_on(self, lines: list[Line]) -> None:
        for line in lines:
            if not self._ended.done():
                self._on_line(line)

    def _half_end(self) -> None:
        if self._exited and self._output_ended:
            self._end()
        elif self._timer is None and not self._ended.done():
            self._timer = self._loop.call_later(
                _HALF_END_S, self.kill, "it closed its input or output, or left it to others"
            )

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ended.done():
            return
        self._ended.set_result(None)
        self._can_write.set()
        self._on_end(self)
        self._signal(signal.SIGKILL)
        self._transport.close()
