"""What the settings say about who serves whom: the route of each class, pools that help others, defaults of a pool."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.model.settings import PoolSettings, Settings

TIMEOUT_S = 600.0
"""Longest attempt where nobody says otherwise, seconds; model answers take minutes at worst."""

AGENT_TIMEOUT_S = 14_400.0
"""The same where all workers of a pool are subprocesses: agent runs take hours."""


@dataclass(slots=True, frozen=True)
class Route:
    """Where a class goes.

    Attributes:
        pool: the pool whose queue its messages wait in.
        redeliver: what may be done twice where the message does not say.
        max_attempts: hand-outs that count.
        serial: of one conversation only one message at a time is handed out.
    """

    pool: str
    redeliver: str
    max_attempts: int
    serial: bool = False


@dataclass(slots=True, frozen=True)
class FallbackRule:
    """When other pools may take a pool's messages.

    Attributes:
        helpers: those pools, in order.
        after_s: for how long the pool must have been down, or busy.
        on_busy: busy is enough.
    """

    helpers: tuple[str, ...]
    after_s: float
    on_busy: bool


def routes(settings: Settings) -> dict[str, Route]:
    """Return the route of each class."""
    return {
        name: Route(
            pool=of.pool,
            redeliver=redeliver_of(settings.pools[of.pool]),
            max_attempts=settings.pools[of.pool].retry.max_attempts,
            serial=of.serial,
        )
        for name, of in settings.classes.items()
    }


def fallback_rules(settings: Settings) -> dict[str, FallbackRule]:
    """Return the fallback rule of each pool that has one; of two classes that share a pool the first counts."""
    rules: dict[str, FallbackRule] = {}
    for of in settings.classes.values():
        if of.fallback and of.pool not in rules:
            rules[of.pool] = FallbackRule(tuple(of.fallback), of.fallback_after_s, "busy" in of.fallback_on)
    return rules


def timeout_of(pool: PoolSettings) -> float:
    """Return the longest attempt of a pool, seconds."""
    if pool.timeout_s is not None:
        return pool.timeout_s
    return AGENT_TIMEOUT_S if _all_agents(pool) else TIMEOUT_S


def redeliver_of(pool: PoolSettings) -> str:
    """Return what may be done twice in a pool: a lost agent run is never started again by itself."""
    return pool.redeliver or ("unsent" if _all_agents(pool) else "always")


def _all_agents(pool: PoolSettings) -> bool:
    return bool(pool.workers) and all(worker.transport == "subprocess" for worker in pool.workers)
