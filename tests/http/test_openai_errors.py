"""Problems in OpenAI's language."""

from __future__ import annotations

import json

import pytest

from pointsman.http import openai_errors, problems
from pointsman.model.outcome import Refusal, Refused


@pytest.mark.parametrize(
    ("reason", "kind", "again"),
    [
        (Refusal.INVALID, "invalid_request_error", b"false"),
        (Refusal.UNAUTHORIZED, "authentication_error", b"false"),
        (Refusal.FORBIDDEN, "permission_error", b"false"),
        (Refusal.HARMFUL, "invalid_request_error", b"false"),
        (Refusal.RATE_LIMITED, "rate_limit_error", b"true"),
        (Refusal.NO_WORKER, "server_error", b"true"),
        (Refusal.QUEUE_FULL, "server_error", b"true"),
    ],
)
def test_a_problem_becomes_their_error(reason: Refusal, kind: str, again: bytes) -> None:
    """Their clients choose the exception by status and type, and retry as the header says."""
    problem = problems.of_refused(Refused(reason, "why", field="text"))
    error = {"message": "why", "type": kind, "param": "text", "code": reason.value}
    assert json.loads(openai_errors.encode(problem)) == {"error": error}
    assert openai_errors.headers(problem) == [(b"x-should-retry", again)]


def test_without_a_field_there_is_no_param() -> None:
    """Null, as they have it."""
    problem = problems.of_refused(Refused(Refusal.OVERLOADED, "why"))
    assert json.loads(openai_errors.encode(problem))["error"]["param"] is None
