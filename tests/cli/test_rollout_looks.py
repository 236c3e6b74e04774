from __future__ import annotations

import json

from tests.cli.test_rollout import beside, fresh

__all__ = ["beside", "fresh"]


def test_the_history_is_listed_the_newest_first(fresh):
    """Who did what, and why; older steps follow by their number."""
    for verb in ("start", "rollback", "ack"):
        fresh("rollout", verb, "--reason", "earlier")
    fresh("rollout", "start", "--ref", "PR #1", "--reason", "begin\x1b")
    fresh("rollout", "promote", "--force", "--reason", "seen", "--yes")
    fresh("rollout", "pause", "--actor", "bob")
    ran = fresh("rollout", "history", "--limit", "3")
    heading, *rows = ran.out.splitlines()
    assert heading.split() == ["#", "WHEN", "EVENT", "STAGE", "SHARE", "ACTOR", "REF", "WHY"]
    assert [row.split()[3] for row in rows] == ["pause", "promote", "start"]
    assert rows[1].endswith("by force; seen")
    assert "25 %" in rows[1]
    assert "begin\\x1b" in rows[2]
    assert "bob" in rows[0]
    oldest = int(rows[2].split()[0])
    assert ran.err == f"There are older ones: --before {oldest}\n"
    (one,) = json.loads(fresh("rollout", "history", "--limit", "1", "--before", str(oldest), "-o", "json").out)
    assert one["seq"] == oldest - 1


def test_a_key_is_explained(fresh):
    """Who answers it, why, and from which share on this router does."""
    ran = fresh("rollout", "explain", "conversation-1")
    assert ran.out == "conversation-1: the old router answers\nwhy      disabled: no rollout is under way\n"
    fresh("rollout", "start")
    fresh("rollout", "promote", "--force", "--reason", "seen", "--yes")
    lanes = set()
    for number in range(40):
        found = json.loads(fresh("rollout", "explain", f"c-{number}", "-o", "json").out)
        lanes.add(found["lane"])
        assert (found["lane"] == "candidate") == (found["from_share"] <= 0.25)
    assert lanes == {"legacy", "candidate"}
    ran = fresh("rollout", "explain", "c-1")
    assert "why      split: its place decides" in ran.out
    assert "it is 25 % now" in ran.out
    ran = fresh("rollout", "explain", "c-1", "--client", "billing")
    assert "excluded: it is among those that stay with the old router" in ran.out


def test_differences_are_none_before_anything_was_mirrored(fresh):
    """A table without rows, and the counts."""
    ran = fresh("rollout", "differences")
    assert ran.out.splitlines()[0] == "0 mirrored, 0 compared"
    found = json.loads(fresh("rollout", "differences", "-o", "json").out)
    assert (found["differences"], found["counts"]["sampled"]) == ([], 0)
    assert fresh("rollout", "differences", "--kind", "nope").code == 1
