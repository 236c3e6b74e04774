"""Columns and rows of what several commands show: workers, pools, queues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pointsman.cli import figures

PRIORITIES: Final = ("critical", "high", "normal", "low", "bulk")
"""As in `model.message`, which costs more to import than a command's help may."""

View = Mapping[str, Any]

QUEUE_COLUMNS: Final = (
    "queue", "state", "waiting", *PRIORITIES, "delayed", "in flight", "oldest",
)  # fmt: skip
QUEUE_OPTIONAL: Final = tuple(reversed(PRIORITIES))

WORKER_COLUMNS: Final = ("worker", "pool", "state", "breaker", "load", "takes", "succeeds", "transport", "from")

POOL_COLUMNS: Final = ("pool", "state", "workers", "slots", "free", "down for")


def queue_rows(queues: Iterable[View]) -> list[list[Any]]:
    """Return a row for each queue."""
    return [
        [
            one["name"],
            "paused" if one["paused"] else "ready",
            sum(one["queued"].values()) + one["delayed"],
            *one["queued"].values(),
            one["delayed"],
            one["in_flight"],
            figures.duration(one["oldest_s"]) if one["oldest_s"] else None,
        ]
        for one in queues
    ]


def worker_rows(workers: Iterable[View]) -> list[list[Any]]:
    """Return a row for each worker."""
    return [
        [
            one["id"],
            one["pool"],
            one["state"],
            one["breaker"],
            f"{one['in_flight']}/{one['max_in_flight']}",
            figures.duration(one["service_s"]),
            figures.share(one["success_share"]),
            one["transport"],
            one["origin"],
        ]
        for one in workers
    ]


def pool_rows(pools: Iterable[View]) -> list[list[Any]]:
    """Return a row for each pool."""
    return [
        [
            one["name"],
            "down" if one["down_s"] is not None else "ready" if one["free"] else "busy",
            one["workers"],
            one["slots"],
            one["free"],
            None if one["down_s"] is None else figures.duration(one["down_s"]),
        ]
        for one in pools
    ]
