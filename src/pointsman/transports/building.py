"""From a worker's settings to its transport: the one list of transports."""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable, Mapping

from pointsman.model.errors import SettingsError, UsageError
from pointsman.model.settings import WorkerSettings
from pointsman.ports import Transport
from pointsman.transports.anthropic import AnthropicTransport
from pointsman.transports.callable import CallableTransport, Target
from pointsman.transports.http import HttpTransport
from pointsman.transports.model_transport import Patience
from pointsman.transports.openai import OpenAITransport
from pointsman.transports.subprocess import SubprocessTransport


def build(
    settings: WorkerSettings,
    *,
    token: Callable[[], str] | None,
    ssl: tls.SSLContext | None,
    patience: Callable[[], Patience],
    local: Mapping[str, Target],
) -> Transport:
    """Return the transport of a worker; it connects to nothing yet.

    Args:
        settings: the worker's.
        token: returns the key it wants.
        ssl: how it is checked.
        patience: returns for how long a streamed answer may be silent.
        local: functions that serve as workers, by worker id.

    Raises:
        SettingsError: its URL, or that of its proxy, cannot be used.
        UsageError: there is no function of that id.
    """
    slots = settings.max_in_flight
    match settings.transport:
        case "http" | "openai" | "anthropic":
            try:
                return _build_remote(settings, token, ssl, patience)
            except UsageError as error:
                raise SettingsError([f"worker {settings.id}: {error}"]) from None
        case "subprocess":
            return SubprocessTransport(tuple(settings.command), max_in_flight=slots)
        case _:
            if settings.id not in local:
                raise UsageError(
                    f"worker {settings.id!r} has transport 'callable', but no function was given for it: pass"
                    f" workers={{'POOL': {{{settings.id!r}: function}}}} or call add_worker"
                )
            return CallableTransport(local[settings.id], max_in_flight=slots)


def _build_remote(
    settings: WorkerSettings,
    token: Callable[[], str] | None,
    ssl: tls.SSLContext | None,
    patience: Callable[[], Patience],
) -> Transport:
    url, slots = settings.url or "", settings.max_in_flight
    if settings.transport == "http":
        return HttpTransport(url, max_in_flight=slots, token=token, ssl=ssl, proxy=settings.proxy)
    made = OpenAITransport if settings.transport == "openai" else AnthropicTransport
    return made(
        url,
        model=settings.model or "",
        max_in_flight=slots,
        token=token,
        passthrough=settings.auth == "passthrough",
        patience=patience,
        ssl=ssl,
        proxy=settings.proxy,
    )
