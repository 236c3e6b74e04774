"""The service: a House behind HTTP, with its metrics, its signals, and an orderly end.

On the first SIGTERM or SIGINT `/readyz` says no, nothing new is taken, what is in hand may end for `server.drain_s`,
and the last answers are written. The second cancels what is left at once, and a third kills. SIGHUP reads the settings
again: all of them, or, if there is a mistake, none.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from pointsman.assembly import House
from pointsman.config.keys_file import KeysFile, keys_path
from pointsman.config.load import Loaded
from pointsman.core.keys import KeyRing
from pointsman.embedded import replay
from pointsman.http.app import App
from pointsman.http.gate import Beside
from pointsman.http.server import LAST_ANSWERS_S, HttpServer, bind
from pointsman.http.surface import Surface
from pointsman.model.errors import Conflict, EngineUnavailable, PointsmanError, SettingsError, UsageError
from pointsman.model.message import Envelope
from pointsman.model.objectives import Level, SloReport
from pointsman.model.outcome import Refused
from pointsman.reload import reload
from pointsman.runtime.health.served import service_checks
from pointsman.runtime.preview import Preview
from pointsman.runtime.tasks import Tasks
from pointsman.telemetry import logs, process
from pointsman.telemetry.exposing import Exposing
from pointsman.telemetry.metrics import Metrics
from pointsman.telemetry.self_check import TelemetryCheck
from pointsman.telemetry.snapshot import Snapshot

_LAG_EVERY_S: Final = 0.5

_COLLECT_AFTER: Final = 10_000
"""Objects between two looks of the collector's youngest generation; 700 is the interpreter's own."""

log = logging.getLogger("pointsman.serving")

ReadAgain = Callable[[], Loaded]
"""Reads the settings once more, from where they came; raises SettingsError."""

Keys = Callable[[], KeyRing]
"""Returns the API keys in force; may raise SettingsError when it is called for the first time."""


def version() -> str:
    """Return the version of Pointsman."""
    # By name: the face is for users, and the import contract keeps everybody inside from importing it.
    return str(import_module("pointsman").__version__)


class Service:
    """A House that is served over HTTP. Nothing runs before `start`.

    Args:
        house: the router, not started yet; its settings say where to listen.
        read_again: reads the settings for a reload; None where they came from a program and cannot be read again.
        keys: the API keys in force; by default those in `server.keys_file`, beside the working directory.
    """

    def __init__(self, house: House, read_again: ReadAgain | None = None, keys: Keys | None = None) -> None:
        self.house = house
        self.keys = keys or KeysFile(Path(house.settings.server.keys_file), house.clock).ring
        self.metrics = Metrics(house.settings)
        self.stop_asked = asyncio.Event()
        self.lag_s: float | None = None
        self.reload_succeeded = True
        self._read_again = read_again
        self._reloading = asyncio.Lock()
        self._tasks = Tasks(house.clock)
        self._began = house.clock.monotonic()
        self._exposing = Exposing(self.metrics, self._snapshot, lambda: self.slo(None, "").levels, house.clock)
        self.exposition = self._exposing.page
        self._socket: socket.socket | None = None
        self._server: HttpServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._legacy = house.transports.legacy(house.settings.rollout, house.settings.server.max_connections)
        self._patience: asyncio.Timeout | None = None
        for kind, count in self.metrics.listeners.items():
            house.observers.add(count, kind)
        for check in (*service_checks(house, self.keys, process.read), TelemetryCheck(self.exposition)):
            house.health.add(check)

    @property
    def url(self) -> str:
        """Where it can be reached, once it has been started."""
        if self._server is None:
            raise UsageError("a service has no address before it is started")
        return self._server.urls[0]

    def surface(self) -> Surface:
        """Return the router as HTTP sees it."""
        house = self.house
        return Surface(
            core=house.core,
            fleet=house.fleet,
            engine=house.engine,
            feeds=house.feeds,
            decisions=house.decisions,
            envelopes=house.envelopes,
            clock=house.clock,
            settings=lambda: house.settings,
            preview=self.preview,
            replay=lambda message_id: replay(house, message_id),
            resolve_class=house.resolve_class,
            resolve_model=house.resolve_model,
            reload=self.reload,
            metrics=self.exposition,
            is_ready=lambda: house.doors_open,
            keys=self.keys,
            costs=house.costs,
            rollout=house.rollout,
            shadow=house.shadow,
            slo=self.slo,
            health=house.health,
            learning=house.learning,
            emit=house.emit,
            version=version(),
        )

    def slo(self, window_s: float | None, by: str) -> SloReport:
        """Return the objectives and how they are kept; see `ServiceLevels.report`."""
        return self.house.slo.report(window_s, by=by, resident_bytes=process.read().resident_bytes)

    def preview(self, envelope: Envelope) -> Refused | Preview:
        """Return what would be decided for a message, by the settings in force now."""
        return self.house.previewer.preview(envelope)

    async def _snapshot(self, levels: Sequence[Level]) -> Snapshot:
        house = self.house
        return Snapshot(
            version=version(),
            uptime_s=house.clock.monotonic() - self._began,
            counts=await house.engine.counts(),
            queues=await house.engine.queues(),
            workers=house.fleet.workers(),
            dead_letters=len(await house.engine.dead_letters(limit=house.settings.engine.keep_dead_letters)),
            budgets=house.costs.spending.shares(),
            quotas=house.costs.quotas.views(),
            rollout=house.rollout.status() if house.rollout.is_configured else None,
            health=house.health.latest(),
            objectives=levels,
            classifier=house.learning.status(),
            reload_succeeded=self.reload_succeeded,
            loop_lag_s=self.lag_s,
            process=process.read(),
        )

    async def reload(self) -> dict[str, list[str]]:
        """Read the settings again and put them into force.

        Returns:
            `changed` and `needs_restart`: keys.

        Raises:
            SettingsError: with every mistake; nothing has changed.
            Conflict: these settings came from a program, which must change them itself.
        """
        if self._read_again is None:
            raise Conflict("this router was started by a program and has no settings file to read again")
        async with self._reloading:
            self.reload_succeeded = False
            answer = await reload(self.house, self._read_again().settings)
            self.reload_succeeded = True
        self.metrics.use(self.house.settings)
        log.info(
            "settings read again; changed: %s; needs a restart: %s",
            ", ".join(answer["changed"]) or "nothing",
            ", ".join(answer["needs_restart"]) or "nothing",
        )
        return answer

    def begin_reload(self) -> None:
        """Reload beside everything else; what goes wrong is logged, every mistake of it."""
        self._tasks.spawn(self._reload_and_tell(), "reload")

    async def _reload_and_tell(self) -> None:
        try:
            await self.reload()
        except SettingsError as error:
            log.error("settings not taken, nothing has changed: %d mistakes", len(error.mistakes))
            for mistake in error.mistakes:
                log.error("%s", mistake)
        except PointsmanError as error:
            log.error("settings not taken: %s", error)

    async def start(self) -> None:
        """Bind the address, start the router, and serve.

        Raises:
            PortTaken: another process listens there.
            NotLoopback: the address is none of this machine's loopback, and there is no usable API key.
            SettingsError: there is a file of API keys, and it cannot be used.
        """
        settings = self.house.settings.server
        counts = self.keys().counts(self.house.clock.wall())
        self._socket = bind(settings.listen, is_guarded=counts.usable > 0)
        beside = None
        if self._legacy is not None:
            await self._legacy.open()
            beside = Beside(self.house.rollout, self._legacy, self.house.shadow)
        app = App(self.surface(), beside=beside)
        self._server = server = HttpServer(app, settings, [self._socket], takes_any_target=beside is not None)
        started = asyncio.get_running_loop().create_future()
        await self.house.start()
        self._tasks.supervise(self._watch_lag, "event loop lag")
        self._serving = self._tasks.spawn(server.run(lambda: started.set_result(None)), "http server")
        self._serving.add_done_callback(lambda _: self._server_ended(started))
        await started

    def _server_ended(self, started: asyncio.Future[None]) -> None:
        self.stop_asked.set()
        if not started.done():
            started.set_exception(EngineUnavailable("the HTTP server ended before it had begun"))

    async def _watch_lag(self) -> None:
        clock = self.house.clock
        while True:
            due = clock.monotonic() + _LAG_EVERY_S
            await clock.sleep_until(due)
            self.lag_s = max(0.0, clock.monotonic() - due)

    def ask_to_stop(self) -> None:
        """Begin to stop in an orderly way; asked again, stop at once."""
        if not self.stop_asked.is_set():
            self.stop_asked.set()
        elif self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())
        elif self._server is not None:
            self._server.hurry()

    async def stop(self, drain_s: float) -> bool:
        """Take nothing new, let what is in hand, here or at an old router, end for `drain_s` seconds, end everything.

        Returns:
            Whether all that was in hand ended by itself, and nothing failed.
        """
        self.stop_asked.set()
        until = self.house.clock.monotonic() + drain_s
        clean = await self._drain(drain_s)
        if self._server is not None:
            left_s = until - self.house.clock.monotonic() if clean else 0.0
            self._server.begin_stop(max(LAST_ANSWERS_S, left_s))
            if self._serving is not None:
                await asyncio.wait([self._serving])
                clean = clean and self._serving.exception() is None and not self._server.has_cut
        if self._socket is not None:
            self._socket.close()
        if self._legacy is not None:
            await self._legacy.close()
        await self.house.stop(0.0)
        await self._tasks.close()
        self._exposing.close()
        return clean

    async def _drain(self, drain_s: float) -> bool:
        try:
            async with asyncio.timeout(None) as self._patience:
                return await self.house.core.drain(drain_s)
        except TimeoutError:
            return await self.house.core.drain(0.0)
        finally:
            self._patience = None


@contextlib.asynccontextmanager
async def open_service(
    house: House, read_again: ReadAgain | None = None, keys: Keys | None = None
) -> AsyncIterator[str]:
    """Serve a House while the block runs; yields its URL. After an error in the block nothing is waited for."""
    service = Service(house, read_again, keys)
    drain_s = 0.0
    try:
        await service.start()
        yield service.url
        drain_s = house.settings.server.drain_s
    finally:
        await service.stop(drain_s)


async def serve(loaded: Loaded, read_again: ReadAgain, *, on_started: Callable[[str], None]) -> bool:
    """Serve until a signal says to stop.

    Args:
        loaded: the settings.
        read_again: reads them for a reload.
        on_started: told the URL once requests are taken.

    Returns:
        Whether all messages had ended by themselves.

    Raises:
        PointsmanError: it cannot start; the text says why.
    """
    house = House(loaded.settings, beside=loaded.path.parent if loaded.path else None)
    house.slo.keeps_journal = True
    house.learning.keeping.begin()
    await house.health.open_journal()
    service = Service(house, read_again, KeysFile(keys_path(loaded), house.clock).ring)
    _calm_collector()
    loop = asyncio.get_running_loop()
    try:
        await service.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _on_stop, service, number)
        loop.add_signal_handler(signal.SIGHUP, service.begin_reload)
        on_started(service.url)
        await service.stop_asked.wait()
        drain_s = service.house.settings.server.drain_s
        log.info("stopping: nothing new is taken, what is in hand has %g s to end", drain_s)
    except BaseException:
        await service.stop(0.0)
        raise
    clean = await service.stop(drain_s)
    log.info("stopped") if clean else log.warning("stopped; messages in hand were cancelled")
    return clean


def _calm_collector() -> None:
    """Let the cyclic garbage collector look less often, and never again at what has been built by now.

    What a message leaves behind (its records) holds no cycles and lives long, so that looking at it all again and again
    finds nothing and costs a tenth of a message. Only a process of our own does so; the library leaves it alone.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)


def _on_stop(service: Service, number: signal.Signals) -> None:
    if service.stop_asked.is_set():
        asyncio.get_running_loop().remove_signal_handler(number)
    service.ask_to_stop()


def set_up_logging(level: str) -> None:
    """Send log lines of `level` and above to standard error; for a process that is nothing but the service."""
    logs.configure(level)
