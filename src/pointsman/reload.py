"""Taking new settings into a running router: all of them, or none.

A reload is validated as a whole before anything changes. The admission stack is built anew around the same state; pools
may come, workers may come, go and change; what cannot change while running is named in the answer, not half done.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pointsman.assembly import House, require
from pointsman.core.classify.pins import ConversationPins
from pointsman.model.errors import SettingsError
from pointsman.model.settings import Settings, WorkerSettings

_NEEDS_RESTART = ("server", "engine", "telemetry")


async def reload(house: House, settings: Settings) -> dict[str, list[str]]:
    """Put `settings` into force.

    Returns:
        `changed`: keys that are in force now; `needs_restart`: keys that differ but stay as they were.

    Raises:
        SettingsError: they cannot be used, or would take a pool away; nothing has changed.
    """
    require(settings)
    old = house.settings
    gone = sorted(set(old.pools) - set(settings.pools))
    if gone:
        names = ", ".join(gone)
        raise SettingsError(
            [f"pools: {names} cannot be taken away while the router runs: take away the workers, or restart"]
        )
    changed, needs_restart = _differences(old, settings)
    in_force = msgspec.structs.replace(settings, **{name: getattr(old, name) for name in _NEEDS_RESTART})
    limits = in_force.limits
    now = house.clock.monotonic()
    house.per_client.resize(limits.rate_per_min, limits.burst, now)
    house.flood.resize(limits.flood_copies, limits.flood_leak_s, now)
    if set(in_force.classes) != set(old.classes):
        house.pins = ConversationPins(in_force.classifier.pin_s, in_force.classifier.max_pins)
    known = set(house.dispatchers)
    house.rebuild(in_force)
    for name in set(house.dispatchers) - known:
        house.run_dispatcher(name)
    await _reload_workers(house, old, in_force)
    return {"changed": changed, "needs_restart": needs_restart}


async def _reload_workers(house: House, old: Settings, new: Settings) -> None:
    for name, pool in new.pools.items():
        was = {worker.id: worker for worker in old.pools[name].workers} if name in old.pools else {}
        wanted = {worker.id: worker for worker in pool.workers}
        for worker_id, settings in was.items():
            if wanted.get(worker_id) != settings and worker_id in house.pools[name]:
                house.fleet.leave(worker_id)
        for worker_id, settings in wanted.items():
            if worker_id not in house.pools[name]:
                await house.fleet.join(name, settings, "file")


def _differences(old: Settings, new: Settings) -> tuple[list[str], list[str]]:
    changed: list[str] = []
    needs_restart: list[str] = []
    for section in old.__struct_fields__:
        before, after = _flat(getattr(old, section), section), _flat(getattr(new, section), section)
        keys = sorted(key for key in before | after if before.get(key) != after.get(key))
        (needs_restart if section in _NEEDS_RESTART else changed).extend(keys)
    return changed, needs_restart


def _flat(value: Any, key: str) -> dict[str, Any]:
    """Return a tree of settings as dotted keys; a worker is one value."""
    if isinstance(value, WorkerSettings):
        return {key: value}
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, list) and value and isinstance(value[0], WorkerSettings):
        value = {worker.id: worker for worker in value}
    if isinstance(value, dict):
        return {k: v for name, inner in value.items() for k, v in _flat(inner, f"{key}.{name}").items()}
    return {key: value}
