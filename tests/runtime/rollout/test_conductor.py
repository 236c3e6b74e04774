"""The rollout as everybody else meets it: verbs, lanes, kill switches, the guard, records not to be believed."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any, cast

import pytest

from pointsman.core.rollout.record import read
from pointsman.model.errors import Conflict, Locked, RecordUnusable, TooEarly, UsageError
from pointsman.model.events import FellBackToLegacy, Mirrored, SecurityIncident
from pointsman.model.rollout import Assignment, Lane, Order, State, Why
from pointsman.model.settings_operations import GuardSettings, RolloutSettings, ShadowSettings
from pointsman.runtime.clock import SystemClock
from pointsman.runtime.observers import Observers
from pointsman.runtime.rollout.conductor import Rollout
from pointsman.sim import SimClock
from tests.runtime.rollout.desk import LENA, QUICK, Desk

GUARD = GuardSettings(window=100, min_messages=30, min_clients=3)


async def test_from_the_first_look_to_the_last_message(tmp_path):
    """Each verb leads one stage on, and messages follow it at once."""
    desk = Desk(tmp_path)
    await desk.go()
    assert desk.lanes() == {"legacy": 1000}
    wanted = [
        ("start", "shadow", Lane.BOTH, 0.1),
        ("promote", "partial-25", Lane.CANDIDATE, 0.25),
        ("promote", "partial-50", Lane.CANDIDATE, 0.5),
        ("promote", "partial-75", Lane.CANDIDATE, 0.75),
        ("promote", "full", Lane.CANDIDATE, 1.0),
        ("promote", "completed", Lane.CANDIDATE, 1.0),
        ("rollback", "rolled_back", Lane.LEGACY, 1.0),
        ("ack", "disabled", Lane.LEGACY, 1.0),
    ]
    for verb, stage, lane, share in wanted:
        status = await desk.go(verb)
        assert status.stage == stage
        assert abs(desk.lanes()[lane.value] / 1000 - share) < 0.05
        assert status.history_head == desk.rollout.history(1)[0]
    assert desk.moves() == [verb for verb, *_ in wanted]
    assert [entry.seq for entry in desk.rollout.history()] == list(range(8, 0, -1))
    assert [entry.seq for entry in desk.rollout.history(3)] == [8, 7, 6]
    assert desk.rollout.history(0) == []
    await desk.rollout.close()


async def test_a_retry_begins_with_the_same_keys(tmp_path):
    """Another rollout with an id of its own, after a rollback, after a restart: the salt is that of the first."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote")
    keys = [desk.rollout.look_up(f"key-{number}", client="a") for number in range(500)]
    first = desk.rollout.status().rollout_id
    await desk.go("rollback", "ack", "start", "promote")
    assert desk.rollout.status().rollout_id != first
    assert [desk.rollout.look_up(f"key-{number}", client="a") for number in range(500)] == keys
    desk = await desk.again()
    assert [desk.rollout.look_up(f"key-{number}", client="a") for number in range(500)] == keys
    await desk.rollout.close()


async def test_what_is_known_of_a_rollout_goes_with_it(tmp_path):
    """Its reference stays until another one is named; who, when and why stand in each entry."""
    desk = Desk(tmp_path)
    await desk.go()
    await desk.rollout.start(Order(actor="lena", reason="try it", ref="PR #234"))
    await desk.rollout.promote(Order(actor="omar"))
    for number in range(8):
        desk.rollout.assign(f"key-{number}", client="a", path="")
    await desk.rollout.pause(Order(actor="lena", reason="lunch"))
    newest, middle, oldest = desk.rollout.history()
    assert (oldest.actor, oldest.reason, oldest.ref, oldest.realised_share) == ("lena", "try it", "PR #234", None)
    assert (middle.actor, middle.ref, middle.was, middle.now) == ("omar", "PR #234", State.SHADOW, State.PARTIAL)
    assert newest.stage == "partial-25"
    assert newest.realised_share == desk.rollout.status().realised_share
    assert desk.rollout.status().ref == "PR #234"
    await desk.go("rollback", "ack", "start")
    assert desk.rollout.status().ref == ""
    await desk.rollout.close()


async def test_no_words_keep_a_rollback_from_the_record(tmp_path):
    """Text that UTF-8 cannot say, or that never ends, is written as far as it can be."""
    desk = Desk(tmp_path)
    await desk.go("start")
    status = await desk.rollout.rollback(Order(actor="\ud800", reason="x" * 100_000, ref="a\nb"))
    assert status.alarm == ""
    entry = (await desk.again()).rollout.history(1)[0]
    assert (entry.actor, entry.reason, entry.ref) == ("?", "x" * 2_000, "a\nb")


async def test_messages_are_counted_by_lane_until_the_stage_ends(tmp_path):
    """Asking who would answer counts nothing; a pause does not begin anew."""
    desk = Desk(tmp_path, stages=[0.5])
    await desk.go("start", "promote")
    for number in range(1000):
        desk.rollout.assign(f"key-{number}", client="a", path="/")
        desk.rollout.look_up(f"key-{number}", client="a")
    await desk.go("pause", "resume")
    status = desk.rollout.status()
    assert sum(status.messages.values()) == 1000
    assert status.realised_share == status.messages["candidate"] / 1000
    assert abs(status.realised_share - 0.5) < 0.05
    assert (await desk.go("promote")).messages == {"legacy": 0, "candidate": 0, "both": 0}
    await desk.rollout.close()


async def test_a_stage_below_its_minimum_time_is_not_left(tmp_path):
    """But by force with a reason, which the record keeps; force after that time is none."""
    desk = Desk(tmp_path, min_shadow_s=100.0, min_stage_s=50.0)
    await desk.go("start")
    with pytest.raises(TooEarly, match="in 100 s"):
        await desk.rollout.promote(LENA)
    force = Order(actor="lena", reason="urgent", force=True)
    assert (await desk.rollout.promote(force)).stage == "partial-25"
    assert desk.rollout.history(1)[0].forced
    await desk.clock.sleep_until(desk.clock.monotonic() + 50.0)
    assert (await desk.rollout.promote(force)).stage == "partial-50"
    assert not desk.rollout.history(1)[0].forced
    with pytest.raises(TooEarly):
        await desk.rollout.promote(LENA)
    with pytest.raises(UsageError):
        await desk.rollout.promote(Order(force=True))
    assert desk.stage == "partial-50"
    await desk.rollout.close()


async def test_a_number_that_is_not_the_newest_is_a_conflict_and_a_rollback_does_not_care(tmp_path):
    """Nobody acts on what they did not see, but to go back."""
    desk = Desk(tmp_path)
    await desk.go("start")
    with pytest.raises(Conflict, match="expected_seq"):
        await desk.rollout.promote(Order(actor="lena", expected_seq=0))
    await desk.rollout.promote(Order(actor="lena", expected_seq=1))
    assert (await desk.rollout.rollback(Order(actor="lena", expected_seq=1))).state is State.ROLLED_BACK
    await desk.rollout.close()


async def test_to_roll_back_twice_is_harmless_and_from_nothing_a_conflict(tmp_path):
    """One entry; and where nothing is under way somebody is told that everything is at the legacy already."""
    desk = Desk(tmp_path)
    await desk.go()
    with pytest.raises(Conflict, match="nothing is under way"):
        await desk.rollout.rollback(LENA)
    await desk.go("start", "rollback", "rollback")
    assert [entry.event for entry in desk.rollout.history()] == ["rollback", "start"]
    with pytest.raises(Locked):
        await desk.rollout.start(LENA)
    await desk.rollout.close()


async def test_a_pause_keeps_its_share_and_the_guard(tmp_path):
    """Nothing is promoted; messages go on as they did; failures still roll back."""
    desk = Desk(tmp_path, guard=GUARD)
    await desk.go("start", "promote")
    lanes = desk.lanes()
    await desk.go("pause")
    assert desk.lanes() == lanes
    with pytest.raises(Conflict, match="legal now: resume, rollback"):
        await desk.rollout.promote(LENA)
    for number in range(40):
        desk.end(f"client-{number % 7}", well=False)
    assert desk.stage == "rolled_back"
    await desk.rollout.close()


async def test_the_guard_rolls_back_at_once_and_locks(tmp_path):
    """The next message is the legacy's; the record says by whom, why, and with what figures."""
    desk = Desk(tmp_path, guard=GUARD)
    await desk.go("start", "promote", "promote")
    running = asyncio.create_task(desk.rollout.run())
    for number in range(29):
        desk.end(f"client-{number % 7}", well=False)
    assert desk.rollout.status().verdicts[0].verdict == "no_data"
    assert desk.lanes()["candidate"] > 400
    desk.end("client-0", well=False)
    assert (desk.lanes(), desk.moves()[-1]) == ({"legacy": 1000}, "trip")
    desk.end("client-0", well=False)
    await desk.clock.sleep_until(desk.clock.monotonic() + 0.1)
    entry = read(desk.record.read_bytes()).entries[-1]
    assert (entry.event, entry.actor, entry.was, entry.now) == ("trip", "guard", State.PARTIAL, State.ROLLED_BACK)
    assert entry.reason == "30 of the last 30 messages went wrong, 100.00%; the limit is 1.50%"
    assert (entry.evidence["gate"], entry.evidence["bad"], entry.evidence["clients"]) == ("error", 30, 7)
    with pytest.raises(Locked, match="rolled back by guard: 30 of the last 30"):
        await desk.rollout.start(LENA)
    await desk.go("ack", "start")
    assert desk.rollout.status().verdicts[0].messages == 0
    running.cancel()
    await desk.rollout.close()


@pytest.mark.parametrize("verbs", [(), ("start",), ("start", *["promote"] * 5), ("start", "promote", "rollback")])
async def test_the_guard_looks_only_where_it_could_roll_back(tmp_path, verbs):
    """Not before the candidate answers, and not when the rollout is completed and the old router may be gone."""
    desk = Desk(tmp_path, guard=GUARD)
    await desk.go(*verbs)
    stage = desk.stage
    for number in range(100):
        desk.end(f"client-{number}", well=False)
    assert (desk.stage, desk.rollout.status().verdicts[0].messages) == (stage, 0)
    await desk.rollout.close()


async def test_messages_of_another_lane_are_none_of_the_guards_business(tmp_path):
    """However many of them fail."""
    desk = Desk(tmp_path, guard=GUARD)
    await desk.go("start", "promote")
    for number in range(100):
        desk.end(f"client-{number}", well=False, lane="")
    assert desk.stage == "partial-25"
    await desk.rollout.close()


async def test_fallbacks_and_the_shadow_are_counted(tmp_path):
    """By reason, and by kind; a fallback for something new counts for the guard too."""
    desk = Desk(tmp_path)
    await desk.go("start")
    desk.rollout.observe(Mirrored(0.0, "compared", "match"))
    await desk.go("promote")
    desk.rollout.observe(FellBackToLegacy(0.0, "a", "internal"))
    desk.rollout.observe(FellBackToLegacy(0.0, "a", "queue_full"))
    status = desk.rollout.status()
    assert status.fallbacks == {"internal": 1, "queue_full": 1}
    assert status.shadow == {"sampled": 1, "compared": 1, "dropped": 0, "timed_out": 0, "match": 1}
    assert (status.verdicts[0].bad, status.verdicts[0].messages) == (1, 1)
    await desk.rollout.close()


@pytest.mark.parametrize("text", ["smoke in the room\nsecond line", "", "\xff\xfe"])
async def test_a_kill_file_holds_everything_within_a_second(tmp_path, text):
    """It is a rollback by `kill_file`; nothing goes forward until it is gone and somebody has acknowledged."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote", "promote")
    running = asyncio.create_task(desk.rollout.run())
    await desk.clock.sleep_until(desk.clock.monotonic() + 10.3)
    assert desk.lanes()["candidate"] > 400
    desk.kill_file.write_bytes(text.encode("latin-1"))
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    assert desk.rollout.look_up("key", client="a") == Assignment(Lane.LEGACY, Why.KILLED)
    entry = read(desk.record.read_bytes()).entries[-1]
    assert (entry.event, entry.actor) == ("rollback", "kill_file")
    assert entry.reason.startswith("smoke in the room" if "smoke" in text else "")
    assert "second" not in entry.reason
    status = desk.rollout.status()
    assert (status.state, status.allowed, status.killed[:10]) == (State.ROLLED_BACK, [], "kill_file:")
    with pytest.raises(Locked, match="take that away first"):
        await desk.rollout.ack(LENA)
    desk.kill_file.unlink()
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    assert (desk.rollout.status().killed, desk.rollout.look_up("key", client="a").why) == ("", Why.DISABLED)
    assert (await desk.go("ack", "start")).stage == "shadow"
    running.cancel()
    await desk.rollout.close()


@pytest.mark.real_loop
async def test_work_that_hangs_elsewhere_delays_no_kill(tmp_path):
    """The threads of the event loop may all be taken, by look-ups of names or by the program around us."""
    desk = Desk(tmp_path, clock=cast(Any, SystemClock()))
    await desk.go("start", "promote")
    free = threading.Event()
    hanging = [asyncio.create_task(asyncio.to_thread(free.wait)) for _ in range(64)]
    running = asyncio.create_task(desk.rollout.run())
    desk.kill_file.write_text("smoke")
    try:
        async with asyncio.timeout(10.0):
            while not any(one.actor == "kill_file" for one in desk.rollout.history()):  # noqa: ASYNC110 - a real clock
                await asyncio.sleep(0)
        assert not any(one.done() for one in hanging)
    finally:
        free.set()
        running.cancel()
        await asyncio.gather(running, *hanging, return_exceptions=True)
        await desk.rollout.close()


async def test_a_disk_that_never_answers_gathers_no_work(tmp_path):
    """A rollback is tried again by whoever ordered it and by one beside, for as long as it takes."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote")

    async def never(call: Any, *args: Any) -> None:
        await asyncio.Event().wait()

    desk.rollout.course.recorder._aside = never
    running = asyncio.create_task(desk.rollout.run())
    await desk.rollout.rollback(LENA)
    await desk.clock.sleep_until(desk.clock.monotonic() + 1_000.0)
    left = asyncio.all_tasks() - {running, asyncio.current_task()}
    assert len(left) <= 2
    assert "the disk does not answer" in desk.rollout.status().alarm
    for task in (running, *left):
        task.cancel()
    await asyncio.gather(running, *left, return_exceptions=True)


async def test_a_kill_file_that_is_there_at_the_start_is_obeyed_before_the_first_message(tmp_path):
    """Not a second later."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote")
    desk.kill_file.write_text("no")
    desk = await desk.again()
    assert desk.lanes() == {"legacy": 1000}
    await desk.rollout.close()
    assert read(desk.record.read_bytes()).entries[-1].actor == "kill_file"


async def test_the_environment_kills_as_a_file_does(tmp_path):
    """Until the process is started again without it, and somebody has acknowledged."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote")
    desk.rollout.course.recorder.close()
    killed = Desk(tmp_path, clock=desk.clock, kill="1")
    await killed.rollout.open()
    assert killed.rollout.look_up("key", client="a").why is Why.KILLED
    assert killed.rollout.history(1)[0].event == "promote"
    await killed.rollout.close()
    assert killed.rollout.history(1)[0].actor == "environment"
    after = await killed.again()
    assert after.stage == "rolled_back"
    assert (await after.go("ack")).stage == "disabled"
    await after.rollout.close()


async def test_a_kill_before_anything_is_under_way_holds_and_needs_no_acknowledgement(tmp_path):
    """There is nothing to roll back, and nothing can begin while it is there."""
    desk = Desk(tmp_path, kill="yes")
    await desk.go()
    with pytest.raises(Locked, match="environment: POINTSMAN_ROLLOUT_KILL=yes"):
        await desk.rollout.start(LENA)
    assert desk.rollout.history() == []
    await desk.rollout.close()


async def test_a_kill_stops_what_is_being_written(tmp_path):
    """A start that reaches the disk while the switch is pulled mirrors nothing, and is rolled back."""
    desk = Desk(tmp_path)
    await desk.go()
    let = asyncio.Event()

    async def aside(call: Any, *args: Any) -> Any:
        await let.wait()
        return call(*args)

    desk.rollout.course.recorder._aside = aside
    running = asyncio.create_task(desk.rollout.run())
    start = asyncio.create_task(desk.rollout.start(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 0.5)
    desk.kill_file.write_text("stop")
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    let.set()
    assert isinstance((await asyncio.gather(start, return_exceptions=True))[0], Conflict)
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.5)
    assert desk.moves() == ["rollback"]
    assert [entry.event for entry in desk.rollout.history()] == ["rollback", "start"]
    running.cancel()
    await desk.rollout.close()


async def test_a_kill_while_somebody_acknowledges_does_not_part_memory_and_disk(tmp_path):
    """What was on its way to the disk is in force; nothing but the legacy answers, and the record can be read."""
    desk = Desk(tmp_path)
    await desk.go("start", "rollback")
    let = asyncio.Event()

    async def aside(call: Any, *args: Any) -> Any:
        await let.wait()
        return call(*args)

    desk.rollout.course.recorder._aside = aside
    running = asyncio.create_task(desk.rollout.run())
    ack = asyncio.create_task(desk.rollout.ack(LENA))
    await desk.clock.sleep_until(desk.clock.monotonic() + 0.5)
    desk.kill_file.write_text("stop")
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.0)
    let.set()
    await ack
    assert desk.stage == read(desk.record.read_bytes()).entries[-1].stage == "disabled"
    assert desk.lanes() == {"legacy": 1000}
    running.cancel()
    await desk.rollout.close()


async def expect_alarm(desk: Desk, words: str, *, incident: bool, heals: bool = False) -> None:
    """See that everything is the legacy's, that every verb says why, and whether it is an incident."""
    status = desk.rollout.status()
    assert words in status.alarm
    assert (status.allowed, status.share) == ([], 0.0)
    assert desk.rollout.look_up("key", client="a") == Assignment(Lane.LEGACY, Why.ERROR)
    assert desk.rollout.serves_legacy_only
    for verb in ("start", "promote", "pause", "resume", "ack", *([] if heals else ["rollback"])):
        with pytest.raises(Conflict) as refusal:
            await getattr(desk.rollout, verb)(LENA)
        assert words in str(refusal.value)
    incidents = [event.kind for event in desk.events if isinstance(event, SecurityIncident)]
    assert incidents == (["record_tampered"] if incident else [])


@pytest.mark.parametrize(
    ("damage", "words", "incident"),
    [
        (lambda data: data.replace(b'"share":0.25', b'"share":0.95'), "line 2 was changed after it was written", True),
        (lambda data: b"\n".join(data.split(b"\n")[1:]), "line 1 is step 2", True),
        (lambda data: data + b"hello\n", "line 4 is none of ours", False),
        (lambda data: b"\x00" * len(data) + b"\n", "line 1 is none of ours", False),
        (lambda data: b'{"v":9}\n', "line 1 is of version 9", False),
    ],
)
async def test_a_record_that_cannot_be_believed_leaves_everything_to_the_legacy(tmp_path, damage, words, incident):
    """It says which line and why, touches nothing, and tells of an incident where somebody has changed it."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote", "promote")
    data = damage(desk.record.read_bytes())
    desk.record.write_bytes(data)
    desk = await desk.again()
    await expect_alarm(desk, words, incident=incident)
    assert desk.record.read_bytes() == data
    await desk.rollout.close()


async def test_a_torn_last_line_is_left_out_and_said(tmp_path, caplog):
    """The stage before it is in force, and the record goes on where it was whole."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote", "promote")
    desk.record.write_bytes(desk.record.read_bytes()[:-30])
    desk = await desk.again()
    assert "the last line was cut off" in caplog.text
    assert (desk.stage, desk.rollout.status().alarm) == ("partial-25", "")
    await desk.go("promote")
    assert (await desk.again()).stage == "partial-50"


async def test_two_processes_on_one_record(tmp_path):
    """The second has an alarm that says who holds it; it never writes, and takes over when the first has ended."""
    first = Desk(tmp_path)
    await first.go("start", "promote")
    second = Desk(tmp_path, clock=first.clock)
    await second.rollout.open()
    running = asyncio.create_task(second.rollout.run())
    await expect_alarm(second, f"process {os.getpid()} on ", incident=False, heals=True)
    before = first.record.read_bytes()
    await first.clock.sleep_until(first.clock.monotonic() + 5.0)
    assert first.record.read_bytes() == before
    await first.go("promote")
    await first.rollout.close()
    await first.clock.sleep_until(first.clock.monotonic() + 1.5)
    assert (second.stage, second.rollout.status().alarm) == ("partial-50", "")
    assert second.lanes()["candidate"] > 400
    await second.go("rollback")
    running.cancel()
    await second.rollout.close()
    assert [entry.event for entry in read(before).entries] == ["start", "promote"]
    assert [entry.seq for entry in read(first.record.read_bytes()).entries] == [1, 2, 3, 4]


@pytest.mark.parametrize("bytes_left", [1, 80, 120, 300])
async def test_a_torn_line_that_may_have_been_a_rollback_is_one(tmp_path, caplog, bytes_left):
    """It was in force before it was written, so a restart must not give the candidate its share back."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote", "promote", "rollback")
    *whole, last = desk.record.read_bytes().splitlines(keepends=True)
    desk.record.write_bytes(b"".join(whole) + last[:bytes_left])
    desk = await desk.again()
    assert "it may have been a rollback" in caplog.text
    assert (desk.stage, desk.lanes()) == ("rolled_back", {"legacy": 1000})
    await desk.rollout.course.flush()
    entry = (await desk.again()).rollout.history(1)[0]
    assert (entry.seq, entry.event, entry.actor) == (4, "rollback", "record")


@pytest.mark.parametrize("data", [b'{"ours": false}', b"\0" * 50, b"x" * 1000, b'{"v":1,"entry":{"seq":2,'])
async def test_a_file_of_somebody_elses_is_not_cut_away(tmp_path, data):
    """Without an end of line too: it is no step that was being written."""
    desk = Desk(tmp_path)
    desk.record.parent.mkdir(parents=True)
    desk.record.write_bytes(data)
    await desk.rollout.open()
    await expect_alarm(desk, "line 1 has no end and is none of ours", incident=False)
    assert desk.record.read_bytes() == data
    await desk.rollout.close()


async def test_who_rolls_back_while_another_process_has_the_record_has_rolled_back(tmp_path):
    """As soon as the record is ours; until then everything is the legacy's anyway."""
    first = Desk(tmp_path)
    await first.go("start", "promote")
    second = Desk(tmp_path, clock=first.clock)
    await second.rollout.open()
    running = asyncio.create_task(second.rollout.run())
    assert "holds it" in (await second.rollout.rollback(LENA)).alarm
    await first.rollout.close()
    while second.rollout.status().alarm:
        assert second.lanes(100) == {"legacy": 100}
        await second.clock.sleep_until(second.clock.monotonic() + 0.1)
    assert (second.stage, second.lanes()) == ("rolled_back", {"legacy": 1000})
    await second.rollout.course.flush()
    assert [entry.event for entry in read(second.record.read_bytes()).entries] == ["start", "promote", "rollback"]
    running.cancel()
    await second.rollout.close()


@pytest.mark.parametrize("change", ["append", "cut", "replace", "remove"])
async def test_a_record_that_somebody_changes_while_it_is_open_is_an_alarm(tmp_path, change):
    """Found before anything is written; the step is not taken, everything goes to the legacy."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote")
    data = desk.record.read_bytes()
    if change == "append":
        desk.record.write_bytes(data + b"x\n")
    elif change == "cut":
        os.truncate(desk.record, 10)
    else:
        desk.record.unlink()
        if change == "replace":
            desk.record.write_bytes(data)
    with pytest.raises(RecordUnusable, match="somebody"):
        await desk.rollout.promote(LENA)
    await expect_alarm(desk, "somebody", incident=True)
    await desk.rollout.close()


async def test_a_rollback_holds_though_somebody_has_changed_the_record(tmp_path):
    """In memory, and by the alarm."""
    desk = Desk(tmp_path)
    await desk.go("start", "promote")
    desk.record.unlink()
    status = await desk.rollout.rollback(LENA)
    assert (status.state, desk.lanes()) == (State.ROLLED_BACK, {"legacy": 1000})
    assert "somebody has taken it away" in status.alarm
    await desk.rollout.close()


async def test_a_directory_that_is_not_there_is_made(tmp_path):
    """With those above it."""
    desk = Desk(tmp_path, record="a/b/c/rollout.jsonl", kill_file="x/y/KILL")
    assert (await desk.go("start")).stage == "shadow"
    assert (await desk.again(record="a/b/c/rollout.jsonl")).stage == "shadow"


async def test_a_record_that_cannot_be_opened_is_an_alarm_until_it_can(tmp_path):
    """Here something else stands in its place; when that is gone it begins without a restart."""
    desk = Desk(tmp_path)
    desk.record.mkdir(parents=True)
    await desk.rollout.open()
    running = asyncio.create_task(desk.rollout.run())
    await expect_alarm(desk, "cannot be used", incident=False, heals=True)
    desk.record.rmdir()
    await desk.clock.sleep_until(desk.clock.monotonic() + 1.5)
    assert (await desk.go("start")).stage == "shadow"
    running.cancel()
    await desk.rollout.close()


async def test_new_settings_are_in_force_with_the_next_message(tmp_path):
    """Exclusions, the guard and least times change while it runs; an old share goes on as it is."""
    desk = Desk(tmp_path, guard=GUARD)
    await desk.go("start", "promote")
    desk.end("a", well=False)
    changed = RolloutSettings(**QUICK, exclude_clients=["bank"], guard=GuardSettings(window=40, min_messages=20))
    desk.rollout.use(changed)
    assert desk.rollout.assign("key", client="bank", path="/").why is Why.EXCLUDED
    assert (desk.rollout.status().verdicts[0].bad, desk.rollout.guard._settings.window) == (1, 40)
    desk.rollout.use(RolloutSettings(min_stage_s=100.0))
    with pytest.raises(TooEarly):
        await desk.rollout.promote(LENA)
    await desk.rollout.close()


async def test_without_a_legacy_everything_is_ours_and_nothing_is_written(tmp_path):
    """No file, no listener, no task that goes on; every verb says what is missing."""
    events: list[Any] = []
    rollout = Rollout(RolloutSettings(), SimClock(), events.append, beside=tmp_path, has_legacy=False)
    observers = Observers()
    rollout.listen(observers)
    await rollout.open()
    await rollout.run()
    assert rollout.assign("key", client="a", path="/") == Assignment(Lane.CANDIDATE, Why.STATIC)
    assert not rollout.serves_legacy_only
    for verb in ("start", "promote", "pause", "resume", "rollback", "ack"):
        with pytest.raises(Conflict, match="there is no old router"):
            await getattr(rollout, verb)(LENA)
    status = rollout.status()
    assert (status.configured, status.allowed, status.alarm) == (False, [], "")
    await rollout.close()
    assert list(tmp_path.iterdir()) == []
    assert observers._listeners == ()


async def test_an_address_of_a_legacy_is_a_legacy(tmp_path):
    """Nothing else has to be said."""
    settings = RolloutSettings(legacy="http://old")
    rollout = Rollout(settings, SimClock(), lambda _: None, beside=tmp_path, has_legacy=False)
    assert rollout.is_configured
    assert rollout.serves_legacy_only


async def test_what_the_status_says_is_what_is_done(tmp_path):
    """The share of the shadow is in it while there is one, and what comes next."""
    desk = Desk(tmp_path, shadow=ShadowSettings(share=0.3), min_shadow_s=5.0, stages=[0.2])
    await desk.go()
    status = await desk.rollout.start(LENA)
    assert (status.shadow_share, status.next_stage, status.stage_min_s) == (0.3, "partial-20", 5.0)
    assert status.since == desk.clock.wall()
    assert not status.locked
    await desk.clock.sleep_until(desk.clock.monotonic() + 5.0)
    assert (await desk.go("promote")).shadow_share == 0.0
    assert (await desk.go("rollback")).locked
    await desk.rollout.close()
