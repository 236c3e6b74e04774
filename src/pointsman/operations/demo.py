"""`pointsman demo`: a router, six real worker processes, and 200 messages, live.

Everything is real but the work: messages travel over HTTP into the router and over HTTP or stdio to the workers. The
numbers at the end come from the router's own events and add up.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.live import Live

from pointsman.assembly import House
from pointsman.core.keys import NO_KEYS
from pointsman.model.errors import UsageError
from pointsman.operations.demo_fleet import Fleet
from pointsman.operations.demo_screen import closing, picture, plain_line, suggestions
from pointsman.operations.demo_tally import Tally
from pointsman.operations.demo_traffic import (
    PROMPT_RATE_PER_S,
    RATE_PER_S,
    Traffic,
    own_messages,
    prompts,
)
from pointsman.serving import open_service

USUAL_PORT: Final = 8080
INTERRUPTED: Final = 130
_FRAME_S = 0.125
_SETTLE_S = 30.0


@dataclass(slots=True, frozen=True)
class Options:
    """How the demonstration is to run.

    Attributes:
        seconds: stop sending then, drain, print the summary and end; None sends everything once.
        keep: keep serving afterwards until Ctrl-C. `seconds` implies that it does not.
        prompts: JSON lines to send instead of its own messages.
        as_json: the last line is the summary as JSON.
        listen: address; None takes 127.0.0.1:8080, or a free port where that is taken or nothing is kept.
    """

    seconds: float | None = None
    keep: bool = True
    prompts: Path | None = None
    as_json: bool = False
    listen: str | None = None


def run(options: Options) -> int:
    """Run the demonstration; returns the exit code."""
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(_Demo(options).run())
    return INTERRUPTED


class _Demo:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.keep = options.keep and options.seconds is None
        self.console = Console(stderr=options.as_json)
        self.tally = Tally()
        self.told = 0

    async def run(self) -> int:
        lines = prompts(self.options.prompts) if self.options.prompts else own_messages()
        rate_per_s = PROMPT_RATE_PER_S if self.options.prompts else RATE_PER_S
        self.console.print("Starting six worker processes and a router ...")
        fleet = Fleet()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        try:
            try:
                await fleet.start()
            except UsageError:
                if stop.is_set():
                    return INTERRUPTED
                raise
            house = House(fleet.settings(self.options.listen or _address(self.keep)))
            house.observers.add(self.tally.observe)
            async with open_service(house, keys=lambda: NO_KEYS) as url:
                traffic = Traffic(url, house.clock)
                try:
                    await self._show(house, traffic, url, stop, traffic.send(lines, rate_per_s, self.options.seconds))
                    await self._rest(house)
                finally:
                    traffic.close()
                self._close(house, traffic, url)
                if self.keep and not stop.is_set():
                    self.console.print("\nStill serving. Ctrl-C ends it.")
                    await stop.wait()
        finally:
            await fleet.stop()
        return 0

    async def _show(self, house: House, traffic: Traffic, url: str, stop: asyncio.Event, sending: object) -> None:
        async with self._screen(house, traffic, url) as draw:
            send = house.tasks.spawn(sending, "demo traffic")  # type: ignore[arg-type]
            while not send.done() and not stop.is_set():
                draw()
                await house.clock.sleep_until(house.clock.monotonic() + _FRAME_S)
            if not send.done():
                send.cancel()
            draw()

    @contextlib.asynccontextmanager
    async def _screen(self, house: House, traffic: Traffic, url: str) -> AsyncIterator[Callable[[], None]]:
        if not self.console.is_terminal:
            self.console.print(f"Serving on {url}")
            yield self._draw_plain
            return
        with Live(console=self.console, screen=True, auto_refresh=False) as live:

            def draw() -> None:
                width, height = self.console.size
                view = picture(self.tally, house.fleet.workers(), url, traffic.sent, width, height)
                live.update(view, refresh=True)

            yield draw

    def _draw_plain(self) -> None:
        new = self.tally.stories - self.told
        self.told = self.tally.stories
        if new:
            for story in list(self.tally.feed)[-new:]:
                self.console.print(plain_line(story), markup=False, highlight=False, soft_wrap=True)

    async def _rest(self, house: House) -> None:
        """Wait until everything that was admitted has ended."""
        deadline = house.clock.monotonic() + _SETTLE_S
        while self.tally.admitted > sum(self.tally.ends.values()) and house.clock.monotonic() < deadline:
            await house.clock.sleep_until(house.clock.monotonic() + _FRAME_S)
        if not self.console.is_terminal:
            self._draw_plain()

    def _close(self, house: House, traffic: Traffic, url: str) -> None:
        self.console.print(
            closing(self.tally, house.fleet.workers(), traffic.sent, traffic.unanswered, self.console.width)
        )
        if self.keep:
            self.console.print("Three things to try:\n")
            for line in suggestions(url):
                self.console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
        if self.options.as_json:
            summary = {"summary": self.tally.summary()}
            Console().print(msgspec.json.encode(summary).decode(), markup=False, highlight=False, soft_wrap=True)


def _address(keep: bool) -> str:
    """Return the usual address if it is to be kept and is free, else one with a free port."""
    for port in (USUAL_PORT, 0) if keep else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"127.0.0.1:{probe.getsockname()[1]}"
    return f"127.0.0.1:{USUAL_PORT}"
