"""The bytes on the wire, and the mark in each request that tells the mock provider what to do with it.

Sizes are those of the HTTP study: a request of 949 bytes with the headers of the official OpenAI client, a reply of 526
bytes, a stream of 50 chunks of about 170 bytes and `[DONE]`. Every request differs (a flood guard sees no copies), and
every reply and chunk names the request it belongs to, so that a mix-up or a gap is seen.
"""

from __future__ import annotations

import enum
import re
from typing import Final

REQUEST_BYTES: Final = 949
REPLY_BYTES: Final = 526
CHUNKS: Final = 50
CUT_AFTER: Final = 10
PACE_S: Final = 0.002
PATH: Final = "/v1/chat/completions"


class Act(enum.Enum):
    """What the provider does with a request; the value stands in the request's mark."""

    PLAIN = "p"
    BURST = "b"
    PACED = "s"
    HOLD = "h"
    """Never answers."""
    HEAD_ONLY = "f"
    """Begins a stream and sends no chunk."""
    STALL = "m"
    """Sends a few paced chunks and then nothing."""
    CUT_RESET = "r"
    """Sends a few chunks and resets the connection."""
    CUT_INSIDE = "c"
    """Sends a few chunks and closes inside another one."""
    CUT_CLEAN = "e"
    """Sends a few chunks and ends the body, without a finish reason and without `[DONE]`."""
    SILENT = "q"
    """Says nothing on the provider's first port; on the second it streams."""
    SILENT_HEAD = "k"
    """Sends a head and nothing more on the first port; on the second it streams."""

    @property
    def streamed(self) -> bool:
        """Whether the client asks for a stream."""
        return self not in {Act.PLAIN, Act.HOLD}


CUTS: Final = (Act.CUT_RESET, Act.CUT_INSIDE, Act.CUT_CLEAN)
_ACTS: Final = {act.value.encode(): act for act in Act}
_MARK: Final = re.compile(rb"bench-([a-z])-(\d{10})")

_SYSTEM: Final = (
    "You are a careful engineer in a team that runs a payment service. Answer in short, plain sentences, and say what"
    " you are not sure of."
)
_TEXT: Final = (
    "Write a function that checks whether a card number is valid. It should return true or false, ignore spaces and"
    " dashes, and have a few tests for it. Then fix the failing unit test in the checkout module: it expects a list and"
    " gets a tuple since the last refactoring. Keep the public names as they are, add type hints where they are"
    " missing, and do not touch the migration scripts. The ticket is "
)


def read_mark(body: bytes) -> tuple[Act, int]:
    """Return what a request's mark asks for, and the request's number.

    Raises:
        ValueError: there is no mark.
    """
    found = _MARK.search(body)
    if found is None:
        raise ValueError(f"a request without a mark reached the provider: {body[:200]!r}")
    return _ACTS[found[1]], int(found[2])


def _body(act: Act) -> tuple[bytes, bytes]:
    """Return the body before and after the request's number."""
    before = b'{"model":"auto","messages":[{"role":"system","content":"%s"},{"role":"user","content":"bench-%s-' % (
        _SYSTEM.encode(),
        act.value.encode(),
    )
    stream = b',"stream":true' if act.streamed else b""
    end = b'"}],"temperature":0.2,"max_tokens":256%s}' % stream
    left = REQUEST_BYTES - len(before) - 10 - len(end)
    text = (" " + _TEXT + "x" * left)[:left]
    return before, text.encode() + end


_BODIES: Final = {act: _body(act) for act in Act}


class Requests:
    """Makes the requests for one gateway.

    Args:
        port: where it listens on loopback.
        key: the API key it wants.
    """

    def __init__(self, port: int, key: str) -> None:
        self._head = (
            f"POST {PATH} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{port}\r\n"
            "Accept-Encoding: gzip, deflate\r\n"
            "Connection: keep-alive\r\n"
            "Accept: application/json\r\n"
            "Content-Type: application/json\r\n"
            "User-Agent: AsyncOpenAI/Python 2.8.1\r\n"
            "X-Stainless-Lang: python\r\n"
            "X-Stainless-Package-Version: 2.8.1\r\n"
            "X-Stainless-OS: Linux\r\n"
            "X-Stainless-Arch: x64\r\n"
            "X-Stainless-Runtime: CPython\r\n"
            "X-Stainless-Runtime-Version: 3.12.1\r\n"
            f"Authorization: Bearer {key}\r\n"
            "X-Stainless-Async: async:asyncio\r\n"
            "x-stainless-retry-count: 0\r\n"
            "x-stainless-read-timeout: 600\r\n"
            f"Content-Length: {REQUEST_BYTES}\r\n\r\n"
        ).encode()
        self._parts = {act: (self._head + before, after) for act, (before, after) in _BODIES.items()}

    def make(self, act: Act, number: int) -> bytes:
        """Return a whole request; `number` must be one that no other request had."""
        before, after = self._parts[act]
        return b"%s%010d%s" % (before, number, after)


_REPLY_BEFORE: Final = (
    b'{"id":"chatcmpl-bench","object":"chat.completion","created":1790000000,"model":"gpt-4o-mini","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"bench-p-'
)
_REPLY_AFTER: Final = (
    b'","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":187,'
    b'"completion_tokens":42,"total_tokens":229,"prompt_tokens_details":{"cached_tokens":128,"audio_tokens":0}},'
    b'"service_tier":"default","system_fingerprint":"fp_bench"}'
)
_REPLY_TEXT: Final = (b" is done: the check ignores spaces and dashes, the test expects a tuple now." + b" ok" * 40)[
    : REPLY_BYTES - len(_REPLY_BEFORE) - 10 - len(_REPLY_AFTER)
]


def reply(number: int) -> bytes:
    """Return the body of the plain reply to a request."""
    return b"%s%010d%s%s" % (_REPLY_BEFORE, number, _REPLY_TEXT, _REPLY_AFTER)


_EVENT_BEFORE: Final = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4o-mini",'
    b'"choices":[{"index":0,"delta":{"content":" '
)
_EVENT_AFTER: Final = b'"},"finish_reason":null}]}\n\n'
_LAST_AFTER: Final = (
    b'"},"finish_reason":"stop"}],"usage":{"prompt_tokens":187,"completion_tokens":50,"total_tokens":237}}\n\n'
)
DONE: Final = b"data: [DONE]\n\n"


def event(number: int, position: int) -> bytes:
    """Return one event of a stream; the last one carries finish reason and usage."""
    after = _LAST_AFTER if position == CHUNKS - 1 else _EVENT_AFTER
    return b"%st%02d-%010d%s" % (_EVENT_BEFORE, position, number, after)


def stream(number: int) -> bytes:
    """Return the whole body of a stream."""
    return b"".join(event(number, position) for position in range(CHUNKS)) + DONE
