"""A load is in the hands of one balancer at a time, because its private slots hold one balancer's notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.model.errors import UsageError

if TYPE_CHECKING:
    from pointsman.core.load import WorkerLoad


def claim(load: WorkerLoad, owner: object) -> bool:
    """Give `owner` the load; whether it is new to it.

    Raises:
        UsageError: another balancer has it; nothing has changed.
    """
    if load.owner is owner:
        return False
    if load.owner is not None:
        raise UsageError(f"worker {load.id} is in the hands of another balancer: remove it there before adding it here")
    load.owner = owner
    return True


def release(load: WorkerLoad, owner: object) -> bool:
    """Take the load from `owner`; whether it had it."""
    if load.owner is not owner:
        return False
    load.owner = None
    return True
