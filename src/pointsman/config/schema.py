"""JSON Schema of the settings file, for editors that complete and check it while it is written."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pointsman.config.shape import Table, find
from pointsman.model.settings import CHOICES, Secret, Settings

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the schema: types, ranges, defaults, descriptions, closed sets, and one of two for a secret."""
    made = {"$schema": DIALECT, "title": "pointsman.toml", **msgspec.json.schema(Settings)}
    definitions = made["$defs"]
    definitions[Secret.__name__]["oneOf"] = [{"required": ["env"]}, {"required": ["file"]}]
    for key, choices in CHOICES.items():
        *around, name = key.removesuffix(".*").split(".")
        described = definitions[_struct_at(tuple(around))]["properties"][name]
        for part in (described, described.get("items", {}), *described.get("anyOf", ())):
            if part.get("type") == "string":
                part["enum"] = list(choices)
    return made


def _struct_at(path: tuple[str, ...]) -> str:
    entry = find(path)
    if entry is None or not isinstance(entry.shape, Table):
        raise ValueError(f"CHOICES names {'.'.join(path)}, which is no table of the settings")
    return entry.shape.cls.__name__
