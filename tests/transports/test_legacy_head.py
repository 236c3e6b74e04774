"""What passes between a client and the old router, line by line."""

from __future__ import annotations

import pytest

from pointsman.model.errors import UsageError
from pointsman.transports.legacy_head import encode, passing

KEY = b"pm_" + b"a" * 65


def lines(*fields: tuple[bytes, bytes], is_chunked: bool = False, token: str | None = None) -> list[bytes]:
    """Lines of a head after the first."""
    reveal = None if token is None else lambda: token
    head = encode("GET", b"/x?y", b"old:1", fields, is_chunked=is_chunked, token=reveal)
    first, *rest = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert first == b"GET /x?y HTTP/1.1"
    return rest


def test_fields_pass_in_their_order_with_their_bytes() -> None:
    """Repeated, empty and latin-1 ones too; Host stays where it stood and is the old router's."""
    fields = [(b"cookie", b"a"), (b"host", b"us"), (b"x", b""), (b"cookie", b"caf\xe9"), (b"content-length", b"3")]
    assert lines(*fields) == [b"cookie: a", b"host: old:1", b"x: ", b"cookie: caf\xe9", b"content-length: 3"]


def test_a_host_is_added_where_there_was_none() -> None:
    """HTTP/1.0 needs none, HTTP/1.1 does."""
    assert lines((b"a", b"b")) == [b"host: old:1", b"a: b"]


def test_what_belongs_to_the_connection_stays() -> None:
    """So do fields that Connection names, but none that decides what a request is."""
    fields = [(b"connection", b"close, X-Mine , Authorization, content-length"), (b"te", b"x"), (b"upgrade", b"h2c")]
    kept = [(b"authorization", b"x"), (b"content-length", b"1")]
    assert passing([*fields, (b"x-mine", b"1"), (b"transfer-encoding", b"chunked"), *kept]) == kept
    assert lines((b"transfer-encoding", b"chunked"), is_chunked=True) == [b"host: old:1", b"transfer-encoding: chunked"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([(b"authorization", b"Bearer " + KEY)], [b"authorization: Bearer t"]),
        ([(b"authorization", b"bearer pm_wrong")], [b"authorization: Bearer t"]),
        ([(b"authorization", KEY)], [b"authorization: Bearer t"]),
        ([(b"x-api-key", KEY)], [b"x-api-key: t"]),
        ([(b"x-pointsman-key", KEY)], [b"authorization: Bearer t"]),
        ([(b"x-pointsman-key", KEY), (b"x-api-key", b"theirs")], [b"x-api-key: theirs"]),
        ([(b"authorization", b"Bearer sk-1")], [b"authorization: Bearer sk-1"]),
    ],
)
def test_a_key_of_ours_is_exchanged_or_left_out(fields: list[tuple[bytes, bytes]], expected: list[bytes]) -> None:
    """It never goes there; another's passes as it is."""
    assert lines((b"host", b"us"), *fields, token="t") == [b"host: old:1", *expected]
    without = [line for line in expected if not line.endswith((b" t", b": t"))]
    assert lines((b"host", b"us"), *fields) == [b"host: old:1", *without]


@pytest.mark.parametrize("bad", [b"a\r\nb", b"a\nb", b"a\x00b", b"a\x7fb"])
def test_nothing_ends_a_line_early(bad: bytes) -> None:
    """Whatever let it come so far."""
    with pytest.raises(UsageError):
        lines((b"x", bad))
    with pytest.raises(UsageError):
        encode("GET", b"/" + bad, b"old", [], is_chunked=False)
