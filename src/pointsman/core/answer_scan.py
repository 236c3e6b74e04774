"""Reads what the router must know of a streamed answer beside the bytes that it passes on: end, usage, error.

Decides by looking back. While bytes come, they are only put behind the last few kilobytes; what is asked about the end
of a stream is then found in these, and what stands at its beginning in the first few. Text is counted from time to
time, in bulk. So a chunk costs little more than a copy of itself, however it was cut, and memory is bounded. Knows two
protocols, OpenAI's chat completion chunks and Anthropic's message events, both as server-sent events (WHATWG HTML,
9.2).

What is looked for cannot be forged by the text that a model writes: within a JSON string neither an unescaped quote nor
a line end can stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from pointsman.core.usage import anthropic_figures, merged, openai_figures, tokens_in, usage_of
from pointsman.model.usage import Usage

_KEPT: Final = 4_096
"""Bytes kept of the beginning, and at least of the end: last events are a few hundred each."""

_FULL: Final = 12_288
"""Bytes from which on what is behind the last `_KEPT` is counted and dropped."""

_LONGEST_OBJECT: Final = 8_192
"""An object that is longer holds no figures, and no error that anybody would read."""

_TEXT: Final = re.compile(
    rb'"(?:content|text|thinking|partial_json|arguments|reasoning_content|reasoning|refusal)"\s*:\s*'
    rb'"((?:[^"\\]++|\\.)*+)',
    re.DOTALL,
)
_REST: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_USAGE: Final = re.compile(rb'"usage"\s*:\s*(?=\{)')
_KEY: Final = b'"usage"'
_DONE: Final = re.compile(rb"[\r\n]data: ?\[DONE\]")
_LAST: Final = b"[DONE]"
_STOP: Final = b'"message_stop"'
_STOPPED: Final = re.compile(rb'"type"\s*:\s*"message_stop"')
_SPACE: Final = 64
"""Where there may be space in front of something, so much is looked through."""

_FINISHED: Final = re.compile(rb'"finish_reason"\s*:\s*"')
_COMMENT: Final = re.compile(rb"\n:[^\n]*(?=\n)")
_OPEN_COMMENT: Final = re.compile(rb"\n:[^\n]*\Z")
_BLANK: Final = re.compile(rb"\r?\n(?:\r?\n){2,}")
_DATA: Final = re.compile(rb"[\r\n]data: ?(\{[^\r\n]*)")

_reader = json.JSONDecoder()


class AnswerScan:
    """What has come of one streamed answer.

    Args:
        protocol: `openai` or `anthropic`.
    """

    __slots__ = ("_buffer", "_head", "_inside", "_openai", "_text_bytes")

    def __init__(self, protocol: str) -> None:
        self._openai = protocol == "openai"
        self._buffer = bytearray(b"\n")  # so that each line begins behind a line end
        self._head: bytes | None = None
        self._inside = False
        self._text_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        buffer = self._buffer
        buffer += chunk
        if len(buffer) > _FULL:
            self._shrink()

    @property
    def done(self) -> bool:
        """The very last event has come, behind which nothing is to be expected."""
        mark, event = (_LAST, _DONE) if self._openai else (_STOP, _STOPPED)
        at = self._buffer.rfind(mark)
        return at >= 0 and event.search(self._buffer, max(0, at - _SPACE)) is not None

    @property
    def ended(self) -> bool:
        """The answer is whole: its last event has come, or in OpenAI's protocol a reason why each choice ended."""
        return self.done or (self._openai and _all_finished(self._buffer))

    @property
    def error(self) -> bytes | None:
        """The data of an error event that has come, as the worker wrote it; None if there was none."""
        if b'"error"' not in self._buffer:
            return None
        return next((line for line in reversed(_DATA.findall(self._buffer)) if _is_error(line)), None)

    @property
    def output_guess(self) -> int:
        """About how many tokens have come, by the bytes of their text."""
        return tokens_in(self._text_bytes + _text_bytes(self._buffer, self._inside))

    @property
    def said(self) -> dict[str, Any] | None:
        """The provider's own account so far: of OpenAI's the last, of Anthropic's the first with the last over it."""
        return self._said()[0]

    def usage(self, input_guess: Callable[[], int]) -> Usage:
        """Return what the answer has taken so far.

        Args:
            input_guess: returns input tokens where the provider says nothing of them.
        """
        said, is_late = self._said()
        figures = openai_figures(said) if self._openai else anthropic_figures(said)
        if not is_late:  # What the beginning of a stream says of its output is about the beginning.
            figures = figures._replace(output=None)
        return usage_of(figures, input_guess, lambda: self.output_guess)

    def _said(self) -> tuple[dict[str, Any] | None, bool]:
        """Return what has been said, and whether it is about more than the beginning."""
        last = _last_usage(self._buffer)
        if self._openai:
            return (None if last is None else last.said), True
        first = _first_usage(self._buffer if self._head is None else self._head)
        if self._head is None and first is not None and last is not None and last.at == first.at:
            last = None
        if first is None or last is None:
            only = first or last
            return (None if only is None else only.said), first is None
        return merged(first.said, last.said), True

    def _shrink(self) -> None:
        buffer = self._buffer
        if buffer.find(b"\n:") >= 0:
            buffer[:] = _BLANK.sub(b"\n\n", _OPEN_COMMENT.sub(b"\n:", _COMMENT.sub(b"", buffer)))
            if len(buffer) <= _FULL:
                return
        if self._head is None:
            self._head = bytes(buffer[:_KEPT])
        end = len(buffer) - _KEPT
        cut = max(buffer.rfind(b"\n", 1, end), buffer.rfind(b"\r", end - _KEPT, end))
        inside = cut < 0  # in the middle of a very long line
        if inside:
            backslashes = end - len(buffer[:end].rstrip(b"\\"))
            cut = end - backslashes % 2  # not between one and what it escapes
        passed = buffer[:cut]
        self._text_bytes += _text_bytes(passed, self._inside)
        self._inside = inside and _ends_in_text(passed, self._inside)
        del buffer[:cut]


def text_tokens(body: bytes) -> int:
    """Return about how many tokens the text in a plain answer is."""
    return tokens_in(_text_bytes(body, inside=False))


class _Said(NamedTuple):
    at: int
    said: dict[str, Any]


def _first_usage(data: bytes | bytearray) -> _Said | None:
    at = data.find(_KEY)
    while at >= 0:
        if said := _usage_at(data, at):
            return said
        at = data.find(_KEY, at + 1)
    return None


def _last_usage(data: bytes | bytearray) -> _Said | None:
    at = data.rfind(_KEY)
    while at >= 0:
        if said := _usage_at(data, at):
            return said
        at = data.rfind(_KEY, 0, at)
    return None


def _usage_at(data: bytes | bytearray, at: int) -> _Said | None:
    """Return the object called `usage` whose key stands at `at`; None if it is none, such as null, or not whole."""
    match = _USAGE.match(data, at)
    said = _object(data, match.end()) if match else None
    return None if said is None else _Said(at, said)


def _text_bytes(data: bytes | bytearray, inside: bool) -> int:
    """Return how many bytes of text there are in a part of an answer, which may begin `inside` one."""
    return _rest(data, inside) + sum(map(len, _TEXT.findall(data)))


def _ends_in_text(data: bytes | bytearray, inside: bool) -> bool:
    last = max((match.end() for match in _TEXT.finditer(data)), default=_rest(data, inside))
    return last == len(data)


def _rest(data: bytes | bytearray, inside: bool) -> int:
    rest = _REST.match(data) if inside else None
    return rest.end() if rest else 0


def _all_finished(data: bytearray) -> bool:
    """Whether each choice of a completion has a reason why it ended; `n` of them may be streamed side by side."""
    open_choices: dict[Any, bool] = {}
    for line in _DATA.findall(data):
        choices = (_object(line, 0) or {}).get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                index = str(choice.get("index", 0))
                open_choices[index] = open_choices.get(index, True) and not choice.get("finish_reason")
    if not open_choices:  # All of it came as one endless event.
        return _FINISHED.search(data) is not None
    return not any(open_choices.values())


def _is_error(line: bytes) -> bool:
    event = _object(line, 0) if b'"error"' in line else None
    if event is None:
        return False
    return bool(event.get("error")) or "error" in (event.get("type"), event.get("object"))


def _object(data: bytes | bytearray, start: int) -> dict[str, Any] | None:
    """Return the JSON object that begins at `start`, or None if it is none, or not whole."""
    try:
        value = _reader.raw_decode(data[start : start + _LONGEST_OBJECT].decode("utf-8", "replace"))[0]
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
