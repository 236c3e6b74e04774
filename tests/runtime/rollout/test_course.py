"""What comes first, memory or disk; who wins where several write; and what a restart finds."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pointsman.core.rollout.record import may_be_rollback, read
from pointsman.core.rollout.stages import VERBS
from pointsman.model.errors import Conflict, PointsmanError, RecordUnusable
from pointsman.model.rollout import Order, State
from pointsman.runtime.rollout.course import PATIENCE_S
from pointsman.runtime.rollout.record_file import RecordFile
from tests.runtime.rollout.desk import LENA, Desk, slow_disk


class Stuck:
    """A disk whose calls wait until they are let through, or fail."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.fails = False
        self.calls = 0

    async def __call__(self, call: Callable[..., Any], *args: Any) -> Any:
        self.calls += 1
        await self.let.wait()
        if self.fails:
            raise RecordUnusable("no space left on device")
        return call(*args)


async def shut_in(desk: Desk, *verbs: str) -> Stuck:
    """Take these steps, and let the disk wait from then on."""
    await desk.go(*verbs)
    desk.rollout.course.recorder._aside = disk = Stuck()
    return disk


async def test_a_promotion_is_on_the_disk_before_it_is_in_force(tmp_path):
    """While it is being written, messages are dealt by the old share; nobody is told of it yet."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk, "start")
    promotion = asyncio.create_task(desk.rollout.promote(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    assert (disk.calls, desk.stage, desk.moves()) == (1, "shadow", ["start"])
    disk.let.set()
    await promotion
    assert (desk.stage, desk.moves()) == ("partial-25", ["start", "promote"])
    await desk.rollout.close()


async def test_a_rollback_is_in_force_before_it_is_on_the_disk(tmp_path):
    """The very next message is the legacy's, whatever the disk does; a restart then knows as much."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk, "start", "promote", "promote")
    assert desk.lanes()["candidate"] > 400
    rollback = asyncio.create_task(desk.rollout.rollback(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    assert (desk.lanes(), desk.stage, disk.calls) == ({"legacy": 1000}, "rolled_back", 1)
    assert len(read(desk.record.read_bytes()).entries) == 3
    disk.let.set()
    status = await rollback
    assert (status.alarm, len(read(desk.record.read_bytes()).entries)) == ("", 4)
    await desk.rollout.close()


async def test_a_rollback_that_cannot_be_written_holds_and_is_tried_again(tmp_path):
    """There is an alarm until it is written; the caller gets no error, as the rollback is in force."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk, "start", "promote")
    disk.fails = True
    disk.let.set()
    status = await desk.rollout.rollback(LENA)
    assert (status.state, status.share) == (State.ROLLED_BACK, 0.0)
    assert "no space left on device" in status.alarm
    with pytest.raises(RecordUnusable, match="no space left"):
        await desk.rollout.ack(LENA)
    running = asyncio.create_task(desk.rollout.run())
    await desk.clock.sleep_until(desk.clock.monotonic() + 3.0)
    assert "no space left on device" in desk.rollout.status().alarm
    disk.fails = False
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.5)
    assert desk.rollout.status().alarm == ""
    assert [entry.event for entry in desk.rollout.history()] == ["rollback", "promote", "start"]
    assert (await desk.rollout.ack(LENA)).stage == "disabled"
    running.cancel()
    await desk.rollout.close()


async def test_a_disk_that_does_not_answer_is_not_waited_for(tmp_path):
    """Somebody who rolls back has an answer within seconds, with an alarm; so has somebody who stops the router."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk, "start", "promote")
    began = desk.clock.monotonic()
    status = await desk.rollout.rollback(LENA)
    assert desk.clock.monotonic() - began == PATIENCE_S
    assert "the disk does not answer" in status.alarm
    await desk.rollout.close()
    assert desk.clock.monotonic() - began == 3 * PATIENCE_S
    disk.let.set()
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    assert desk.rollout.status().alarm == ""
    await desk.rollout.close()


async def test_an_alarm_about_a_rollback_ends_once_it_is_written(tmp_path):
    """Even if the disk is busy with the step behind it just then; no old alarm holds the next rollout at the legacy."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote")
    course = desk.rollout.course

    async def aside(call: Callable[..., Any], *args: Any) -> Any:
        await desk.clock.sleep_until(desk.clock.monotonic() + 1.8 * PATIENCE_S)
        return call(*args)

    course.recorder._aside = aside
    assert "the disk does not answer" in (await desk.rollout.rollback(LENA)).alarm
    acknowledging = asyncio.create_task(desk.rollout.ack(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 0.5 * PATIENCE_S)
    await course.flush()
    await acknowledging
    assert (desk.stage, desk.rollout.status().alarm) == ("disabled", "")
    await desk.rollout.close()


async def test_a_step_that_cannot_be_written_is_not_taken(tmp_path):
    """The error says why; the old stage goes on, and the next try may succeed."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk, "start", "promote")
    disk.let.set()
    disk.fails = True
    with pytest.raises(RecordUnusable, match="no space left"):
        await desk.rollout.promote(LENA)
    assert (desk.stage, desk.rollout.status().alarm) == ("partial-25", "")
    disk.fails = False
    assert (await desk.rollout.promote(LENA)).stage == "partial-50"
    await desk.rollout.close()


async def test_a_caller_who_leaves_breaks_off_nothing(tmp_path):
    """What is being written comes to its end, and is in force then: memory and disk never part."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk, "start")
    promotion = asyncio.create_task(desk.rollout.promote(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    promotion.cancel()
    disk.let.set()
    await asyncio.wait([promotion])
    await desk.rollout.close()
    assert desk.stage == read(desk.record.read_bytes()).entries[-1].stage == "partial-25"


async def test_of_two_who_promote_at_once_one_is_told_so(tmp_path):
    """The stage between the two is not skipped by accident."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk, "start", "promote")
    both = [asyncio.create_task(desk.rollout.promote(LENA)) for _ in range(2)]
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    disk.let.set()
    first, second = await asyncio.gather(*both, return_exceptions=True)
    assert desk.stage == "partial-50"
    assert not isinstance(first, BaseException)
    assert isinstance(second, Conflict)
    assert "somebody else moved the rollout" in str(second)
    await desk.rollout.close()


async def test_a_rollback_overrules_the_start_that_is_being_written(tmp_path):
    """Both are on record, in this order; nothing was ever mirrored."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk)
    start = asyncio.create_task(desk.rollout.start(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    rollback = asyncio.create_task(desk.rollout.rollback(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    disk.let.set()
    assert isinstance((await asyncio.gather(start, return_exceptions=True))[0], Conflict)
    await rollback
    assert desk.moves() == ["rollback"]
    assert [entry.event for entry in desk.rollout.history()] == ["rollback", "start"]
    assert (await desk.again()).stage == "rolled_back"


async def test_a_rollback_of_a_start_that_failed_leaves_nothing_behind(tmp_path):
    """There was nothing to roll back after all, so there is nothing to acknowledge."""
    desk = Desk(tmp_path)
    disk = await shut_in(desk)
    start = asyncio.create_task(desk.rollout.start(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    rollback = asyncio.create_task(desk.rollout.rollback(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    disk.fails = True
    disk.let.set()
    assert isinstance((await asyncio.gather(start, return_exceptions=True))[0], RecordUnusable)
    assert (await rollback).stage == "disabled"
    assert desk.rollout.status().allowed == ["start"]
    await desk.rollout.close()


@pytest.mark.parametrize("seed", range(60))
async def test_a_rollback_wins_every_race_of_eight_writers(tmp_path, seed):
    """Each await in an order of its own: from the call on, nothing is the candidate's, and a restart agrees."""
    rng = random.Random(seed)
    desk = Desk(tmp_path)
    await desk.go(*["start", "promote", "promote", "pause"][: rng.randrange(5)])
    rollout = desk.rollout
    slow_disk(rollout, rng, desk.clock)
    rolled_back = False

    async def write(verb: str, order: Order) -> None:
        nonlocal rolled_back
        await desk.clock.sleep_until(desk.clock.monotonic() + 3 * rng.random())
        try:
            await getattr(rollout, verb)(order)
        except PointsmanError:
            return
        rolled_back = rolled_back or verb == "rollback"

    async def look() -> None:
        """See that nobody who is not locked out brings the candidate back."""
        while True:
            if rollout.course._unwritten is not None:
                assert set(desk.lanes(50)) == {"legacy"}
            await desk.clock.sleep_until(desk.clock.monotonic() + 0.05)

    looking = asyncio.create_task(look())
    verbs = ["rollback", *rng.choices(["start", "promote", "pause", "resume", "rollback"], k=7)]
    force = Order(actor="lena", reason="because", force=True)
    await asyncio.gather(*(write(verb, force) for verb in verbs))
    assert not looking.done()
    looking.cancel()
    status = rollout.status()
    if rolled_back:
        assert (status.state, desk.lanes()) == (State.ROLLED_BACK, {"legacy": 1000})
    await rollout.close()
    after = await desk.again()
    assert after.rollout.status().alarm == ""
    assert (after.stage, after.rollout.status().share) == (status.stage, status.share)
    await after.rollout.close()


@pytest.mark.parametrize("seed", range(25))
async def test_eight_writers_of_every_verb_never_part_memory_and_disk(tmp_path, seed):
    """With writes that fail now and then: the record is whole at every moment, and says what is in force."""
    rng = random.Random(seed)
    desk = Desk(tmp_path)
    await desk.go()
    rollout = desk.rollout
    slow_disk(rollout, rng, desk.clock)
    inner = rollout.course.recorder._aside

    async def aside(call: Callable[..., Any], *args: Any) -> Any:
        if rng.random() < 0.2:
            await desk.clock.sleep_until(desk.clock.monotonic() + rng.random())
            raise RecordUnusable("no")
        return await inner(call, *args)

    rollout.course.recorder._aside = aside

    async def write() -> None:
        for _ in range(12):
            await desk.clock.sleep_until(desk.clock.monotonic() + 3 * rng.random())
            try:
                await getattr(rollout, rng.choice(VERBS))(LENA)
            except PointsmanError:
                continue
            read(desk.record.read_bytes())

    running = asyncio.create_task(rollout.run())
    await asyncio.gather(*(write() for _ in range(8)))
    rollout.course.recorder._aside = inner
    await desk.clock.sleep_until(desk.clock.monotonic() + 10.0)
    running.cancel()
    await asyncio.wait([running])
    head = read(desk.record.read_bytes()).entries[-1]
    status = rollout.status()
    assert (status.stage, status.share, status.state) == (head.stage, head.share, head.now)
    assert status.alarm == ""
    await rollout.close()


@pytest.mark.real_loop
async def test_a_rollback_wins_with_real_threads_and_a_real_file(tmp_path):
    """Eight writers at once, ten times over; the record can be read by others all the while."""
    desk = Desk(tmp_path)
    force = Order(actor="lena", reason="because", force=True)
    await desk.go()
    done = threading.Event()
    seen = 0

    def read_all_the_while() -> None:
        nonlocal seen
        while not done.is_set():
            read(desk.record.read_bytes())
            seen += 1

    reader = threading.Thread(target=read_all_the_while)
    reader.start()
    try:
        for _ in range(10):
            await desk.go("start", "promote")
            verbs = ["promote", "promote", "pause", "promote", "rollback", "resume", "promote", "rollback"]
            calls = [getattr(desk.rollout, verb)(force) for verb in verbs]
            await asyncio.gather(*calls, return_exceptions=True)
            assert (desk.stage, desk.lanes()) == ("rolled_back", {"legacy": 1000})
            assert read(desk.record.read_bytes()).entries[-1].event == "rollback"
            await desk.go("ack")
    finally:
        done.set()
        reader.join()
    assert seen > 0
    await desk.rollout.close()


@pytest.mark.parametrize("seed", range(6))
async def test_a_restart_finds_what_was_in_force_at_every_step(tmp_path, seed):
    """A random walk with a restart after each step: the same stage, the same share, the same keys."""
    rng = random.Random(seed)
    desk = Desk(tmp_path)
    await desk.go("start")
    for _ in range(40):
        await desk.go(rng.choice(desk.rollout.status().allowed))
        before, keys = desk.rollout.status(), desk.lanes(200)
        desk = await desk.again()
        after = desk.rollout.status()
        assert (after.state, after.stage, after.share) == (before.state, before.stage, before.share)
        assert (after.rollout_id, after.history_head) == (before.rollout_id, before.history_head)
        assert desk.lanes(200) == keys
    await desk.rollout.close()


async def test_a_restart_from_any_prefix_never_raises_the_share(tmp_path):
    """Cut off at every byte, as a loss of power would: what the last whole line says, or rolled back."""
    desk = Desk(tmp_path / "a")
    await desk.go("start", "promote", "promote", "rollback", "ack", "start", "promote")
    data = desk.record.read_bytes()
    await desk.rollout.close()
    for length in range(0, len(data) + 1, 29):
        where = Desk(tmp_path / "b")
        where.record.parent.mkdir(parents=True, exist_ok=True)
        where.record.write_bytes(data[:length])
        await where.rollout.open()
        entries, _, good_bytes, torn_bytes = read(data[:length])
        status = where.rollout.status()
        assert status.alarm == ""
        back = torn_bytes > 0 and may_be_rollback(data[good_bytes:length])
        assert status.share == (entries[-1].share if entries and not back else 0.0)
        assert where.record.read_bytes() == data[:good_bytes]
        await where.rollout.close()


@pytest.mark.parametrize("back_s", [60.0, 86_400.0 * 365])
async def test_a_wall_clock_that_steps_back_shortens_no_stage(tmp_path, back_s):
    """In one process it does not matter at all; over a restart it makes the stage younger, never older."""
    desk = Desk(tmp_path, min_shadow_s=3600.0)
    await desk.go("start")
    desk.clock.shift_wall(-back_s)
    await desk.clock.sleep_until(desk.clock.monotonic() + 3590.0)
    with pytest.raises(Conflict, match="in 10 s"):
        await desk.rollout.promote(LENA)
    desk = await desk.again(min_shadow_s=3600.0)
    assert desk.rollout.status().alarm == ""
    with pytest.raises(Conflict, match=r"has lasted 3530 s" if back_s == 60.0 else r"has lasted 0 s"):
        await desk.rollout.promote(LENA)
    await desk.clock.sleep_until(desk.clock.monotonic() + 3600.0)
    assert (await desk.rollout.promote(LENA)).stage == "partial-25"
    entries = desk.rollout.history()
    assert entries[0].at < entries[1].at + 7200.0
    await desk.rollout.close()


async def test_a_stage_is_as_old_as_its_beginning_not_as_its_last_pause(tmp_path):
    """Over a restart too."""
    desk = Desk(tmp_path, min_shadow_s=3600.0)
    await desk.go("start")
    await desk.clock.sleep_until(desk.clock.monotonic() + 3000.0)
    began = desk.rollout.status().since
    await desk.go("pause", "resume")
    desk = await desk.again(min_shadow_s=3600.0)
    assert desk.rollout.status().since == began
    with pytest.raises(Conflict, match="in 600 s"):
        await desk.rollout.promote(LENA)
    await desk.rollout.close()


async def test_the_record_of_a_process_that_was_killed_is_free_again(tmp_path):
    """The lock goes with the process; nothing has to be cleared away by hand."""
    desk = Desk(tmp_path)
    await desk.go("start")
    other = RecordFile(desk.record)
    with pytest.raises(RecordUnusable, match="holds it"):
        other.open("me")
    desk.rollout.course.recorder.close()
    assert other.open("me") == desk.record.read_bytes()
    other.close()
