"""How a problem is written in Anthropic's language, so that their clients raise the right exception and retry only
what may be.

Source: the error object of Anthropic's API reference and the retry rules of their Python client, which are those of
OpenAI's: it retries 408, 409, 429 and 5xx, unless the answer says `x-should-retry`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pointsman.http.problems import Problem

MEDIA_TYPE: Final = b"application/json"

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    499: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def encode(problem: Problem) -> bytes:
    """Return the body: `{"type": "error", "error": {"type", "message", "code"}, "request_id"}`."""
    return msgspec.json.encode(_object(problem))


def event(problem: Problem) -> bytes:
    """Return the event that ends a stream which is not whole."""
    return b"event: error\ndata: " + encode(problem) + b"\n\n"


def _object(problem: Problem) -> dict[str, Any]:
    kind = _TYPES.get(problem.status, "invalid_request_error" if problem.status < 500 else "api_error")
    error = {"type": kind, "message": problem.detail, "code": problem.code, "param": problem.more.get("field")}
    return {"type": "error", "error": error, "request_id": problem.more.get("id")}
