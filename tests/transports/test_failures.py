"""What errors and statuses mean, and what is kept of a worker's own words."""

from __future__ import annotations

import pytest

from pointsman.model.errors import PointsmanError, SettingsError, UsageError
from pointsman.model.outcome import Failure
from pointsman.testing.attempts import WORKER, make_attempt
from pointsman.transports.failures import DETAIL_CHARS, cut, fail_by_error, own_words, retry_after_s
from pointsman.transports.wire.errors import BodyTooLarge, ConnectFailed, ConnectionClosed, ProtocolBroken, WireError


@pytest.mark.parametrize(
    ("error", "reason", "sent"),
    [
        (ConnectFailed("x"), Failure.WORKER_UNREACHABLE, False),
        (ConnectionClosed("x", started=False), Failure.WORKER_CLOSED, True),
        (ConnectionClosed("x", started=True), Failure.WORKER_CLOSED, True),
        (ProtocolBroken("x"), Failure.WORKER_GARBAGE, True),
        (BodyTooLarge("x"), Failure.WORKER_GARBAGE, True),
        (UsageError("x"), Failure.ROUTER_ERROR, False),
        (SettingsError(["x"]), Failure.ROUTER_ERROR, False),
    ],
)
def test_each_error_of_the_wire_has_its_meaning(error: PointsmanError, reason: Failure, sent: bool) -> None:
    """`sent` is false only where the worker has seen nothing."""
    failed = fail_by_error(make_attempt(), error)
    assert (failed.reason, failed.sent, failed.detail, failed.worker) == (reason, sent, "x", WORKER)


def test_the_table_knows_every_error_of_the_wire() -> None:
    """A fifth one would need a row."""
    assert {kind.__name__ for kind in WireError.__subclasses__()} == {
        "ConnectFailed",
        "ConnectionClosed",
        "ProtocolBroken",
        "BodyTooLarge",
    }


def test_a_failure_says_whether_the_sender_has_seen_a_part() -> None:
    """Then nothing may be tried again."""
    attempt = make_attempt()
    attempt.reply.started = True  # type: ignore[misc]
    assert fail_by_error(attempt, ProtocolBroken("x")).started


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "no such model", "type": "x"}}', "no such model"),
        (b'{"error": "broken"}', "broken"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"message": "m", "title": "t"}', "m"),
        (b'{"title": "t"}', "t"),
        (b'{"error": {"code": 3}, "detail": "d"}', "d"),
        (b'{"error": "", "code": 3}', '{"error": "", "code": 3}'),
        (b'["list"]', '["list"]'),
        (b"<html>\n <b>502</b>\r\n</html>", "<html> <b>502</b> </html>"),
        (b"", "no explanation"),
        (b" \n ", "no explanation"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[" * 497 + "..."),
    ],
)
def test_a_workers_explanation_is_found_where_workers_put_it(body: bytes, words: str) -> None:
    """OpenAI's, FastAPI's, RFC 9457's, and plain text."""
    assert own_words(body) == words


def test_words_are_one_printable_line_of_bounded_length() -> None:
    """They go into logs and terminals."""
    assert cut("a\r\n b\t\x1b[31mred\x00") == "a b ?[31mred?"
    assert cut("x" * DETAIL_CHARS) == "x" * DETAIL_CHARS
    assert cut("x" * 10_000_000) == "x" * (DETAIL_CHARS - 3) + "..."


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("99999999", 99_999_999.0),
        (None, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("٣", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_read_in_seconds_only(value: str | None, seconds: float | None) -> None:
    """A date depends on two clocks."""
    assert retry_after_s(value) == seconds
