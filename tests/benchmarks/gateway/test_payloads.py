"""Requests, replies and streams have the sizes of the study, and carry marks that can be read back."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.gateway import payloads
from benchmarks.gateway.payloads import Act, Requests


@pytest.mark.parametrize("act", Act)
def test_request_has_its_size_and_says_what_it_wants(act: Act) -> None:
    """Every kind of request is 949 bytes of JSON, differs from the next, and its mark is read back."""
    requests = Requests(8080, "key")
    head, _, body = requests.make(act, 41).partition(b"\r\n\r\n")
    assert b"Content-Length: 949" in head
    assert b"Authorization: Bearer key" in head
    assert len(body) == 949
    assert payloads.read_mark(body) == (act, 41)
    assert msgspec.json.decode(body).get("stream", False) is act.streamed
    assert body != requests.make(act, 42).partition(b"\r\n\r\n")[2]


def test_reply_has_its_size_and_names_its_request() -> None:
    """A plain reply is 526 bytes of JSON whose text holds the request's number."""
    body = payloads.reply(7)
    assert len(body) == 526
    assert "bench-p-0000000007" in msgspec.json.decode(body)["choices"][0]["message"]["content"]


def test_stream_is_fifty_chunks_and_an_end() -> None:
    """Each event is JSON of about 170 bytes, the last one has a finish reason, and `[DONE]` follows."""
    *events, done, rest = payloads.stream(7).split(b"\n\n")
    chunks = [msgspec.json.decode(event.removeprefix(b"data: "))["choices"][0] for event in events]
    assert (len(chunks), done, rest) == (50, b"data: [DONE]", b"")
    assert [chunk["finish_reason"] for chunk in chunks] == [None] * 49 + ["stop"]
    assert all(140 < len(event) < 280 for event in events)


def test_request_without_a_mark_is_a_fault() -> None:
    """A gateway that loses the text of a message must not pass unnoticed."""
    with pytest.raises(ValueError, match="without a mark"):
        payloads.read_mark(b'{"messages": []}')
