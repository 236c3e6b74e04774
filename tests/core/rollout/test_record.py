"""The lines of a record: read back as they were written, or not believed at all."""

from __future__ import annotations

import random
from hashlib import sha256

import msgspec
import pytest

from pointsman.core.rollout.record import (
    VERSION,
    Damaged,
    digest,
    encode,
    may_be_rollback,
    new_id,
    position_of,
    read,
)
from pointsman.core.rollout.stages import BEGINNING, TRANSITIONS, step
from pointsman.model.rollout import Entry, State

STAGES = (0.25, 0.5, 0.75)


def lines(*events: str, seed: int = 0) -> list[bytes]:
    """Return the lines of a rollout that goes through these events."""
    written: list[bytes] = []
    position, previous = BEGINNING, ""
    for seq, event in enumerate(events, 1):
        now = step(position, event, STAGES)
        entry = Entry(
            seq=seq,
            at=1000.0 + seq,
            rollout_id="r-1",
            event=event,
            was=position.state,
            now=now.state,
            stage=now.stage,
            share=now.share,
            actor="lena",
            reason='so "be" it\nand a line — more',
            evidence={"bad": 3, "share": 0.5, "gate": "error"} if event == "trip" else {},
            realised_share=0.24,
            previous=previous,
        )
        written.append(encode(entry))
        position, previous = now, digest(written[-1])
    return written


def walk(seed: int, count: int) -> list[bytes]:
    """Return the lines of a random walk."""
    rng = random.Random(seed)
    position, events = BEGINNING, []
    for _ in range(count):
        events.append(rng.choice(sorted(TRANSITIONS[position.state])))
        position = step(position, events[-1], STAGES)
    return lines(*events)


WHOLE = ("start", "promote", "promote", "pause", "resume", "promote", "promote", "trip", "ack", "start", "rollback")


def test_what_was_written_is_read_back():
    """Every field of every entry, one line each."""
    written = lines(*WHOLE)
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in written)
    reading = read(b"".join(written))
    assert [entry.event for entry in reading.entries] == list(WHOLE)
    assert [encode(entry) for entry in reading.entries] == written
    assert (reading.head, reading.torn_bytes) == (digest(written[-1]), 0)
    assert reading.good_bytes == len(b"".join(written))


def test_nothing_is_a_record_too():
    """A rollout that nothing is known of is at its beginning."""
    assert read(b"") == ([], "", 0, 0)
    assert position_of(None) == BEGINNING


@pytest.mark.parametrize("seed", range(3))
def test_a_record_cut_off_anywhere_gives_the_state_of_its_last_whole_line(seed):
    """Every prefix, to the byte: never a share above the last that was written, and the rest is said to be torn."""
    written = walk(seed, 12)
    data = b"".join(written)
    ends = [0]
    for line in written:
        ends.append(ends[-1] + len(line))
    whole = [position_of(None), *(position_of(entry) for entry in read(data).entries)]
    for length in range(len(data) + 1):
        reading = read(data[:length])
        count = sum(end <= length for end in ends) - 1
        assert len(reading.entries) == count
        assert position_of(reading.entries[-1] if reading.entries else None) == whole[count]
        assert (reading.good_bytes, reading.torn_bytes) == (ends[count], length - ends[count])


@pytest.mark.parametrize("event", ["rollback", "trip", "promote"])
def test_a_line_cut_off_says_whether_it_may_be_a_rollback(event):
    """As long as its event can be read, by that; before, it may be."""
    line = lines("start", "promote", event)[-1]
    told = line.index(b'"event":"') + len(b'"event":"') + 1
    for length in range(1, told):
        assert may_be_rollback(line[:length])
    for length in range(told, len(line)):
        assert may_be_rollback(line[:length]) == (event != "promote")
    assert may_be_rollback(b"\0" * 300)


def test_a_last_line_that_nobody_began_to_write_is_not_taken_for_one_of_ours():
    """Of another program, of another place in the chain; but zeros, as a loss of power leaves them, are."""
    data = b"".join(lines("start", "promote"))
    for torn in (b"x", b'{"a":1}', encode(read(data).entries[0])[:-1], b"\0x"):
        with pytest.raises(Damaged, match="line 3 has no end and is none of ours"):
            read(data + torn)
    assert read(data + b"\0" * 100).torn_bytes == 100
    with pytest.raises(Damaged, match="line 1 has no end"):
        read(b"\0" * 100)


def test_a_record_of_twenty_thousand_steps_gives_each_state_back():
    """A random walk, read in one go: after each line the rollout is where it was when the line was written."""
    rng = random.Random(0)
    position, previous = BEGINNING, ""
    written, walked = [], []
    for seq in range(1, 20_001):
        event = rng.choice(sorted(TRANSITIONS[position.state]))
        now = step(position, event, STAGES)
        entry = Entry(
            seq=seq,
            at=float(seq),
            rollout_id="r-1",
            event=event,
            was=position.state,
            now=now.state,
            stage=now.stage,
            share=now.share,
            actor="lena",
            previous=previous,
        )
        line = encode(entry)
        written.append(line)
        walked.append(now)
        position, previous = now, digest(line)
    assert [position_of(entry) for entry in read(b"".join(written)).entries] == walked


@pytest.mark.parametrize("seed", range(200))
def test_a_single_byte_changed_anywhere_is_found(seed):
    """Whatever it is changed to, but for the final end of line, which is a torn last line."""
    rng = random.Random(seed)
    data = bytearray(b"".join(lines(*WHOLE)))
    place = rng.randrange(len(data) - 1)
    data[place] = (data[place] + rng.randrange(1, 256)) % 256
    with pytest.raises(
        Damaged, match=f"line {1 + bytes(data[:place]).count(10)} |line {2 + bytes(data[:place]).count(10)} "
    ):
        read(bytes(data))


@pytest.mark.parametrize("place", range(10))
def test_a_line_taken_out_or_put_in_is_found(place):
    """Except at the end, where nothing follows that could tell."""
    written = lines(*WHOLE)
    for changed in (
        [*written[:place], *written[place + 1 :]],
        [*written[:place], written[place], *written[place:]],
        [*written[:place], written[place + 1], written[place], *written[place + 2 :]],
    ):
        with pytest.raises(Damaged, match="were taken out, put in or exchanged") as found:
            read(b"".join(changed))
        assert found.value.tampered


def forged(entry: Entry, **changes: object) -> bytes:
    """Return a line whose own sum is right, with something else in it."""
    return encode(msgspec.structs.replace(entry, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"share": 0.9},
            "is no step that a rollout takes: 'promote' from partial-25 to partial-50 with a share of 0.9",
        ),
        ({"stage": "full", "share": 1.0, "now": State.FULL, "was": State.SHADOW}, "is no step"),
        ({"now": State.COMPLETED, "stage": "completed", "share": 1.0}, "is no step"),
        ({"event": "pause"}, "is no step"),
        ({"previous": "0" * 64}, "does not follow the line before it"),
        ({"seq": 4}, "is step 4, and step 3 belongs there"),
    ],
)
def test_a_line_that_is_forged_with_its_sum_is_found(changes, words):
    """No state is believed that a rollout cannot have come to, nor a line that does not follow the one before."""
    written = lines(*WHOLE)
    third = read(b"".join(written)).entries[2]
    with pytest.raises(Damaged, match=f"line 3 {words}") as found:
        read(b"".join([*written[:2], forged(third, **changes), *written[3:]]))
    assert found.value.tampered


def test_a_line_that_is_forged_with_its_sum_breaks_the_chain_behind_it():
    """Another reason than was given: the line itself looks well, the next one shows it."""
    written = lines(*WHOLE)
    third = read(b"".join(written)).entries[2]
    with pytest.raises(Damaged, match="line 4 does not follow the line before it"):
        read(b"".join([*written[:2], forged(third, reason="I was not here"), *written[3:]]))


def test_a_newer_version_is_not_read():
    """It says so, and is no sign that somebody has changed anything."""
    body = b'{"v":2,"steps":[]}\n'
    with pytest.raises(Damaged, match="line 1 is of version 2 of the format, and this program knows 1") as found:
        read(body)
    assert VERSION == 1
    assert not found.value.tampered


@pytest.mark.parametrize(
    "garbage",
    [b"\n", b"\x00" * 40 + b"\n", b"{}\n", b'{"v":"1"}\n', b"[" * 5000 + b"\n", b'{"v":1,"entry":{},"sum":""}\n'],
)
def test_garbage_is_damage_with_its_line(garbage):
    """Nothing is guessed, and nothing but Damaged is raised."""
    with pytest.raises(Damaged, match="line 3 "):
        read(b"".join([*lines("start", "promote"), garbage]))


def test_an_entry_of_other_fields_is_damage():
    """Its sum is right; it is none of ours all the same."""
    body = b'{"seq":1}'
    line = b'{"v":1,"entry":%s,"sum":"%s"}\n' % (body, sha256(body).hexdigest().encode())
    with pytest.raises(Damaged, match="line 1 is none of ours") as found:
        read(line)
    assert not found.value.tampered


def test_ids_differ_from_rollout_to_rollout():
    """By time, by place, and by what came before."""
    assert len({new_id(1.0, 1, ""), new_id(2.0, 1, ""), new_id(1.0, 2, ""), new_id(1.0, 1, "ab")}) == 4
    assert new_id(1.0, 1, "") == new_id(1.0, 1, "")
