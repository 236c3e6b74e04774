"""Which differences are kept."""

from __future__ import annotations

import random

from pointsman.core.rollout.samples import Sample, Samples


def sample(kind: str, number: int) -> Sample:
    """Return a difference."""
    return Sample(
        id=f"{number:032x}",
        at=float(number),
        kind=kind,
        text_hash="0" * 16,
        text_chars=1,
        size_bytes=1,
        legacy_ok=True,
        legacy_class="a",
        legacy_worker=None,
        candidate_class="b",
        cause="rule",
        confidence=0.9,
        reason="",
    )


def reservoir(keep: int, rng: random.Random) -> Samples:
    """Return one of a size."""
    samples = Samples(rng)
    samples.resize(keep)
    return samples


def offer(samples: Samples, kind: str, number: int) -> None:
    """Offer a difference as the shadow does."""
    place = samples.wants(kind)
    if place is not None:
        samples.put(place, sample(kind, number))


def test_each_kind_keeps_its_own_and_the_newest_come_first() -> None:
    """Many differences of one kind do not push out the few of another."""
    samples = reservoir(3, random.Random(1))
    offer(samples, "both_error", 0)
    for number in range(1, 1000):
        offer(samples, "class_mismatch", number)
    kept = samples.all()
    assert [one.kind for one in kept].count("class_mismatch") == 3
    assert kept[-1].kind == "both_error"
    assert [one.at for one in kept] == sorted((one.at for one in kept), reverse=True)


def test_every_difference_is_kept_with_the_same_chance() -> None:
    """Over many runs of 20 differences with room for 5, each is kept in a quarter of them."""
    times = [0] * 20
    rng = random.Random(7)
    for _ in range(4000):
        samples = reservoir(5, rng)
        for number in range(20):
            offer(samples, "class_mismatch", number)
        for one in samples.all():
            times[int(one.at)] += 1
    assert sum(times) == 4000 * 5
    assert all(abs(count - 1000) < 140 for count in times), times


def test_what_is_not_kept_need_not_be_made() -> None:
    """Most differences are turned down before their sample is made."""
    samples = reservoir(1, random.Random(3))
    wanted = [samples.wants("class_mismatch") for _ in range(1000)]
    assert wanted[0] == 0
    assert sum(place is not None for place in wanted) < 20
    assert set(wanted) == {0, None}


def test_a_smaller_reservoir_lets_go_of_what_is_too_much() -> None:
    """And one of no size keeps nothing."""
    samples = reservoir(5, random.Random(3))
    for keep, kept in ((5, 5), (2, 2), (0, 0)):
        samples.resize(keep)
        for number in range(200):
            offer(samples, "class_mismatch", number)
        assert len(samples.all()) == kept
