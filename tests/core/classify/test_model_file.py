"""Facts about model files: what is written can be read, and what cannot be used is refused in one clear line."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.model_file import (
    FORMAT,
    SCHEMA,
    ModelUnusable,
    Reference,
    Sparse,
    StoredModel,
    build,
    read,
    sparse,
    write,
)
from tests.core.classify.made import ask

TWO = StoredModel(
    name="two",
    made="2026-01-01T00:00:00Z",
    made_by="1",
    classes=["tactical", "strategic"],
    vocabulary=["fix", "| why", "=question", "Ärger"],
    weights=[-1.5, 2.25, 0.5, 0.0001],
    bias=[0.125],
    sizes=[[0.1], [0.0], [0.2], [-0.3]],
    data={"sha256": "0" * 64, "rows": 4},
    metrics={"accuracy": 0.9, "baselines": {"majority": {"accuracy": 0.5}}},
    reference=Reference(confidence=(0.0,) * 10, class_share={"tactical": 1.0}),
)
MANY_ROWS = [[0, 127, -127, 0], [5, 0, 0, 0], [0, 0, 0, -1]]
MANY = msgspec.structs.replace(
    TWO,
    classes=["a", "b", "c", "d"],
    vocabulary=["fix", "why", "~fix"],
    weights=sparse(MANY_ROWS, 0.5),
    bias=[0.0, 1.0, 2.0, 3.0],
    sizes=[],
    pieces=True,
)


def refused(text: bytes) -> str:
    """What is said of a file that cannot be used; one line that names it."""
    with pytest.raises(ModelUnusable) as caught:
        build(read(text, "m.json"), "m.json")
    said = str(caught.value)
    assert said.startswith("m.json ")
    assert "\n" not in said
    assert len(said) < 400
    return said


def changed(of: StoredModel, **fields: object) -> bytes:
    """A file that says something else."""
    return write(msgspec.structs.replace(of, **fields))


@pytest.mark.parametrize("of", [TWO, MANY])
def test_what_is_written_can_be_read(of):
    """Value by value, and writing it again gives the same bytes."""
    assert read(write(of), "m.json") == of
    assert write(read(write(of), "m.json")) == write(of)


def test_a_file_says_first_what_it_is():
    """Format and schema stand in front, so that a person who looks at it knows, and it ends with its line."""
    text = write(TWO)
    assert text.startswith(b'{"format": "pointsman classifier", "schema": 1, "name": "two", ')
    assert text.count(b"\n") == 1


def test_a_model_of_two_classes_scores_by_its_weights():
    """As they stand in the file."""
    model = build(msgspec.structs.replace(TWO, sizes=[]), "m.json")
    assert ask(model, "why fix?").values == pytest.approx([0.125 + (-1.5 + 2.25 + 0.5) / 3**0.5])


def test_a_model_of_many_classes_scores_by_its_weights():
    """Whole numbers times their unit, by class."""
    model = build(MANY, "m.json")
    assert ask(model, "why").values == [2.5, 1.0, 2.0, 3.0]
    assert ask(model, "fix").values == pytest.approx([0.0, 1 + 63.5 / 2**0.5, 2 - 63.5 / 2**0.5, 3 - 0.5 / 2**0.5])


@given(st.lists(st.lists(st.integers(-127, 127), min_size=3, max_size=3), max_size=20))
def test_any_whole_weights_survive(rows):
    """What is not zero is written, and all of it comes back."""
    names = [f"w{number}" for number in range(len(rows))]
    of = msgspec.structs.replace(MANY, classes=["a", "b", "c"], bias=[0.0] * 3, vocabulary=names, pieces=False)
    model = build(read(changed(of, weights=sparse(rows, 1.0)), "m.json"), "m.json")
    for name, row in zip(names, rows, strict=True):
        assert ask(model, name).values == row


@pytest.mark.parametrize("of", [TWO, MANY])
def test_a_file_that_is_cut_off_is_refused(of):
    """At any of every 97th byte."""
    text = write(of)
    cuts = range(0, len(text.rstrip()), 97)
    assert len(cuts) > 5
    for cut in cuts:
        assert "is no model file" in refused(text[:cut])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x80\x04\x95pickle",
        b"PK\x03\x04",
        b"null",
        b"[]",
        b"{}",
        b'{"format": "pointsman classifier"}',
        b'{"format": "pointsman classifier", "schema": "1"}',
        b'{"weights": [1]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'\xff\xfe{"format"',
    ],
)
def test_what_is_something_else_is_refused(text):
    """And the way to a model is named."""
    assert "`pointsman train`" in refused(text)


def test_another_format_is_named():
    """So that somebody sees which file he took."""
    assert refused(b'{"format": "onnx", "schema": 1}').endswith("its format is 'onnx', expected 'pointsman classifier'")


def test_a_newer_schema_is_refused_whatever_else_it_holds():
    """It may have changed everything but format and schema."""
    text = msgspec.json.encode({"format": FORMAT, "schema": SCHEMA + 1, "weights": "elsewhere"})
    assert refused(text).startswith(
        f"m.json has schema {SCHEMA + 1}, and this version of Pointsman knows {SCHEMA} at most"
    )


@pytest.mark.parametrize(
    ("of", "fields", "said"),
    [
        (TWO, {"classes": ["a", "a"]}, "a class stands twice"),
        (TWO, {"vocabulary": ["fix", "fix", "x", "y"]}, "a feature stands twice"),
        (TWO, {"bias": [0.0, 0.0]}, "2 classes need 1 bias, got 2"),
        (MANY, {"bias": [0.0, 0.0]}, "4 classes need 4 bias, got 2"),
        (TWO, {"weights": MANY.weights}, "not of the kind that so many classes have"),
        (MANY, {"weights": [1.0, 1.0, 1.0]}, "not of the kind that so many classes have"),
        (TWO, {"weights": [1.0]}, "4 features, but 1 weights"),
        (TWO, {"sizes": [[0.0]]}, "the weights of its sizes do not fit"),
        (TWO, {"sizes": [[0.0, 0.0]] * 4}, "the weights of its sizes do not fit"),
        (TWO, {"target": "guess"}, "target is 'guess', expected label or outcome"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(of, fields, said):
    """The contradiction is named, and what to do."""
    told = refused(changed(of, **fields))
    assert said in told
    assert "contradicts itself" in told
    assert told.endswith("bring it back from a copy, or train it again")


@pytest.mark.parametrize(
    ("of", "fields"),
    [
        (TWO, {"classes": ["a"]}),
        (TWO, {"threshold": 1.5}),
        (TWO, {"bias": [1e300]}),
        (TWO, {"bias": []}),
        (TWO, {"vocabulary": [1, 2, 3, 4]}),
        (TWO, {"weights": ["1", "2", "3", "4"]}),
        (MANY, {"weights": Sparse(0.5, "AAA", "AAAA", "AAAA")}),
        (MANY, {"weights": Sparse(0.5, "!", "", "")}),
        (MANY, {"weights": Sparse(0.5, "AAAA", "", "")}),
        (MANY, {"weights": sparse([[1, 0, 0, 0]], 0.5)}),
        (MANY, {"weights": sparse([[0, 0, 0, 0, 1], [0] * 5, [0] * 5], 0.5)}),
        (MANY, {"weights": Sparse(0.5, sparse(MANY_ROWS, 0.5).counts, "", "")}),
    ],
)
def test_a_file_with_impossible_values_is_refused(of, fields):
    """Out of range, of another type, or weights that do not fit."""
    assert "is damaged" in refused(changed(of, **fields))


def test_numbers_that_are_none_cannot_be_written():
    """NaN and infinities are no JSON: they become null, which is refused."""
    assert "is damaged" in refused(changed(TWO, bias=[float("nan")]))


def test_two_hundred_classes():
    """Written, read and asked."""
    classes = [f"c{number}" for number in range(200)]
    rows = [[(one * 7 + other) % 255 - 127 for other in range(200)] for one in range(30)]
    of = msgspec.structs.replace(
        MANY, classes=classes, bias=[0.0] * 200, vocabulary=[f"w{one}" for one in range(30)], weights=sparse(rows, 0.1)
    )
    model = build(read(write(of), "m.json"), "m.json")
    values = ask(model, "w3 w4").values
    assert values == pytest.approx([0.1 * (rows[3][at] + rows[4][at]) / 2**0.5 for at in range(200)])
    assert sum(model.probabilities(values)) == pytest.approx(1.0)
