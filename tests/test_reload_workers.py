"""Reload: workers and pools that come, go, change and move, while messages are on their way."""

from __future__ import annotations

import asyncio

import msgspec

from pointsman.model.result import Result
from pointsman.model.settings import ClassSettings, PoolSettings, Settings
from pointsman.reload import reload
from tests.plant import Plant, local, with_coders


async def test_messages_in_hand_finish_and_those_that_wait_are_served_by_whoever_is_there() -> None:
    """The worker that went finishes; the queue goes on with the new one."""
    async with Plant(with_coders(local("slow", max_in_flight=1))) as plant:
        first, second = (asyncio.ensure_future(plant.send(text)) for text in ("first", "second"))
        await asyncio.sleep(1.0)
        await reload(plant.house, with_coders(local("v")))
        result = await second
        assert isinstance(result, Result)
        assert (result.worker, first.done()) == ("v", False)
        result = await first
        assert isinstance(result, Result)
        assert (result.worker, result.text) == ("slow", "slowly did first")


async def test_workers_come_go_and_change() -> None:
    """Those that stay are the very same; one that changed is a new one of that id; what came by hand stays."""
    async with Plant(with_coders(local("w"), local("slow"))) as plant:
        await plant.house.fleet.join("planners", local("v"), "api")
        _, stays = plant.house.fleet.find("w")
        _, changes = plant.house.fleet.find("slow")
        await reload(plant.house, with_coders(local("w"), local("slow", max_in_flight=9)))
        assert plant.workers() == {"v": "planners", "w": "coders", "slow": "coders"}
        assert plant.house.fleet.find("w")[1] is stays
        changed = plant.house.fleet.find("slow")[1]
        assert changed is not changes
        assert changed.load.limit == 9
        await reload(plant.house, with_coders(local("slow", max_in_flight=9)))
        assert plant.workers() == {"v": "planners", "slow": "coders"}
        assert plant.house.pools["coders"].free == 9


async def test_a_worker_may_move_to_another_pool() -> None:
    """In either direction: it is taken out of the one before it joins the other."""
    there, back = (
        Settings(pools={"planners": PoolSettings(workers=a), "coders": PoolSettings(workers=b)})
        for a, b in (([local("w")], []), ([], [local("w")]))
    )
    async with Plant(there) as plant:
        await reload(plant.house, back)
        assert plant.workers() == {"w": "coders"}
        await reload(plant.house, there)
        assert plant.workers() == {"w": "planners"}


async def test_the_file_wins_over_what_came_by_hand() -> None:
    """A worker of the same id that joined by hand gives way, wherever it is; one taken out by hand comes back."""
    async with Plant(with_coders(local("w"))) as plant:
        await plant.house.fleet.join("planners", local("v", max_in_flight=2), "api")
        plant.house.fleet.leave("w")
        await reload(plant.house, with_coders(local("w"), local("v")))
        assert plant.workers() == {"w": "coders", "v": "coders"}
        assert plant.house.fleet.find("v")[1].load.limit == 4


async def test_a_new_pool_has_a_queue_a_dispatcher_and_its_workers_at_once() -> None:
    """Messages of a new class are served by it."""
    async with Plant(with_coders(local("w"))) as plant:
        settings = Settings(
            classes={**Settings().classes, "chat": ClassSettings(pool="talkers")},
            pools={**plant.house.settings.pools, "talkers": PoolSettings(workers=[local("v")])},
        )
        answer = await reload(plant.house, settings)
        assert await plant.served_by(class_="chat") == "v"
        assert {"classes.chat.pool", "pools.talkers.workers.v"} <= set(answer["changed"])
        assert answer["needs_restart"] == []


async def test_a_fallback_that_comes_with_a_reload_helps_what_waits_already() -> None:
    """The helper is told, though nothing else happens."""
    alone = Settings(
        classes={"strategic": ClassSettings(pool="planners"), "tactical": ClassSettings(pool="coders")},
        pools={"planners": PoolSettings(workers=[local("v")]), "coders": PoolSettings(workers=[local("w")])},
    )
    helped = msgspec.structs.replace(
        alone, classes={**alone.classes, "strategic": ClassSettings(pool="planners", fallback=["coders"])}
    )
    async with Plant(alone) as plant:
        plant.house.fleet.drain("v")
        waiting = asyncio.ensure_future(plant.send(class_="strategic"))
        await asyncio.sleep(60.0)
        assert not waiting.done()
        await reload(plant.house, helped)
        await asyncio.sleep(0.1)
        assert waiting.done()
        result = await waiting
        assert isinstance(result, Result)
        assert (result.worker, result.fallback) == ("w", True)


async def test_a_pool_that_has_run_empty_is_filled_and_not_replaced() -> None:
    """Its queue, its dispatcher and the messages that wait are those it had."""
    async with Plant(with_coders(local("slow"))) as plant:
        pool, dispatcher = plant.house.pools["coders"], plant.house.dispatchers["coders"]
        plant.house.fleet.drain("slow")
        waiting = asyncio.ensure_future(plant.send())
        await asyncio.sleep(1.0)
        await reload(plant.house, with_coders())
        assert len(pool) == 0
        await reload(plant.house, with_coders(local("w")))
        assert (plant.house.pools["coders"], plant.house.dispatchers["coders"]) == (pool, dispatcher)
        result = await waiting
        assert isinstance(result, Result)
        assert result.worker == "w"
