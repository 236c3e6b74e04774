"""Reads rows to learn from: JSON lines, one at a time, with every mistake named by its line.

A label row is `{"text", "label", "group"?, "weight"?}`; label `null` is out of scope: nothing is learnt from it, and it
shows how well such messages are turned away. An outcome row is `{"text", "weak_ok", "strong_ok", "group"?}`. Other
fields are left aside. Of a text no more is kept than a classifier looks at, and of a very long file a sample of rows
that is the same for the same seed, so that memory stays bounded whatever the file.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

from pointsman.core.classify.ask import FENCE, extract
from pointsman.model.errors import PointsmanError

MOST_ROWS: Final = 100_000
MOST_CHARACTERS: Final = 20_000_000
"""Rows that are kept, and characters of all their texts; of more, a sample."""

LONGEST_LINE_BYTES: Final = 4_194_304
LONGEST_KEPT: Final = 16_384
"""Characters of a text that is kept as it is."""

FEWEST_ROWS: Final = 20
FEWEST_OF_A_CLASS: Final = 2
_SHOWN: Final = 10
"""Mistakes that are told one by one; the rest are counted."""

WEAK: Final = "weak"
STRONG: Final = "strong"
"""Classes of an outcome model."""


class DataUnusable(PointsmanError):
    """Rows that nothing can be learnt from; the text says which and why, each mistake in a line."""

    code = "data_unusable"
    http_status = 422


class Labelled(NamedTuple):
    """One row.

    Attributes:
        text: what a classifier looks at of it.
        label: its class; None is out of scope.
        group: rows of one group stay together, or None.
        weight: what a mistake on it costs, above 0.
        weak_ok, strong_ok: of an outcome row, whether that worker's answer was right.
    """

    text: str
    label: str | None
    group: str | None = None
    weight: float = 1.0
    weak_ok: bool = False
    strong_ok: bool = False


class Dataset(NamedTuple):
    """Rows of a file.

    Attributes:
        rows: in their order.
        classes: labels that occur, sorted; of outcomes `weak` and `strong`.
        counts: rows by label; None counts those out of scope.
        sha256: of the lines, hexadecimal.
        lines: how many there were.
        left_out: rows that are not in the sample.
    """

    rows: list[Labelled]
    classes: list[str]
    counts: Counter[str | None]
    sha256: str
    lines: int
    left_out: int = 0


class _LabelRow(msgspec.Struct):
    text: str
    label: str | None
    group: str | int | None = None
    weight: float = 1.0


class _OutcomeRow(msgspec.Struct):
    text: str
    weak_ok: bool | int | float
    strong_ok: bool | int | float
    group: str | int | None = None
    weight: float = 1.0


class _Sample:
    """Rows that are kept: all, or those that drew the lowest lots, so that each had the same chance."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._kept: list[tuple[float, int, Labelled]] = []
        self._characters = 0
        self._too_high = 1.0
        self.seen = 0

    def add(self, number: int, row: Labelled) -> None:
        self.seen += 1
        lot = self._rng.random()
        if lot >= self._too_high:
            return
        heapq.heappush(self._kept, (-lot, number, row))
        self._characters += len(row.text)
        while len(self._kept) > MOST_ROWS or self._characters > MOST_CHARACTERS:
            highest, _, lost = heapq.heappop(self._kept)
            self._too_high = -highest
            self._characters -= len(lost.text)

    def rows(self) -> list[Labelled]:
        """Return what was kept, in the order of the file."""
        return [row for _, _, row in sorted(self._kept, key=lambda one: one[1])]


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, the overlong cut, so that no line fills the memory; `read` then refuses it."""
    while line := file.readline(LONGEST_LINE_BYTES + 1):
        yield line
        while not line.endswith(b"\n") and (line := file.readline(LONGEST_LINE_BYTES + 1)):
            pass


def read(lines: Iterable[bytes], *, target: str = "label", seed: int = 0, name: str = "the file") -> Dataset:
    """Return the rows of a file.

    Args:
        lines: as `lines_of` gives them; read once, one at a time.
        target: `label` or `outcome`.
        seed: of the sample, where there are more than `MOST_ROWS`.
        name: of the file, for the errors.

    Raises:
        DataUnusable: some rows cannot be understood; every one is counted, the first ones are named.
    """
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_LabelRow if target == "label" else _OutcomeRow)
    digest, sample = hashlib.sha256(), _Sample(seed)
    mistakes: list[str] = []
    wrong = number = 0
    for number, line in enumerate(lines, 1):
        digest.update(line)
        if not line.strip():
            continue
        row = _understand(line, decoder)
        if isinstance(row, str):
            wrong += 1
            if len(mistakes) < _SHOWN:
                mistakes.append(f"line {number}: {row}")
        else:
            sample.add(number, row)
    if wrong:
        more = f"\n... and {wrong - len(mistakes)} more" if wrong > len(mistakes) else ""
        of = sample.seen + wrong
        raise DataUnusable(f"{name}: {wrong} of {of} rows cannot be used:\n" + "\n".join(mistakes) + more)
    rows = sample.rows()
    counts = Counter(row.label for row in rows)
    classes = [WEAK, STRONG] if target == "outcome" else sorted(label for label in counts if label is not None)
    return Dataset(rows, classes, counts, digest.hexdigest(), number, sample.seen - len(rows))


def _understand(line: bytes, decoder: msgspec.json.Decoder[Any]) -> Labelled | str:
    if len(line) > LONGEST_LINE_BYTES:
        return f"longer than {LONGEST_LINE_BYTES} bytes"
    try:
        row = decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return str(error)
    if not row.text.strip():
        return "`text` is empty"
    text = _kept(row.text)
    if not 0.0 < row.weight <= 1e6:
        return f"`weight`: got {row.weight}, expected a number above 0"
    group = None if row.group is None else str(row.group)
    if isinstance(row, _OutcomeRow):
        weak, strong = bool(row.weak_ok), bool(row.strong_ok)
        label = STRONG if strong and not weak else WEAK
        return Labelled(text, label, group, row.weight, weak, strong)
    if row.label is not None and not row.label.strip():
        return "`label` is empty, expected the name of a class, or null for what is out of scope"
    return Labelled(text, row.label, group, row.weight)


def _kept(text: str) -> str:
    """Return what is kept of a text: as much as a classifier looks at, and that there was code in it."""
    if len(text) <= LONGEST_KEPT:
        return text
    return extract(text) + (f"\n{FENCE}" if FENCE in text else "")


def require(data: Dataset, name: str) -> None:
    """Raise DataUnusable where these rows are too few, or too much alike, to learn from."""
    trouble = "\n".join(_troubles(data))
    if trouble:
        raise DataUnusable(f"{name}: {trouble}")


def _troubles(data: Dataset) -> Iterator[str]:
    in_scope = sum(count for label, count in data.counts.items() if label is not None)
    alike: dict[str, str] = {}
    for label in data.classes:
        other = alike.setdefault(label.strip().casefold(), label)
        if other != label:
            yield f"labels {other!r} and {label!r} differ in case or blanks only: write them alike"
    if in_scope < FEWEST_ROWS:
        yield f"{in_scope} rows with a label, expected at least {FEWEST_ROWS}; some hundred make a useful model"
        return
    found = [label for label in data.classes if data.counts[label]]
    if len(found) < 2:
        only = f"only {found[0]!r}" if found else "none"
        yield f"rows of two classes or more are needed, and there are rows of {only}"
    for label in found:
        if data.counts[label] < FEWEST_OF_A_CLASS:
            yield f"class {label!r} has {data.counts[label]} row, expected at least {FEWEST_OF_A_CLASS}"
