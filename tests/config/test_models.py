from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pointsman.config.models import CURRENT, DEFAULT, NONE, history, note, trained
from pointsman.core.classify.model_file import StoredModel, write
from pointsman.model.errors import SettingsError
from pointsman.model.settings import ClassifierSettings, ClassSettings, Settings

MODEL = StoredModel(
    name="mine",
    made="2030-01-01T00:00:00Z",
    made_by="1",
    classes=["strategic", "tactical"],
    vocabulary=["plan", "fix"],
    weights=[-2.0, 2.0],
    bias=[0.0],
)


def settings(model: str) -> Settings:
    """Settings that name a model."""
    return Settings(classifier=ClassifierSettings(model=model))


def put(directory: Path, *chosen: str) -> None:
    """A directory of models with `mine` in it, and what was chosen there."""
    models = directory / "var/models"
    models.mkdir(parents=True)
    (models / "mine.json").write_bytes(write(MODEL))
    (models / "current").write_bytes(note([DEFAULT, *chosen]))


def version(of: Settings, directory: Path) -> str:
    """The name of the model that settings lead to."""
    found = trained(of, directory)
    assert found is not None
    return found.version


def test_by_default_the_model_in_use_counts_else_the_one_that_comes_along(tmp_path: Path):
    """So `pointsman model use` needs no change in the settings."""
    assert Settings().classifier.model == CURRENT
    assert version(Settings(), tmp_path) == version(settings(DEFAULT), tmp_path)
    put(tmp_path, "mine")
    assert version(Settings(), tmp_path) == "mine"
    assert version(settings(DEFAULT), tmp_path) != "mine"


def test_the_last_choice_counts(tmp_path: Path):
    """Here it was to go back to the default."""
    put(tmp_path, "mine", DEFAULT)
    assert history(tmp_path / "var/models") == [DEFAULT, "mine", DEFAULT]
    assert version(Settings(), tmp_path) == version(settings(DEFAULT), tmp_path)


def test_a_file_is_named_from_where_the_settings_are(tmp_path: Path):
    """Relative to the settings file, not to the working directory."""
    (tmp_path / "my.json").write_bytes(write(MODEL))
    assert version(settings("my.json"), tmp_path) == "mine"


def test_none_means_rules_only(tmp_path: Path):
    """And so does the default where no class is called as it expects."""
    assert trained(settings(NONE), tmp_path) is None
    classes = {"a": ClassSettings(pool="coders"), "b": ClassSettings(pool="coders")}
    assert trained(msgspec.structs.replace(settings(DEFAULT), classes=classes), tmp_path) is None


def test_a_chosen_model_that_is_gone_is_an_error_with_a_way_out(tmp_path: Path):
    """Never silently another one."""
    put(tmp_path, "mine")
    (tmp_path / "var/models/mine.json").unlink()
    with pytest.raises(SettingsError, match=r"mine\.json cannot be read: .*; `pointsman model rollback` goes back"):
        trained(Settings(), tmp_path)
    with pytest.raises(SettingsError, match=r"classifier\.model: .*gone\.json cannot be read"):
        trained(settings("gone.json"), tmp_path)
