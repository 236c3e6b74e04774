"""The head of a request, and that nothing can be smuggled into it."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.errors import UsageError
from pointsman.transports.wire.request_head import OURS, encode_head, encode_lines


def test_the_head_is_written_in_order() -> None:
    """Host first, the caller's headers, then the length."""
    head = encode_head("POST", "/run?x=1", "worker:9", [("content-type", "application/json"), ("X-A", "b c")], 12)
    assert head.decode().split("\r\n") == [
        "POST /run?x=1 HTTP/1.1",
        "host: worker:9",
        "content-type: application/json",
        "X-A: b c",
        "content-length: 12",
        "",
        "",
    ]


def test_a_proxy_is_told_the_whole_url_and_who_we_are() -> None:
    """Its header stands apart from the caller's, who may not set it."""
    head = encode_head("POST", "http://w:9/run?x=1", "w:9", [("a", "b")], 0, "Basic eHg=")
    assert head.decode().split("\r\n") == [
        "POST http://w:9/run?x=1 HTTP/1.1",
        "host: w:9",
        "proxy-authorization: Basic eHg=",
        "a: b",
        "content-length: 0",
        "",
        "",
    ]


def test_headers_that_were_encoded_before_stand_in_front() -> None:
    """And are checked when they are encoded."""
    lines = encode_lines([("a", "1"), ("b", "2")])
    assert encode_head("GET", "/", "w", [("c", "3")], 0, lines=lines) == encode_head(
        "GET", "/", "w", [("a", "1"), ("b", "2"), ("c", "3")], 0
    )
    for header in (("host", "x"), ("a", "1\r\nb: 2"), ("a b", "1"), ("a", "\u20ac")):
        with pytest.raises(UsageError):
            encode_lines([header])


def test_a_host_that_would_not_stay_on_its_line_is_refused() -> None:
    """It comes from the settings, and is checked all the same."""
    for authority in ("w\r\nx: y", "w\n"):
        with pytest.raises(UsageError, match="no request can begin"):
            encode_head("GET", "/", authority, [], 0)


@pytest.mark.parametrize("size", [10, 1000])
def test_long_names_and_targets_are_checked_like_short_ones(size: int) -> None:
    """What is not worth remembering is looked at each time, and so is what is."""
    for _ in range(2):
        assert encode_head("GET", "/" + "a" * size, "w", [("x" * size, "1")], 0).startswith(b"GET /aaa")
        with pytest.raises(UsageError, match="no request can begin"):
            encode_head("GET", "/" + " " * size, "w", [], 0)
        with pytest.raises(UsageError, match="does not allow"):
            encode_head("GET", "/", "w", [("x:" * size, "1")], 0)


@pytest.mark.parametrize(
    ("method", "size", "said"),
    [
        ("GET", 0, False),
        ("HEAD", 0, False),
        ("DELETE", 0, False),
        ("POST", 0, True),
        ("PUT", 0, True),
        ("GET", 3, True),
    ],
)
def test_the_length_is_said_where_a_body_is_or_could_be(method: str, size: int, said: bool) -> None:
    """A POST without a body says so (RFC 9110, 8.6)."""
    head = encode_head(method, "/", "w", [], size)
    assert (b"content-length: %d\r\n" % size in head) is said


@pytest.mark.parametrize("name", [*sorted(OURS), "Host", "Content-Length", "TRANSFER-ENCODING"])
def test_headers_that_frame_the_request_are_not_the_callers(name: str) -> None:
    """Two of them would be two readings."""
    with pytest.raises(UsageError, match="set by the client"):
        encode_head("POST", "/", "w", [(name, "1")], 1)


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "a\x7f", "\u20ac", "a\r\n"])
def test_a_value_that_would_not_stay_on_its_line_is_refused_and_not_repeated(value: str) -> None:
    """It may be a secret with a stray line end."""
    with pytest.raises(UsageError, match=r"header 'authorization': .* does not allow") as caught:
        encode_head("POST", "/", "w", [("a", "b"), ("authorization", "Bearer s3cret" + value)], 1)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "ä", "(x)"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    """RFC 9110, 5.1."""
    with pytest.raises(UsageError, match="does not allow"):
        encode_head("POST", "/", "w", [(name, "1")], 1)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "run"),
        ("GET", ""),
        ("GET", "/a b"),
        ("GET", "/a\r\nX: y"),
        ("GET ", "/"),
        ("get", "/"),
        ("", "/"),
        ("GET", "/ü"),
        ("GET", "http://w"),
        ("GET", "https://w/"),
        ("GET", "http:// w/"),
    ],
)
def test_a_start_line_that_is_none_is_refused(method: str, target: str) -> None:
    """Method and target are one word each."""
    with pytest.raises(UsageError, match="no request can begin"):
        encode_head(method, target, "w", [], 0)


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=4))
def test_whatever_is_taken_reads_back_as_what_was_meant(headers: list[tuple[str, str]]) -> None:
    """h11, as the server, sees the same headers and no other."""
    try:
        head = encode_head("POST", "/run", "w", headers, 0)
    except UsageError:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(head)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    seen = [(name.decode(), value.decode("latin-1")) for name, value in request.headers]
    expected = [(name.lower(), value.strip(" \t")) for name, value in headers]
    assert seen == [("host", "w"), *expected, ("content-length", "0")]
