"""Shapes of plain answers: bytes, headers, framings and errors."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace

from tests.compat.provider import anthropic, openai
from tests.compat.provider.plan import JSON, Field, Plan, cut_up
from tests.compat.shapes.fragments import FRAGMENTS
from tests.compat.shapes.requests import ANSWER, PATHS, REST
from tests.compat.shapes.shape import MODEL, Protocol, Shape

HEADERS: dict[str, tuple[Field, ...]] = {
    "the same twice": (("x-twice", "1"), ("x-other", "2"), ("x-twice", "3")),
    "empty value": (("x-empty", ""),),
    "latin-1 value": (("x-name", "Z\xfcrich"),),
    "tab and quotes": (("x-odd", 'a\tb; c="d", ,'),),
    "long value": (("x-long", "v" * 7_000),),
    "capitals": (("X-Request-ID", "r"), ("OpenAI-Model", "m")),
    "many": tuple((f"x-many-{n}", str(n)) for n in range(80)),
    "underscore and dots in names": (("x_under_score", "1"), ("x.dot", "2")),
    "caching": (("etag", 'W/"1"'), ("cache-control", "no-store"), ("vary", "Accept-Encoding, Origin"), ("age", "0")),
    "cross origin": (("access-control-expose-headers", "x-request-id"), ("access-control-allow-origin", "*")),
    "links": (("link", '<https://example.com/?a=1>; rel="next"'), ("location", "/v1/x"), ("content-language", "de")),
    "retry": (("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), ("x-should-retry", "true")),
    "tracing": (
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("server-timing", "a;dur=1"),
    ),
    "disposition": (("content-disposition", "inline"), ("content-location", "/x"), ("x-content-duration", "1")),
}

MEDIA = (
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    "application/vnd.x+json",
)


def shapes() -> Iterator[Shape]:
    """Yield all shapes of plain answers."""
    for protocol in PATHS:
        body = b'{"model":%b,%b}' % (MODEL, REST[protocol])
        for name, plan in _plans(protocol):
            yield Shape(f"{protocol} answer: {name}", protocol, body, plan, PATHS[protocol])
    for status in openai.ERROR_STATUSES:
        if status not in {429, 503}:
            yield _error("openai", f"openai error {status}", openai.error(status))
    for status in anthropic.ERROR_STATUSES:
        if status not in {429, 503, 529}:
            yield _error("anthropic", f"anthropic error {status}", anthropic.error(status))
    for name, plan in _errors():
        yield _error("openai", f"openai error {name}", plan)
        yield _error("anthropic", f"anthropic error {name}", plan)


def _error(protocol: Protocol, name: str, plan: Plan) -> Shape:
    body = b'{"model":%b,%b}' % (MODEL, REST[protocol])
    return Shape(name, protocol, body, plan, PATHS[protocol])


def _errors() -> Iterator[tuple[str, Plan]]:
    html = b"<html>\r\n<head><title>400 Bad Request</title></head>\r\n</html>\r\n"
    yield "as HTML", Plan(status=400, headers=(("content-type", "text/html"),), pieces=[html])
    yield "as text in latin-1", Plan(status=400, headers=(("content-type", "text/plain"),), pieces=[b"Z\xfcrich"])
    yield "without a body", Plan(status=404, headers=())
    yield "without a media type", Plan(status=400, headers=(), pieces=[b'{"detail":"no"}'])
    yield "in chunks", Plan(status=422, pieces=[b'{"detail":', b'[{"loc":["body"],"msg":"x"}]}'], framing="chunked")
    yield "until the end of the connection", Plan(status=400, pieces=[b'{"error":"x"}'], framing="close")
    yield "of a teapot", Plan(status=418, pieces=[b'{"error":{"message":"short and stout","code":418}}'])
    yield "too large", Plan(status=413, pieces=[b'{"error":"' + b"x" * 5_000 + b'"}'])
    yield "for legal reasons", Plan(status=451, pieces=[b'{"error":{"message":"\xc3\xa9\\u00e9"}}'])
    yield (
        "conflict with a header twice",
        Plan(status=409, headers=(("content-type", JSON), ("x-a", "1"), ("x-a", "2")), pieces=[b"{}"]),
    )


def _plans(protocol: Protocol) -> Iterator[tuple[str, Plan]]:
    known = ANSWER[protocol]
    whole = known.body
    inside = whole[1:]
    for name, value in FRAGMENTS.items():
        yield f"{name} in an unknown field", known.with_pieces([b'{"x_future":%b,%b' % (value, inside)])
    for name, fields in HEADERS.items():
        yield f"headers: {name}", known.with_headers(*fields)
    for media in MEDIA:
        yield f"media type {media}", replace(known, headers=(("content-type", media),))
    yield "without a media type", replace(known, headers=())
    yield "space around everything", known.with_pieces([b"\n\n  " + whole.replace(b',"', b' ,\r\n\t"') + b"\r\n \n"])
    yield "one byte at a time", replace(known.byte_by_byte(), framing="chunked")
    yield "three bytes at a time", replace(known, pieces=cut_up(whole, 3), framing="chunked")
    yield "length, one byte at a time", known.byte_by_byte()
    yield "until the end of the connection", replace(known, framing="close")
    yield "closing", replace(known, closes=True)
    yield "trailers", replace(known, framing="chunked", trailers=(("x-late", "1"), ("x-checksum", "abc")))
    yield "after early hints", replace(known, interim=b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
    yield (
        "after two interim heads",
        replace(known, interim=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"),
    )
    zipped = replace(known, headers=(("content-type", JSON), ("content-encoding", "gzip"), ("vary", "accept-encoding")))
    yield "zipped", zipped.with_pieces([gzip.compress(whole, mtime=0)])
    yield "two megabytes", known.with_pieces([b'{"x_future":"%b",%b' % (b"x" * 2_000_000, inside)])
    yield "created", replace(known, status=201)
    yield "non-authoritative", replace(known, status=203)
