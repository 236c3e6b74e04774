"""Programs as workers: what each line means, and how the child is kept running. `test_conformance` shows the rest."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.testing.attempts import WORKER, RecordingSink, make_attempt
from pointsman.transports.answers import MAX_GARBAGE_RUN
from pointsman.transports.child import Child
from pointsman.transports.subprocess import SubprocessTransport
from tests.transports.raw_server import turn_until

real = pytest.mark.real_loop(timeout_s=30)

# Answers each message with the line that its text is, `ID` standing for the id.
PARROT = """
import json, sys
for line in sys.stdin:
    work = json.loads(line)
    print(work["text"].replace("ID", work["id"]), flush=True)
"""


def program(code: str, **options: Any) -> SubprocessTransport:
    """A transport whose child runs this."""
    options = {"max_in_flight": 4, "grace_s": 20.0, **options}
    return SubprocessTransport([sys.executable, "-I", "-S", "-c", code], **options)


async def ask(transport: SubprocessTransport, text: str, number: int = 1) -> tuple[Outcome, Any]:
    """Send one message; return outcome and reply."""
    attempt = make_attempt(text, number=number)
    outcome = await transport.send(attempt)
    assert isinstance(attempt.reply, RecordingSink)
    return outcome, attempt.reply.value


@real
async def test_each_answer_has_its_meaning() -> None:
    """One child, one line after the other."""
    transport = program(PARROT)
    await transport.open()
    for answer, reply in [
        ('{"id": "ID", "text": "yes"}', {"text": "yes"}),
        ('{"attempt": 1, "text": "yes", "id": "ID", "tokens": 3}', {"text": "yes", "tokens": 3}),
        ('{"id": "ID", "plan": [1]}', {"plan": [1]}),
        ('{"id": "ID", "text": "yes", "error": null}', {"text": "yes", "error": None}),
    ]:
        assert await ask(transport, answer) == (Delivered(WORKER), reply)
    for answer, reason, sent, detail, retry_after_s in [
        ('{"id": "ID", "error": "boom"}', Failure.WORKER_ERROR, True, "boom", None),
        ('{"id": "ID", "error": "boom", "retryable": true}', Failure.WORKER_ERROR, True, "boom", None),
        ('{"id": "ID", "error": "no", "retryable": false}', Failure.MESSAGE_FAULT, True, "no", None),
        (
            '{"id": "ID", "error": "no", "retryable": false, "retry_after_s": 2}',
            Failure.MESSAGE_FAULT,
            True,
            "no",
            None,
        ),
        ('{"id": "ID", "error": "later", "retry_after_s": 2}', Failure.WORKER_BUSY, False, "later", 2.0),
        ('{"id": "ID", "error": "x", "retry_after_s": -1}', Failure.WORKER_ERROR, True, "x", None),
        ('{"id": "ID", "error": "x", "retry_after_s": "soon"}', Failure.WORKER_ERROR, True, "x", None),
        ('{"id": "ID", "error": ""}', Failure.WORKER_ERROR, True, "no explanation", None),
        ('{"id": "ID", "error": {"code": 3}}', Failure.WORKER_ERROR, True, "{'code': 3}", None),
        ('{"id": "ID"}', Failure.WORKER_GARBAGE, True, "the answer has an id but neither text nor error", None),
    ]:
        failed = Failed(reason, detail, WORKER, retry_after_s, sent=sent)
        assert await ask(transport, answer) == (failed, None)
    assert transport.describe()["starts"] == 1
    await transport.close()


@real
async def test_lines_that_answer_nothing_do_no_harm() -> None:
    """They are counted."""
    transport = program(PARROT)
    await transport.open()
    noise = "Loading...\n{}\n\n[1]\n"
    assert await ask(transport, noise + '{"id": "ID", "text": "yes"}') == (Delivered(WORKER), {"text": "yes"})
    assert transport.describe()["garbage_lines"] == 4
    await transport.close()


@real
async def test_a_child_that_only_makes_noise_is_ended_and_started_again() -> None:
    """What it had in hand is garbage; the next message gets a new child."""
    transport = program(PARROT)
    await transport.open()
    outcome, _ = await ask(transport, "noise\n" * (MAX_GARBAGE_RUN + 1))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.WORKER_GARBAGE, True)
    assert "more than 100 lines in a row that answer nothing" in outcome.detail
    assert await ask(transport, '{"id": "ID", "text": "yes"}') == (Delivered(WORKER), {"text": "yes"})
    assert transport.describe()["starts"] == 2
    await transport.close()


@real
async def test_an_answer_too_long_fails_its_message_only() -> None:
    """The child lives on."""
    transport = program(PARROT, max_line_bytes=200)
    await transport.open()
    outcome, _ = await ask(transport, '{"id": "ID", "text": "' + "x" * 1000 + '"}')
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.WORKER_GARBAGE, True)
    assert await ask(transport, '{"id": "ID", "text": "short"}') == (Delivered(WORKER), {"text": "short"})
    assert transport.describe()["starts"] == 1
    await transport.close()


@real
async def test_the_death_of_a_child_loses_all_it_had_in_hand() -> None:
    """Each message is told why, with the child's last words."""
    code = "import sys\nfor _ in range(3): sys.stdin.readline()\nsys.exit('out of memory')"
    transport = program(code)
    await transport.open()
    outcomes = await asyncio.gather(*(transport.send(make_attempt(number=number)) for number in range(3)))
    detail = "the child process ended: it exited with status 1; stderr: out of memory"
    assert outcomes == [Failed(Failure.WORKER_CLOSED, detail, WORKER, sent=True)] * 3
    await transport.close()


@real
async def test_one_message_more_than_allowed_is_refused_as_busy() -> None:
    """The child has not seen it."""
    transport = program(
        "import sys\nprint(sys.stdin.readline() and '{}', flush=True)\nsys.stdin.read()", max_in_flight=1
    )
    await transport.open()
    first = asyncio.create_task(transport.send(make_attempt(number=1)))
    await turn_until(lambda: transport.describe()["garbage_lines"])  # the child has read the first
    outcome, _ = await ask(transport, "second", number=2)
    detail = "the child process has 1 messages in hand already"
    assert outcome == Failed(Failure.WORKER_BUSY, detail, WORKER, sent=False)
    await transport.close()
    lost = await first
    assert isinstance(lost, Failed)
    assert (lost.reason, lost.sent) == (Failure.WORKER_CLOSED, True)


@real
async def test_a_message_the_child_had_no_room_for_was_not_sent() -> None:
    """It waited for the child to read, and the child died."""
    transport = program("import time; time.sleep(3600)")
    await transport.open()
    first = asyncio.create_task(transport.send(make_attempt("x" * 1_000_000, number=1)))
    second = asyncio.create_task(transport.send(make_attempt(number=2)))
    await asyncio.sleep(0)
    child = transport._child
    assert child is not None
    child.kill("test")
    outcomes = await asyncio.gather(first, second)
    assert [(each.reason, each.sent) for each in outcomes if isinstance(each, Failed)] == [
        (Failure.WORKER_CLOSED, True),
        (Failure.WORKER_UNREACHABLE, False),
    ]
    await transport.close()


@real
async def test_a_program_that_cannot_be_started_was_sent_nothing() -> None:
    """The detail names it; the wait before the next try is told."""
    transport = SubprocessTransport(["/nonexistent/agent"], max_in_flight=1)
    await transport.open()
    first, _ = await ask(transport, "hi")
    second, _ = await ask(transport, "hi")
    for outcome in (first, second):
        assert isinstance(outcome, Failed)
        assert (outcome.reason, outcome.sent) == (Failure.WORKER_UNREACHABLE, False)
        assert "cannot start '/nonexistent/agent'" in outcome.detail
        assert outcome.retry_after_s is not None
        assert 0 < outcome.retry_after_s <= 0.5
    assert not await transport.probe()
    assert transport.describe()["starts"] == 0
    await transport.close()


async def test_pauses_between_starts_double_up_to_a_bound() -> None:
    """The first new start may follow at once."""
    transport = SubprocessTransport(["agent"], max_in_flight=1)
    pauses = []
    for _ in range(10):
        transport._pause("it ended")
        pauses.append(transport._not_before - asyncio.get_running_loop().time())
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    for _ in range(5000):
        transport._pause("it ended")


@real
async def test_an_answer_makes_the_next_end_the_first_again() -> None:
    """A child that works for a while and then dies is started again at once."""
    code = (
        "import json, sys\nwork = json.loads(sys.stdin.readline())\nprint(json.dumps({'id': work['id'], 'text': 'ok'}))"
    )
    transport = program(code)
    await transport.open()
    for number in range(4):
        outcome, _ = await ask(transport, "hi", number)
        assert outcome == Delivered(WORKER)
        await turn_until(lambda: transport.describe()["pid"] is None)
    assert transport.describe()["starts"] == 4
    await transport.close()


@real
async def test_a_child_that_ends_as_soon_as_it_starts_does_not_stand_in_the_way() -> None:
    """Its end may be known before its start is; the next one is started all the same."""
    transport = SubprocessTransport(["true"], max_in_flight=1)
    await transport.open()
    for starts in range(2, 6):
        await turn_until(lambda: transport._child is None)
        transport._not_before = 0.0  # the pause is over
        await transport.probe()
        assert transport.describe()["starts"] == starts
    await transport.close()


@real
async def test_a_child_that_ended_while_it_was_started_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late its start is told."""
    start = Child.start

    async def late_start(*arguments: Any) -> Child:
        child = await start(*arguments)
        await child.gone()
        return child

    transport = SubprocessTransport(["true"], max_in_flight=1)
    monkeypatch.setattr(Child, "start", late_start)
    await transport.open()
    assert transport._child is None
    assert not await transport.probe()
    assert transport.describe()["starts"] == 2
    await transport.close()


@real
async def test_the_end_of_a_child_whose_start_was_cancelled_is_not_that_of_its_successor() -> None:
    """Messages of the successor go on."""
    transport = program(PARROT)
    await transport.open()
    waiting = asyncio.create_task(ask(transport, '{"id": "other"}'))
    await turn_until(lambda: transport.describe()["garbage_lines"])
    stray = await Child.start([sys.executable, "-c", ""], transport._take, transport._ended, 1000)
    await stray.gone()
    assert transport.describe()["in_hand"] == 1
    assert transport.describe()["pid"]
    waiting.cancel()
    await asyncio.wait([waiting])
    await transport.close()


@real
async def test_a_cancelled_start_leaves_the_next_one_alone() -> None:
    """Wherever it was cancelled."""
    transport = program(PARROT)
    transport._is_open = True  # opened without its start
    for turns in range(12):
        sending = asyncio.create_task(ask(transport, '{"id": "ID", "text": "ok"}'))
        for _ in range(turns):
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
        transport._not_before = 0.0  # the pause is over
        answers = await asyncio.gather(*(ask(transport, '{"id": "ID", "text": "ok"}', 2 + each) for each in range(3)))
        assert answers == [(Delivered(WORKER), {"text": "ok"})] * 3
        await transport.close()
        transport._is_open = True
    await transport.close()


@real
async def test_many_first_messages_start_one_child() -> None:
    """They wait for the same start."""
    transport = program(PARROT, max_in_flight=8)
    transport._is_open = True  # opened without its start
    outcomes = await asyncio.gather(*(ask(transport, '{"id": "ID", "text": "ok"}', number) for number in range(8)))
    assert outcomes == [(Delivered(WORKER), {"text": "ok"})] * 8
    assert transport.describe()["starts"] == 1
    await transport.close()


@real
async def test_an_operator_sees_how_the_child_is() -> None:
    """While it runs and after it has ended."""
    transport = program(
        "import sys; print('warming up', file=sys.stderr, flush=True); print('{}', flush=True); sys.stdin.read()"
    )
    await transport.open()
    await turn_until(lambda: transport.describe()["garbage_lines"] and transport.describe()["stderr"])
    facts = transport.describe()
    assert facts.pop("pid") > 0
    assert facts == {"starts": 1, "in_hand": 0, "garbage_lines": 1, "stderr": "warming up\n"}
    await transport.close()
    assert transport.describe() == {
        "pid": None,
        "starts": 1,
        "in_hand": 0,
        "garbage_lines": 1,
        "stderr": "it exited with status 0; stderr: warming up",
    }
