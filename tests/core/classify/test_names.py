"""Facts about what a class may be called."""

from __future__ import annotations

from pointsman.core.classify.names import ClassNames
from pointsman.model.settings import ClassSettings

CLASSES = {
    "strategic": ClassSettings(pool="planners", alias=["strong", "think"]),
    "tactical": ClassSettings(pool="coders", alias=["fast"]),
}


def test_a_class_answers_to_its_name_and_its_aliases():
    """Name and aliases resolve to the class, anything else to None."""
    names = ClassNames(CLASSES)
    assert [names.resolve(name) for name in ("strategic", "strong", "think", "fast")] == [
        "strategic",
        "strategic",
        "strategic",
        "tactical",
    ]
    assert [names.resolve(name) for name in ("auto", "Strategic", " fast", "")] == [None] * 4


def test_known_names_are_all_of_them_in_order():
    """`known` is what a refusal lists: names and aliases, sorted."""
    assert ClassNames(CLASSES).known == ("fast", "strategic", "strong", "tactical", "think")


def test_a_name_beats_an_alias():
    """Where settings that were not checked let an alias repeat a name, the name keeps its class."""
    classes = {"a": ClassSettings(pool="p", alias=["b"]), "b": ClassSettings(pool="p")}
    assert ClassNames(classes).resolve("b") == "b"
