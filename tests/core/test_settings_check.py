"""Contradictions in the settings: every one is found at once, under its key."""

from __future__ import annotations

import pytest

from pointsman.core.settings_check import check
from pointsman.model.settings import (
    ClassifierSettings,
    ClassSettings,
    PoolSettings,
    RuleSettings,
    Secret,
    ServerSettings,
    Settings,
    WorkerSettings,
)


def keys(settings: Settings) -> list[str]:
    """Return the keys of the mistakes."""
    return [key for key, _ in check(settings)]


def words(settings: Settings) -> str:
    """Return all mistakes as text."""
    return "\n".join(f"{key}: {mistake}" for key, mistake in check(settings))


def with_workers(*workers: WorkerSettings, **pools: PoolSettings) -> Settings:
    """Return settings with these workers in pool `coders`."""
    return Settings(pools={"planners": PoolSettings(), "coders": PoolSettings(workers=list(workers)), **pools})


def test_the_defaults_can_be_used() -> None:
    """With no file at all there is nothing to complain about."""
    assert check(Settings()) == []


def test_names_must_lead_somewhere() -> None:
    """Each that does not is named, with those that exist."""
    settings = Settings(
        classes={"tactical": ClassSettings(pool="coder", fallback=["helpers"])},
        classifier=ClassifierSettings(
            fallback_class="strategic", rules=[RuleSettings(phrase="x y", message_class="nothing")]
        ),
    )
    found = words(settings)
    for name in ("'coder'", "'helpers'", "'strategic'", "'nothing'"):
        assert name in found
    assert "known: coders, planners" in found
    assert len(check(settings)) == 4


def test_a_worker_id_stands_once_in_the_whole_file() -> None:
    """In another pool too, and the mistake says where it stands already."""
    worker = WorkerSettings(id="w", transport="callable")
    assert keys(with_workers(worker, worker)) == ["pools.coders.workers.1.id"]
    settings = with_workers(worker, extra=PoolSettings(workers=[worker]))
    assert "already stands in pool coders" in words(settings).replace("'", "")


@pytest.mark.parametrize(
    ("worker", "key"),
    [
        (WorkerSettings(id="w", transport="http"), "url"),
        (WorkerSettings(id="w", transport="openai", model="m"), "url"),
        (WorkerSettings(id="w", transport="openai", url="http://x"), "model"),
        (WorkerSettings(id="w", transport="anthropic", url="http://x"), "model"),
        (WorkerSettings(id="w", transport="http", url="http://x", proxy="socks5://user:secret@x:1"), "proxy"),
        (WorkerSettings(id="w", transport="http", url="ftp://x"), "url"),
        (WorkerSettings(id="w", transport="subprocess"), "command"),
        (WorkerSettings(id="w", transport="callable", auth=Secret()), "auth"),
        (WorkerSettings(id="w", transport="callable", auth=Secret(env="A", file="b")), "auth"),
        (WorkerSettings(id="w", transport="http", url="http://x", auth="passthrough"), "auth"),
    ],
)
def test_a_worker_says_what_its_transport_needs(worker: WorkerSettings, key: str) -> None:
    """The key of what is missing or wrong."""
    assert keys(with_workers(worker)) == [f"pools.coders.workers.0.{key}"]


def test_aliases_are_names_like_classes() -> None:
    """One means one class, and `auto` means none."""
    classes = {
        "a": ClassSettings(pool="coders", alias=["x", "b"]),
        "b": ClassSettings(pool="coders", alias=["x", "auto"]),
    }
    settings = Settings(classes=classes, classifier=ClassifierSettings(fallback_class="a"))
    assert sorted(keys(settings)) == ["classes.a.alias", "classes.b.alias", "classes.b.alias"]


def test_a_pool_does_not_fall_back_to_itself() -> None:
    """And classes that share a pool agree where it may go."""
    itself = Settings(
        classes={"a": ClassSettings(pool="coders", fallback=["coders"])},
        classifier=ClassifierSettings(fallback_class="a"),
    )
    assert "its own fallback" in words(itself)
    shared = Settings(
        classes={
            "a": ClassSettings(pool="coders", fallback=["planners"]),
            "b": ClassSettings(pool="coders", fallback=["spare"]),
        },
        classifier=ClassifierSettings(fallback_class="a"),
        pools={"planners": PoolSettings(), "coders": PoolSettings(), "spare": PoolSettings()},
    )
    assert "must name the same fallback pools" in words(shared)


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", ":8080", "[::1]", "::1:8080", "http://127.0.0.1:8080"])
def test_where_to_listen_is_an_address_and_a_port(listen: str) -> None:
    """Found by `config check` already, not only by `serve`."""
    assert keys(Settings(server=ServerSettings(listen=listen))) == ["server.listen"]


@pytest.mark.parametrize("listen", ["localhost:0", "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:80"])
def test_an_address_and_a_port_are_no_mistake(listen: str) -> None:
    """Whether others may reach it depends on the keys, which stand elsewhere."""
    assert keys(Settings(server=ServerSettings(listen=listen))) == []


def test_workers_with_the_senders_key_have_a_pool_of_their_own() -> None:
    """A message that came without a key could be handed to one of them, although a neighbour would have served it."""
    theirs = WorkerSettings(id="a", transport="openai", url="http://x", model="m", auth="passthrough")
    ours = WorkerSettings(id="b", transport="openai", url="http://x", model="m")
    assert keys(with_workers(ours, theirs)) == ["pools.coders.workers.1.auth"]
    assert keys(with_workers(theirs)) == []
