"""A model as one JSON text: what stands in it, how it is written, and which ones are refused.

Never pickle: a model may come from elsewhere, and reading one must not run anything. Everything is checked before
anything is built, so that a file that is cut off, foreign or newer changes nothing. With two classes a weight is a
number; with more, weights are whole numbers of one byte with a common unit, and only those that are not zero are
written, which makes a model of 150 classes a few megabytes.
"""

from __future__ import annotations

import base64
import binascii
from array import array
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from pointsman.core.classify.features import SIZES
from pointsman.core.classify.linear import LinearModel
from pointsman.model.errors import PointsmanError

FORMAT: Final = "pointsman classifier"
SCHEMA: Final = 1
MOST_CLASSES: Final = 1_000
MOST_FEATURES: Final = 2_000_000

_Number = Annotated[float, Meta(ge=-1e6, le=1e6)]
_Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class ModelUnusable(PointsmanError):
    """A file that is no model this version can use; the text says what was found and what to do."""

    code = "model_unusable"
    http_status = 422


class Sparse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of more than two classes.

    Attributes:
        unit: what 1 is worth.
        counts: weights that are not zero by feature, base64 of unsigned 16-bit numbers, little endian.
        classes: the class of each, base64 of the same.
        values: each, base64 of signed bytes.
    """

    unit: _Number
    counts: str
    classes: str
    values: str


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What the model was like on the messages it was trained on; drift is measured against it.

    Attributes:
        confidence: share of messages by confidence, ten bins of equal width from 0 to 1.
        class_share: share of messages by class.
        unknown_share: mean share of words that were unknown.
        abstain_share: share of messages below the threshold.
    """

    confidence: tuple[_Share, ...] = ()
    class_share: dict[str, _Share] = {}
    unknown_share: _Share = 0.0
    abstain_share: _Share = 0.0


class StoredModel(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a model file, value by value.

    Attributes:
        format, schema: what it is.
        name: of the model: version for people and records.
        made: RFC 3339 instant.
        made_by: version of Pointsman that trained it.
        target: `label`, or `outcome` where it says for which messages the strong worker pays off.
        classes: two or more; for `outcome` the weak and the strong one.
        pieces: pieces of words are among the features.
        rules: version of the built-in rules among the features, or empty.
        vocabulary: names of the features.
        weights: a number a feature, or a `Sparse`.
        bias: a number a score.
        sizes: weights of the sizes: one list a size, one number a score; or empty.
        threshold: confidence below which it abstains, 0..1.
        data: what it was trained on: `sha256`, `rows`, `groups`, `seed`.
        metrics: how it did, by the name of the figure; with the baselines.
        reference: see `Reference`.
    """

    format: str = FORMAT
    schema: int = SCHEMA
    name: str
    made: str
    made_by: str
    target: str = "label"
    classes: Annotated[list[str], Meta(min_length=2, max_length=MOST_CLASSES)]
    pieces: bool = False
    rules: str = ""
    vocabulary: Annotated[list[str], Meta(max_length=MOST_FEATURES)]
    weights: list[_Number] | Sparse
    bias: Annotated[list[_Number], Meta(min_length=1)]
    sizes: list[list[_Number]] = []
    threshold: _Share = 0.6
    data: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    reference: Reference = Reference()


class _Head(msgspec.Struct, frozen=True):
    format: str
    schema: int


def write(stored: StoredModel) -> bytes:
    """Return the text of a model file."""
    return msgspec.json.format(msgspec.json.encode(stored), indent=0) + b"\n"


def read(text: bytes, name: str) -> StoredModel:
    """Return what a model file holds.

    Args:
        text: of the file.
        name: of the file, for the errors.

    Raises:
        ModelUnusable: it is cut off, foreign, newer than this version, or contradicts itself.
    """
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelUnusable(
            f"{name} is no model file: {error}; `pointsman train` writes one, and a copy may have been cut off"
        ) from None
    if head.format != FORMAT:
        raise ModelUnusable(f"{name} is no model file: its format is {head.format[:40]!r}, expected {FORMAT!r}")
    if head.schema > SCHEMA:
        raise ModelUnusable(
            f"{name} has schema {head.schema}, and this version of Pointsman knows {SCHEMA} at most: use a newer"
            " version, or train the model with this one"
        )
    try:
        stored = msgspec.json.decode(text, type=StoredModel)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelUnusable(f"{name} is damaged: {error}; bring it back from a copy, or train it again") from None
    trouble = _trouble(stored)
    if trouble:
        raise ModelUnusable(f"{name} contradicts itself: {trouble}; bring it back from a copy, or train it again")
    return stored


def build(stored: StoredModel, name: str) -> LinearModel:
    """Return the model that a file describes.

    Raises:
        ModelUnusable: its weights cannot be read.
    """
    unit = 1.0
    rows: Sequence[Any]
    if isinstance(stored.weights, Sparse):
        unit = stored.weights.unit
        rows = _dense(stored.weights, len(stored.vocabulary), len(stored.classes), name)
    else:
        rows = stored.weights
    return LinearModel(
        stored.classes,
        dict(zip(stored.vocabulary, rows, strict=True)),
        stored.bias,
        stored.sizes,
        unit=unit,
        has_pieces=stored.pieces,
    )


def sparse(rows: list[list[int]], unit: float) -> Sparse:
    """Return weights of more than two classes as they are written; `rows` holds whole numbers, -127..127."""
    counts, classes, values = array("H"), array("H"), array("b")
    for row in rows:
        kept = [(at, value) for at, value in enumerate(row) if value]
        counts.append(len(kept))
        for at, value in kept:
            classes.append(at)
            values.append(value)
    return Sparse(unit, _text(counts), _text(classes), _text(values))


def _dense(weights: Sparse, features: int, classes: int, name: str) -> list[array[int]]:
    try:
        counts, at = _numbers("H", weights.counts), _numbers("H", weights.classes)
        values = _numbers("b", weights.values)
    except (binascii.Error, ValueError) as error:
        raise ModelUnusable(f"{name} is damaged: its weights are no base64: {error}") from None
    if len(counts) != features or sum(counts) != len(at) or len(at) != len(values) or max(at, default=0) >= classes:
        raise ModelUnusable(f"{name} is damaged: its weights do not fit its vocabulary and classes")
    rows: list[array[int]] = []
    start = 0
    for count in counts:
        row = array("b", bytes(classes))
        for place in range(start, start + count):
            row[at[place]] = values[place]
        start += count
        rows.append(row)
    return rows


def _trouble(stored: StoredModel) -> str:
    classes = len(stored.classes)
    width = 1 if classes == 2 else classes
    if len(set(stored.classes)) != classes:
        return "a class stands twice"
    if len(set(stored.vocabulary)) != len(stored.vocabulary):
        return "a feature stands twice"
    if len(stored.bias) != width:
        return f"{classes} classes need {width} bias, got {len(stored.bias)}"
    if isinstance(stored.weights, Sparse) != (classes > 2):
        return "its weights are not of the kind that so many classes have"
    if isinstance(stored.weights, list) and len(stored.weights) != len(stored.vocabulary):
        return f"{len(stored.vocabulary)} features, but {len(stored.weights)} weights"
    if stored.sizes and (len(stored.sizes) != len(SIZES) or any(len(row) != width for row in stored.sizes)):
        return "the weights of its sizes do not fit"
    if stored.target not in {"label", "outcome"}:
        return f"target is {stored.target[:20]!r}, expected label or outcome"
    return ""


def _text(numbers: array[int]) -> str:
    if numbers.itemsize > 1 and _IS_BIG_ENDIAN:
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _numbers(kind: str, text: str) -> array[int]:
    numbers: array[int] = array(kind)
    numbers.frombytes(base64.b64decode(text, validate=True))
    if numbers.itemsize > 1 and _IS_BIG_ENDIAN:
        numbers.byteswap()
    return numbers


_IS_BIG_ENDIAN: Final = array("H", [1]).tobytes() == b"\0\1"
