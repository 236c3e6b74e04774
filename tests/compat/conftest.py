"""Fixtures of these tests: one provider, and one service in front of it, for each file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.fleet import SECRETS
from tests.compat.provider.answers import provider as make_provider
from tests.compat.provider.server import Provider
from tests.compat.router import Running, everyday, running
from tests.compat.sides import Sides

PROXIES = [f"{scheme}_proxy" for scheme in ("all", "http", "https")]


@pytest.fixture(scope="package", autouse=True)
def _no_proxy() -> Iterator[None]:
    """The clients speak to this machine, whatever its owner has set for the world outside."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PROXIES:
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A provider that answers as the real ones do."""
    with make_provider() as started:
        yield started


@pytest.fixture(scope="module")
def router(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Running]:
    """A service in front of it; a file may name its settings in `SETTINGS`, or only the `PROTOCOLS` of its workers."""
    folder: Path = tmp_path_factory.mktemp("router")
    made = getattr(request.module, "SETTINGS", None)
    protocols = getattr(request.module, "PROTOCOLS", ("openai", "anthropic"))
    given = made(provider.url, folder) if made else everyday(provider.url, folder, protocols)
    with running(given, SECRETS) as started:
        yield started


@pytest.fixture
def sides(provider: Provider, router: Running) -> Sides:
    """Both, to run the same code on each."""
    return Sides(provider, router)
