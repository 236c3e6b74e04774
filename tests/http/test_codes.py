"""The table of codes: statuses that HTTP has, and names that programs can compare."""

from __future__ import annotations

import re

from pointsman.http.codes import CODES, SECTIONS


def test_statuses_are_errors_or_none() -> None:
    """A code is never a success; 0 stands for codes that no answer has."""
    assert all(row.status == 0 or 400 <= row.status < 600 for row in CODES.values())


def test_codes_are_words_that_never_need_quoting() -> None:
    """Lower case, digits and underscores."""
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{1,40}", code) for code in CODES)


def test_nothing_in_a_row_breaks_the_table_of_the_reference() -> None:
    """A vertical bar or a line end would."""
    for row in CODES.values():
        assert not set("|\n") & set(row.title + row.meaning + row.advice)


def test_the_sections_hold_the_table() -> None:
    """Every code is found in exactly one section."""
    assert [row.code for rows in SECTIONS.values() for row in rows] == list(CODES)
