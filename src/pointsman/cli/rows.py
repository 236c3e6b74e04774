"""Reads rows to classify, one a line, without ever holding more than one of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

from pointsman.model.errors import UsageError

LONGEST_BYTES: Final = 33_554_432
"""A line above this size is refused as a row: 32 MiB, the largest body of the compatible APIs."""


class Row(NamedTuple):
    """One message of a file, or what is wrong with its line."""

    text: str | None = None
    messages: list[dict[str, Any]] | None = None
    message_class: str | None = None
    error: str = ""


def whole_text(argument: str) -> str:
    """Return a text given as an argument; `-` stands for the whole of standard input. Raises UsageError."""
    if argument != "-":
        return argument
    try:
        return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8: byte {error.start + 1} is wrong") from None


def rows(source: BinaryIO, row_format: str) -> Iterator[Row]:
    """Yield a row for each line, an empty one included, so that rows and answers can be laid side by side.

    Args:
        source: lines of UTF-8.
        row_format: `text`, `jsonl`, or `auto`, which takes a line that begins with `{` as JSON.
    """
    while line := source.readline(LONGEST_BYTES + 1):
        if len(line) > LONGEST_BYTES and not line.endswith(b"\n"):
            while (more := source.readline(LONGEST_BYTES)) and not more.endswith(b"\n"):
                pass
            yield Row(error=f"too_large: the line is longer than {LONGEST_BYTES:,} bytes")
            continue
        yield _row(line.removesuffix(b"\n").removesuffix(b"\r"), row_format)


def _row(line: bytes, row_format: str) -> Row:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return Row(error=f"invalid: byte {error.start + 1} of the line is not UTF-8")
    if row_format == "text" or (row_format == "auto" and not text.lstrip().startswith("{")):
        return Row(text=text)
    try:
        return _from_json(json.loads(text))
    except ValueError as error:
        return Row(error=f"invalid: the line is not JSON: {error}")
    except RecursionError:
        return Row(error="invalid: the line is nested too deep to be read")


def _from_json(value: Any) -> Row:
    if not isinstance(value, dict):
        return Row(error="invalid: expected a JSON object with `text` or `messages`")
    return Row(value.get("text"), value.get("messages"), value.get("class"))
