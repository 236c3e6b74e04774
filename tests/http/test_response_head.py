"""The head of an answer, byte for byte."""

from __future__ import annotations

import pytest

from pointsman.http.response_head import CHUNKED, CLOSE, Heads

DAY = 86_400.0 * 365


def heads() -> tuple[list[float], Heads]:
    """Return a wall clock and what writes heads by it."""
    wall = [DAY]
    return wall, Heads(lambda: wall[0])


def test_a_head_is_status_date_and_headers() -> None:
    """In this order; the server's lines last."""
    fields = [(b"content-type", b"a/b"), (b"content-length", b"3"), (b"x", b"")]
    assert heads()[1].encode(0.0, 200, fields, CLOSE) == (
        b"HTTP/1.1 200 OK\r\ndate: Fri, 01 Jan 1971 00:00:00 GMT\r\n"
        b"content-type: a/b\r\ncontent-length: 3\r\nx: \r\nconnection: close\r\n\r\n"
    )


def test_a_head_may_have_no_headers() -> None:
    """Nor a known status."""
    assert heads()[1].encode(0.0, 599, (), b"") == (b"HTTP/1.1 599 \r\ndate: Fri, 01 Jan 1971 00:00:00 GMT\r\n\r\n")


def test_the_date_is_at_most_a_second_old() -> None:
    """It is written once a second, for all statuses."""
    wall, written = heads()
    first = written.encode(10.0, 200, (), b"")
    wall[0] += 1.0
    assert written.encode(10.9, 200, (), b"") == first
    assert b"00:00:01" in written.encode(10.95, 404, (), b"")
    assert b"00:00:01" in written.encode(11.0, 200, (), b"")


def test_what_only_the_server_may_say_is_left_out() -> None:
    """And a length where the status allows none."""
    ours = [(name, b"a") for name in (b"connection", b"date", b"keep-alive", b"transfer-encoding")]
    fields = [(b"content-length", b"0"), *ours, (b"x", b"y")]
    written = heads()[1].encode(0.0, 200, fields, CHUNKED)
    assert written.endswith(b"GMT\r\ncontent-length: 0\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n")
    assert heads()[1].encode(0.0, 204, fields, b"").endswith(b"GMT\r\nx: y\r\n\r\n")
    assert b"content-length: 0" in heads()[1].encode(0.0, 304, fields, b"")


@pytest.mark.parametrize("evil", [b"a\r\nset-cookie: b", b"a\nb: c", b"a\rb", b"\n", b"a\r\n\r\n<html>"])
@pytest.mark.parametrize("framing", [b"", CLOSE, CHUNKED + CLOSE])
def test_a_header_cannot_end_its_line(evil: bytes, framing: bytes) -> None:
    """Neither by its name nor by its value."""
    for field in ((b"x", evil), (evil, b"x")):
        with pytest.raises(ValueError, match="line's end"):
            heads()[1].encode(0.0, 200, [(b"a", b"b"), field], framing)


def test_a_head_of_somebody_elses_is_written_as_it_is() -> None:
    """Without a date of ours, with whatever it says; and nothing in it can end a line."""
    fields = [(b"date", b"then"), (b"server", b""), (b"set-cookie", b"a"), (b"set-cookie", b"b\xe9")]
    assert heads()[1].encode_as_is(299, fields, CLOSE) == (
        b"HTTP/1.1 299 \r\ndate: then\r\nserver: \r\nset-cookie: a\r\nset-cookie: b\xe9\r\nconnection: close\r\n\r\n"
    )
    with pytest.raises(ValueError, match="line's end"):
        heads()[1].encode_as_is(200, [(b"x", b"a\nb")], b"")
