"""Looking on: what is compared, what is dropped and why, and that every message sampled comes to one end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.rollout.compare import Heard
from pointsman.core.rollout.shedding import FAILURES_MAX, OFF_FOR_S
from pointsman.model.events import Mirrored
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refusal, Refused
from pointsman.model.settings_operations import ShadowSettings
from pointsman.runtime.shadow import ENTRY_BYTES
from tests.runtime.looking_on import AGREES, ROOM, LookingOn, Told, decide, envelope, hang


def bounds(**changed: Any) -> ShadowSettings:
    """Return settings with room for everything else."""
    return msgspec.structs.replace(ROOM, **changed)


async def test_an_offer_takes_no_step_of_its_own() -> None:
    """Nothing is decided, nor even read, before whoever offered has gone on."""
    async with LookingOn() as on:
        made: list[int] = []

        def make() -> Envelope:
            made.append(1)
            return envelope()

        on.shadow.offer(make, AGREES, 100)
        assert made == []
        assert (on.shadow.sampled, on.shadow.waiting, on.shadow.waiting_bytes) == (1, 1, 100 + ENTRY_BYTES)
        await on.rest()
        assert made == [1]
        assert on.ends() == {("compared", "match"): 1}


async def test_between_two_decisions_everything_else_runs() -> None:
    """However many wait, each loop turn has one decision at most."""
    turns: list[str] = []

    async def noted(envelope: Envelope) -> Receipt:
        turns.append("decision")
        return await decide(envelope)

    async with LookingOn(noted) as on:
        for number in range(20):
            on.offer(number)

        def tick() -> None:
            turns.append("turn")
            if on.shadow.waiting:
                asyncio.get_running_loop().call_soon(tick)

        tick()
        await on.rest()
    assert turns.count("decision") == 20
    assert "decision,decision" not in ",".join(turns)


async def test_what_the_legacy_says_is_compared_by_its_aliases_too() -> None:
    """Class and worker, as far as they are said."""
    async with LookingOn() as on:
        for heard in (
            Heard(True, "coder"),
            Heard(True, "tactical", "coder-1"),
            Heard(True, "tactical", "coder-9"),
            Heard(True, "strategic"),
            Heard(True),
            Heard(False),
        ):
            on.offer(heard=heard)
        await on.rest()
        assert on.shadow.counts() == {
            "sampled": 6,
            "compared": 6,
            "dropped": 0,
            "timed_out": 0,
            "match": 2,
            "worker_mismatch": 1,
            "class_mismatch": 1,
            "uncompared": 1,
            "legacy_error_only": 1,
        }
        view = on.shadow.agreement()
        assert (view.messages, view.agreed) == (4, 3)


async def test_samples_hold_no_words_of_the_message() -> None:
    """Only who, how long, which classes and why."""
    async with LookingOn() as on:
        on.shadow.offer(lambda: envelope(7, "the secret plan"), Heard(True, "x" * 500, "y" * 500), 100)
        await on.rest()
        (sample,) = on.shadow.samples()
    assert (sample.id, sample.kind, sample.text_chars) == (f"{7:032x}", "class_mismatch", len("the secret plan"))
    assert (sample.legacy_class, sample.candidate_class, sample.cause) == ("x" * 64, "tactical", "rule")
    written = msgspec.json.encode(sample).decode()
    assert "secret" not in written
    assert len(written) < 600


async def test_a_refusal_is_an_error_of_the_candidate_with_its_reason() -> None:
    """Not a failure of looking on: it turns nothing off."""

    async def refuse(envelope: Envelope) -> Receipt:
        return Refused(Refusal.NO_WORKER, "the secret plan has no worker")

    async with LookingOn(refuse) as on:
        for number in range(FAILURES_MAX * 2):
            on.offer(number)
        await on.rest()
        assert on.ends() == {("compared", "candidate_error_only"): FAILURES_MAX * 2}
        assert not on.shadow.is_off()
        assert {sample.reason for sample in on.shadow.samples()} == {"no_worker"}


async def test_a_candidate_that_raises_is_compared_and_turned_off(caplog: pytest.LogCaptureFixture) -> None:
    """Twenty times in a minute; then nothing for five, then it is tried anew."""

    async def fail(envelope: Envelope) -> Receipt:
        raise ZeroDivisionError("the candidate")

    async with LookingOn(fail) as on:
        with caplog.at_level(logging.ERROR):
            for number in range(100):
                on.offer(number)
            await on.rest()
        assert on.ends() == {
            ("compared", "candidate_error_only"): FAILURES_MAX,
            ("dropped", "breaker"): 100 - FAILURES_MAX,
        }
        assert len(caplog.records) == FAILURES_MAX
        assert on.shadow.is_off()
        assert on.shadow.samples()[0].reason == "ZeroDivisionError"
        await on.clock.sleep(OFF_FOR_S)
        on.offer()
        await on.rest()
        assert on.shadow.compared == FAILURES_MAX + 1


async def test_a_candidate_that_hangs_is_timed_out_and_turned_off() -> None:
    """One at a time, for as long as one may take; then off."""
    async with LookingOn(hang) as on:
        for number in range(100):
            on.offer(number)
        await on.rest(30.0)
        assert on.ends() == {("timed_out", ""): FAILURES_MAX, ("dropped", "breaker"): 100 - FAILURES_MAX}


async def test_a_slow_candidate_is_let_decide_once_a_second() -> None:
    """Ten milliseconds of computing, a hundred messages a second, for a minute: one held up in a hundred."""

    async with LookingOn() as on:

        async def slow(envelope: Envelope) -> Receipt:
            on.clock.compute(0.010)
            return await decide(envelope)

        on.shadow.use(Told(slow), bounds(core_share_max=0.10))
        for number in range(6000):
            on.offer(number)
            await on.rest(0.010)
        assert on.shadow.sampled == 6000
        assert 50 <= on.shadow.compared <= 75
        assert on.ends()["dropped", "shed"] == 6000 - on.shadow.compared


async def test_a_busy_loop_is_left_alone() -> None:
    """Where others take more than a millisecond of each turn, fast decisions too get a hundredth of a core only."""
    async with LookingOn() as on:

        async def fast(envelope: Envelope) -> Receipt:
            on.clock.compute(0.0002)
            return await decide(envelope)

        def others() -> None:
            on.clock.compute(0.0015)
            if on.clock.monotonic() < ends_at:
                asyncio.get_running_loop().call_soon(others)

        on.shadow.use(Told(fast), bounds(core_share_max=0.10))
        ends_at = on.clock.monotonic() + 20.0
        others()
        while on.clock.monotonic() < ends_at:
            on.offer()
            await on.clock.sleep(0.0)
        await on.rest()
        assert 0.01 * 20.0 * 0.9 <= on.shadow.compared * 0.0002 <= 0.01 * 21.5
        assert on.ends()["dropped", "shed"] == on.shadow.sampled - on.shadow.compared


async def test_a_fast_candidate_sees_everything() -> None:
    """A hundred microseconds, a hundred messages a second: a hundredth of a core, and nothing is shed."""
    async with LookingOn() as on:

        async def fast(envelope: Envelope) -> Receipt:
            on.clock.compute(0.0001)
            return await decide(envelope)

        on.shadow.use(Told(fast), bounds(core_share_max=0.10))
        for number in range(2000):
            on.offer(number)
            await on.rest(0.010)
        assert on.ends() == {("compared", "match"): 2000}


async def test_waiting_is_bounded_by_count_and_by_bytes() -> None:
    """And memory with it; a message alone above its bound is never taken."""
    most = 11 * (ENTRY_BYTES + 10)
    async with LookingOn(settings=bounds(max_waiting=10, max_waiting_bytes=most, max_body_bytes=20_000)) as on:
        for number in range(30):
            on.offer(number, size_bytes=10)
        assert (on.shadow.waiting, on.shadow.waiting_bytes) == (10, 10 * (ENTRY_BYTES + 10))
        await on.rest()
        for number in range(30):
            on.offer(number, size_bytes=16_000)
            assert on.shadow.waiting_bytes <= most
        assert on.shadow.waiting == 2
        on.offer(size_bytes=20_001)
        await on.rest()
        assert on.ends() == {
            ("compared", "match"): 12,
            ("dropped", "full"): 20 + 28,
            ("dropped", "too_large"): 1,
        }


async def test_what_cannot_be_read_is_dropped() -> None:
    """Whatever the maker raises; that is no failure of the candidate."""

    def make() -> Envelope:
        raise KeyError("no such thing")

    async with LookingOn() as on:
        for _ in range(FAILURES_MAX * 2):
            on.shadow.offer(make, AGREES, 10)
        await on.rest()
        assert on.ends() == {("dropped", "unreadable"): FAILURES_MAX * 2}
        assert not on.shadow.is_off()


async def test_closing_drops_what_waits_and_what_is_looked_at() -> None:
    """Each of them told of once; what is offered afterwards is dropped too."""
    on = LookingOn(hang)
    for number in range(5):
        on.offer(number)
    await on.clock.sleep(0.01)
    assert on.shadow.waiting == 4
    on.shadow.close()
    await on.tasks.close()
    on.offer()
    on.check()
    assert on.ends() == {("dropped", "closed"): 6}
    assert len(on.tasks) == 0


async def test_kept_samples_are_bounded_for_each_kind() -> None:
    """However many differences there are, and matches are not kept at all."""
    async with LookingOn(settings=bounds(keep_samples=3)) as on:
        for number in range(200):
            on.offer(number, Heard(True, "strategic"))
            on.offer(number, Heard(False))
            on.offer(number)
        await on.rest()
        assert Counter(one.kind for one in on.shadow.samples()) == {"class_mismatch": 3, "legacy_error_only": 3}


async def test_without_an_offer_nothing_runs() -> None:
    """A router without a rollout has no task for it."""
    async with LookingOn() as on:
        assert len(on.tasks) == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("offer"), st.sampled_from(["good", "hang", "raise", "slow", "unreadable"]), st.integers(1, 700)
        ),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.001, 0.05, 1.0, 301.0]), st.none()),
        st.tuples(st.just("use"), st.sampled_from([1, 3, 50]), st.none()),
        st.tuples(st.just("close"), st.none(), st.none()),
    ),
    max_size=80,
)


@given(STEPS)
async def test_each_message_sampled_comes_to_one_end(steps: list[tuple[str, Any, Any]]) -> None:
    """At every step: those sampled are those that ended and those in hand, and what waits is within its bounds."""
    how: dict[str, str] = {}

    async with LookingOn() as on:

        async def as_told(envelope: Envelope) -> Receipt:
            match how[envelope.id]:
                case "hang":
                    await hang(envelope)
                case "raise":
                    raise ValueError
                case "slow":
                    on.clock.compute(0.02)
            return await decide(envelope)

        def make(number: int) -> Envelope:
            one = envelope(number)
            if how[one.id] == "unreadable":
                raise ValueError
            return one

        settings = bounds(max_waiting=5, max_waiting_bytes=3 * ENTRY_BYTES + 500, max_body_bytes=600)
        on.shadow.use(Told(as_told), settings)
        for number, (verb, what, size) in enumerate(steps):
            if verb == "offer":
                how[f"{number:032x}"] = what
                on.shadow.offer(lambda number=number: make(number), AGREES, size)  # type: ignore[misc]
            elif verb == "wait":
                await on.clock.sleep(what)
            elif verb == "use":
                settings = bounds(
                    max_waiting=what, max_waiting_bytes=3 * ENTRY_BYTES + 500, max_body_bytes=600, core_share_max=0.1
                )
                on.shadow.use(Told(as_told), settings)
            else:
                on.shadow.close()
            told = sum(isinstance(event, Mirrored) for event in on.events)
            shadow = on.shadow
            assert told == shadow.compared + shadow.dropped + shadow.timed_out
            assert 0 <= shadow.sampled - told - shadow.waiting <= 1
            assert shadow.waiting_bytes <= 3 * ENTRY_BYTES + 500
            assert shadow.waiting <= 3
    on.check()
    assert on.shadow.sampled == len(how)
