"""From a worker's settings to its transport: the one list of transports, and what each is given."""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from pointsman.model.errors import SettingsError, UsageError
from pointsman.model.settings import PoolSettings, Secret, WorkerSettings
from pointsman.model.settings_operations import RolloutSettings
from pointsman.ports import Transport
from pointsman.transports.anthropic import AnthropicTransport
from pointsman.transports.callable import CallableTransport, Target
from pointsman.transports.http import HttpTransport
from pointsman.transports.legacy import LegacyLink
from pointsman.transports.model_transport import Patience
from pointsman.transports.openai import OpenAITransport
from pointsman.transports.subprocess import SubprocessTransport
from pointsman.transports.wire import tls as wire_tls

Hidden = Callable[[Secret, str], Callable[[], str]]
"""Returns what reveals a secret, which is named as whose in errors; raises SettingsError where it is not there."""


class Builder:
    """Builds transports by what all workers of one router share.

    Args:
        hidden: finds secrets.
        beside: directory that relative file names start from.
        local: functions that serve as workers, by worker id.
        pool_settings: settings in force of a pool, by its name.
    """

    def __init__(
        self, hidden: Hidden, beside: Path, local: Mapping[str, Target], pool_settings: Callable[[str], PoolSettings]
    ) -> None:
        self._hidden = hidden
        self._beside = beside
        self._local = local
        self._pool_settings = pool_settings

    def build(self, pool: str, settings: WorkerSettings) -> Transport:
        """Return the transport of a worker of a pool; it connects to nothing yet.

        Raises:
            SettingsError: its URL, its secret or its certificates cannot be used.
            UsageError: there is no function of that id.
        """
        token = None
        if isinstance(settings.auth, Secret):
            token = self._hidden(settings.auth, f"auth of worker {settings.id}")
            token()
        ssl = wire_tls.context(settings.tls, self._beside, f"tls of worker {settings.id}")
        patience = partial(self._patience, pool)
        return build(settings, token=token, ssl=ssl, patience=patience, local=self._local)

    def legacy(self, settings: RolloutSettings, max_connections: int) -> LegacyLink | None:
        """Return the way to the old router, or None where the settings name none; it connects to nothing yet.

        Raises:
            SettingsError: its URL, its key or its certificates cannot be used.
        """
        if settings.legacy is None:
            return None
        token = None
        if settings.legacy_auth is not None:
            token = self._hidden(settings.legacy_auth, "rollout.legacy_auth")
            token()
        try:
            return LegacyLink(
                settings.legacy,
                max_connections=max_connections,
                timeout_s=settings.legacy_timeout_s,
                ssl=wire_tls.context(settings.legacy_tls, self._beside, "rollout.legacy_tls"),
                token=token,
            )
        except UsageError as error:
            raise SettingsError([f"rollout.legacy: {error}"]) from None

    def _patience(self, pool: str) -> Patience:
        """Return for how long a streamed answer of a pool may be silent."""
        of = self._pool_settings(pool)
        return Patience(of.first_token_s, of.idle_s)


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
