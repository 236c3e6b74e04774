"""Reasons become status codes in one place, and every one of them has a row that says what to do."""

from __future__ import annotations

import inspect
import json

import pytest

from pointsman.core.rollout.fallback import FALLING_BACK
from pointsman.http import problems
from pointsman.http.codes import CODES, SECTIONS
from pointsman.model import errors
from pointsman.model.errors import (
    Conflict,
    EngineUnavailable,
    LeaseLost,
    NotFound,
    PointsmanError,
    RefusedError,
    SettingsError,
)
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import RETRYABLE_REFUSALS, Cause, Failure, Refusal, Refused, Reply
from pointsman.model.result import Result
from pointsman.model.states import Status

STATUSES = {
    Refusal.INVALID: 400,
    Refusal.TOO_LARGE: 413,
    Refusal.HARMFUL: 422,
    Refusal.UNKNOWN_CLASS: 422,
    Refusal.WRONG_PROTOCOL: 422,
    Refusal.NOT_STORED: 422,
    Refusal.UNAUTHORIZED: 401,
    Refusal.FORBIDDEN: 403,
    Refusal.RATE_LIMITED: 429,
    Refusal.BUDGET_EXCEEDED: 429,
    Refusal.FLOODING: 429,
    Refusal.OVERLOADED: 503,
    Refusal.NO_WORKER: 503,
    Refusal.QUEUE_FULL: 507,
    Refusal.DRAINING: 503,
    Refusal.UNAVAILABLE: 503,
}
EXCEPTIONS = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, PointsmanError)]


@pytest.mark.parametrize("reason", list(Refusal))
def test_each_refusal_has_its_status(reason: Refusal) -> None:
    """Statuses are API, and so is whether to send again."""
    problem = problems.of_refused(Refused(reason, "why", retry_after_s=None, field="text"))
    assert (problem.status, problem.code, problem.detail) == (STATUSES[reason], reason.value, "why")
    assert problem.retryable == (reason in RETRYABLE_REFUSALS) == CODES[reason.value].retryable
    assert problem.more == {"field": "text"}


@pytest.mark.parametrize("code", [*Refusal, *Cause, *Failure, *(one.code for one in EXCEPTIONS)])
def test_each_code_has_a_row(code: str) -> None:
    """Nothing can be answered that the reference does not explain."""
    row = CODES[str(code)]
    assert row.title
    assert row.meaning.endswith(".")
    assert row.advice.endswith(".")


def test_no_code_stands_twice() -> None:
    """The table by code has as many rows as the sections."""
    assert len(CODES) == sum(len(rows) for rows in SECTIONS.values())


@pytest.mark.parametrize(
    "kind", [one for one in EXCEPTIONS if one not in {RefusedError, SettingsError, errors.DeliveryError}]
)
def test_each_exception_keeps_its_own_status(kind: type[PointsmanError]) -> None:
    """The table and the exception agree."""
    problem = problems.of_error(kind("because"))
    assert (problem.status, problem.code) == (CODES[kind.code].status, kind.code)
    assert problem.status == (500 if kind.code == "illegal_step" else kind.http_status) or kind is errors.PointsmanError
    assert problem.detail == "because"


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after_s"),
    [
        (NotFound("x"), 404, "not_found", None),
        (Conflict("x"), 409, "conflict", None),
        (EngineUnavailable("x"), 503, "unavailable", 1.0),
        (LeaseLost("x"), 409, "lease_lost", None),
        (problems.invalid("x", "f"), 400, "invalid", None),
        (problems.RequestError("unsupported_media_type", "x"), 415, "unsupported_media_type", None),
        (problems.RequestError("receive_timeout", "x"), 408, "receive_timeout", 1.0),
    ],
)
def test_exceptions_become_problems(error: PointsmanError, status: int, code: str, retry_after_s: float | None) -> None:
    """Also that what may be tried again says when."""
    problem = problems.of_error(error, trace_id="ab" * 16)
    assert (problem.status, problem.code, problem.retry_after_s) == (status, code, retry_after_s)
    assert problem.trace_id == "ab" * 16


def test_an_unknown_code_is_an_internal_fault_with_its_own_status() -> None:
    """An exception of another part keeps its code and status, and gets a general title."""

    class Odd(PointsmanError):
        code = "odd"
        http_status = 502

    problem = problems.of_error(Odd("x"))
    assert (problem.status, problem.code, problem.title) == (502, "odd", CODES["internal"].title)


def test_settings_with_mistakes_list_all_of_them() -> None:
    """A reload that fails says everything at once."""
    problem = problems.of_error(SettingsError(["a: 1", "b: 2"]))
    assert (problem.status, problem.more) == (422, {"mistakes": ["a: 1", "b: 2"]})


def ended(attempt: int, unsent: int = 0) -> Envelope:
    """A message that was handed out so often, and that so many times for sure reached no worker."""
    envelope = Envelope("ab12", Message(text="x"), "a", 0.0, 0.0)
    envelope.attempt, envelope.unsent = attempt, unsent
    return envelope


@pytest.mark.parametrize(
    ("status", "cause", "reply", "expected"),
    [
        (Status.FAILED, Cause.MESSAGE_FAULT, None, 502),
        (Status.FAILED, Cause.MESSAGE_FAULT, Reply(body=b"{}", status=422), 422),
        (Status.FAILED, Cause.MESSAGE_FAULT, Reply(value={}), 502),
        (Status.DEAD, Cause.ATTEMPTS_USED_UP, Reply(body=b"{}", status=404), 502),
        (Status.DEAD, Cause.OUTCOME_UNKNOWN, None, 502),
        (Status.EXPIRED, Cause.TTL, None, 504),
        (Status.CANCELLED, Cause.SENDER, None, 499),
        (Status.CANCELLED, Cause.PURGED, None, 499),
    ],
)
def test_each_end_has_its_status(status: Status, cause: Cause, reply: Reply | None, expected: int) -> None:
    """A failed message keeps the worker's own 4xx; no other end does."""
    result = Result(id="ab12", status=status, cause=cause, detail="why", reply=reply, attempts=2)
    problem = problems.of_end(result, ended(attempt=2))
    assert (problem.status, problem.code, problem.detail) == (expected, cause.value, "why")
    assert problem.more == {"id": "ab12", "ended": status.value, "attempts": 2}
    assert problem.instance == "/api/v1/messages/ab12"
    assert problem.retryable == (cause in {Cause.TTL, Cause.SHUTDOWN, Cause.STRANDED})


@pytest.mark.parametrize(
    ("status", "attempt", "unsent", "falls_back"),
    [
        (Status.DEAD, 2, 2, True),
        (Status.DEAD, 2, 1, False),
        (Status.FAILED, 1, 1, False),
        (Status.EXPIRED, 0, 0, False),
        (Status.CANCELLED, 0, 0, False),
    ],
)
def test_another_router_may_answer_only_what_no_worker_can_have_seen(
    status: Status, attempt: int, unsent: int, falls_back: bool
) -> None:
    """One hand-out that may have reached a worker is enough to forbid it."""
    problem = problems.of_end(Result(id="ab12", status=status, cause=Cause.TTL), ended(attempt, unsent))
    assert bool(problem.fallback) == falls_back


@pytest.mark.parametrize("reason", Refusal)
def test_another_router_may_answer_what_was_refused_by_our_own_doing(reason: Refusal) -> None:
    """Whatever the sender did stays refused."""
    assert problems.of_refused(Refused(reason, "why")).fallback == (reason.value if reason in FALLING_BACK else "")


@pytest.mark.parametrize(("wait_s", "header"), [(0.0, b"1"), (0.2, b"1"), (1.0, b"1"), (1.01, b"2"), (59.5, b"60")])
def test_retry_after_is_whole_seconds_rounded_up(wait_s: float, header: bytes) -> None:
    """A client that keeps to it is never refused for having come a moment too early."""
    problem = problems.of_refused(Refused(Refusal.RATE_LIMITED, "x", retry_after_s=wait_s))
    assert problems.headers(problem) == [(b"retry-after", header)]


def test_a_problem_is_written_with_every_member() -> None:
    """Members that are not known are null, not missing; a long detail is cut."""
    problem = problems.of_refused(Refused(Refusal.INVALID, "x" * 9_000), trace_id="")
    written = json.loads(problems.encode(problem, "/here"))
    assert len(written.pop("detail")) == 2_000
    assert written == {
        "type": "urn:pointsman:problem:invalid",
        "title": CODES["invalid"].title,
        "status": 400,
        "code": "invalid",
        "instance": "/here",
        "retryable": False,
        "retry_after_s": None,
        "trace_id": None,
    }


def test_the_path_that_was_asked_for_is_written_as_a_uri() -> None:
    """Nothing in it acts on a screen, and it is cut."""
    problem = problems.of_refused(Refused(Refusal.INVALID, "x"))
    instance = json.loads(problems.encode(problem, "/a b\x1b[31m\u202e" + "c" * 900))["instance"]
    assert instance.startswith("/a%20b%1B%5B31m%E2%80%AEccc")
    assert len(instance) < 300


def test_the_reference_has_a_row_for_each_code() -> None:
    """The page is generated from the table, so it cannot forget one."""
    page = problems.reference()
    for row in CODES.values():
        assert f"| `{row.code}` |" in page
        assert row.advice in page
    assert all(f"## {section}" in page for section in SECTIONS)
