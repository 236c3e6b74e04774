"""Who answers a message: the same key gets the same answer, everywhere, and keeps the candidate as its share grows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.core.rollout.assign import BUCKETS, OURS, Assigner, Fixed, bucket
from pointsman.core.rollout.stages import BEGINNING, Position, partial
from pointsman.model.rollout import Assignment, Lane, State, Why

SHADOW = Position(State.SHADOW, "shadow", 0.0)
FULL = Position(State.FULL, "full", 1.0)
COMPLETED = Position(State.COMPLETED, "completed", 1.0)
ROLLED_BACK = Position(State.ROLLED_BACK, "rolled_back", 0.0)

KEYS = [f"conversation-{number}" for number in range(100_000)]


def candidates(position: Position, salt: str = "r-1") -> set[str]:
    """Return the keys that the candidate answers."""
    assign: Callable[[str, str, str], Assignment] = Assigner(position, salt).assign
    return {key for key in KEYS if assign(key, "someone", "/").lane is Lane.CANDIDATE}


def test_no_key_leaves_the_candidate_on_growth():
    """100,000 keys through 25, 50, 75, a pause, a rollback and a retry: within one point of the share each time."""
    quarter, half, most = (candidates(partial(share)) for share in (0.25, 0.5, 0.75))
    assert quarter < half < most < candidates(FULL) == set(KEYS)
    assert candidates(partial(0.5)._replace(state=State.PAUSED)) == half
    assert candidates(ROLLED_BACK) == set()
    assert candidates(partial(0.25)) == quarter
    for share, given in ((0.25, quarter), (0.5, half), (0.75, most)):
        assert abs(len(given) / len(KEYS) - share) < 0.01


def test_another_salt_gives_another_order():
    """A quarter and a quarter that know nothing of each other share a sixteenth."""
    both = candidates(partial(0.25)) & candidates(partial(0.25), "r-2")
    assert abs(len(both) / len(KEYS) - 1 / 16) < 0.01


def test_it_is_the_same_whatever_the_seed_of_hashes():
    """In another process, with another PYTHONHASHSEED; `hash()` would differ."""
    program = (
        "from pointsman.core.rollout.assign import bucket\n"
        "print([bucket('r-1', f'conversation-{number}') for number in range(1000)])"
    )
    source = str(Path(__file__).parents[3] / "src")
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": source, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {f"{[bucket('r-1', key) for key in KEYS[:1000]]}\n"}


def test_buckets_are_those_of_every_other_machine():
    """Figures written down once: a rollout that is under way must not be dealt anew by an update of this program."""
    assert [bucket("r-1", key) for key in ("a", "b", "gespräch-ü", "\ud800")] == [3224, 7524, 8970, 8871]


def test_buckets_are_even():
    """Each tenth of the order holds a tenth of the keys, within a twentieth of that."""
    tenths = [0] * 10
    for key in KEYS:
        tenths[bucket("r-1", key) * 10 // BUCKETS] += 1
    assert all(abs(count - 10_000) < 500 for count in tenths)


@pytest.mark.parametrize(
    ("position", "lane", "why"),
    [
        (BEGINNING, Lane.LEGACY, Why.DISABLED),
        (ROLLED_BACK, Lane.LEGACY, Why.DISABLED),
        (FULL, Lane.CANDIDATE, Why.STATIC),
        (FULL._replace(state=State.PAUSED), Lane.CANDIDATE, Why.STATIC),
        (COMPLETED, Lane.CANDIDATE, Why.STATIC),
    ],
)
def test_states_that_need_no_bucket_say_why(position, lane, why):
    """Everything goes one way; no bucket is asked for."""
    assert Assigner(position, "r-1").assign("key", "someone", "/") == Assignment(lane, why, -1)


@pytest.mark.parametrize("position", [SHADOW, SHADOW._replace(state=State.PAUSED)])
def test_the_shadow_mirrors_its_share_and_gives_nothing_away(position):
    """A tenth of the keys goes to both; the candidate alone answers none."""
    assigner = Assigner(position, "r-1", shadow_share=0.1)
    lanes = [assigner.assign(key, "someone", "/").lane for key in KEYS]
    assert abs(lanes.count(Lane.BOTH) / len(KEYS) - 0.1) < 0.01
    assert set(lanes) == {Lane.BOTH, Lane.LEGACY}


def test_a_split_says_which_bucket_decided():
    """The limit itself is out, the bucket below it is in."""
    place = bucket("r-1", "key")
    below = Assigner(partial((place + 1) / BUCKETS), "r-1").assign("key", "someone", "/")
    above = Assigner(partial(place / BUCKETS), "r-1").assign("key", "someone", "/")
    assert below == Assignment(Lane.CANDIDATE, Why.SPLIT, place)
    assert above == Assignment(Lane.LEGACY, Why.SPLIT, place)


@pytest.mark.parametrize("position", [SHADOW, partial(0.99), FULL, partial(0.99)._replace(state=State.PAUSED)])
def test_what_is_excluded_stays_with_the_legacy(position):
    """Clients by name, paths whole or by their beginning; everybody else is dealt with as always."""
    assigner = Assigner(
        position, "r-1", shadow_share=1.0, exclude_clients=["bank"], exclude_paths=["/v1/embeddings", "/admin/*"]
    )
    excluded = Assignment(Lane.LEGACY, Why.EXCLUDED)
    for client, path in (("bank", "/"), ("shop", "/v1/embeddings"), ("shop", "/admin/x"), ("shop", "/admin/")):
        assert assigner.assign("key", client, path) == excluded
    for client, path in (("bank2", "/"), ("shop", "/v1/embeddings/x"), ("shop", "/admin"), ("shop", "")):
        assert assigner.assign("key", client, path).why is not Why.EXCLUDED


def test_nothing_is_excluded_from_a_rollout_that_is_completed():
    """There is no legacy any more that could answer."""
    assigner = Assigner(COMPLETED, "r-1", exclude_clients=["bank"], exclude_paths=["*"])
    assert assigner.assign("key", "bank", "/") == OURS


@pytest.mark.parametrize(
    ("assigner", "legacy_only"),
    [
        (Assigner(BEGINNING, ""), True),
        (Assigner(ROLLED_BACK, "r-1"), True),
        (Assigner(SHADOW, "r-1", shadow_share=0.1), False),
        (Assigner(SHADOW, "r-1", shadow_share=0.0), True),
        (Assigner(partial(0.25), "r-1"), False),
        (Assigner(FULL, "r-1"), False),
        (Fixed(Assignment(Lane.LEGACY, Why.KILLED)), True),
        (Fixed(OURS), False),
    ],
)
def test_it_knows_when_no_key_could_change_anything(assigner, legacy_only):
    """Then nobody needs to read a message to know its key, and what it gives is the legacy, whatever the key."""
    assert assigner.legacy_only is legacy_only
    if legacy_only:
        assert {assigner.assign(key, "someone", "/").lane for key in KEYS[:100]} == {Lane.LEGACY}
