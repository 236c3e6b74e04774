from __future__ import annotations

import json

import pytest

from pointsman.cli.messages import show


@pytest.fixture
def waiting(router):
    """Two messages of one client that wait in a queue that is paused."""
    assert router("queues", "pause", "planners").code == 0
    ids = [
        router("send", f"design {name}", "--client", "messages-1", "--class", "strategic", "--wait-s", "0").out.strip()
        for name in ("a", "b")
    ]
    yield ids
    router("messages", "cancel", "--client", "messages-1", "--status", "queued", "--yes")
    assert router("queues", "resume", "planners").code == 0


def test_a_message_is_listed_with_state_class_and_client(router):
    """One row, found by its client; JSON is a list."""
    router("send", "fix the typo", "--client", "messages-2", "--priority", "high")
    heading, row = router("messages", "ls", "--client", "messages-2").out.splitlines()
    assert heading.split()[:5] == ["ID", "STATUS", "CLASS", "PRIORITY", "CLIENT"]
    assert row.split()[1:5] == ["delivered", "tactical", "high", "messages-2"]
    (found,) = json.loads(router("messages", "ls", "--client", "messages-2", "-o", "json").out)
    assert found["id"] == row.split()[0]


def test_messages_are_found_by_state_conversation_and_age(router):
    """Filters are joined by "and"."""
    router("send", "fix the typo", "--client", "messages-3", "--conversation", "c-3")
    found = ["messages", "ls", "--conversation", "c-3", "--status", "delivered", "-o", "json", "--since"]
    assert len(json.loads(router(*found, "10m").out)) == 1
    assert len(json.loads(router(*found, "2030-01-31T12:00:00Z").out)) == 0


def test_a_wrong_instant_is_refused_by_the_router(router):
    """What was expected is said."""
    ran = router("messages", "ls", "--since", "yesterday")
    assert ran.code == 1
    assert "error: invalid: since: got 'yesterday', expected RFC 3339" in ran.err


def test_a_message_is_shown_with_its_state(router, waiting):
    """Names and values, one pair a line."""
    ran = router("messages", "show", waiting[0])
    values = dict(line.split(maxsplit=1) for line in ran.out.splitlines())
    assert (values["id"], values["status"], values["client"]) == (waiting[0], "queued", "messages-1")


def test_an_unknown_message_is_not_found(router):
    """Exit code 1; the id is quoted."""
    for command in (("messages", "show", "no-such"), ("explain", "--id", "no-such"), ("messages", "cancel", "no-such")):
        ran = router(*command)
        assert ran.code == 1
        assert "error: not_found: there is no message 'no-such'" in ran.err


def test_a_named_message_is_cancelled_without_being_asked(router, waiting):
    """Its id is said; a second time there is nothing to cancel, and that fails."""
    assert router("messages", "cancel", waiting[0]).out == f"{waiting[0]} cancelled\n"
    again = router("messages", "cancel", waiting[0], waiting[1])
    assert again.code == 1
    assert "error: conflict" in again.err
    assert again.out == f"{waiting[1]} cancelled\n"


def test_described_messages_are_counted_and_cancelled_only_on_a_yes(router, waiting):
    """Without a terminal nobody can be asked, so --yes is required, and nothing happens without it."""
    ran = router("messages", "cancel", "--client", "messages-1", "--status", "queued")
    assert ran.code == 2
    assert "Cancel 2 messages? Nobody can be asked here: say --yes" in ran.err
    assert len(router("messages", "cancel", "--client", "messages-1", "--yes").out.splitlines()) == 2
    none = router("messages", "cancel", "--client", "messages-1", "--yes")
    assert (none.code, none.out) == (0, "")


def test_cancelling_nothing_in_particular_is_a_usage_error(router):
    """A slip must not cancel everything."""
    assert router("messages", "cancel").code == 2
    assert router("messages", "cancel", "some-id", "--client", "x").code == 2


def test_a_shown_message_says_what_it_took_in_words(monkeypatch, capsys):
    """As the decision record does, and money without an exponent."""
    usage = {"input_tokens": 1200, "cached_input_tokens": 80, "output_tokens": 30, "estimated": False}
    found = {"id": "m", "status": "delivered", "usage": usage, "cost": 0.00123}
    monkeypatch.setattr("pointsman.cli.messages.Client.get", lambda self, path: dict(found))
    show.main(["m", "--url", "http://127.0.0.1:1"], standalone_mode=False)
    said = capsys.readouterr().out
    assert "usage   1,200 tokens in (80 from a cache), 30 out" in said
    assert "cost    0.00123" in said


def test_a_delivered_message_is_explained(router):
    """Who asked, what spoke for its class, which worker had it, and when."""
    message_id = json.loads(router("send", "fix the typo", "-o", "json", "--client", "messages-4").out)["id"]
    ran = router("explain", "--id", message_id)
    assert ran.code == 0
    assert f"message    {message_id} delivered in" in ran.out
    assert "from       messages-4 at" in ran.out
    assert "went to    worker coder of pool coders" in ran.out
    assert "attempt 1" in ran.out
    assert json.loads(router("explain", "--id", message_id, "-o", "json").out)["worker"] == "coder"
