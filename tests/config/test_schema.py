from __future__ import annotations

import json

from pointsman.config.schema import schema
from pointsman.config.shape import Table, walk
from pointsman.model.settings import CHOICES, Settings


def test_the_schema_is_json_and_says_what_it_is():
    """An editor takes it as it is."""
    made = json.loads(json.dumps(schema()))
    assert made["title"] == "pointsman.toml"
    assert made["$ref"] == "#/$defs/Settings"
    assert list(made["$defs"]["Settings"]["properties"]) == list(Settings.__struct_fields__)


def test_every_closed_set_is_an_enum():
    """Editors complete what has an enum: the closed sets, and the words that may stand in place of a table."""
    properties = [one for definition in schema()["$defs"].values() for one in definition["properties"].items()]
    enums = {}
    for name, described in properties:
        for part in (described, described.get("items", {}), *described.get("anyOf", [])):
            if "enum" in part:
                enums[name] = tuple(part["enum"])
    words = {path[-1]: entry.shape.words for path, entry in walk() if isinstance(entry.shape, Table)}
    closed = {key.removesuffix(".*").rpartition(".")[2]: choices for key, choices in CHOICES.items()}
    assert enums == closed | {key: choices for key, choices in words.items() if choices}


def test_a_secret_is_one_of_two():
    """Variable or file, not both and not neither."""
    assert schema()["$defs"]["Secret"]["oneOf"] == [{"required": ["env"]}, {"required": ["file"]}]
