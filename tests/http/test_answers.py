"""The shapes of answers: what stands in them, and what must not."""

from __future__ import annotations

import json

import msgspec
import pytest

from pointsman.http import answers
from pointsman.http.problems import RequestError
from pointsman.model.decision import Classification
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import AttemptRecord, Cause, Reply
from pointsman.model.result import Result
from pointsman.model.states import Status
from pointsman.model.views import DeadLetter, MessageView, QueueView

RESULT = Result(
    id="ab12",
    status=Status.DELIVERED,
    reply=Reply(value={"text": "fine"}),
    message_class="tactical",
    pool="coders",
    worker="w",
    attempts=2,
    overhead_s=0.0012345,
)
ENVELOPE = Envelope(
    id="ab12",
    message=Message(text="the text", metadata={"a": 1}, conversation_id="c"),
    client="team-a",
    received_at=5.0,
    received_wall=1_000.5,
    level=1,
    pool="coders",
    attempt=2,
    replay_of="cd34",
    classification=Classification("tactical", 0.75, {"tactical": 0.75, "strategic": 0.25}, "rule"),
    trail=[AttemptRecord(1, "coders", "w", "worker_error", 0.1, 0.2)],
)
LETTER = DeadLetter(ENVELOPE, Status.DEAD, Cause.ATTEMPTS_USED_UP, "why", 1_002.0)


def plain(value: object) -> dict[str, object]:
    """Return what a client sees."""
    found: dict[str, object] = json.loads(msgspec.json.encode(value))
    return found


def test_a_decision_in_short() -> None:
    """Milliseconds to the microsecond; no worker is null."""
    assert plain(answers.brief(RESULT, ENVELOPE)) == {
        "class": "tactical",
        "confidence": 0.75,
        "cause": "rule",
        "pool": "coders",
        "worker": "w",
        "fallback": False,
        "attempts": 2,
        "overhead_ms": 1.234,
    }
    assert plain(answers.brief(msgspec.structs.replace(RESULT, worker=""), ENVELOPE))["worker"] is None


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (None, None),
        (Reply(value={"text": "a"}), {"text": "a"}),
        (Reply(value=None), None),
        (Reply(body=b'{"choices": []}'), {"choices": []}),
        (Reply(body=b"no json"), "no json"),
        (Reply(body=b"\xff"), "\ufffd"),
        (Reply(body=b"[" * 100_000), "[" * 100_000),
        (Reply(body=b""), ""),
    ],
)
def test_a_reply_is_json_whatever_the_worker_spoke(reply: Reply | None, expected: object) -> None:
    """Bytes of another protocol are decoded where they are JSON, and text otherwise."""
    assert json.loads(bytes(answers.reply_json(reply))) == expected


def test_a_reply_that_cannot_be_written_is_refused() -> None:
    """Not shown half."""
    with pytest.raises(RequestError):
        answers.reply_json(Reply(value=object()))


def test_the_state_of_a_message_leaves_out_what_is_not_known() -> None:
    """The engine may have forgotten it; an unread reply is null only if the worker said null."""
    assert plain(answers.message_state(Result(id="ab12", status=Status.QUEUED), None)) == {
        "id": "ab12",
        "status": "queued",
        "class": "",
        "pool": "",
        "attempts": 0,
    }
    said_nothing = msgspec.structs.replace(RESULT, reply=Reply(value=None))
    assert plain(answers.message_state(said_nothing, None))["reply"] is None


def test_the_state_of_a_message_joins_what_engine_and_reply_know() -> None:
    """Whoever knows more fills in."""
    view = MessageView(
        id="ab12",
        client="team-a",
        status=Status.DEAD,
        queue="coders",
        message_class="tactical",
        priority="high",
        attempts=2,
        created=1_000.5,
        conversation_id="c",
        cause="ttl",
        ended=1_002.0,
    )
    found = plain(answers.message_state(RESULT, view))
    assert (found["client"], found["priority"], found["conversation_id"]) == ("team-a", "high", "c")
    assert (found["created"], found["ended"], found["cause"]) == (1_000.5, 1_002.0, "ttl")
    assert (found["reply"], found["worker"]) == ({"text": "fine"}, "w")


def test_a_queue_is_shown_by_priority() -> None:
    """Names, not positions."""
    view = QueueView("coders", (1, 2, 3, 4, 5), delayed=6, in_flight=7, oldest_s=8.5, paused=True)
    assert plain(answers.queue_state(view)) == {
        "name": "coders",
        "queued": {"critical": 1, "high": 2, "normal": 3, "low": 4, "bulk": 5},
        "delayed": 6,
        "in_flight": 7,
        "oldest_s": 8.5,
        "paused": True,
    }


def test_a_dead_letter_has_its_text_only_where_it_is_shown_whole() -> None:
    """A list of them gives nothing away."""
    brief = plain(answers.dead_letter_brief(LETTER))
    assert brief == {
        "id": "ab12",
        "status": "dead",
        "cause": "attempts_used_up",
        "detail": "why",
        "client": "team-a",
        "class": "tactical",
        "pool": "coders",
        "priority": "high",
        "attempts": 2,
        "created": 1_000.5,
        "ended": 1_002.0,
    }
    whole = plain(answers.dead_letter_whole(LETTER))
    assert {name: whole[name] for name in brief} == brief
    assert (whole["text"], whole["metadata"], whole["replay_of"]) == ("the text", {"a": 1}, "cd34")
    assert whole["conversation_id"] == "c"
