from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from pointsman.config.models import DEFAULT, in_use
from pointsman.core.classify.model_file import ModelUnusable, StoredModel, write
from pointsman.model.errors import Conflict, NotFound, SettingsError
from pointsman.model.settings import Settings
from pointsman.operations.learning.shelf import Shelf

MODEL = StoredModel(
    name="mine",
    made="2030-01-01T00:00:00Z",
    made_by="1",
    classes=["strategic", "tactical"],
    vocabulary=["plan", "fix"],
    weights=[-2.0, 2.0],
    bias=[0.0],
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty directory of models, under the default settings."""
    return Shelf(Settings(), tmp_path)


def file_of(directory: Path, name: str = "mine", **changed) -> str:
    """A model's file, outside of the directory of models."""
    path = directory / f"file of {name}.json"
    path.write_bytes(write(msgspec.structs.replace(MODEL, name=name, **changed)))
    return str(path)


def test_at_first_the_default_is_in_use(shelf: Shelf):
    """And nothing has been made: looking writes nothing."""
    assert [(one.name, one.is_in_use) for one in shelf.models()] == [(DEFAULT, True)]
    assert not shelf.directory.exists()


def test_a_file_is_copied_in_and_used(shelf: Shelf, tmp_path: Path):
    """Under its own name; the file it came from may go."""
    path = file_of(tmp_path)
    assert shelf.use(path).name == "mine"
    os.remove(path)
    assert [(one.name, one.is_in_use) for one in shelf.models()] == [(DEFAULT, False), ("mine", True)]
    assert shelf.find(None).stored == MODEL


def test_the_same_file_again_is_the_same_model(shelf: Shelf, tmp_path: Path):
    """Another one of the same name gets a number; using what is in use is no step to go back over."""
    path = file_of(tmp_path)
    shelf.use(path)
    shelf.use(path)
    assert len(shelf.models()) == 2
    assert shelf.use(file_of(tmp_path, bias=[1.0])).name == "mine-2"
    shelf.rollback()
    shelf.rollback()
    assert in_use(shelf.directory) == DEFAULT


def test_rollback_goes_back_one_at_a_time(shelf: Shelf, tmp_path: Path):
    """Over names and the default alike, to the beginning, and no further."""
    for name in ("one", "two"):
        shelf.use(file_of(tmp_path, name))
    shelf.use(DEFAULT)
    shelf.use("one")
    assert [shelf.rollback().name for _ in range(4)] == [DEFAULT, "two", "one", DEFAULT]
    with pytest.raises(Conflict, match="no model was chosen yet"):
        shelf.rollback()


def test_a_model_can_be_named_by_its_file_in_the_directory(shelf: Shelf, tmp_path: Path):
    """Nothing is copied onto itself."""
    shelf.use(file_of(tmp_path))
    shelf.use(DEFAULT)
    assert shelf.use(str(shelf.directory / "mine.json")).name == "mine"
    assert len(shelf.models()) == 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text[: len(text) // 2], "is no model file"),
        (lambda text: b'{"format": "other", "schema": 1}', "its format is 'other'"),
        (lambda text: text.replace(b'"schema":1', b'"schema":9').replace(b'"schema": 1', b'"schema": 9'), "schema 9"),
        (lambda text: text.replace(b'"tactical"', b'"billing"'), "does not fit the settings: .* knows billing"),
        (lambda text: text.replace(b'"fix"', b'"plan"'), "contradicts itself"),
        (lambda text: b"\x80\x04pickle", "is no model file"),
    ],
)
def test_what_cannot_be_used_changes_nothing(shelf: Shelf, tmp_path: Path, spoil, words: str):
    """One clear line, and the model in use stays in use."""
    shelf.use(file_of(tmp_path))
    bad = Path(file_of(tmp_path, "bad"))
    bad.write_bytes(spoil(bad.read_bytes()))
    before = sorted(os.listdir(shelf.directory))
    with pytest.raises(ModelUnusable, match=words) as caught:
        shelf.use(str(bad))
    assert "\n" not in str(caught.value)
    assert in_use(shelf.directory) == "mine"
    assert sorted(os.listdir(shelf.directory)) == before


def test_a_name_that_is_not_there_is_answered_with_those_that_are(shelf: Shelf, tmp_path: Path):
    """Names that would lead out of the directory are none."""
    shelf.use(file_of(tmp_path))
    for name in ("yours", "../mine", "", "a/b"):
        with pytest.raises(NotFound, match="there are: default, mine"):
            shelf.use(name)


def test_a_damaged_model_is_listed_with_its_trouble(shelf: Shelf, tmp_path: Path):
    """And is not gone back to."""
    shelf.use(file_of(tmp_path, "one"))
    shelf.use(file_of(tmp_path, "two"))
    (shelf.directory / "one.json").write_bytes(b"{")
    assert [one.name for one in shelf.models() if one.trouble] == ["one"]
    with pytest.raises(ModelUnusable, match=r"one\.json"):
        shelf.rollback()
    assert in_use(shelf.directory) == "two"


def test_names_of_models_become_names_of_files(shelf: Shelf, tmp_path: Path):
    """Whatever a model is called, its file lies in the directory."""
    names = ["../../evil", "default", "current", "a b/c", "", "...", "x" * 300]
    paths = [tmp_path / f"{at}.json" for at in range(len(names))]
    for path, name in zip(paths, names, strict=True):
        path.write_bytes(write(msgspec.structs.replace(MODEL, name=name)))
        shelf.use(str(path))
    assert {path.parent for path in shelf.directory.iterdir()} == {shelf.directory}
    assert {one.name for one in shelf.models()} >= {"evil", "default-model", "current-model", "a-b-c", "model"}
    assert len(shelf.models()) == len(names) + 1


def test_a_note_that_cannot_be_read_is_an_error(shelf: Shelf, tmp_path: Path):
    """Nobody guesses which model was meant; a name in it is no path."""
    shelf.use(file_of(tmp_path))
    for text in ("{", '{"chosen": ["../../evil"]}', '{"chosen": "mine"}'):
        (shelf.directory / "current").write_text(text, "utf-8")
        with pytest.raises(SettingsError, match="does not say which model is in use"):
            shelf.models()
        shelf.use(DEFAULT)
        assert in_use(shelf.directory) == DEFAULT


def test_a_directory_that_cannot_be_written_is_an_error(shelf: Shelf, tmp_path: Path):
    """Here because a file is in its place."""
    path = file_of(tmp_path)
    (tmp_path / "var").write_text("in the way", "utf-8")
    with pytest.raises(SettingsError, match=r"classifier\.models_dir: .* cannot be written"):
        shelf.use(path)
