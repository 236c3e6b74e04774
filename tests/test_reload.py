"""Reload: all of it or nothing, and nobody whose message is in hand notices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pointsman.embedded import Router
from pointsman.model.errors import Conflict, SettingsError
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import (
    BreakerSettings,
    ClassifierSettings,
    ClassSettings,
    EngineSettings,
    LimitSettings,
    PoolSettings,
    RetrySettings,
    RuleSettings,
    Secret,
    ServerSettings,
    Settings,
    TelemetrySettings,
    ValidationSettings,
    WorkerSettings,
)
from pointsman.reload import reload
from pointsman.sim import SimClock
from tests.plant import Plant, echo, local, with_coders

LIMITS = LimitSettings(rate_per_min=77, burst=7, overall_rate_per_min=99)

BAD: dict[str, Callable[[Settings], Settings]] = {
    "a class that leads nowhere": lambda old: msgspec.structs.replace(
        old, classes={**old.classes, "new": ClassSettings(pool="nowhere")}
    ),
    "a pool that is taken away": lambda old: Settings(
        classes={"tactical": ClassSettings(pool="coders")},
        classifier=ClassifierSettings(fallback_class="tactical"),
        pools={"coders": old.pools["coders"]},
    ),
    "a rule that cannot work": lambda old: msgspec.structs.replace(
        old,
        classifier=ClassifierSettings(rules=[RuleSettings(phrase="one two three four five", message_class="tactical")]),
    ),
    "a secret that is not there": lambda old: with_coders(
        local("v"), WorkerSettings(id="n", url="http://127.0.0.1:1", auth=Secret(env="MISSING")), limits=LIMITS
    ),
    "a function that nobody gave": lambda old: with_coders(local("v"), local("nobody"), limits=LIMITS),
    "an address that cannot be used": lambda old: with_coders(
        local("v"), WorkerSettings(id="n", url="http://user@[bad"), limits=LIMITS
    ),
}


@pytest.mark.parametrize("mistake", BAD)
async def test_settings_with_a_mistake_change_nothing(mistake: str) -> None:
    """Not a limit, not a worker, not a task; and the router goes on as before."""
    async with Plant(with_coders(local("w"))) as plant:
        before = plant.picture()
        with pytest.raises(SettingsError):
            await reload(plant.house, BAD[mistake](plant.house.settings))
        assert plant.picture() == before
        assert await plant.served_by() == "w"


async def test_all_mistakes_of_workers_are_told_at_once() -> None:
    """Each missing secret with its worker, each missing function with its pool."""
    missing = [WorkerSettings(id=name, url="http://127.0.0.1:1", auth=Secret(env=name.upper())) for name in ("a", "b")]
    async with Plant(with_coders(local("w"))) as plant:
        with pytest.raises(SettingsError) as error:
            await reload(plant.house, with_coders(*missing, local("nobody")))
        assert len(error.value.mistakes) == 3
        for word in ("auth of worker a", "auth of worker b", "'nobody'"):
            assert word in str(error.value)


async def test_a_worker_that_cannot_be_opened_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were opened before it are closed again."""
    async with Plant(with_coders(local("w"))) as plant:
        before = plant.picture()
        make, made = plant.house.make_endpoint, []

        def breaking(*args: Any) -> Any:
            endpoint = make(*args)
            made.append(endpoint)
            if endpoint.id == "slow":

                async def broken() -> None:
                    raise OSError("no such program")

                monkeypatch.setattr(endpoint.transport, "open", broken)
            return endpoint

        monkeypatch.setattr(plant.house, "make_endpoint", breaking)
        with pytest.raises(OSError, match="no such program"):
            await reload(plant.house, with_coders(local("v"), local("slow")))
        assert plant.picture() == before
        assert [await endpoint.transport.probe() for endpoint in made] == [False, False]


async def test_limits_keep_what_has_been_used() -> None:
    """Per client, overall and for copies: a reload is no way around a limit."""
    limits = LimitSettings(rate_per_min=1, burst=2, overall_rate_per_min=1, overall_burst=5, flood_copies=1000)
    async with Plant(with_coders(local("w"), limits=limits)) as plant:
        for _ in range(2):
            await plant.served_by()
        larger = msgspec.structs.replace(limits, burst=3)
        await reload(plant.house, with_coders(local("w"), limits=larger))
        await plant.served_by()
        refused = await plant.send()
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.RATE_LIMITED
        assert plant.house.limits.overall is not None
        assert plant.house.limits.overall.peek("", plant.house.clock.monotonic()) < 2.1


async def test_conversations_keep_their_class() -> None:
    """Also when classes come: what is gone is forgotten, the rest is not."""
    classes = {name: ClassSettings(pool="coders", cost=of.cost) for name, of in Settings().classes.items()}
    async with Plant(with_coders(local("w"), classes=classes)) as plant:
        await plant.send("rename foo to bar in utils.py", class_="strategic", conversation_id="talk", strict=True)
        more = {**classes, "chat": ClassSettings(pool="coders")}
        await reload(plant.house, with_coders(local("w"), classes=more))
        result = await plant.send("rename foo to bar in utils.py", class_=None, conversation_id="talk")
        assert isinstance(result, Result)
        assert result.message_class == "strategic"


async def test_what_needs_a_restart_is_named_and_stays() -> None:
    """Named again the next time, because it still differs; everything else is in force."""
    new = with_coders(
        local("w"),
        server=ServerSettings(drain_s=1.0),
        engine=EngineSettings(max_queued=7),
        telemetry=TelemetrySettings(keep_decisions=7),
        limits=LimitSettings(burst=7, max_clients=7, flood_tracked=7),
        classifier=ClassifierSettings(threshold=0.7, pin_s=7.0, max_pins=7),
        validation=ValidationSettings(max_text_bytes=7),
    )
    stays = [
        *("classifier.max_pins", "classifier.pin_s", "engine.max_queued"),
        *("limits.flood_tracked", "limits.max_clients", "server.drain_s", "telemetry.keep_decisions"),
    ]
    async with Plant(with_coders(local("w"))) as plant:
        answer = await reload(plant.house, new)
        assert answer == {
            "changed": ["classifier.threshold", "limits.burst", "validation.max_text_bytes"],
            "needs_restart": stays,
        }
        settings = plant.house.settings
        assert (settings.server, settings.engine, settings.telemetry) == (
            ServerSettings(),
            EngineSettings(),
            TelemetrySettings(),
        )
        assert (settings.limits.burst, settings.limits.max_clients) == (7, LimitSettings().max_clients)
        assert isinstance(await plant.send("too long a text"), Refused)
        assert await reload(plant.house, new) == {"changed": [], "needs_restart": stays}


async def test_new_rules_of_a_pool_are_in_force_for_workers_that_stay() -> None:
    """Balancer, breaker, retries and time-out: what is called changed has changed."""
    async with Plant(with_coders(local("w"))) as plant:
        pool = plant.house.pools["coders"]
        endpoint = pool.endpoint("w")
        balancer, breaker = pool._balancer, endpoint.breaker
        of = PoolSettings(
            workers=[local("w")],
            balancer="round_robin",
            breaker=BreakerSettings(failures=1),
            retry=RetrySettings(max_attempts=9),
            timeout_s=5.0,
        )
        await reload(plant.house, Settings(pools={"planners": PoolSettings(), "coders": of}))
        assert pool.endpoint("w") is endpoint
        assert type(pool._balancer) is not type(balancer)
        assert endpoint.breaker is not breaker
        assert await plant.served_by() == "w"
        assert plant.house.dispatchers["coders"].timeout_s == 5.0
        assert plant.house.settler.policies["coders"].max_attempts == 9
        assert pool.free == pool.slots
        await plant.send("break", redeliver="never")
        assert endpoint.breaker.state == "open"
        assert pool.free == 0


async def test_breakers_of_pools_that_did_not_change_keep_what_they_know() -> None:
    """Nothing is forgiven by a reload that is about something else."""
    async with Plant(with_coders(local("w"), local("v"))) as plant:
        _, endpoint = plant.house.fleet.find("w")
        endpoint.breaker.force_open()
        plant.house.pools["coders"].refresh(endpoint)
        await reload(plant.house, with_coders(local("w"), local("v"), limits=LIMITS))
        assert plant.house.fleet.find("w")[1].breaker.state == "forced_open"
        assert await plant.served_by() == "v"


async def test_a_call_that_is_out_while_its_breaker_is_replaced_ends_well() -> None:
    """Its outcome counts for the old one, and its slot comes back."""
    async with Plant(with_coders(local("slow", max_in_flight=1))) as plant:
        sender = asyncio.ensure_future(plant.send())
        await asyncio.sleep(1.0)
        of = PoolSettings(workers=[local("slow", max_in_flight=1)], breaker=BreakerSettings(failures=1))
        await reload(plant.house, Settings(pools={"planners": PoolSettings(), "coders": of}))
        pool = plant.house.pools["coders"]
        assert (pool.free, len(pool)) == (0, 1)
        result = await sender
        assert isinstance(result, Result)
        assert result.delivered
        assert pool.free == 1


async def test_reloads_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one wins as a whole, however long the first one took to open its workers."""
    async with Plant(with_coders(local("w"))) as plant:
        make = plant.house.make_endpoint

        def slowly(*args: Any) -> Any:
            endpoint: Any = make(*args)
            opened = endpoint.transport.open

            async def open_slowly() -> None:
                await asyncio.sleep(5.0)
                await opened()

            endpoint.transport.open = open_slowly
            return endpoint

        monkeypatch.setattr(plant.house, "make_endpoint", slowly)
        first = asyncio.ensure_future(reload(plant.house, with_coders(local("w"), local("v"))))
        await asyncio.sleep(1.0)
        await reload(plant.house, with_coders(local("w"), local("slow")))
        await first
        assert plant.workers() == {"w": "coders", "slow": "coders"}


async def test_a_worker_that_comes_by_hand_in_the_meantime_is_not_run_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reload says so, and nothing has changed."""
    async with Plant(with_coders(local("w"))) as plant:
        make = plant.house.make_endpoint
        joined = False

        def joining(*args: Any) -> Any:
            nonlocal joined
            endpoint: Any = make(*args)
            if not joined:
                joined = True
                opened = endpoint.transport.open

                async def open_and_meet() -> None:
                    await plant.house.fleet.join("planners", local("v"), "api")
                    await opened()

                endpoint.transport.open = open_and_meet
            return endpoint

        monkeypatch.setattr(plant.house, "make_endpoint", joining)
        with pytest.raises(Conflict, match="worker v joined or left"):
            await reload(plant.house, with_coders(local("w"), local("v"), limits=LIMITS))
        assert plant.workers() == {"w": "coders", "v": "planners"}
        assert plant.house.settings.limits == LimitSettings()


@pytest.mark.parametrize("when", ["before the start", "after the stop"])
async def test_a_router_that_does_not_run_takes_no_settings(when: str) -> None:
    """Its workers would join behind everybody's back."""
    plant = Plant(with_coders(local("w")))
    if when == "after the stop":
        await plant.house.start()
        await plant.house.stop(0.0)
    with pytest.raises(Conflict, match="only while it runs"):
        await reload(plant.house, with_coders(local("v")))


async def test_functions_given_to_a_router_stay_its_workers() -> None:
    """A program that reloads settings need not describe what it gave as functions."""
    async with Router(workers={"coders": {"w": echo}}, clock=SimClock()) as router:
        answer = await router.reload(Settings(limits=LimitSettings(burst=7)))
        assert answer == {"changed": ["limits.burst"], "needs_restart": []}
        result = await router.send("x", class_="tactical")
        assert isinstance(result, Result)
        assert result.worker == "w"
