"""The one list of transports: each setting of a worker reaches the transport it is for."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from pointsman.model.errors import SettingsError, UsageError
from pointsman.model.settings import PoolSettings, RolloutSettings, Secret, TlsSettings, WorkerSettings
from pointsman.testing.attempts import make_attempt
from pointsman.transports.anthropic import AnthropicTransport
from pointsman.transports.building import Builder, build
from pointsman.transports.callable import CallableTransport
from pointsman.transports.http import HttpTransport
from pointsman.transports.model_transport import ModelTransport, Patience
from pointsman.transports.openai import OpenAITransport
from pointsman.transports.subprocess import SubprocessTransport
from tests.transports.raw_server import Talk, serve

pytestmark = pytest.mark.real_loop(timeout_s=20)


def made(settings: WorkerSettings) -> object:
    """The transport of a worker."""
    return build(settings, token=None, ssl=None, patience=Patience, local={"w": lambda work: work["text"]})


@pytest.mark.parametrize(
    ("transport", "kind"),
    [
        ("http", HttpTransport),
        ("openai", OpenAITransport),
        ("anthropic", AnthropicTransport),
        ("subprocess", SubprocessTransport),
        ("callable", CallableTransport),
    ],
)
def test_each_word_has_its_transport(transport: str, kind: type) -> None:
    """And no other."""
    assert type(made(WorkerSettings(id="w", transport=transport, url="http://w", command=["agent"]))) is kind


def test_a_function_that_was_not_given_is_missed_by_name() -> None:
    """With what to do about it."""
    with pytest.raises(UsageError, match="no function was given for it"):
        made(WorkerSettings(id="other", transport="callable"))


async def test_a_proxy_is_gone_through_by_all_who_speak_http() -> None:
    """The worker's own address is never connected to."""
    lines: list[str] = []

    async def proxy(talk: Talk) -> None:
        while True:
            lines.append((await talk.request()).line)
            talk.answer(b"", "503 Busy")

    async with serve(proxy) as server:
        for transport in ("http", "openai", "anthropic"):
            settings = WorkerSettings(id="w", transport=transport, url="http://127.0.0.1:1/x", proxy=server.url)
            built = build(settings, token=None, ssl=None, patience=Patience, local={})
            await built.open()
            await built.send(make_attempt())
            await built.close()
    assert [line.split()[1] for line in lines] == [
        "http://127.0.0.1:1/x",
        "http://127.0.0.1:1/x/chat/completions",
        "http://127.0.0.1:1/x/v1/messages",
    ]


def test_what_a_model_worker_is_told() -> None:
    """Its model, whose key, how patient, how checked."""
    context = ssl.create_default_context()
    settings = WorkerSettings(id="w", transport="anthropic", url="https://w", model="m", auth="passthrough")
    patience = Patience(1.0, 2.0)
    built = build(settings, token=None, ssl=context, patience=lambda: patience, local={})
    assert isinstance(built, ModelTransport)
    assert (built._model, built._passthrough, built._patience(), built._link._ssl) == ("m", True, patience, context)


def test_a_proxy_that_cannot_be_used_is_a_mistake_of_its_worker() -> None:
    """Told with the worker's name, and without what the proxy's URL may hold of a password."""
    worker = WorkerSettings(id="far", transport="http", url="http://127.0.0.1:1", proxy="http://user:pass@proxy/x")
    with pytest.raises(SettingsError, match=r"^worker far: proxy") as raised:
        made(worker)
    assert "pass@" not in str(raised.value)


def builder(where: Path) -> Builder:
    """A builder whose secrets are called what they are for."""
    return Builder(lambda secret, whose: lambda: f"secret of {whose}", where, {}, lambda pool: PoolSettings())


def test_an_old_router_that_is_not_named_is_none(tmp_path: Path) -> None:
    """Then there is no way to one."""
    assert builder(tmp_path).legacy(RolloutSettings(), 4) is None


def test_the_way_to_the_old_router_knows_its_key(tmp_path: Path) -> None:
    """By the name under which its absence would be told."""
    link = builder(tmp_path).legacy(RolloutSettings(legacy="http://old", legacy_auth=Secret(env="OLD")), 4)
    assert link is not None
    assert link._token is not None
    assert link._token() == "secret of rollout.legacy_auth"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (RolloutSettings(legacy="ftp://old"), "rollout.legacy: url 'ftp://old'"),
        (
            RolloutSettings(legacy="https://old", legacy_tls=TlsSettings(ca_file="none.pem")),
            "rollout.legacy_tls.ca_file",
        ),
    ],
)
def test_an_old_router_that_cannot_be_used_is_a_mistake_of_its_settings(
    tmp_path: Path, settings: RolloutSettings, told: str
) -> None:
    """Named by the key to correct."""
    with pytest.raises(SettingsError, match=told):
        builder(tmp_path).legacy(settings, 4)
