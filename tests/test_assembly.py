"""The composition root: what is put together works together, starts as a whole, and stops as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import House
from pointsman.config.secrets import Secrets
from pointsman.core.consistency import require
from pointsman.embedded import Router
from pointsman.model.errors import SettingsError, UsageError
from pointsman.model.events import Ended, Event
from pointsman.model.message import Message
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import ClassSettings, PoolSettings, Secret, Settings, TlsSettings, WorkerSettings
from pointsman.model.states import Status
from pointsman.ports import Transport
from pointsman.sim import SimClock
from pointsman.transports.anthropic import AnthropicTransport
from pointsman.transports.callable import CallableTransport
from pointsman.transports.http import HttpTransport
from pointsman.transports.openai import OpenAITransport
from pointsman.transports.subprocess import SubprocessTransport


async def echo(work: Mapping[str, Any]) -> str:
    """Answer with the text."""
    return f"did {work['text']}"


def with_coders(*workers: WorkerSettings) -> Settings:
    """Return settings with these workers in pool `coders`."""
    return Settings(pools={"planners": PoolSettings(), "coders": PoolSettings(workers=list(workers))})


def callable_worker(name: str) -> WorkerSettings:
    """Return a worker that is a function."""
    return WorkerSettings(id=name, transport="callable")


def test_contradictions_are_told_all_at_once() -> None:
    """Each with its key, before anything is built."""
    bad = Settings(
        classes={"a": ClassSettings(pool="nowhere")},
        pools={"coders": PoolSettings(workers=[callable_worker("w"), callable_worker("w")])},
    )
    with pytest.raises(SettingsError) as error:
        require(bad)
    assert len(error.value.mistakes) == 3
    with pytest.raises(SettingsError):
        House(bad)


async def test_nothing_runs_before_the_start() -> None:
    """Building costs no task, opens no worker and takes no message."""
    house = House(with_coders(callable_worker("w")), clock=SimClock(), local={"w": echo})
    assert (len(house.tasks), house.doors_open, house.fleet.workers()) == (0, False, [])
    refused = await house.core.send(house.envelopes.wrap(Message(text="x")), None)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.DRAINING


async def test_everything_ends_with_the_stop() -> None:
    """Tasks, workers, engine; also those that joined by hand."""
    house = House(with_coders(callable_worker("w")), clock=SimClock(), local={"w": echo, "v": echo})
    await house.start()
    await house.fleet.join("planners", callable_worker("v"), "api")
    transports = [endpoint.transport for pool in house.pools.values() for endpoint in pool]
    assert [await transport.probe() for transport in transports] == [True, True]
    assert await house.stop(10.0)
    assert [await transport.probe() for transport in transports] == [False, False]
    assert (len(house.tasks), house.doors_open) == (0, False)


TRANSPORTS: dict[str, tuple[WorkerSettings, type[Transport]]] = {
    "http": (WorkerSettings(id="w", url="http://127.0.0.1:1", auth=Secret(env="TOKEN")), HttpTransport),
    "openai": (WorkerSettings(id="w", transport="openai", url="http://127.0.0.1:1", model="m"), OpenAITransport),
    "anthropic": (
        WorkerSettings(id="w", transport="anthropic", url="http://127.0.0.1:1", model="m", auth="passthrough"),
        AnthropicTransport,
    ),
    "subprocess": (WorkerSettings(id="w", transport="subprocess", command=["agent"]), SubprocessTransport),
    "callable": (callable_worker("w"), CallableTransport),
}


@pytest.mark.parametrize("kind", TRANSPORTS)
async def test_each_kind_of_worker_gets_its_transport(kind: str) -> None:
    """With its slots and a stack of its own."""
    settings, transport = TRANSPORTS[kind]
    secrets = Secrets({"TOKEN": "secret"}, Path("nowhere"))
    house = House(Settings(), clock=SimClock(), local={"w": echo}, secrets=secrets)
    endpoint = house.make_endpoint(house.pools["coders"], settings, "api")
    assert type(endpoint.transport) is transport
    assert (endpoint.id, endpoint.load.limit, endpoint.origin) == ("w", settings.max_in_flight, "api")
    assert "w" not in house.pools["coders"]


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        (callable_worker("v"), UsageError, "no function was given for it"),
        (WorkerSettings(id="n", url="http://127.0.0.1:1", auth=Secret(env="TOKEN")), SettingsError, "auth of worker n"),
        (
            WorkerSettings(id="n", url="https://127.0.0.1:1", tls=TlsSettings(ca_file="no.pem")),
            SettingsError,
            "tls of worker n.ca_file: no.pem cannot be read",
        ),
    ],
)
async def test_a_worker_that_cannot_be_made_stops_the_start_as_a_whole(
    settings: WorkerSettings, error: type[Exception], words: str
) -> None:
    """What had been opened is closed, no task is left, and the router cannot be used half started."""
    router = Router(with_coders(settings), workers={"planners": {"w": echo}}, clock=SimClock())
    router.house.secrets = Secrets({}, Path("nowhere"))
    with pytest.raises(error, match=words):
        await router.start()
    _, opened = router.house.fleet.find("w")
    assert not await opened.transport.probe()
    assert len(router.house.tasks) == 0
    with pytest.raises(UsageError, match="make a new one"):
        await router.start()


async def test_a_router_is_used_in_the_right_order() -> None:
    """Not before it was started, not twice; what comes after the stop is refused, because others may still send."""
    router = Router(workers={"coders": {"w": echo}}, clock=SimClock())
    for use in (router.send, router.submit):
        with pytest.raises(UsageError, match="not been started: use it inside"):
            await use("x")
    async with router:
        assert isinstance(await router.send("x", class_="tactical"), Result)
    refused = await router.send("x", class_="tactical")
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable) == (Refusal.DRAINING, True)
    assert await router.stop()
    with pytest.raises(UsageError, match="make a new one"):
        await router.start()


async def test_a_listener_that_fails_costs_no_message(caplog: pytest.LogCaptureFixture) -> None:
    """Every sender gets its answer, every other listener hears of it, and decisions are kept."""
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise ZeroDivisionError

    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        router.observe(broken)
        router.observe(heard.append)
        for number in range(3):
            result = await router.send(f"{number}", class_="tactical")
            assert isinstance(result, Result)
            assert result.text == f"did {number}"
            assert router.decision(result.id) is not None
        counts = await router.counts()
        assert (counts.delivered, counts.in_flight) == (3, 0)
    assert len([event for event in heard if isinstance(event, Ended)]) == 3
    assert caplog.text.count("is called no more") == 1


async def test_an_engine_that_closes_loses_nothing_that_is_out() -> None:
    """The worker's answer still counts and reaches its sender; what is new is refused, retryable."""
    release = asyncio.Event()

    async def held(work: Mapping[str, Any]) -> str:
        await release.wait()
        return "done"

    async with Router(workers={"coders": {"w": held}}, clock=SimClock()) as router:
        sender = asyncio.ensure_future(router.send("x", class_="tactical"))
        await asyncio.sleep(1.0)
        await router.house.engine.close()
        refused = await router.send("y", class_="tactical")
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.retryable) == (Refusal.UNAVAILABLE, True)
        release.set()
        result = await sender
        assert isinstance(result, Result)
        assert result.text == "done"
        await asyncio.sleep(60.0)
        assert (await router.counts()).delivered == 1


async def test_a_delivery_that_vanished_is_found_and_tried_again() -> None:
    """A task that ended without settling anything, by whatever bug, costs its message a lease and not its life."""
    calls = 0

    async def worker(work: Mapping[str, Any]) -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.sleep(1e6)
        return "done"

    async with Router(workers={"coders": {"w": worker}}, clock=SimClock()) as router:
        sender = asyncio.ensure_future(router.send("x", class_="tactical"))
        await asyncio.sleep(1.0)
        (attempt,) = router.house.running.values()
        attempt.revoke()
        result = await sender
        assert isinstance(result, Result)
        assert (result.status, result.attempts, calls) == (Status.DELIVERED, 2, 2)
        pool = router.house.pools["coders"]
        await asyncio.sleep(0)
        assert (pool.free, router.house.running) == (pool.slots, {})


@pytest.mark.parametrize("redeliver", ["always", "unsent", "never"])
async def test_a_loop_that_stood_still_costs_no_message_that_is_out(redeliver: str) -> None:
    """Longer than a lease, nothing was renewed; whichever loop runs first then, the worker's answer is the only end."""
    ends: list[Status] = []

    async def worker(work: Mapping[str, Any]) -> str:
        await asyncio.sleep(200.0)
        return "done"

    def listen(event: Event) -> None:
        if isinstance(event, Ended):
            ends.append(event.status)

    async with Router(workers={"coders": {"w": worker}}, clock=SimClock()) as router:
        router.observe(listen)
        (keeper,) = (task for task in router.house.tasks._running if task.get_name() == "lease keeper")
        keeper.cancel()
        result = await router.send("x", class_="tactical", redeliver=redeliver, ttl_s=1000.0)
        assert isinstance(result, Result)
        assert (result.status, result.attempts, ends) == (Status.DELIVERED, 1, [Status.DELIVERED])
