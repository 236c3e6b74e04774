"""Hypothesis strategies for HTTP/1.1 replies, well-formed and damaged, and for streams cut up."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

TOKENS = st.text("abcXYZ019-_!#$%&'*+.^`|~", min_size=1, max_size=12).map(str.encode)
VALUES = st.binary(max_size=20).map(lambda raw: bytes(byte for byte in raw if byte == 9 or 32 <= byte != 127))
FRAMES_NOTHING = {b"content-length", b"transfer-encoding", b"connection", b"upgrade"}
HEADERS = st.lists(st.tuples(TOKENS.filter(lambda name: name.lower() not in FRAMES_NOTHING), VALUES), max_size=5)


def lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Headers as they are sent."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


@st.composite
def replies(draw: st.DrawFn) -> bytes:
    """A well-formed reply of any framing, with interim replies before it."""
    parts = [
        b"HTTP/1.1 %d Wait\r\n%b\r\n" % (status, lines(draw(HEADERS)))
        for status in draw(st.lists(st.sampled_from([100, 102, 103, 199]), max_size=2))
    ]
    status = draw(st.sampled_from([200, 201, 204, 301, 304, 400, 404, 429, 500, 503, 599]))
    parts.append(
        b"HTTP/1.%d %d %b\r\n" % (draw(st.integers(0, 1)), status, draw(st.sampled_from([b"", b"OK", b"No no"])))
    )
    parts.append(lines(draw(HEADERS)))
    body = draw(st.binary(max_size=60))
    framing = draw(st.sampled_from(["length", "chunked", "end", "short"]))
    if status in (204, 304):
        parts.append(b"\r\n")
    elif framing == "length":
        parts.append(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    elif framing == "short":
        parts.append(b"Content-Length: %d\r\n\r\n%b" % (len(body) + draw(st.integers(1, 9)), body))
    elif framing == "end":
        parts.append(b"\r\n" + body)
    else:
        parts.append(b"Transfer-Encoding: chunked\r\n\r\n")
        while body:
            size = draw(st.integers(1, len(body)))
            extension = draw(st.sampled_from([b"", b";a", b";a=b", b';a="b c"']))
            parts.append(b"%x%b\r\n%b\r\n" % (size, extension, body[:size]))
            body = body[size:]
        parts.append(b"0\r\n%b\r\n" % lines(draw(HEADERS)))
    return b"".join(parts)


@st.composite
def cut_up(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> list[bytes]:
    """A stream in up to nine pieces."""
    stream = draw(streams)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=8)))
    bounds = [0, *cuts, len(stream)]
    return [stream[start:end] for start, end in pairwise(bounds) if end > start]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A well-formed reply with a few bytes lost, changed or added."""
    stream = bytearray(draw(replies()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(stream) - 1))
        stream[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"", b"\r", b"\n", b"\0", b" ", b":", b"0", b"\r\n", b"a"])
        )
    return bytes(stream)
