from __future__ import annotations

import io

import pytest

from pointsman.cli import rows as rows_module
from pointsman.cli.rows import Row, rows


def read(data: bytes, row_format: str = "auto") -> list[Row]:
    """All rows of these bytes."""
    return list(rows(io.BytesIO(data), row_format))


def test_each_line_is_a_row_even_an_empty_one():
    """Rows and answers can be laid side by side; a last line break begins no row."""
    assert read(b"one\n\ntwo") == [Row("one"), Row(""), Row("two")]
    assert read(b"one\r\n") == [Row("one")]
    assert read(b"") == []


def test_a_line_that_begins_with_a_brace_is_json():
    """`text`, `messages` and `class` are taken, what else a data set holds is left alone."""
    assert read(b'{"text": "a", "label": "x"}\n') == [Row("a")]
    assert read(b' {"messages": [], "class": "fast"}\n') == [Row(None, [], "fast")]


def test_text_and_json_can_be_forced():
    """`text` takes a brace as it is, `jsonl` takes nothing but JSON."""
    assert read(b"{x}", "text") == [Row("{x}")]
    assert "not JSON" in read(b"plain", "jsonl")[0].error
    assert "expected a JSON object" in read(b"[1]", "jsonl")[0].error


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{bad", "not JSON"),
        (b"a\xffb", "byte 2 of the line is not UTF-8"),
        (b'{"a":' * 100_000, "nested too deep"),
    ],
)
def test_a_bad_line_is_a_row_with_an_error_and_ends_nothing(line, complaint):
    """The rows around it are read as if it were not there."""
    before, bad, after = read(b"before\n" + line + b"\nafter\n")
    assert (before, after) == (Row("before"), Row("after"))
    assert complaint in bad.error


def test_a_line_without_end_is_refused_without_being_held(monkeypatch):
    """No more than the longest line is ever read at once, and the next line is found again."""
    monkeypatch.setattr(rows_module, "LONGEST_BYTES", 10)
    first, second, third = read(b"0123456789\n" + b"x" * 95 + b"\nlast")
    assert (first, third) == (Row("0123456789"), Row("last"))
    assert second.error.startswith("too_large")
