"""Which line answers which message, against a small model of what a child may say."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.outcome import Failure
from pointsman.transports.answers import MAX_GARBAGE_RUN, Answers, Lost
from pointsman.transports.lines import Line


def line(**fields: Any) -> Line:
    """A line of output."""
    return Line(json.dumps(fields).encode())


async def test_a_line_answers_the_message_it_names() -> None:
    """In any order."""
    answers = Answers("child")
    first, second = answers.expect("a", 1), answers.expect("b", 1)
    assert answers.take(line(id="b", text="for b"))
    assert answers.take(line(id="a", text="for a"))
    assert (await first, await second) == ({"id": "a", "text": "for a"}, {"id": "b", "text": "for b"})
    assert len(answers) == 0


async def test_events_are_no_answers() -> None:
    """However many come."""
    answers = Answers("child")
    waiting = answers.expect("a", 1)
    for _ in range(3 * MAX_GARBAGE_RUN):
        assert answers.take(line(id="a", event="progress", pct=1))
    assert not waiting.done()
    assert answers.garbage_lines == 0


async def test_an_echoed_attempt_fences_late_answers() -> None:
    """The answer to attempt 1 is not taken for that to attempt 2."""
    answers = Answers("child")
    answers.expect("a", 1)
    answers.give_up("a", 1)
    second = answers.expect("a", 2)
    assert answers.take(line(id="a", attempt=1, text="late"))
    assert not second.done()
    assert answers.take(line(id="a", attempt=2, text="right"))
    assert (await second)["text"] == "right"  # type: ignore[call-overload]


async def test_without_an_echo_the_id_alone_counts() -> None:
    """A late answer then answers the next attempt, which asked for the same."""
    answers = Answers("child")
    answers.expect("a", 1)
    answers.give_up("a", 1)
    second = answers.expect("a", 2)
    assert answers.take(line(id="a", text="late"))
    assert (await second)["text"] == "late"  # type: ignore[call-overload]


async def test_late_lines_about_a_message_given_up_are_no_garbage() -> None:
    """The child has not been told."""
    answers = Answers("child")
    answers.expect("a", 1)
    answers.give_up("a", 1)
    for _ in range(3 * MAX_GARBAGE_RUN):
        assert answers.take(line(id="a", event="progress"))
    assert answers.garbage_lines == 0


async def test_giving_up_an_older_attempt_does_not_touch_the_newer() -> None:
    """Its own clean-up may come late."""
    answers = Answers("child")
    older = answers.expect("a", 1)
    newer = answers.expect("a", 2)
    assert await older == Lost(Failure.LEASE_LOST, "attempt 2 at the same message was begun")
    answers.give_up("a", 1)
    answers.take(line(id="a", text="yes"))
    assert newer.done()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Starting up...",
        b"[]",
        b"17",
        b'"a"',
        b"{}",
        b'{"id": 7}',
        b'{"id": null}',
        b'{"id": ["a"]}',
        b'{"id": "z"}',
        b"\xff",
    ],
)
async def test_other_lines_are_counted_and_the_first_of_a_run_is_logged(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """So that a chatty child does not fill the log."""
    answers = Answers("my-agent")
    with caplog.at_level(logging.WARNING, "pointsman.transports"):
        for _ in range(5):
            assert answers.take(Line(data))
    assert answers.garbage_lines == 5
    (record,) = caplog.records
    assert record.getMessage().startswith("my-agent wrote a line that answers nothing: ")


async def test_too_much_garbage_in_a_row_ends_the_child() -> None:
    """A good line begins the count anew."""
    answers = Answers("child")
    answers.expect("a", 1)
    answers.expect("b", 1)
    for _ in range(MAX_GARBAGE_RUN):
        assert answers.take(Line(b"noise"))
    assert answers.take(line(id="a", text="good"))
    for _ in range(MAX_GARBAGE_RUN):
        assert answers.take(Line(b"noise"))
    assert not answers.take(Line(b"noise"))


async def test_an_answer_too_long_is_lost_and_not_the_child() -> None:
    """If its beginning says whose it is."""
    answers = Answers("child")
    waiting = answers.expect("a", 1)
    assert answers.take(Line(b'{"attempt": 1, "id" : "a", "text": "xxxxxx', whole=False))
    lost = await waiting
    assert isinstance(lost, Lost)
    assert lost.reason is Failure.WORKER_GARBAGE
    assert "longer than a line may be" in lost.detail
    assert answers.garbage_lines == 0
    assert answers.take(Line(b"xxxxx", whole=False))
    assert answers.take(Line(b'{"id": "z", "text": "xxxxxx', whole=False))
    assert answers.garbage_lines == 2


async def test_the_end_of_the_child_loses_all_it_had() -> None:
    """Each of its messages is told the same."""
    answers = Answers("child")
    both = [answers.expect("a", 1), answers.expect("b", 1)]
    lost = Lost(Failure.WORKER_CLOSED, "gone")
    answers.lose_all(lost)
    assert await asyncio.gather(*both) == [lost, lost]
    assert len(answers) == 0


async def test_what_is_remembered_of_messages_given_up_is_bounded() -> None:
    """The oldest are forgotten."""
    answers = Answers("child")
    for number in range(5000):
        answers.expect(str(number), 1)
        answers.give_up(str(number), 1)
    assert len(answers._given_up) == 1024
    assert answers.take(line(id="4999", text="late"))
    assert answers.garbage_lines == 0
    assert answers.take(line(id="0", text="very late"))
    assert answers.garbage_lines == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["expect", "give_up", "answer", "echoed", "event", "noise"]),
        st.sampled_from("abc"),
        st.integers(1, 3),
    ),
    max_size=40,
)


@given(STEPS)
async def test_every_message_gets_its_own_answer_or_none(steps: list[tuple[str, str, int]]) -> None:
    """Against a dictionary that does the same by the letter of the rules."""
    answers = Answers("child")
    waiting: dict[str, int] = {}
    futures: dict[tuple[str, int], Any] = {}
    expected: dict[tuple[str, int], str] = {}
    for stamp, (what, name, attempt) in enumerate(steps):
        if what == "expect":
            if name in waiting:
                expected[name, waiting[name]] = "superseded"
            futures[name, attempt] = answers.expect(name, attempt)
            expected.pop((name, attempt), None)
            waiting[name] = attempt
        elif what == "give_up":
            answers.give_up(name, attempt)
            if waiting.get(name) == attempt:
                del waiting[name]
        elif what == "noise":
            answers.take(Line(b"noise"))
        else:
            echo = {"attempt": attempt} if what == "echoed" else {}
            extra = {"event": "progress"} if what == "event" else {}
            answers.take(line(id=name, text=str(stamp), **echo, **extra))
            if what != "event" and name in waiting and (not echo or waiting[name] == attempt):
                expected[name, waiting.pop(name)] = str(stamp)
    assert len(answers) == len(waiting)
    for key, future in futures.items():
        assert future.done() is (key in expected)
        if future.done():
            result = future.result()
            assert expected[key] == ("superseded" if isinstance(result, Lost) else result["text"])
