"""Requests of every shape that HTTP allows and a few that our own API refuses, and answers of every shape, by number.

The same number is the same request and the same answer, wherever and whenever it is made.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.http.old_router import Asked, Header, Says, Talk

CASE = b"x-case"

METHODS = (b"POST", b"GET", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"PROPFIND", b"REPORT", b"PURGE")
GATED = (b"/v1/chat/completions", b"/v1/messages", b"/v1/embeddings", b"/api/v1/messages", b"/api/v1/messages/batch")
PATHS = (
    *GATED,
    b"/",
    b"/v1/models",
    b"/v1/models/gpt-9",
    b"/v1/audio/speech",
    b"/v1/chat/completions/",
    b"/static/a%20b.js",
    b"//twice//slashed/../x",
    b"/bytes/%ff%fe",
    b"/bad/%zz",
    b"/caf%C3%A9",
    b"/ctl/%00%0a",
    b"/" + b"long/" * 300,
    b"/livez2",
    b"/api/v2/messages",
)
QUERIES = (b"", b"?", b"?a=1&a=2&b", b"?q=%ff%00&x=%2F", b"?" + b"k=v&" * 200, b"?a=/?&#x"[:7])
VALUES = (b"", b"plain", b"caf\xe9 \xff", b"a,b , c", b'"quo\\"ted"', b"x" * 5_000, b"tab\tinside", b"a: b; c=d")
MEDIA = (b"application/json", b"application/json; charset=utf-8", b"text/plain", b"application/x-ndjson", b"", None)
STATUSES = (
    200,
    200,
    200,
    201,
    204,
    206,
    299,
    301,
    304,
    307,
    400,
    401,
    404,
    409,
    418,
    422,
    429,
    500,
    502,
    503,
    529,
    599,
)


class Case(NamedTuple):
    """A request: what is written, in parts."""

    method: bytes
    parts: Sequence[bytes]


def request(number: int, host: bytes, secrets: Sequence[Header] = ()) -> Case:
    """Return a request."""
    rng = random.Random(number)
    method = rng.choice(METHODS) if rng.random() < 0.5 else b"POST"
    path = rng.choice(PATHS) if rng.random() < 0.6 else rng.choice(GATED)
    if path.startswith(b"/api/v1/"):
        method = b"POST"  # otherwise it is ours
    target = path + rng.choice(QUERIES)
    if method == b"OPTIONS" and rng.random() < 0.3:
        target = b"*"
    lines = [_case(rng, b"Host") + b": " + host, CASE + b": %d" % number]
    for _ in range(rng.randrange(6)):
        name = rng.choice(
            (b"X-Odd", b"Cookie", b"Accept", b"x-repeated", b"User-Agent", b"Via", b"X-Pointsman-Conversation")
        )
        lines.append(
            _case(rng, name) + b":" + rng.choice((b" ", b"", b"  \t")) + rng.choice(VALUES) + rng.choice((b"", b" "))
        )
    lines += [b": ".join(field) for field in secrets if rng.random() < 0.3]
    if rng.random() < 0.2:
        lines.append(b"Connection: " + rng.choice((b"keep-alive", b"X-Odd, keep-alive", b"TE")))
        lines.append(b"TE: trailers")
    body = _body(rng, path) if method not in {b"GET", b"HEAD", b"OPTIONS"} or rng.random() < 0.1 else None
    media = rng.choice(MEDIA)
    if media is not None and rng.random() < 0.8:
        lines.append(b"Content-Type: " + media)
    if rng.random() < 0.05:
        lines.append(b"Content-Encoding: gzip")
    rng.shuffle(lines)
    return Case(method, _framed(rng, method, target, lines, body))


def _framed(
    rng: random.Random, method: bytes, target: bytes, lines: list[bytes], body: bytes | None
) -> Sequence[bytes]:
    pieces: list[bytes] = []
    if body is not None and rng.random() < 0.4:
        lines.append(_case(rng, b"Transfer-Encoding") + b": chunked")
        size = 1 if len(body) < 300 and rng.random() < 0.5 else max(1, len(body) // 5)
        cut = [body[at : at + size] for at in range(0, len(body), size)]
        pieces = [b"%x%b\r\n%b\r\n" % (len(one), rng.choice((b"", b";ext=1")), one) for one in cut]
        pieces.append(b"0\r\n" + rng.choice((b"", b"X-Trailer: t\r\n")) + b"\r\n")
    elif body is not None:
        lines.append(_case(rng, b"Content-Length") + b": %d" % len(body))
        pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    if body and rng.random() < 0.1:
        lines.append(b"Expect: 100-continue")
    head = b"\r\n".join([b"%b %b HTTP/1.1" % (method, target), *lines, b"", b""])
    if rng.random() < 0.5:
        return [head + b"".join(pieces)]
    return [head, *pieces]


def _body(rng: random.Random, path: bytes) -> bytes:
    kind = rng.randrange(12)
    if kind < 5:
        return _fitting(rng, path)
    if kind == 5:
        return b""
    if kind == 6:
        return b'{"text": "cut off'
    if kind == 7:
        return rng.randbytes(rng.choice((1, 200, 70_000)))
    if kind == 8:
        return json.dumps({"text": "x" * 300_000, "messages": []}).encode()
    if kind == 9:
        return b'{"text": "a\\u0000b", "text": 1e999, "messages": [' + b"[" * 2_000
    if kind == 10:
        return b"\x00" * rng.randrange(1, 50)
    return json.dumps({"model": "unknown", "messages": [{"role": "user", "content": "caf\u00e9"}]}).encode()


def _fitting(rng: random.Random, path: bytes) -> bytes:
    if path.startswith(b"/api"):
        return json.dumps({"text": f"fix typo {rng.randrange(10**9)}", "class": "tactical"}).encode()
    chat = {
        "model": "auto",
        "messages": [{"role": "user", "content": f"fix typo {rng.randrange(10**9)}"}],
        "max_tokens": 9,
    }
    return json.dumps(chat).encode()


async def answer(asked: Asked, talk: Talk) -> Says:
    """Return the answer that belongs to a request."""
    (number,) = asked.all(CASE)
    rng = random.Random(-1 - int(number))
    status = rng.choice(STATUSES)
    lines = [b"HTTP/1.1 %d Whatever It Is" % status]
    for _ in range(rng.randrange(6)):
        name = rng.choice((b"Set-Cookie", b"X-Odd", b"Location", b"Server", b"Vary", b"ETag", b"X-Pointsman-Class"))
        lines.append(_case(rng, name) + b": " + rng.choice(VALUES))
    if rng.random() < 0.5:
        lines.append(b"Date: Sun, 06 Nov 1994 08:49:37 GMT")
    if rng.random() < 0.2:
        lines += [b"Connection: X-Odd", b"Keep-Alive: timeout=5"]
    rng.shuffle(lines[1:])
    bare = asked.method == b"HEAD" or status in {204, 304}
    body = rng.randbytes(rng.choice((0, 1, 3, 500, 70_000, 400_000))) if rng.random() < 0.9 else b"data: x\n\n" * 50
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" if rng.random() < 0.05 else b""
    shape = rng.randrange(4)
    if shape == 0 and not bare:
        head = b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""])
        size = max(1, len(body) // rng.choice((1, 2, 7)))
        cut = [body[at : at + size] for at in range(0, len(body), size)]
        chunks = [b"%x\r\n%b\r\n" % (len(one), one) for one in cut]
        return Says([interim + head, *chunks, b"0\r\n" + rng.choice((b"", b"x-trailer: 1\r\n")) + b"\r\n"])
    if shape == 1 and not bare:
        lines[0] = lines[0].replace(b"HTTP/1.1", rng.choice((b"HTTP/1.0", b"HTTP/1.1")))
        return Says([b"\r\n".join([*lines, b"", b""]), body], closes=True)
    if status == 204:
        return Says([interim + b"\r\n".join([*lines, b"", b""])])
    closes = rng.random() < 0.1
    head = interim + b"\r\n".join(
        [*lines, *([b"connection: close"] if closes else []), b"content-length: %d" % len(body), b"", b""]
    )
    return Says([head] if bare else rng.choice(([head + body], [head, body])), closes=closes)


def _case(rng: random.Random, name: bytes) -> bytes:
    return rng.choice((name, name.lower(), name.upper()))
