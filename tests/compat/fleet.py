"""The workers that tests of faults send to. Each class is a pool of its own, so that no test disturbs the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pointsman.model.settings import RetrySettings, Secret, Settings, WorkerSettings
from tests.compat.router import pool, settings, worker
from tests.compat.shapes.shape import Protocol

SOON_S = 0.4
"""First-token and idle time-outs of the hasty pools: long for a loopback, short for a test."""

TWICE = RetrySettings(max_attempts=2, base_s=0.01, jitter_share=0.0)
SECRETS = {"OPENAI_SECRET": "worker-secret-o", "ANTHROPIC_SECRET": "worker-secret-a"}
HASTY: dict[str, Any] = {"first_token_s": SOON_S, "idle_s": SOON_S}


def both(url: str, name: str, **more: Any) -> list[WorkerSettings]:
    """Return a worker of each protocol at one provider; models are `name-openai` and `name-anthropic`."""
    return [
        worker(f"{name}-openai", f"{url}/v1", "openai", **more),
        worker(f"{name}-anthropic", url, "anthropic", **more),
    ]


def faulty(url: str, folder: Path, **sections: Any) -> Settings:
    """Return the settings.

    Classes: `solo` (one worker a protocol), `hasty` (the same with short time-outs), `pair` (two a protocol, two
    attempts, short time-outs), `dead-end` (one of the two cannot be reached), `throttled-...` (two that will be asked
    to pause; their account is the router's), `narrow` (one message at a time), `queue-...` (the same for one
    protocol), `only-openai`, `only-anthropic`, `secret` (keys of their own) and `open` (no key).
    """
    nowhere = "http://127.0.0.1:9"
    pools = {
        "solo": pool(*both(url, "solo")),
        "hasty": pool(*both(url, "hasty"), **HASTY),
        "pair": pool(*both(url, "pair-a"), *both(url, "pair-b"), retry=TWICE, **HASTY),
        "dead-end": pool(*both(nowhere, "dead"), *both(url, "alive"), retry=TWICE),
        "narrow": pool(*both(url, "narrow", max_in_flight=1)),
        "queue-openai": pool(worker("one-openai", f"{url}/v1", "openai", max_in_flight=1)),
        "queue-anthropic": pool(worker("one-anthropic", url, "anthropic", max_in_flight=1)),
        "only-openai": pool(both(url, "only")[0]),
        "only-anthropic": pool(both(url, "only")[1]),
        "open": pool(*both(url, "open", auth=None)),
        "secret": pool(
            worker("secret-openai", f"{url}/v1", "openai", auth=Secret(env="OPENAI_SECRET")),
            worker("secret-anthropic", url, "anthropic", auth=Secret(env="ANTHROPIC_SECRET")),
        ),
    }
    for case in ("wish", "no-wish", "next"):
        pools[f"throttled-{case}"] = pool(
            *both(url, f"{case}-a", auth=None), *both(url, f"{case}-b", auth=None), retry=TWICE
        )
    return settings(pools, folder, **sections)


def model(name: str, protocol: Protocol) -> str:
    """Return the model of a worker."""
    return f"{name}-{protocol}"
