from __future__ import annotations

import re
import tomllib

from pointsman.config.decode import decode
from pointsman.config.reference import reference
from pointsman.config.shape import Leaf, Listed, walk
from pointsman.model.settings import Settings


def test_every_single_value_has_a_row_under_its_table():
    """Table by table; secrets are explained once, at the top."""
    rows = set()
    table = ""
    for line in reference().splitlines():
        if heading := re.fullmatch(r"### `\[(.+)\]`", line):
            table = heading[1]
        elif row := re.match(r"\| `(\w+)` \|", line):
            rows.add(f"{table}.{row[1]}")
    wanted = {
        ".".join(path).replace("workers.*", "workers.N").replace("rules.*", "rules.N").replace("*", "NAME")
        for path, entry in walk()
        if isinstance(entry.shape, (Leaf, Listed)) and not {"auth", "legacy_auth"} & set(path[:-1])
    }
    assert wanted <= rows


def test_every_row_has_as_many_cells_as_its_head():
    """A bar within a description would break the table."""
    tables = [line for line in reference().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {5}


def test_the_default_classes_and_pools_on_the_page_are_the_defaults():
    """The block on the page is TOML and means what it says."""
    (block,) = re.findall(r"```toml\n(.+?)```", reference(), re.DOTALL)
    settings, mistakes = decode(tomllib.loads(block))
    assert mistakes == []
    assert settings == Settings()
