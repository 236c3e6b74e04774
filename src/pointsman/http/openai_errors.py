"""How a problem is written in OpenAI's language, so that their clients raise the right exception and retry
only what may be.

Source: the error object and the retry rules of OpenAI's Python client: it retries 408, 409, 429 and 5xx on
its own, unless the answer says `x-should-retry`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pointsman.http.problems import Problem

MEDIA_TYPE: Final = b"application/json"

LONGEST_WAIT_S: Final = 60.0
"""Official clients believe a `Retry-After` up to this; above it they come again within seconds."""

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    499: "server_error",
}


def event(problem: Problem) -> bytes:
    """Return the event that ends a stream which is not whole."""
    return b"data: " + encode(problem) + b"\n\n"


def encode(problem: Problem) -> bytes:
    """Return the body: `{"error": {"message", "type", "param", "code"}}`."""
    kind = _TYPES.get(problem.status, "invalid_request_error" if problem.status < 500 else "server_error")
    error = {"message": problem.detail, "type": kind, "param": problem.more.get("field"), "code": problem.code}
    return msgspec.json.encode({"error": error})


def headers(problem: Problem) -> list[tuple[bytes, bytes]]:
    """Return the header that tells a client whether to send the same again; not where it would have to wait long."""
    soon = problem.retry_after_s is None or problem.retry_after_s <= LONGEST_WAIT_S
    return [(b"x-should-retry", b"true" if problem.retryable and soon else b"false")]
