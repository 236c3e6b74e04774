from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from pointsman.core.classify.ask import FENCE
from pointsman.training import dataset
from pointsman.training.dataset import STRONG, WEAK, DataUnusable, Labelled, lines_of, read, require


def lines(*rows: Any) -> list[bytes]:
    """Rows as a file has them."""
    return [json.dumps(row).encode() + b"\n" for row in rows]


def many(count: int = 30, classes: int = 2) -> list[dict[str, str]]:
    """Rows of several classes."""
    return [{"text": f"text {at}", "label": f"class {at % classes}"} for at in range(count)]


def refused(rows: list[bytes], target: str = "label") -> str:
    """What is said of rows that cannot be used."""
    with pytest.raises(DataUnusable) as caught:
        require(read(rows, target=target, name="rows.jsonl"), "rows.jsonl")
    return str(caught.value)


def test_rows_are_read_with_their_groups_and_weights():
    """A group may be a number; null is out of scope, and is no class; other fields are left aside."""
    found = read(
        lines(
            {"text": "one", "label": "b", "group": 7, "weight": 2, "more": [1]},
            {"text": "two", "label": None},
            {"text": "three", "label": "a"},
        )
    )
    assert found.rows == [Labelled("one", "b", "7", 2.0), Labelled("two", None), Labelled("three", "a")]
    assert found.classes == ["a", "b"]
    assert (found.counts[None], found.lines, found.left_out) == (1, 3, 0)


def test_blank_lines_count_for_nothing():
    """But stay in the hash and in the numbers of lines."""
    found = read([b"\n", *lines({"text": "one", "label": "a"}), b"  \n"])
    assert (len(found.rows), found.lines) == (1, 3)


@pytest.mark.parametrize(
    ("weak", "strong", "label"), [(1, 1, WEAK), (0, 1, STRONG), (0, 0, WEAK), (True, False, WEAK), (0.0, 1.0, STRONG)]
)
def test_an_outcome_is_strong_only_where_the_strong_worker_alone_is_right(weak: Any, strong: Any, label: str):
    """What one that fails the other fails too teaches nothing about the strong one."""
    found = read(lines({"text": "x", "weak_ok": weak, "strong_ok": strong}), target="outcome")
    assert (found.rows[0].label, found.classes) == (label, [WEAK, STRONG])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b"not json\n", "line 2: "),
        (b'{"label": "a"}\n', "missing required field `text`"),
        (b'{"text": "x"}\n', "missing required field `label`"),
        (b'{"text": " ", "label": "a"}\n', "`text` is empty"),
        (b'{"text": "x", "label": " "}\n', "`label` is empty"),
        (b'{"text": "x", "label": 3}\n', "$.label"),
        (b'{"text": "x", "label": "a", "weight": 0}\n', "`weight`: got 0"),
        (b'{"text": "x", "label": "a", "weight": -1}\n', "`weight`: got -1"),
        (b'\xff\xfe{"text": "x"}\n', "line 2: "),
        (b"[" * 100_000 + b"\n", "line 2: "),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(row: bytes, words: str):
    """One clear line, with what was found and expected."""
    text = refused([*lines({"text": "x", "label": "a"}), row])
    assert text.startswith("rows.jsonl: 1 of 2 rows cannot be used:\nline 2: ")
    assert words in text


def test_of_many_mistakes_the_first_ten_are_named_and_all_are_counted():
    """So that a file of a million mistakes fits on a screen."""
    text = refused([b"{}\n"] * 25)
    assert text.startswith("rows.jsonl: 25 of 25 rows cannot be used:")
    assert text.endswith("... and 15 more")
    assert text.count("\n") == 11


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (many(10), "10 rows with a label, expected at least 20"),
        ([*many(30), *({"text": f"t{at}", "label": "CLASS 0"} for at in range(3))], "differ in case or blanks only"),
        ([*many(30), *({"text": f"t{at}", "label": "class 0 "} for at in range(3))], "differ in case or blanks only"),
        (many(30, classes=1), "rows of two classes or more are needed, and there are rows of only 'class 0'"),
        ([{"text": f"t{at}", "label": None} for at in range(30)], "0 rows with a label"),
        ([*many(30), {"text": "alone", "label": "rare"}], "class 'rare' has 1 row, expected at least 2"),
    ],
)
def test_rows_that_teach_nothing_are_refused(rows: list[dict[str, Any]], words: str):
    """Too few, or too much alike; one line says which."""
    text = refused(lines(*rows))
    assert words in text
    assert "\n" not in text


def test_outcomes_that_never_differ_are_refused():
    """There is nothing to learn where the strong worker never pays off."""
    text = refused(lines(*({"text": f"t{at}", "weak_ok": 1, "strong_ok": 1} for at in range(30))), target="outcome")
    assert "only 'weak'" in text


def test_of_a_long_text_no_more_is_kept_than_is_looked_at():
    """Its beginning and its end, and that there was code in it."""
    long = "begin " + "x " * 40_000 + f"\n{FENCE}\ncode\n{FENCE}\n end"
    kept = read(lines({"text": long, "label": "a"})).rows[0].text
    assert len(kept) < 5_000
    assert kept.startswith("begin ")
    assert FENCE in kept


def test_of_too_many_rows_a_sample_is_kept_the_same_for_the_same_seed(monkeypatch: pytest.MonkeyPatch):
    """In the order of the file, every row with the same chance."""
    monkeypatch.setattr(dataset, "MOST_ROWS", 100)
    rows = lines(*many(1_000))
    one, same, other = (read(rows, seed=seed) for seed in (1, 1, 2))
    assert (len(one.rows), one.left_out, one.lines) == (100, 900, 1_000)
    assert one.rows == same.rows != other.rows
    numbers = [int(row.text.split()[1]) for row in one.rows]
    assert numbers == sorted(numbers)
    halves = [sum(int(row.text.split()[1]) < 500 for row in read(rows, seed=seed).rows) for seed in range(40)]
    assert 46 < sum(halves) / 40 < 54


def test_long_rows_are_sampled_by_their_characters(monkeypatch: pytest.MonkeyPatch):
    """A few thousand long messages fill memory as well as many short ones."""
    monkeypatch.setattr(dataset, "MOST_CHARACTERS", 10_000)
    found = read(lines(*({"text": "x" * 1_000, "label": str(at)} for at in range(50))))
    assert (len(found.rows), found.left_out) == (10, 40)


def test_short_rows_have_no_better_chance_than_long_ones(monkeypatch: pytest.MonkeyPatch):
    """Where characters run out, a short row still fits, and must not be taken for that."""
    monkeypatch.setattr(dataset, "MOST_CHARACTERS", 5_000)
    rows = lines(*({"text": "x" * (1_000 if at % 2 else 10), "label": "a"} for at in range(1_000)))
    short = long = 0
    for seed in range(40):
        sizes = [len(row.text) for row in read(rows, seed=seed).rows]
        short, long = short + sizes.count(10), long + sizes.count(1_000)
    assert 0.6 < short / long < 1.7


def test_a_line_without_an_end_does_not_fill_the_memory():
    """It is cut where it is too long, refused by its number, and the next line is read as it is."""
    file = io.BytesIO(b'{"text": "' + b"x" * 9_000_000 + b'", "label": "a"}\n{"text": "next", "label": "b"}\n')
    found = list(lines_of(file))
    assert (len(found[0]), len(found)) == (dataset.LONGEST_LINE_BYTES + 1, 2)
    assert found[1] == b'{"text": "next", "label": "b"}\n'
    assert "line 1: longer than 4194304 bytes" in refused(found)


def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch):
    """A hundred thousand rows through a sample of a thousand: far less than the 40 MB that were read."""
    monkeypatch.setattr(dataset, "MOST_ROWS", 1_000)
    row = lines({"text": "word " * 80, "label": "a"})[0]

    def endless() -> Iterator[bytes]:
        for _ in range(100_000):
            yield row

    tracemalloc.start()
    found = read(endless())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.lines == 100_000
    assert peak < 4_000_000


def test_the_hash_is_of_the_bytes_of_the_file():
    """Whoever has the file can check what a model was trained on."""
    assert read(lines({"text": "x", "label": "a"})).sha256 == (
        "2a6b80643eb2c8cff4a489f362480a52d84d03e46bc409ae3d03e5ee4090d051"
    )
