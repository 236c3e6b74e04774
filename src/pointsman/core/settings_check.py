"""Names in the settings that lead nowhere or stand twice, and workers that lack what their transport needs."""

from __future__ import annotations

import re
from typing import Any, Final

from pointsman.model.settings import Secret, Settings, WorkerSettings

_LISTEN: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")


def check(settings: Settings) -> list[tuple[str, str]]:
    """Return what no single value shows: `(key, mistake)` for each name that points nowhere or stands twice.

    An empty list means that the settings can be used. Values out of their range are found while decoding, not here.
    """
    mistakes = [*_check_classes(settings), *_check_workers(settings)]
    if not _LISTEN.fullmatch(settings.server.listen):
        text = f"got {settings.server.listen[:80]!r}, expected ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080"
        mistakes.append(("server.listen", text))
    if settings.classifier.fallback_class not in settings.classes:
        mistakes.append(
            ("classifier.fallback_class", _nowhere("class", settings.classifier.fallback_class, settings.classes))
        )
    for position, rule in enumerate(settings.classifier.rules):
        if rule.message_class not in settings.classes:
            key = f"classifier.rules.{position}.message_class"
            mistakes.append((key, _nowhere("class", rule.message_class, settings.classes)))
    return mistakes


def _check_classes(settings: Settings) -> list[tuple[str, str]]:
    mistakes: list[tuple[str, str]] = []
    names: dict[str, str] = {name: name for name in settings.classes}
    for name, of in settings.classes.items():
        for field, pools in (("pool", [of.pool]), ("fallback", of.fallback)):
            nowhere = [pool for pool in pools if pool not in settings.pools]
            mistakes.extend((f"classes.{name}.{field}", _nowhere("pool", pool, settings.pools)) for pool in nowhere)
        for other, its in settings.classes.items():
            if other < name and its.pool == of.pool and its.fallback != of.fallback and its.fallback and of.fallback:
                text = f"classes {other!r} and {name!r} share pool {of.pool!r} and must name the same fallback pools"
                mistakes.append((f"classes.{name}.fallback", text))
        if of.pool in of.fallback:
            mistakes.append((f"classes.{name}.fallback", f"pool {of.pool!r} cannot be its own fallback"))
        for alias in of.alias:
            if alias == "auto":
                mistakes.append((f"classes.{name}.alias", '"auto" means "classify" and cannot be an alias'))
            elif names.setdefault(alias, name) != name:
                mistakes.append((f"classes.{name}.alias", f"{alias!r} already names class {names[alias]!r}"))
    return mistakes


def _check_workers(settings: Settings) -> list[tuple[str, str]]:
    mistakes: list[tuple[str, str]] = []
    owners: dict[str, str] = {}
    for pool_name, pool in settings.pools.items():
        senders_key = [worker.auth == "passthrough" for worker in pool.workers]
        if any(senders_key) and not all(senders_key):
            position = senders_key.index(True)
            text = (
                "a worker that is given the sender's own key needs a pool without others: a message that came without a"
                " key could be handed to it, and would fail"
            )
            mistakes.append((f"pools.{pool_name}.workers.{position}.auth", text))
        for position, worker in enumerate(pool.workers):
            key = f"pools.{pool_name}.workers.{position}"
            if worker.id in owners:
                mistakes.append((f"{key}.id", f"worker {worker.id!r} already stands in pool {owners[worker.id]!r}"))
            owners.setdefault(worker.id, pool_name)
            mistakes.extend(_check_worker(key, worker))
    return mistakes


def _check_worker(key: str, worker: WorkerSettings) -> list[tuple[str, str]]:
    mistakes: list[tuple[str, str]] = []
    if worker.transport in {"http", "openai", "anthropic"} and not worker.url:
        mistakes.append((f"{key}.url", f"a worker of transport {worker.transport!r} needs a url"))
    if worker.url and not worker.url.startswith(("http://", "https://")):
        mistakes.append((f"{key}.url", f"got {worker.url!r}, expected http:// or https://"))
    if worker.transport == "subprocess" and not worker.command:
        mistakes.append((f"{key}.command", "a worker of transport 'subprocess' needs a command"))
    if worker.transport in {"openai", "anthropic"} and not worker.model:
        mistakes.append((f"{key}.model", f"a worker of transport {worker.transport!r} needs a model to ask for"))
    if worker.proxy and not worker.proxy.startswith("http://"):
        # The value is not shown: it may hold a password.
        mistakes.append((f"{key}.proxy", "expected http://[user:password@]host:port"))
    if isinstance(worker.auth, Secret) and (worker.auth.env is None) == (worker.auth.file is None):
        mistakes.append((f"{key}.auth", "expected exactly one of env and file"))
    if worker.auth == "passthrough" and worker.transport not in {"openai", "anthropic"}:
        mistakes.append((f"{key}.auth", "only workers of transport openai or anthropic take the sender's own key"))
    return mistakes


def _nowhere(kind: str, name: str, known: dict[str, Any]) -> str:
    return f"there is no {kind} {name!r}; known: {', '.join(sorted(known)) or 'none'}"
