"""Taking new settings into a running router: all of them, or none.

Everything that can go wrong is done before anything changes: the settings are checked as a whole, new workers are
built, with their secrets, and opened. What follows is one step without a pause. The admission stack is built anew
around the same state; pools may come, workers may come, go and change; what cannot change while running is named in
the answer, not half done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from pointsman.assembly import House
from pointsman.core.balance import BALANCERS
from pointsman.core.breaker import CircuitBreaker
from pointsman.core.consistency import require
from pointsman.model.errors import Conflict, SettingsError, UsageError
from pointsman.model.settings import Settings, WorkerSettings
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.pool import Pool

_NEEDS_RESTART = ("server", "engine", "telemetry", "objectives", "health")
"""Sections that are read once, at the start."""

_FIXED = {
    "limits": ("max_clients", "flood_tracked"),
    "classifier": ("pin_s", "max_pins"),
    "conversations": ("prefer_s", "max_tracked"),
    "costs": ("ledger",),
    "rollout": (
        "legacy",
        "legacy_auth",
        "legacy_tls",
        "legacy_timeout_s",
        "legacy_class_header",
        "legacy_worker_header",
        "record",
        "kill_file",
        "stages",
    ),
}
"""Keys of other sections of which the same is true: how much is remembered, for how long, and where."""


@dataclass(slots=True)
class _Plan:
    """What a reload will do, ready to be done.

    Attributes:
        settings: what will be in force.
        pools: new pools.
        leave: workers that go, or give way to one of the same id, by that id.
        join: new workers and their pools, built and opened.
    """

    settings: Settings
    pools: dict[str, Pool] = field(default_factory=dict)
    leave: dict[str, Endpoint] = field(default_factory=dict)
    join: list[tuple[Pool, Endpoint]] = field(default_factory=list)


async def reload(house: House, settings: Settings) -> dict[str, list[str]]:
    """Put `settings` into force. Reloads wait for each other.

    Returns:
        `changed`: keys that are in force now; `needs_restart`: keys that differ but stay as they were.

    Raises:
        SettingsError: they cannot be used, would take a pool away, or name a secret or a function that is not there.
        Conflict: the router does not run, or a worker joined or left by hand in the meantime.
        LedgerUnusable: there are budgets now, and what is spent cannot be written down.
        In every case nothing has changed.
    """
    async with house.reloading:
        if not house.doors_open:
            raise Conflict("a router takes new settings only while it runs, and this one has stopped or not begun")
        require(settings)
        old = house.settings
        _keep_pools(old, settings)
        in_force = _in_force(old, settings)
        plan = _Plan(in_force)
        done = False
        try:
            _build(house, plan)
            for _, endpoint in plan.join:
                await endpoint.transport.open()
            _check_again(house, plan)
            house.costs.spending.prepare(in_force)
            _carry_out(house, old, plan)
            done = True
        finally:
            if not done:
                for _, endpoint in plan.join:
                    await endpoint.transport.close()
        return {"changed": _differing(old, in_force), "needs_restart": _differing(in_force, settings)}


def _keep_pools(old: Settings, new: Settings) -> None:
    gone = sorted(set(old.pools) - set(new.pools))
    if gone:
        names = ", ".join(gone)
        raise SettingsError(
            [f"pools: {names} cannot be taken away while the router runs: take away the workers, or restart"]
        )


def _in_force(old: Settings, new: Settings) -> Settings:
    """Return the new settings with the old values of what cannot change while running."""
    kept = {name: getattr(old, name) for name in _NEEDS_RESTART}
    for name, keys in _FIXED.items():
        before = getattr(old, name)
        kept[name] = msgspec.structs.replace(getattr(new, name), **{key: getattr(before, key) for key in keys})
    return msgspec.structs.replace(new, **kept)


def _build(house: House, plan: _Plan) -> None:
    """Find out which workers go and come, and build those that come.

    The file wins for what it names: a worker of the same id that joined by hand gives way. One that the file does not
    name stays, unless it came from the file.
    """
    here = {endpoint.id: (pool.name, endpoint) for pool in house.pools.values() for endpoint in pool}
    wanted = {worker.id: (name, worker) for name, pool in plan.settings.pools.items() for worker in pool.workers}
    for worker_id, (name, endpoint) in here.items():
        named = wanted.get(worker_id)
        if (endpoint.origin == "file") if named is None else (name, endpoint.settings) != named:
            plan.leave[worker_id] = endpoint
    mistakes: list[str] = []
    for worker_id, (name, worker) in wanted.items():
        if worker_id not in here or worker_id in plan.leave:
            try:
                plan.join.append(_endpoint(house, plan, name, worker))
            except SettingsError as error:
                mistakes.extend(error.mistakes)
            except UsageError as error:
                mistakes.append(f"pools.{name}.workers: {error}")
    if mistakes:
        raise SettingsError(mistakes)


def _endpoint(house: House, plan: _Plan, name: str, worker: WorkerSettings) -> tuple[Pool, Endpoint]:
    of = plan.settings.pools[name]
    if name not in house.pools and name not in plan.pools:
        plan.pools[name] = house.make_pool(name, of)
    pool = house.pools[name] if name in house.pools else plan.pools[name]
    return pool, house.make_endpoint(pool, worker, "file", of.breaker)


def _check_again(house: House, plan: _Plan) -> None:
    """Raise Conflict where workers joined or left by hand while the new ones were opened."""
    here = {endpoint.id: endpoint for pool in house.pools.values() for endpoint in pool}
    gone = [worker_id for worker_id, endpoint in plan.leave.items() if here.get(worker_id) is not endpoint]
    taken = [endpoint.id for _, endpoint in plan.join if endpoint.id in here and endpoint.id not in plan.leave]
    if gone or taken:
        names = ", ".join((*gone, *taken))
        raise Conflict(f"worker {names} joined or left while the settings were read; nothing has changed, try again")


def _carry_out(house: House, old: Settings, plan: _Plan) -> None:
    """Change everything, in one step: nothing here waits, and nothing here can fail."""
    settings = plan.settings
    house.limits.resize(settings.limits, house.clock.monotonic())
    known = set(house.dispatchers)
    for pool in plan.pools.values():
        house.add_pool(pool)
    house.rebuild(settings)
    for worker_id in plan.leave:
        house.fleet.leave(worker_id)
    for name, was in old.pools.items():
        _change_rules(
            house, house.pools[name], was.balancer, breaker_changed=was.breaker != settings.pools[name].breaker
        )
    for pool, endpoint in plan.join:
        # Again, as what it was built around before, such as a quota, may have come with these settings.
        house.equip(endpoint, pool)
        pool.join(endpoint)
    for name in house.dispatchers:
        if name not in known:
            house.run_dispatcher(name)
        house.notifier.notify(name)


def _change_rules(house: House, pool: Pool, balancer_was: str, *, breaker_changed: bool) -> None:
    """Let the workers that stay be chosen and judged by the new rules."""
    of = house.settings.pools[pool.name]
    if of.balancer != balancer_was:
        pool.use(BALANCERS[of.balancer](house.rng))
    if breaker_changed:
        for endpoint in pool:
            endpoint.breaker = CircuitBreaker(of.breaker, house.rng)
            house.equip(endpoint, pool)
            pool.refresh(endpoint)


def _differing(old: Settings, new: Settings) -> list[str]:
    """Return the dotted keys in which two trees of settings differ."""
    before, after = _flat(old, ""), _flat(new, "")
    return sorted(key for key in before | after if before.get(key) != after.get(key))


def _flat(value: Any, key: str) -> dict[str, Any]:
    """Return a tree of settings as dotted keys; a worker is one value."""
    if isinstance(value, msgspec.Struct) and not isinstance(value, WorkerSettings):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    elif isinstance(value, list) and key.endswith(".workers"):
        value = {worker.id: worker for worker in value}
    if isinstance(value, dict):
        inner = {f"{key}.{name}" if key else name: of for name, of in value.items()}
        return {k: v for name, of in inner.items() for k, v in _flat(of, name).items()}
    return {key: value}
