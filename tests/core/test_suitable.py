"""Facts about which workers can serve which messages."""

from __future__ import annotations

from itertools import product

import pytest

from pointsman.core.suitable import NOBODY, Need, Roster, describe, is_chat, need_of, suits
from pointsman.testing.make import envelope


def need(protocol: str, endpoint: str = "", model: str = "", body: bytes | None = b"{}") -> Need | None:
    """Return what a message needs."""
    of = envelope()
    of.protocol, of.endpoint, of.model, of.body = protocol, endpoint, model, body
    return need_of(of)


def test_a_native_message_needs_nothing_but_the_model_it_insists_on():
    """Any worker is given the message in words that it knows."""
    assert need("native", body=None) is None
    assert need("openai", body=None) is None
    assert need("native", body=None, model="m") == Need("", True, "m")


@pytest.mark.parametrize(
    ("endpoint", "chat"),
    [
        ("", True),
        ("/chat/completions", True),
        ("/chat/completions?x=1", True),
        ("/messages", True),
        ("/messages?beta=true", True),
        ("/messages/count_tokens", False),
        ("/messages/count_tokens?beta=true", False),
        ("/embeddings", False),
        ("/messages/batches", False),
    ],
)
def test_chats_are_told_from_the_rest_by_their_path(endpoint, chat):
    """The query does not count."""
    assert is_chat(endpoint) is chat
    assert need("anthropic", endpoint) == Need("anthropic", chat, "")


WORKERS = ("openai", "anthropic", "http", "subprocess", "callable", "pull")


@pytest.mark.parametrize(("protocol", "other"), [("openai", "anthropic"), ("anthropic", "openai")])
def test_a_body_goes_to_its_own_kind_and_a_chat_to_ours_too(protocol, other):
    """Never to the other protocol, and embeddings and counts never to ours."""
    chats = {transport for transport in WORKERS if suits(Need(protocol, True, ""), transport, None)}
    assert chats == {*WORKERS} - {other}
    rest = {transport for transport in WORKERS if suits(Need(protocol, False, ""), transport, None)}
    assert rest == {protocol}


def test_a_model_must_be_that_model():
    """Whatever the worker speaks; a worker without one has none."""
    for transport, model in product(WORKERS, (None, "", "small")):
        assert not suits(Need("", True, "large"), transport, model)
    assert suits(Need("", True, "large"), "callable", "large")
    assert not suits(Need("openai", True, "large"), "anthropic", "large")


CHAT = Need("openai", True, "")


def test_a_roster_knows_who_cannot():
    """Nobody where all can; anew after each join and each leave."""
    roster = Roster()
    assert (roster.unsuitable(CHAT), roster.serves(CHAT)) == (NOBODY, False)
    roster.join("a", "openai", "m")
    roster.join("b", "openai", "m")
    assert (roster.unsuitable(CHAT), roster.serves(CHAT)) == (NOBODY, True)
    roster.join("c", "anthropic", None)
    assert roster.unsuitable(CHAT) == {"c"}
    assert roster.unsuitable(Need("anthropic", False, "")) == {"a", "b"}
    assert roster.kinds() == ["anthropic", "openai (m)"]
    assert (roster.knows("m"), roster.knows("n")) == (True, False)
    roster.leave("a", "openai", "m")
    assert roster.serves(CHAT)
    roster.leave("b", "openai", "m")
    assert (roster.serves(CHAT), roster.unsuitable(CHAT), roster.knows("m")) == (
        False,
        frozenset("c"),
        False,
    )
    roster.leave("c", "anthropic", None)
    assert (roster.kinds(), roster.unsuitable(CHAT)) == ([], NOBODY)


def test_a_roster_remembers_a_bounded_number_of_answers():
    """Senders name models, as many as they like."""
    roster = Roster()
    roster.join("a", "openai", "m")
    for number in range(5000):
        assert roster.unsuitable(Need("openai", True, f"m{number}")) == {"a"}
    assert len(roster._unsuitable) <= 1024
    assert roster.unsuitable(CHAT) is roster.unsuitable(CHAT)


def test_a_need_can_be_told():
    """In words that say what a worker must do."""
    assert describe(CHAT) == "speaks openai"
    assert describe(Need("openai", False, "m")) == (
        "speaks openai itself (embeddings and counts are no chats) and has model 'm'"
    )
