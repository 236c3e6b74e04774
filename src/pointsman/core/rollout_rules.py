"""Contradictions in what the settings say about a rollout: stages that do not rise, rules that can never hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pointsman.core.rollout.assign import BUCKETS
from pointsman.model.settings import Settings, TlsSettings
from pointsman.model.settings_operations import GuardSettings, RolloutSettings

Mistakes = Iterator[tuple[str, str]]

_FINEST: Final = 1 / BUCKETS


def check_rollout(settings: Settings) -> Mistakes:
    """Yield `(key, mistake)` for each contradiction."""
    rollout = settings.rollout
    yield from _check_legacy(rollout)
    yield from _check_stages(rollout.stages)
    yield from _check_guard(rollout.guard)
    if rollout.record == rollout.kill_file:
        yield "rollout.kill_file", f"got {rollout.kill_file!r}, which is the record: that file always exists"
    for place, path in enumerate(rollout.exclude_paths):
        if not path.startswith("/") or "*" in path[:-1]:
            text = f"got {path!r}, expected a path that begins with `/`, whole or with one `*` at its end"
            yield f"rollout.exclude_paths.{place}", text


def _check_legacy(rollout: RolloutSettings) -> Mistakes:
    url = rollout.legacy
    if url is None:
        for key in ("legacy_auth", "legacy_tls"):
            if getattr(rollout, key) not in (None, TlsSettings()):
                yield f"rollout.{key}", "there is no rollout.legacy that it could be for: name one, or take it away"
        return
    scheme, _, rest = url.partition("://")
    if scheme not in {"http", "https"} or not rest.partition("/")[0]:
        yield "rollout.legacy", f"got {_without_password(url)!r}, expected http:// or https:// and a host"
    elif "@" in rest.partition("/")[0]:
        text = "holds a name or a password, which would show in logs: take it out and use rollout.legacy_auth"
        yield "rollout.legacy", text
    elif "?" in rest or "#" in rest:
        yield (
            "rollout.legacy",
            "expected a base URL without `?` and `#`: path and query of each request are put behind it",
        )
    elif scheme == "http" and rollout.legacy_tls not in (None, TlsSettings()):
        yield "rollout.legacy_tls", "rollout.legacy is an http:// address, which no certificate is checked for"
    auth = rollout.legacy_auth
    if auth is not None and (auth.env is None) == (auth.file is None):
        yield "rollout.legacy_auth", "expected exactly one of env and file"


def _without_password(url: str) -> str:
    return url.rpartition("@")[2][:80]


def _check_stages(stages: Sequence[float]) -> Mistakes:
    if not stages:
        yield "rollout.stages", "is empty, expected one share at least: nothing goes from the shadow to all at once"
    for place, share in enumerate(stages):
        if not _FINEST <= share < 1.0:
            text = (
                f"got {share:g}, expected at least {_FINEST:g} and less than 1: all is the stage `full`, which follows"
            )
            yield f"rollout.stages.{place}", text
    for place, (share, following) in enumerate(pairwise(stages), 1):
        if following <= share:
            text = f"got {following:g} after {share:g}: a stage gives the candidate more than the one before it"
            yield f"rollout.stages.{place}", text


def _check_guard(guard: GuardSettings) -> Mistakes:
    if guard.window < guard.min_messages:
        text = f"got {guard.window}, so the {guard.min_messages} of min_messages are never in it and nothing is judged"
        yield "rollout.guard.window", text
    if guard.min_clients > guard.min_messages:
        text = f"got {guard.min_clients}, and the {guard.min_messages} of min_messages could never come from so many"
        yield "rollout.guard.min_clients", text
