"""Whose fault a status is, and whether the worker can have begun."""

from __future__ import annotations

import pytest

from pointsman.model.outcome import Failure
from pointsman.transports.statuses import Verdict, judge_model_api, judge_webhook

BUSY = Verdict(Failure.WORKER_BUSY, sent=False)
FAULT = Verdict(Failure.MESSAGE_FAULT)
ERROR = Verdict(Failure.WORKER_ERROR)
KEY = Verdict(Failure.WORKER_ERROR, sent=False, about_key=True)
SETTINGS = Verdict(Failure.WORKER_ERROR, sent=False)

NO_MODEL = b'{"error": {"message": "The model `gpt-x` does not exist", "code": "model_not_found"}}'
UNKNOWN = b'{"type":"error","error":{"type":"not_found_error","message":"model: gpt-x"}}'
NO_FILE = b'{"type":"error","error":{"type":"not_found_error","message":"File not found: file_gpt-x"}}'


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (302, ERROR),
        (400, FAULT),
        (401, KEY),
        (403, FAULT),
        (404, FAULT),
        (407, KEY),
        (408, FAULT),
        (422, FAULT),
        (429, BUSY),
        (499, FAULT),
        (500, ERROR),
        (502, ERROR),
        (503, BUSY),
        (529, BUSY),
        (999, ERROR),
    ],
)
def test_what_a_plain_worker_means(status: int, verdict: Verdict) -> None:
    """As the product page has it; a key is never the sender's business, who has none to give."""
    assert judge_webhook(status) == verdict


@pytest.mark.parametrize(
    ("status", "body", "with_our_key", "with_the_senders"),
    [
        (302, b"", ERROR, ERROR),
        (304, b"", ERROR, ERROR),
        (400, b"", FAULT, FAULT),
        (401, b"", KEY, FAULT),
        (402, b"", KEY, FAULT),
        (403, b"", KEY, FAULT),
        (404, NO_MODEL, SETTINGS, FAULT),
        (404, UNKNOWN, SETTINGS, FAULT),
        (404, b'{"error": "gpt-x: try pulling it first"}', SETTINGS, FAULT),
        (404, NO_FILE, FAULT, FAULT),
        (404, b'{"error": "gpt-x2"}', FAULT, FAULT),
        (404, b'{"detail": "Not Found"}', SETTINGS, FAULT),
        (405, b"405 method not allowed", SETTINGS, FAULT),
        (407, b"", KEY, KEY),
        (408, b"", ERROR, ERROR),
        (409, b"", ERROR, ERROR),
        (413, b"", FAULT, FAULT),
        (422, b"", FAULT, FAULT),
        (425, b"", ERROR, ERROR),
        (429, b'{"error": {"code": "rate_limit_exceeded"}}', BUSY, FAULT),
        (429, b'{"error": {"code": "insufficient_quota"}}', SETTINGS, FAULT),
        (429, b'{"error": {"details": {"error_code": "enforced_spend_limit_reached"}}}', SETTINGS, FAULT),
        (451, b"", FAULT, FAULT),
        (500, b"", ERROR, ERROR),
        (503, b"insufficient_quota", BUSY, BUSY),
        (504, b"", ERROR, ERROR),
        (529, b"", BUSY, BUSY),
        (999, b"", ERROR, ERROR),
    ],
)
def test_what_a_model_api_means(status: int, body: bytes, with_our_key: Verdict, with_the_senders: Verdict) -> None:
    """Settings at fault count against the worker; what is about the sender's own key is the sender's alone."""
    for senders_key, verdict in ((False, with_our_key), (True, with_the_senders)):
        assert judge_model_api(status, body, model="gpt-x", senders_key=senders_key, is_main=True) == verdict


def test_what_not_every_worker_can_do_is_no_fault_of_it() -> None:
    """Whoever asks a chat worker for embeddings must not count against it."""
    for body, verdict in ((b'{"detail": "Not Found"}', FAULT), (NO_MODEL, SETTINGS)):
        assert judge_model_api(404, body, model="gpt-x", senders_key=False, is_main=False) == verdict


def test_a_worker_without_a_model_lacks_none() -> None:
    """An empty name is not everywhere."""
    assert judge_model_api(404, b'{"error": "x"}', model="", senders_key=False, is_main=True) == FAULT
