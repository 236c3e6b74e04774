from __future__ import annotations

import json


def state(router, name: str) -> dict:
    """One queue as the router shows it."""
    found = json.loads(router("queues", "ls", "-o", "json").out)
    return next(queue for queue in found if queue["name"] == name)


def test_queues_are_listed_with_their_depth(router):
    """A row each, with the five priorities."""
    heading, *rows = router("queues", "ls").out.splitlines()
    assert heading.split()[:8] == ["QUEUE", "STATE", "WAITING", "CRITICAL", "HIGH", "NORMAL", "LOW", "BULK"]
    assert {row.split()[0] for row in rows} == {"planners", "coders"}


def test_a_paused_queue_hands_out_nothing_until_it_is_resumed(router):
    """Messages are accepted into it and wait; purge cancels them after a count and a yes."""
    assert router("queues", "pause", "coders").out == "coders is paused\n"
    try:
        assert state(router, "coders")["paused"]
        router("send", "fix it", "--client", "queues-1", "--wait-s", "0")
        assert state(router, "coders")["queued"]["normal"] == 1
        asked = router("queues", "purge", "coders")
        assert asked.code == 2
        assert "Cancel 1 message in queue coders?" in asked.err
        assert router("queues", "purge", "coders", "--yes").out == "1 message cancelled\n"
        assert state(router, "coders")["queued"]["normal"] == 0
    finally:
        assert router("queues", "resume", "coders").code == 0
    assert not state(router, "coders")["paused"]


def test_an_empty_queue_is_purged_without_a_question(router):
    """There is nothing to lose."""
    assert router("queues", "purge", "coders").out == "0 messages cancelled\n"


def test_an_unknown_queue_is_not_found(router):
    """Those that are known are named."""
    for verb in ("pause", "resume", "purge"):
        ran = router("queues", verb, "nope")
        assert ran.code == 1
        assert "nope" in ran.err
