"""The long proof of the switch in short form: a router in a process of its own, rolled back from outside under load."""

from __future__ import annotations

import pytest

from benchmarks.rollout.switch import CONNECTIONS, play

MESSAGES = 640


@pytest.mark.real_loop
@pytest.mark.parametrize(("way", "actor"), [("command", "lena"), ("kill_file", "kill_file")])
async def test_a_rollback_from_outside_loses_nothing_and_does_nothing_twice(way: str, actor: str) -> None:
    """What is sent once it is in force is the old router's, and so it stays after a restart."""
    drill = await play(way, MESSAGES)
    assert set(range(MESSAGES)) <= drill.answers.keys() == drill.done.keys()
    assert set(drill.done.values()) == {1}
    assert drill.by("new") > 0
    assert drill.by("new") + drill.by("old") == len(drill.answers)
    assert len(drill.late) >= CONNECTIONS
    assert {drill.answers[number] for number in drill.late} == {"old"}
    assert (drill.after["state"], drill.after["share"]) == ("rolled_back", 0.0)
    assert [(entry["event"], entry["actor"]) for entry in drill.history[:1]] == [("rollback", actor)]
