"""Facts about the worker that a conversation prefers."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pointsman.core.affinity import PreferredWorkers


def test_the_worker_that_served_last_is_preferred():
    """In that pool, for that client, until another one has served."""
    preferred = PreferredWorkers(60.0, 10)
    preferred.note("p", "c", "talk", "a", 0.0)
    preferred.note("q", "c", "talk", "z", 0.0)
    assert preferred.get("p", "c", "talk", 1.0) == "a"
    preferred.note("p", "c", "talk", "b", 2.0)
    assert [preferred.get(pool, "c", "talk", 3.0) for pool in "pqr"] == ["b", "z", ""]
    assert preferred.get("p", "d", "talk", 3.0) == preferred.get("p", "c", "chat", 3.0) == ""


def test_a_preference_ends_after_silence():
    """Each message served holds it for `prefer_s` more, to the instant."""
    preferred = PreferredWorkers(60.0, 10)
    preferred.note("p", "c", "talk", "a", 0.0)
    preferred.note("p", "c", "talk", "a", 50.0)
    assert preferred.get("p", "c", "talk", 109.9) == "a"
    assert preferred.get("p", "c", "talk", 110.0) == ""


class PreferredAgainstAList(RuleBasedStateMachine):
    """The real thing beside a plain list of (conversation, worker, expiry), oldest first."""

    PREFER_S = 10.0
    ROOM = 3

    def __init__(self) -> None:
        super().__init__()
        self.preferred = PreferredWorkers(self.PREFER_S, self.ROOM)
        self.model: list[tuple[str, str, float]] = []
        self.now = 0.0

    @rule(seconds=st.floats(0.0, 12.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(conversation=st.sampled_from("abcdef"), worker=st.sampled_from("xyz"))
    def served(self, conversation: str, worker: str) -> None:
        others = [one for one in self.model if one[0] != conversation]
        if len(others) == len(self.model):
            # A new one: what has expired goes, and the oldest where there is no room.
            others = [one for one in others if self.now < one[2]][-(self.ROOM - 1) :]
        self.model = [*others, (conversation, worker, self.now + self.PREFER_S)]
        self.preferred.note("p", "c", conversation, worker, self.now)

    @invariant()
    def agrees(self) -> None:
        assert len(self.preferred) <= self.ROOM
        for conversation in "abcdef":
            known = [worker for name, worker, until in self.model if name == conversation and self.now < until]
            assert self.preferred.get("p", "c", conversation, self.now) == (known[0] if known else "")


TestPreferredAgainstAList = PreferredAgainstAList.TestCase
TestPreferredAgainstAList.settings = settings(max_examples=40, stateful_step_count=30)
