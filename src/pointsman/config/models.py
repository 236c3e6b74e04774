"""Finds the model that the settings name, and reads it. One that cannot be used is an error, never half a model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import msgspec

from pointsman.core.classify.builtin import STRATEGIC, TACTICAL
from pointsman.core.classify.model_file import ModelUnusable, StoredModel, build, read
from pointsman.core.classify.names import ClassNames
from pointsman.core.classify.pipeline import TrainedModel
from pointsman.model.errors import SettingsError
from pointsman.model.settings import Settings

CURRENT: Final = "current"
"""The model that `pointsman model use` chose, else the default."""

DEFAULT: Final = "default"
"""The model that comes along; it speaks for classes that are called `strategic` and `tactical`."""

NONE: Final = "none"
"""Rules only."""

SUFFIX: Final = ".json"
"""Of the files in a directory of models; what stands before it is the model's name there."""

POINTER: Final = "current"
"""The file in it that says which models were chosen."""

LARGEST_BYTES: Final = 268_435_456
"""A model is far smaller; what is larger is something else, and is not read."""

_LARGEST_POINTER_BYTES: Final = 1_048_576

_FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class _Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the note of what was chosen, the latest last. A name is no path, so it leads nowhere else."""

    chosen: list[_FileName]


def note(chosen: Sequence[str]) -> bytes:
    """Return the text of the note of what was chosen; `default`, which comes first, is left out."""
    return msgspec.json.encode(_Chosen(list(chosen[1:]))) + b"\n"


def trained(settings: Settings, beside: Path) -> TrainedModel | None:
    """Return the model that the settings name, None where rules decide.

    Args:
        settings: name it in `classifier.model`.
        beside: directory that a relative file name starts from.

    Raises:
        SettingsError: there is no such file, or no model in it.
    """
    name, directory = settings.classifier.model, beside / settings.classifier.models_dir
    if name == NONE:
        return None
    if name == CURRENT:
        chosen = in_use(directory)
        name = chosen if chosen == DEFAULT else str(Path(settings.classifier.models_dir) / f"{chosen}{SUFFIX}")
    if name == DEFAULT:
        names = ClassNames(settings.classes)
        return _default() if names.resolve(STRATEGIC) and names.resolve(TACTICAL) else None
    try:
        return load(beside / name)
    except ModelUnusable as error:
        way_out = "; `pointsman model rollback` goes back" if settings.classifier.model == CURRENT else ""
        raise SettingsError([f"classifier.model: {error}{way_out}"]) from None


def in_use(directory: Path) -> str:
    """Return the name of the model that was chosen in a directory of models, `default` where none was.

    Raises:
        SettingsError: the note of what was chosen cannot be read.
    """
    return history(directory)[-1]


def history(directory: Path) -> list[str]:
    """Return the models that were chosen, one after the other, the one in use last; `default` comes first.

    Raises:
        SettingsError: the note of it cannot be read.
    """
    path = directory / POINTER
    try:
        with path.open("rb") as file:
            chosen = msgspec.json.decode(file.read(_LARGEST_POINTER_BYTES), type=_Chosen).chosen
    except (FileNotFoundError, NotADirectoryError):
        return [DEFAULT]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"classifier.model: {path} does not say which model is in use: {error}; `pointsman model use` writes it"]
        ) from None
    return [DEFAULT, *chosen]


def load(path: Path) -> TrainedModel:
    """Return the model in a file.

    Raises:
        ModelUnusable: there is no such file, or no model that this version can use.
    """
    return ready(stored(path), path.name)


def stored(path: Path) -> StoredModel:
    """Return what a model file says. Raises ModelUnusable."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelUnusable(f"{path.name} is larger than {LARGEST_BYTES} bytes, so it is no model")
        return read(path.read_bytes(), path.name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelUnusable(f"{path} cannot be read: {reason}; `pointsman train` writes a model") from None


def ready(of: StoredModel, name: str) -> TrainedModel:
    """Return a model that can be asked. Raises ModelUnusable."""
    return TrainedModel(build(of, name), of.name, of.threshold, of.rules, _fingerprint(of), of.reference)


def _fingerprint(of: StoredModel) -> str:
    """Return what tells a model from others: one whose classes and features are the same, in order, is the same."""
    lines = "\n".join((of.name, *of.classes, *of.vocabulary))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def default_stored() -> StoredModel:
    """Return what the file of the model that comes along says. Raises ModelUnusable."""
    file = resources.files("pointsman.core.classify") / "default_model.json"
    try:
        return read(file.read_bytes(), DEFAULT)
    except OSError:
        raise ModelUnusable("this installation lacks the default model: install Pointsman anew") from None


@cache
def _default() -> TrainedModel | None:
    file = resources.files("pointsman.core.classify") / "default_model.json"
    return ready(default_stored(), DEFAULT) if file.is_file() else None
