from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.config.explain import explain
from pointsman.config.load import Loaded, leaves, load
from pointsman.config.shape import find
from pointsman.model.errors import NotFound

FILE = """\
[pools.planners]
[pools.coders]
[[pools.coders.workers]]
id = "a"
url = "https://me:s3cret@host/path"
auth = { env = "TOKEN" }
[limits]
burst = 3
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Settings of a file with a secret and a password in it."""
    path = tmp_path / "my.toml"
    path.write_text(FILE)
    return load(path, environ={"TOKEN": "s3cret"})


def test_each_setting_has_a_row_with_everything_about_it(loaded):
    """Value in force, origin, meaning and default."""
    (row,) = explain(loaded, "limits.burst")
    entry = find(("limits", "burst"))
    assert entry is not None
    assert (row.value, row.default, row.description) == ("3", str(entry.default), entry.description)
    assert row.origin.endswith("my.toml:8")


def test_without_a_key_every_setting_is_there(loaded):
    """In the order of the tree."""
    rows = explain(loaded)
    assert [row.key for row in rows] == [".".join(path) for path, _ in leaves(loaded.settings)]
    assert all(row.description for row in rows)


def test_a_section_or_an_entry_of_a_list_selects_what_is_in_it(loaded):
    """By whole steps: `limits` is not `lim`."""
    rows = explain(loaded, "pools.coders.workers.0")
    assert {row.key.rpartition(".")[2] for row in rows} >= {"id", "url", "auth", "weight"}
    assert {row.key.partition(".")[0] for row in explain(loaded, "limits")} == {"limits"}
    with pytest.raises(NotFound):
        explain(loaded, "limits.bur")


def test_a_key_without_a_default_is_required(loaded):
    """There is nothing that would hold without it."""
    (row,) = explain(loaded, "pools.coders.workers.0.id")
    assert (row.value, row.default) == ('"a"', "required")


def test_no_secret_is_shown(loaded):
    """A secret as where it comes from, a URL without its password."""
    rows = {row.key: row.value for row in explain(loaded)}
    assert rows["pools.coders.workers.0.auth"] == "env TOKEN"
    assert rows["pools.coders.workers.0.url"] == '"https://me:***@host/path"'
    assert "s3cret" not in repr(explain(loaded))


def test_an_unknown_key_names_those_spelt_alike(loaded):
    """So that a typing error costs one look."""
    with pytest.raises(NotFound, match=r"no setting 'limits.bust'; did you mean limits.burst"):
        explain(loaded, "limits.bust")
