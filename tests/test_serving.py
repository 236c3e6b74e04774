from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import pointsman
from pointsman.assembly import House
from pointsman.cli.client import Client, Problem
from pointsman.config.load import Loaded
from pointsman.http.server import HttpServer, PortTaken
from pointsman.model.errors import Conflict, EngineUnavailable, PointsmanError, SettingsError, UsageError
from pointsman.model.settings import (
    ClassSettings,
    LimitSettings,
    PoolSettings,
    ServerSettings,
    Settings,
    ValidationSettings,
    WorkerSettings,
)
from pointsman.serving import Service, open_service, version
from pointsman.testing.clock import FakeClock

SETTINGS = Settings(
    server=ServerSettings(listen="127.0.0.1:0"),
    classes={
        "strategic": ClassSettings(pool="planners", alias=["strong"]),
        "tactical": ClassSettings(pool="coders", alias=["fast"]),
    },
    pools={
        "planners": PoolSettings(),
        "coders": PoolSettings(workers=[WorkerSettings(id="w", transport="callable")]),
    },
)

MESSAGE = {"text": "fix the typo", "class": "tactical"}


def with_max_text(size: int) -> Settings:
    """The same settings with another bound on texts."""
    return Settings(
        server=SETTINGS.server,
        classes=SETTINGS.classes,
        pools=SETTINGS.pools,
        validation=ValidationSettings(max_text_bytes=size),
    )


class Gate:
    """A worker that answers once it is opened."""

    def __init__(self) -> None:
        self.taken = asyncio.Event()
        self.opened = asyncio.Event()

    async def work(self, message: dict[str, Any]) -> str:
        """Take a message."""
        self.taken.set()
        await self.opened.wait()
        return "done"


async def echo(message: dict[str, Any]) -> str:
    """Answer at once."""
    return str(message["text"])


async def ask(url: str, path: str, value: Any = None) -> Any:
    """Ask a service from another thread, as its loop is this one."""
    return await asyncio.to_thread(Client(url).call, "GET" if value is None else "POST", path, value)


async def refusal(url: str, path: str, value: Any = None) -> str:
    """Code with which a request is refused."""
    with pytest.raises(Problem) as raised:
        await ask(url, path, value)
    return raised.value.code


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so; it must be soon."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never became so")


@contextlib.asynccontextmanager
async def running(worker: Any = echo, read_again: Callable[[], Loaded] | None = None) -> AsyncIterator[Service]:
    """A service that runs while the block does, and is stopped at once if the block has not done so."""
    service = Service(House(SETTINGS, local={"w": worker}), read_again)
    try:
        await service.start()
        yield service
    finally:
        await service.stop(0.0)


@pytest.mark.real_loop
async def test_a_house_is_served_while_the_block_runs():
    """Ready, messages get their reply, and afterwards nobody listens."""
    async with open_service(House(SETTINGS, local={"w": echo})) as url:
        assert await ask(url, "/readyz") == {"status": "ready"}
        answer = await ask(url, "/api/v1/messages", MESSAGE)
        assert (answer["status"], answer["reply"]) == ("delivered", {"text": "fix the typo"})
        assert (await ask(url, "/api/v1/status"))["version"] == pointsman.__version__ == version()
    with pytest.raises(PointsmanError, match="no router listens"):
        await ask(url, "/readyz")


@pytest.mark.real_loop
async def test_stopping_waits_for_what_is_in_hand_and_takes_nothing_new():
    """Not ready and draining at once; the sender that waits gets its reply before the end."""
    gate = Gate()
    async with running(gate.work) as service:
        sender = asyncio.create_task(ask(service.url, "/api/v1/messages", MESSAGE))
        await gate.taken.wait()
        stopping = asyncio.create_task(service.stop(30.0))
        await until(lambda: not service.house.doors_open)
        for _ in range(200):  # Longer than a server that had been told to stop would go on accepting.
            assert await refusal(service.url, "/readyz") == "unavailable"
        assert await refusal(service.url, "/api/v1/messages", MESSAGE) == "draining"
        gate.opened.set()
        assert (await sender)["reply"] == {"text": "done"}
        assert await stopping is True


@pytest.mark.real_loop
async def test_asked_again_it_cancels_what_is_left_and_tells_its_sender():
    """The sender gets an answer, not a broken connection."""
    gate = Gate()
    async with running(gate.work) as service:
        sender = asyncio.create_task(refusal(service.url, "/api/v1/messages", MESSAGE))
        await gate.taken.wait()
        service.ask_to_stop()
        assert service.stop_asked.is_set()
        stopping = asyncio.create_task(service.stop(30.0))
        await until(lambda: not service.house.doors_open)
        service.ask_to_stop()
        assert await stopping is False
        assert await sender in {"sender", "shutdown"}
        service.ask_to_stop()


@pytest.mark.real_loop
async def test_an_error_in_the_block_ends_the_service_without_waiting():
    """What is in hand is cancelled; the error is the caller's own."""
    gate = Gate()
    senders: list[asyncio.Task[str]] = []

    async def fail_while_serving() -> None:
        async with open_service(House(SETTINGS, local={"w": gate.work})) as url:
            senders.append(asyncio.create_task(refusal(url, "/api/v1/messages", MESSAGE)))
            await gate.taken.wait()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_while_serving()
    assert await senders[0] in {"sender", "shutdown"}


@pytest.mark.real_loop
async def test_a_port_that_is_taken_starts_nothing():
    """The error says which; no task is left (the test's loop looks for them)."""
    async with running() as service:
        listen = service.url.removeprefix("http://")
        other = House(Settings(server=ServerSettings(listen=listen)))
        with pytest.raises(PortTaken, match=listen):
            async with open_service(other):
                pass
        assert not other.doors_open


@pytest.mark.real_loop
async def test_a_router_that_cannot_start_frees_its_port():
    """A worker that nobody gave is the error; the address can be bound again at once."""
    async with running() as service:
        port = service.url
    house = House(
        Settings(
            server=ServerSettings(listen=port.removeprefix("http://")), classes=SETTINGS.classes, pools=SETTINGS.pools
        )
    )
    with pytest.raises(UsageError, match="no function was given"):
        async with open_service(house):
            pass
    again = Settings(server=house.settings.server, classes=SETTINGS.classes, pools=SETTINGS.pools)
    async with open_service(House(again, local={"w": echo})) as url:
        assert url == port


class Failing(HttpServer):
    """A server that fails: before it has begun to accept, or right after."""

    begins = True

    async def run(self, on_started: Callable[[], None]) -> None:
        """Fail."""
        if self.begins:
            on_started()
        raise OSError("out of file descriptors")


@pytest.mark.real_loop
async def test_a_server_that_fails_asks_to_stop_and_the_end_is_not_clean(monkeypatch):
    """A process without its server must not live on as if nothing were."""
    monkeypatch.setattr("pointsman.serving.HttpServer", Failing)
    async with running() as service:
        await service.stop_asked.wait()
        assert await service.stop(1.0) is False


@pytest.mark.real_loop
async def test_a_server_that_never_begins_is_an_error(monkeypatch):
    """Instead of a wait without end."""
    monkeypatch.setattr("pointsman.serving.HttpServer", Failing)
    monkeypatch.setattr(Failing, "begins", False)
    with pytest.raises(EngineUnavailable, match="ended before it had begun"):
        async with running():
            pass


@pytest.mark.real_loop
async def test_metrics_tell_events_and_state():
    """Counted: what was admitted. Read: uptime, reload, the process; the lag once it was measured."""
    async with running() as service:
        await ask(service.url, "/api/v1/messages", MESSAGE)
        service.lag_s = 0.25
        body, kind = await service.exposition("text/plain")
    assert kind.startswith("text/plain")
    lines = body.decode().splitlines()
    assert 'pointsman_messages_admitted_total{class="tactical",priority="normal"} 1' in lines
    assert "pointsman_config_last_reload_successful 1" in lines
    assert "pointsman_event_loop_lag_seconds 0.25" in lines
    assert any(line.startswith("pointsman_uptime_seconds ") for line in lines)


@pytest.mark.real_loop
async def test_a_reload_puts_what_is_read_into_force():
    """What changed is said, and holds for the next message, dry runs included."""
    new = Loaded(with_max_text(5), {}, None)
    async with running(read_again=lambda: new) as service:
        answer = await ask(service.url, "/api/v1/config/reload", {})
        assert answer == {"changed": ["validation.max_text_bytes"], "needs_restart": []}
        assert await refusal(service.url, "/api/v1/decisions", MESSAGE) == "too_large"


@pytest.mark.real_loop
async def test_a_bad_reload_changes_nothing_and_shows_in_the_metrics(caplog):
    """Over HTTP every mistake is answered; after a signal every one is logged. The next good one clears it."""
    mistakes = ["a.toml:1: x: wrong", "a.toml:2: y: wrong"]
    answers: list[Loaded | SettingsError] = [
        SettingsError(mistakes),
        SettingsError(mistakes),
        Loaded(SETTINGS, {}, None),
    ]

    def read_again() -> Loaded:
        answer = answers.pop(0)
        if isinstance(answer, SettingsError):
            raise answer
        return answer

    async with running(read_again=read_again) as service:
        with pytest.raises(Problem) as raised:
            await ask(service.url, "/api/v1/config/reload", {})
        assert raised.value.document["mistakes"] == mistakes
        service.begin_reload()
        await until(lambda: len(answers) == 1)
        assert b"pointsman_config_last_reload_successful 0" in (await service.exposition(""))[0]
        assert {record.getMessage() for record in caplog.records} >= set(mistakes)
        assert service.house.settings is SETTINGS
        await service.reload()
        assert service.reload_succeeded


@pytest.mark.real_loop
async def test_settings_of_a_program_cannot_be_read_again(caplog):
    """Conflict over HTTP, a log line after a signal."""
    async with running() as service:
        assert await refusal(service.url, "/api/v1/config/reload", {}) == "conflict"
        with pytest.raises(Conflict, match="started by a program"):
            await service.reload()


async def test_a_class_is_found_by_its_name_an_alias_or_its_pool():
    """As the sender names it; what there is not is None."""
    house = House(SETTINGS, local={"w": echo})
    found = {name: house.resolve_class(name) for name in ("tactical", "fast", "coders", "nothing")}
    assert found == {"tactical": "tactical", "fast": "tactical", "coders": "tactical", "nothing": None}


async def test_a_service_has_no_address_before_it_is_started():
    """Asking for it is wrong use."""
    with pytest.raises(UsageError, match="before it is started"):
        _ = Service(House(SETTINGS, local={"w": echo})).url


class LateClock(FakeClock):
    """Wakes whoever waits a quarter of a second late, and only so often."""

    def __init__(self) -> None:
        super().__init__()
        self.wakes = 3

    async def sleep_until(self, when_s: float) -> None:
        """Let time pass, late."""
        if self.wakes == 0:
            raise asyncio.CancelledError
        self.wakes -= 1
        self.advance(when_s - self.monotonic() + 0.25)


async def test_the_lag_is_how_late_the_loop_woke_it():
    """Not how long it waited."""
    service = Service(House(SETTINGS, local={"w": echo}, clock=LateClock()))
    with pytest.raises(asyncio.CancelledError):
        await service._watch_lag()
    assert service.lag_s == pytest.approx(0.25)


def test_limits_stay_those_of_the_settings():
    """The service adds no default of its own."""
    house = House(Settings(limits=LimitSettings(burst=3)))
    assert Service(house).surface().settings().limits.burst == 3
