"""The native API for workers and pools: list, join, drain, leave.

A worker that joins by API is refused what would let a caller act as this process: running a command, reading
one of its secrets, or reaching addresses that only it can reach. All that belongs into the settings file.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pointsman.http import addresses, answers, wire
from pointsman.http.exchange import Answer, Request, ok
from pointsman.http.problems import invalid
from pointsman.model.errors import RefusedError
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.settings import CHOICES, Name, WorkerSettings

BY_API: Final = ("http", "openai", "anthropic")
"""Transports of workers that may join by API."""


class NewWorker(WorkerSettings, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A worker as in the settings file, and the pool it is to join."""

    pool: Name


_NEW_WORKER: Final = msgspec.json.Decoder(NewWorker)


async def list_workers(request: Request) -> Answer:
    """List workers with state, load and breaker."""
    return ok(answers.WorkerList(request.surface.fleet.workers(request.query("pool").get("pool"))))


async def list_pools(request: Request) -> Answer:
    """List pools with their slots."""
    request.query()
    return ok(answers.PoolList(request.surface.fleet.pool_views()))


async def join(request: Request) -> Answer:
    """Add a worker to a pool, until it leaves or the router stops."""
    server = request.surface.settings().server
    new = wire.strict(await request.body(server.native_body_bytes), _NEW_WORKER)
    _check(new, addresses.is_loopback(server.listen))
    quotas = request.surface.settings().quotas
    if new.quota is not None and new.quota not in quotas:
        known = ", ".join(sorted(quotas)) or "none"
        raise invalid(f"quota: got {wire.shorten(new.quota)}, which is none of the settings; known: {known}", "quota")
    settings = WorkerSettings(**{name: getattr(new, name) for name in WorkerSettings.__struct_fields__})
    view = await request.surface.fleet.join(new.pool, settings, "api")
    return ok(view, 201, ((b"location", f"/api/v1/workers/{view.id}".encode()),))


def _check(new: NewWorker, is_local: bool) -> None:
    if new.transport not in CHOICES["pools.*.workers.*.transport"]:
        raise invalid(f"transport: got {wire.shorten(new.transport)}, expected one of {', '.join(BY_API)}", "transport")
    if new.transport not in BY_API or new.command:
        field = "command" if new.command else "transport"
        raise _forbidden(
            f"{field}: it would run code in or beside this process; workers of that kind belong into the"
            f" settings file. By API: {', '.join(BY_API)}",
            field,
        )
    if new.auth is not None:
        raise _forbidden(
            "auth: it would send a secret of this process to an address of the caller's choice; workers with"
            " a secret belong into the settings file",
            "auth",
        )
    for field in ("proxy", "tls"):
        if getattr(new, field) is not None:
            raise _forbidden(
                f"{field}: it would make this process read files or reach hosts of the caller's choice", field
            )
    if new.url is None:
        raise invalid(f"url: missing, expected where the {new.transport} worker listens", "url")
    if wrong := addresses.wrong_url(new.url):
        raise invalid(f"url: {wrong}", "url")
    if why := addresses.forbidden_host(new.url, is_local=is_local):
        raise _forbidden(f"url: {why}", "url")


def _forbidden(detail: str, field: str) -> RefusedError:
    return RefusedError(Refused(Refusal.FORBIDDEN, detail, field=field))


async def show(request: Request) -> Answer:
    """Show a worker."""
    return ok(_view(request))


async def drain(request: Request) -> Answer:
    """Give a worker nothing new; what it has in hand goes on."""
    return ok(request.surface.fleet.drain(request.parameters["id"]))


async def resume(request: Request) -> Answer:
    """Let a drained worker work again."""
    return ok(request.surface.fleet.drain(request.parameters["id"], draining=False))


async def leave(request: Request) -> Answer:
    """Take a worker out of its pool; it finishes what it has in hand."""
    worker_id = request.parameters["id"]
    request.surface.fleet.leave(worker_id)
    return ok(answers.Gone(worker_id, "leaving"))


def _view(request: Request) -> Any:
    fleet = request.surface.fleet
    return fleet.view(*fleet.find(request.parameters["id"]))
