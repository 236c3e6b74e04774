"""Conversations: a turn goes where its prompt is cached, for little wait, and no class falls inside a conversation."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.conversations import CACHE_S, SHARED, Case, PromptCache, Tally, play


@cache
def whole(load: float) -> Tally:
    """Return the run with one worker that has all the slots and room for everything."""
    return play(Case(load, workers=1, slots=24, room=float("inf")))


@pytest.mark.parametrize(("load", "at_least"), [(0.6, 0.97), (0.9, 0.95)])
def test_conversations_over_six_workers_keep_nearly_all_of_their_cached_input(load: float, at_least: float) -> None:
    """50 conversations of 20 turns, against one worker that remembers all; a wait is hardly longer than patience."""
    tally, best = play(Case(load)), whole(load)
    assert (tally.turns, len(tally.waits)) == (1000, 1000)
    assert tally.share / best.share >= at_least
    assert tally.wait_s(0.5) < 0.1
    assert tally.wait_s(0.95) <= Case(load).patience_s + 0.1
    assert tally.falls == 0


def test_without_a_preference_much_of_the_cache_is_lost() -> None:
    """What the figure above is worth: with the same turns and workers, and without waiting a moment for anybody."""
    off = play(Case(0.6, prefer=False, patience_s=0.0))
    assert off.share / whole(0.6).share < 0.7
    assert off.falls == 0


def test_a_cache_knows_a_prefix_for_five_minutes() -> None:
    """As much of it as was seen, and the instructions that all conversations share."""
    cache = PromptCache(float("inf"))
    assert cache.read("a", 3000, 0.0) == 0
    cache.write("a", 5000, 0.0)
    assert [cache.read("a", known, 1.0) for known in (4000, 6000)] == [4000, 5000]
    assert cache.read("b", 4000, 1.0) == SHARED
    assert cache.read("a", 4000, CACHE_S) == 0


def test_a_cache_has_room_for_so_much() -> None:
    """Whoever was silent for longest goes first."""
    cache = PromptCache(10_000)
    for talk in "abca":
        cache.write(talk, 4000, 0.0)
    assert [cache.read(talk, 4000, 1.0) for talk in "abc"] == [4000, SHARED, 4000]
