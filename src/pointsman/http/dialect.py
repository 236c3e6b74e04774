"""The languages of the compatible APIs, each as one object: how it writes an error, a ping, and an answer of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pointsman.http.problems import Problem
from pointsman.model.message import Envelope
from pointsman.model.result import Result


@dataclass(slots=True, frozen=True)
class Dialect:
    """One language.

    Attributes:
        protocol: `openai` or `anthropic`, as in `Envelope.protocol`.
        request_id: header in which its clients look for the id of their request.
        ping: what keeps a stream open that has not begun; clients pass over it.
        error: a problem as the body of an answer.
        error_event: a problem as the last event of a stream.
        whole: the answer of a worker that does not speak this language, as the body of a plain answer.
        events: the same as a whole stream.
    """

    protocol: str
    request_id: bytes
    ping: bytes
    error: Callable[[Problem], bytes]
    error_event: Callable[[Problem], bytes]
    whole: Callable[[Result, Envelope], bytes]
    events: Callable[[Result, Envelope], bytes]
