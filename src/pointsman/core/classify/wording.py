"""What a feature of a model is called for people: `| fix` is 'begins with "fix"'. The names are made in `features`."""

from __future__ import annotations

from typing import Final

from pointsman.core.classify.marks import role_of
from pointsman.core.classify.tokens import BREAK

_SHAPES: Final = {
    "=digits>=1": "has a digit",
    "=question": "has a question mark",
    "=ends asking": "ends with a question",
    "=fence": "has a block of code",
    "=code mark": "has code in backticks",
    "=identifier": "has a name as in code",
    "=list": "has a list",
    "=path": "has a path or file name",
    "=log characters": "length in characters",
    "=log digits": "number of digits",
    "=log sentences": "number of sentences",
    "=log numbers": "number of numbers",
}


def words_for(feature: str) -> str:
    """Return what a feature is, in words; one that nothing is known of as it is."""
    if feature.startswith("="):
        return _shape(feature)
    if feature.startswith("~"):
        return _piece(feature[1:])
    if feature == BREAK:
        return "has a mark that ends a clause"
    one, blank, other = feature.partition(" ")
    if not blank:
        return f'says "{feature}"'
    if one == BREAK:
        return "ends with a mark, or has two in a row" if other == BREAK else f'begins with "{other}"'
    return f'ends with "{one}"' if other == BREAK else f'says "{feature}"'


def _shape(feature: str) -> str:
    if feature in _SHAPES:
        return _SHAPES[feature]
    role = role_of(feature)
    name, _, bound = feature[1:].partition(">=")
    if role:
        return f"rules lead to {role} by {bound}"
    if bound:
        return f"has {bound} {name} or more"
    return name


def _piece(piece: str) -> str:
    inside = piece.strip("_")
    if piece == f"_{inside}_":
        return f'a word "{inside}"'
    if piece.startswith("_"):
        return f'a word begins with "{inside}"'
    return f'a word ends with "{inside}"' if piece.endswith("_") else f'a word has "{inside}"'
