"""Keeps trained models in a directory, a file each, and says which one is in use; see `config.models` for reading it.

A model is looked at as a whole before it is chosen, and the note of what was chosen is replaced in one step: whatever
goes wrong, the model in use stays in use. The note holds what was chosen before, too, so that one can go back.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from pointsman.config.models import DEFAULT, POINTER, SUFFIX, default_stored, history, in_use, note, ready, stored
from pointsman.core.classify.model_file import ModelUnusable, StoredModel
from pointsman.core.classify.pipeline import Classifier
from pointsman.model.errors import Conflict, NotFound, SettingsError
from pointsman.model.settings import Settings

MOST_REMEMBERED: Final = 100
"""Choices that one can go back over."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Kept(NamedTuple):
    """A model in the directory.

    Attributes:
        name: by which it is chosen.
        stored: the model; None where the file is of no use.
        size_bytes: of its file; 0 of the one that comes along.
        is_in_use: it was chosen last.
        trouble: why it is of no use, or empty.
    """

    name: str
    stored: StoredModel | None
    size_bytes: int
    is_in_use: bool
    trouble: str = ""


class Shelf:
    """The models of a directory.

    Args:
        settings: say which directory, and which classes a model must fit.
        beside: directory that a relative one starts from.
    """

    def __init__(self, settings: Settings, beside: Path) -> None:
        self._settings = settings
        self.directory = beside / settings.classifier.models_dir

    def models(self) -> list[Kept]:
        """Return all of them by name, the one that comes along first."""
        used = in_use(self.directory)
        names = sorted(path.stem for path in self.directory.glob(f"*{SUFFIX}"))
        return [self._kept(name, used) for name in (DEFAULT, *names)]

    def find(self, name: str | None) -> Kept:
        """Return a model by its name or its file; without either the one in use. Raises NotFound."""
        used = in_use(self.directory)
        name = used if name is None else name
        if name == DEFAULT or self._file(name).is_file():
            return self._kept(name, used)
        if Path(name).is_file():
            return _look(name, Path(name), is_in_use=False)
        raise self._missing(name)

    def use(self, name: str) -> Kept:
        """Choose a model by its name, or by its file, which is copied into the directory.

        Raises:
            NotFound: there is neither.
            ModelUnusable: the file is no model that can be used, or its classes are none of the settings.
        """
        try:
            chosen = history(self.directory)
        except SettingsError:
            chosen = [DEFAULT, ""]  # a note that cannot be read is written anew
        if name != DEFAULT and not self._file(name).is_file():
            path = Path(name)
            if not path.is_file():
                raise self._missing(name)
            of = self._fitting(path)
            name = path.stem if path.parent.resolve() == self.directory.resolve() else self._copy(path, of)
        elif name != DEFAULT:
            self._fitting(self._file(name))
        if chosen[-1] != name:
            self._replace(POINTER, note([DEFAULT, *[*filter(None, chosen[1:]), name][-MOST_REMEMBERED:]]))
        return self._kept(name, name)

    def rollback(self) -> Kept:
        """Go back to the model that was chosen before.

        Raises:
            Conflict: nothing was chosen yet.
            ModelUnusable: that model cannot be used any more; the one in use stays in use.
        """
        chosen = history(self.directory)
        if len(chosen) == 1:
            raise Conflict("no model was chosen yet, so there is none to go back to: the default is in use")
        before = chosen[-2]
        if before != DEFAULT:
            self._fitting(self._file(before))
        self._replace(POINTER, note(chosen[:-1]))
        return self._kept(before, before)

    def _missing(self, name: str) -> NotFound:
        known = ", ".join([DEFAULT, *sorted(path.stem for path in self.directory.glob(f"*{SUFFIX}"))])
        return NotFound(f"{name} is neither a file nor a model in {self.directory}; there are: {known}")

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}{SUFFIX}" if _NAME.fullmatch(name) else self.directory / POINTER / "none"

    def _kept(self, name: str, used: str) -> Kept:
        if name != DEFAULT:
            return _look(name, self._file(name), is_in_use=name == used)
        try:
            return Kept(name, default_stored(), 0, used == DEFAULT)
        except ModelUnusable as error:
            return Kept(name, None, 0, used == DEFAULT, str(error))

    def _fitting(self, path: Path) -> StoredModel:
        """Return the model in a file once it has been built and fits the settings."""
        of = stored(path)
        try:
            Classifier(self._settings.classifier, self._settings.classes, ready(of, path.name))
        except SettingsError as error:
            reason = error.mistakes[0].removeprefix("classifier.model: ")
            raise ModelUnusable(f"{path.name} does not fit the settings: {reason}") from None
        return of

    def _copy(self, path: Path, of: StoredModel) -> str:
        """Return the name that a model has in the directory, where it is put unless it lies there already."""
        text = path.read_bytes()
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", of.name).strip("-._")[:80] or "model"
        name = wanted = f"{plain}-model" if plain in {DEFAULT, POINTER} else plain
        number = 1
        while self._file(name).exists() and self._file(name).read_bytes() != text:
            number += 1
            name = f"{wanted}-{number}"
        if not self._file(name).exists():
            self._replace(f"{name}{SUFFIX}", text)
        return name

    def _replace(self, name: str, text: bytes) -> None:
        """Write a file of the directory so that it is there as a whole or not at all, even if the power goes."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            fresh = self.directory / f".{name}.new"
            with fresh.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self.directory / name)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError([f"classifier.models_dir: {self.directory} cannot be written: {reason}"]) from None


def _look(name: str, path: Path, *, is_in_use: bool) -> Kept:
    try:
        of = stored(path)
        ready(of, path.name)
        return Kept(name, of, path.stat().st_size, is_in_use)
    except ModelUnusable as error:
        return Kept(name, None, path.stat().st_size if path.exists() else 0, is_in_use, str(error))
