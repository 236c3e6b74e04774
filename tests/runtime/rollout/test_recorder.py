"""The record as its conductor uses it: what is on the disk is what is in memory, and a bad one is an alarm."""

from __future__ import annotations

import pytest

from pointsman.core.rollout.record import read
from pointsman.core.rollout.stages import BEGINNING, partial, step
from pointsman.model.errors import RecordUnusable
from pointsman.model.rollout import Order
from pointsman.runtime.rollout.recorder import Recorder

LENA = Order(actor="lena", reason="because", ref="PR #1")


async def opened(path) -> Recorder:
    """Return a recorder that has read its file."""
    recorder = Recorder(path)
    await recorder.open()
    return recorder


async def start(recorder: Recorder) -> None:
    """Write a first step."""
    now = step(BEGINNING, "start", (0.5,))
    await recorder.write(recorder.draft(BEGINNING, now, "start", LENA, 1.0, None))


async def test_what_is_in_memory_is_what_another_one_reads(tmp_path):
    """Numbers and chain are its own doing; what belongs to the rollout is carried on."""
    recorder = await opened(tmp_path / "record")
    assert (recorder.head, recorder.next_seq, recorder.alarm) == (None, 1, "")
    await start(recorder)
    shadow = step(BEGINNING, "start", (0.5,))
    draft = recorder.draft(shadow, partial(0.5), "promote", Order(actor="omar"), 2.0, 0.0, forced=True)
    await recorder.write(draft)
    assert (draft.seq, draft.ref, draft.rollout_id) == (2, "PR #1", recorder.entries[0].rollout_id)
    recorder.close()
    again = await opened(tmp_path / "record")
    assert again.entries == recorder.entries == read((tmp_path / "record").read_bytes()).entries
    assert again.head == draft
    again.close()


async def test_what_fails_to_be_written_is_not_in_memory_either(tmp_path):
    """The same number is given again."""
    recorder = await opened(tmp_path / "record")
    await start(recorder)
    recorder.close()
    with pytest.raises(RecordUnusable):
        await start(recorder)
    assert (len(recorder.entries), recorder.next_seq, recorder.tampered) == (1, 2, False)


async def test_a_held_file_may_heal_and_a_damaged_one_may_not(tmp_path):
    """The one is tried again by itself; the other waits for somebody who looks."""
    first = await opened(tmp_path / "record")
    second = await opened(tmp_path / "record")
    assert "holds it" in second.alarm
    assert second.may_heal
    await start(first)
    first.close()
    await second.open()
    assert (second.alarm, second.may_heal, len(second.entries)) == ("", False, 1)
    second.close()
    (tmp_path / "record").write_bytes(b"hello\n")
    third = await opened(tmp_path / "record")
    assert "line 1 is none of ours" in third.alarm
    assert "move it away to begin anew" in third.alarm
    assert (third.may_heal, third.tampered, third.entries) == (False, False, [])
    third.close()
