"""What errors and statuses mean, and what is kept of a worker's own words."""

from __future__ import annotations

import pytest

from pointsman.model.errors import PointsmanError, SettingsError, UsageError
from pointsman.model.outcome import Failure
from pointsman.testing.attempts import WORKER, LiveSink, make_attempt
from pointsman.transports.failures import (
    DETAIL_CHARS,
    cut,
    fail_by_error,
    fail_by_status,
    own_words,
    retry_after_s,
    show,
)
from pointsman.transports.statuses import Verdict
from pointsman.transports.wire.errors import (
    BodyTooLarge,
    ConnectFailed,
    ConnectionClosed,
    ProtocolBroken,
    Silent,
    WireError,
)


@pytest.mark.parametrize(
    ("error", "reason", "sent"),
    [
        (ConnectFailed("x"), Failure.WORKER_UNREACHABLE, False),
        (ConnectionClosed("x", started=False), Failure.WORKER_CLOSED, True),
        (ConnectionClosed("x", started=True), Failure.WORKER_CLOSED, True),
        (ProtocolBroken("x"), Failure.WORKER_GARBAGE, True),
        (BodyTooLarge("x"), Failure.WORKER_GARBAGE, True),
        (Silent("x", started=False), Failure.WORKER_TIMEOUT, True),
        (UsageError("x"), Failure.ROUTER_ERROR, False),
        (SettingsError(["x"]), Failure.ROUTER_ERROR, False),
    ],
)
def test_each_error_of_the_wire_has_its_meaning(error: PointsmanError, reason: Failure, sent: bool) -> None:
    """`sent` is false only where the worker has seen nothing."""
    failed = fail_by_error(make_attempt(), error)
    assert (failed.reason, failed.sent, failed.detail, failed.worker) == (reason, sent, "x", WORKER)


def test_the_table_knows_every_error_of_the_wire() -> None:
    """A sixth one would need a row."""
    assert {kind.__name__ for kind in WireError.__subclasses__()} == {
        "ConnectFailed",
        "ConnectionClosed",
        "ProtocolBroken",
        "BodyTooLarge",
        "Silent",
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


DATE = ("date", "Wed, 21 Oct 2026 07:28:00 GMT")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("retry-after", "0")], 0.0),
        ([("retry-after", "120")], 120.0),
        ([("retry-after", "1.5")], 1.5),
        ([("retry-after", "99999999")], 86_400.0),
        ([("retry-after-ms", "250"), ("retry-after", "1")], 0.25),
        ([], None),
        ([("retry-after", "")], None),
        ([("retry-after", "-1")], None),
        ([("retry-after", "soon")], None),
        ([("retry-after", "9" * 5000)], None),
        ([DATE, ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")], 30.0),
        ([DATE, ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")], 0.0),
        ([DATE, ("retry-after", "Wed, 21 Oct 2099 07:27:00 GMT")], 86_400.0),
        ([("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")], None),
        ([("date", "now"), ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")], None),
        ([DATE, ("retry-after", "Wed, 99 Oct 2026 07:28:30 GMT")], None),
    ],
)
def test_a_worker_says_when_to_come_again(headers: list[tuple[str, str]], seconds: float | None) -> None:
    """In seconds or milliseconds, or as a date by its own clock: a date alone depends on two."""
    assert retry_after_s(headers) == seconds


async def test_an_error_is_kept_for_the_sender_unless_a_part_was_seen() -> None:
    """Nobody can be told twice."""
    attempt = make_attempt(stream=True)
    sink = attempt.reply
    assert isinstance(sink, LiveSink)
    await show(attempt, 429, [("retry-after", "1")], b"slow down")
    assert (sink.status, sink.headers, sink.body, sink.started) == (429, (("retry-after", "1"),), b"slow down", False)
    sink.start(200, ())
    await sink.write(b"hello")
    await show(attempt, 500, [], b"no")
    assert (sink.status, sink.body) == (200, b"hello")


def test_each_verdict_has_its_words() -> None:
    """The worker's own where they help; where it was to go; none where they may quote a key."""

    def detail(status: int, verdict: Verdict, *headers: tuple[str, str], body: bytes = b'{"error": "my words"}') -> str:
        return fail_by_status(make_attempt(), status, headers, body, verdict).detail

    assert detail(400, Verdict(Failure.MESSAGE_FAULT)) == "status 400: my words"
    assert detail(529, Verdict(Failure.WORKER_BUSY, sent=False)) == "busy (529): my words"
    assert "to http://x: redirects are not followed" in detail(
        302, Verdict(Failure.WORKER_ERROR), ("location", "http://x")
    )
    assert "to nowhere" in detail(302, Verdict(Failure.WORKER_ERROR))
    hidden = detail(401, Verdict(Failure.WORKER_ERROR, sent=False, about_key=True), body=b"wrong key: sk-1234")
    assert hidden == "status 401: the worker did not take the key it was sent; see `auth` in its settings"
