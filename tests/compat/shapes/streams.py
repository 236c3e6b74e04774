# ruff: noqa: E501 - an event is one line, however long
"""Shapes of streamed answers: everything that the event-stream format allows and some that it only tolerates.

Source: WHATWG HTML, "Server-sent events", "Parsing an event stream": lines end in LF, CRLF or CR; lines that begin with a
colon are comments; one space after a field's colon is dropped; data of several lines is joined; a leading byte order mark
is skipped. A relay may not change any of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.compat import anthropic_cases, openai_cases
from tests.compat.provider import anthropic, openai
from tests.compat.provider.plan import EVENTS, Field, Plan, cut_up
from tests.compat.provider.prompt_cache import Tokens
from tests.compat.shapes.fragments import FRAGMENTS
from tests.compat.shapes.requests import PATHS, REST
from tests.compat.shapes.shape import MODEL, Protocol, Shape

Event = tuple[str, bytes]
"""Name, empty where there is none, and data."""

_HEAD = b'"id":"c","object":"chat.completion.chunk","created":1,"model":"m"'


def _chunk(choices: bytes, more: bytes = b"") -> Event:
    return "", b'{%b,"choices":[%b]%b}' % (_HEAD, choices, more)


def _delta(delta: bytes, finish: bytes = b"null") -> bytes:
    return b'{"index":0,"delta":%b,"finish_reason":%b}' % (delta, finish)


_COUNTED = b',"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}'
_OPENAI: list[Event] = [
    _chunk(_delta(b'{"role":"assistant","content":""}')),
    _chunk(_delta('{"content":"Grüße 🚆"}'.encode())),
    _chunk(_delta(b"{}", b'"stop"')),
    _chunk(b"", _COUNTED),
    ("", b"[DONE]"),
]
_START = b'{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"cache_read_input_tokens":3,"output_tokens":1}}}'
_ANTHROPIC: list[Event] = [
    ("message_start", _START),
    ("content_block_start", b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'),
    ("ping", b'{"type": "ping"}'),
    (
        "content_block_delta",
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße 🚆"}}'.encode(),
    ),
    ("content_block_stop", b'{"type":"content_block_stop","index":0}'),
    (
        "message_delta",
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}',
    ),
    ("message_stop", b'{"type":"message_stop"}'),
]
EVENTS_OF: dict[Protocol, list[Event]] = {"openai": _OPENAI, "anthropic": _ANTHROPIC}


def write(events: list[Event], end: bytes = b"\n", data: bytes = b"data: ") -> list[bytes]:
    """Return events as they usually go over the wire, one piece each."""
    return [(b"event: %b%b" % (name.encode(), end) if name else b"") + data + text + end + end for name, text in events]


def shapes() -> Iterator[Shape]:
    """Yield all shapes of streamed answers."""
    for protocol in PATHS:
        body = b'{"model":%b,"stream":true,%b}' % (MODEL, REST[protocol])
        fields = (("content-type", EVENTS), ("x-request-id", "r"), ("request-id", "r"), ("cache-control", "no-cache"))
        for name, pieces in _rows(protocol):
            plan = Plan(headers=fields, pieces=pieces, framing="chunked")
            yield Shape(f"{protocol} stream: {name}", protocol, body, plan, PATHS[protocol])
        for name, plan in _framed(protocol, fields):
            yield Shape(f"{protocol} stream: {name}", protocol, body, plan, PATHS[protocol])
    for name, ask in openai_cases.STREAMED.items():
        plan = openai.complete({"model": "m", "stream": True, **ask}, "fixed", Tokens(9, 4))
        yield _asked("openai", name, ask, plan)
    for name, more in anthropic_cases.ASKS.items():
        ask = {**anthropic_cases.BASE, **more}
        plan = anthropic.answer({"model": "m", "stream": True, **ask}, "fixed", Tokens(9, 4))
        yield _asked("anthropic", name, ask, plan)


def _asked(protocol: Protocol, name: str, ask: dict[str, Any], plan: Plan) -> Shape:
    plain = {key: value for key, value in ask.items() if not key.startswith("extra_")} | ask.get("extra_body", {})
    text = json.dumps({"stream": True, "model": "@", **plain}, ensure_ascii=False).encode()
    body = text.replace(b'"model": "@"', b'"model": ' + MODEL, 1)
    return Shape(f"{protocol} stream of {name}", protocol, body, plan, PATHS[protocol])


def _rows(protocol: Protocol) -> Iterator[tuple[str, list[bytes]]]:
    events = EVENTS_OF[protocol]
    usual = write(events)
    whole = b"".join(usual)
    for size in (1, 2, 3, 5, 7, 11, 64, 100_000):
        yield f"pieces of {size}", cut_up(whole, size)
    for mark in ("🚆".encode(), b"data: ", b"\n\n", b'"stop', events[-1][1]):
        at = whole.rindex(mark) + 1
        yield f"cut inside {mark.decode()!r}", [whole[:at], whole[at:]]
    yield "each line a piece", [line + b"\n" for line in whole.split(b"\n")[:-1]]
    yield "CRLF", write(events, b"\r\n")
    yield "CRLF cut in two", cut_up(b"".join(write(events, b"\r\n")), whole.index(b"\n") + 1)
    yield "CRLF, one byte at a time", cut_up(b"".join(write(events, b"\r\n")), 1)
    yield "CR", write(events, b"\r")
    yield "mixed line ends", [*write(events[:1], b"\r"), *write(events[1:2], b"\r\n"), *write(events[2:])]
    yield "data without a space", write(events, data=b"data:")
    yield "data with two spaces", write(events, data=b"data:  ")
    yield "byte order mark", [b"\xef\xbb\xbf" + whole]
    yield "comments", [b": hello\n\n", *(b": ping\n" + one + b":\n\n" for one in usual)]
    yield "comments of a compatible server", [b": OPENROUTER PROCESSING\n\n" * 3, whole]
    yield "empty events", [b"\n\n\n", *(one + b"\n\n" for one in usual)]
    yield "ids and retry", [b"retry: 10000\n", *(b"id: %d\n" % place + one for place, one in enumerate(usual))]
    yield "unknown fields", [b"x-future: 1\nfoo\n", *(b"meta:{}\n" + one for one in usual)]
    yield "event after data", [_turned(name, text) for name, text in events]
    yield "data of several lines", [*usual[:1], *(_several(name, text) for name, text in events[1:2]), *usual[2:]]
    yield "a line of a megabyte", [*usual[:1], b": " + b"x" * 1_000_000 + b"\n\n", *usual[1:]]
    yield "line end after the last", [*usual, b"\n"]
    yield "comment after the last", [*usual, b": bye\n\n"]
    yield "words after the last", [*usual, b"garbage without end"]
    yield "twenty kilobytes of comments after the last", [*usual, *[b": " + b"x" * 1_000 + b"\n\n"] * 20]
    yield "an event after the last", [*usual, b'data: {"late":true}\n\n']
    yield "no empty line at the end", [*usual[:-1], usual[-1][:-1]]
    yield "no line end at the end", [*usual[:-1], usual[-1][:-2]]
    yield "an unknown event", [*usual[:2], b'event: hologram\ndata: {"type":"hologram","x":[1.50]}\n\n', *usual[2:]]
    yield (
        "space inside the JSON",
        write([(name, text.replace(b":", b" : ").replace(b",", b" ,\t")) for name, text in events]),
    )
    for name, value in FRAGMENTS.items():
        if b"\n" in value or b"\r" in value:
            continue
        first = events[0][1].replace(b"{", b'{"x_future":%b,' % value, 1)
        yield f"{name} in an unknown field", [*write([(events[0][0], first)]), *usual[1:]]
    yield from _openai_rows(usual) if protocol == "openai" else _anthropic_rows(usual)


def _turned(name: str, text: bytes) -> bytes:
    return b"data: " + text + b"\n" + (b"event: %b\n" % name.encode() if name else b"") + b"\n"


def _several(name: str, text: bytes) -> bytes:
    lines = b"".join(b"data: %b\n" % line for line in text.replace(b",", b",\n").split(b"\n"))
    return (b"event: %b\n" % name.encode() if name else b"") + lines + b"\n"


def _openai_rows(usual: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    yield "no [DONE]", usual[:-1]
    yield "no usage", [*usual[:3], usual[-1]]
    yield "error null in every chunk", [piece.replace(b'"id"', b'"error":null,"id"') for piece in usual]
    yield (
        "a word of errors in the text",
        [usual[0].replace(b'"content":""', b'"content":"{\\"error\\": {}}"'), *usual[1:]],
    )
    yield "usage twice", [*usual[:4], usual[3], usual[-1]]
    yield "no finish reason", [*usual[:2], *usual[3:]]
    yield (
        "usage in every chunk",
        [*write([_chunk(_delta(b'{"content":"a"}'), _COUNTED), _chunk(_delta(b"{}", b'"stop"'), _COUNTED)]), usual[-1]],
    )
    yield (
        "usage null, then none",
        [
            *write(
                [
                    _chunk(_delta(b'{"content":"a"}'), b',"usage":null'),
                    _chunk(_delta(b"{}", b'"stop"'), b',"usage":null'),
                ]
            ),
            usual[-1],
        ],
    )
    yield "[DONE] alone", [usual[-1]]
    yield "[DONE] twice", [*usual, usual[-1]]
    yield "[DONE] with space", [*usual[:-1], b"data: [DONE] \n\n"]


def _anthropic_rows(usual: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    yield "names left out", [b"data: " + text + b"\n\n" for _, text in _ANTHROPIC]
    yield "ping first", [usual[2], *usual]
    yield "ping between all", [piece for one in usual for piece in (usual[2], one)]
    yield (
        "no usage",
        [
            *usual[:5],
            b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
            usual[-1],
        ],
    )
    yield "usage twice", [*usual[:6], usual[5], usual[-1]]
    yield "no message_delta", [*usual[:5], usual[-1]]
    yield "message_stop twice", [*usual, usual[-1]]
    yield (
        "blocks that overlap",
        [
            *usual[:2],
            usual[1].replace(b'"index":0', b'"index":1'),
            *usual[2:5],
            usual[4].replace(b":0", b":1"),
            *usual[5:],
        ],
    )


def _framed(protocol: Protocol, fields: tuple[Field, ...]) -> Iterator[tuple[str, Plan]]:
    usual = write(EVENTS_OF[protocol])
    known = Plan(headers=fields, pieces=usual, framing="chunked")
    yield "with a length", replace(known, framing="length")
    yield "until the end of the connection", replace(known, framing="close")
    yield "with trailers", replace(known, trailers=(("x-usage", "7"),))
    yield "after early hints", replace(known, interim=b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
    for media in ("text/event-stream", "text/event-stream;charset=UTF-8", "Text/Event-Stream; charset=utf-8"):
        yield f"media type {media}", replace(known, headers=(("content-type", media),))
    yield "headers twice", known.with_headers(("x-twice", "1"), ("x-twice", "2"), ("x-accel-buffering", "no"))
