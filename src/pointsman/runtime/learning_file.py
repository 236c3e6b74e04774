"""The file of what was learnt from feedback: one a model, beside the models, written whole in one step.

It holds weights and sums, never a message and never which features one message had. A file that cannot be read is put
aside and said, and costs what was learnt: never a start, never a message.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from pointsman.core.classify.delta import Cell
from pointsman.core.classify.trial import Standing

SUFFIX: Final = ".feedback"
FORMAT: Final = "pointsman feedback"
LARGEST_BYTES: Final = 67_108_864
_MODE: Final = 0o600


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file.

    Attributes:
        format: what it is.
        schema: of the file.
        fingerprint: of the model that it belongs to.
        width: scores of that model.
        standing: of the trial.
        cells: weights by the number of the feature and of the score.
    """

    format: str = FORMAT
    schema: int = 1
    fingerprint: str
    width: int
    standing: Standing
    cells: dict[int, dict[int, Cell]]


class LearningFile:
    """One file. Every call may wait for the disk.

    Args:
        path: where it is; directories on the way to it are made when it is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, fingerprint: str, width: int) -> Learnt | None:
        """Return what was learnt before; None where there is no such file.

        Raises:
            ValueError: it cannot be read, or is of another model; it was put aside.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(LARGEST_BYTES + 1)
            found = msgspec.json.decode(data, type=Learnt)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ValueError(error.strerror or str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"it is damaged: {error}{self._put_aside()}") from None
        if (found.format, found.schema, found.fingerprint, found.width) != (FORMAT, 1, fingerprint, width):
            raise ValueError(f"it is of another model, or of a newer Pointsman{self._put_aside()}")
        if any(not 0 <= at < width for of in found.cells.values() for at in of):
            raise ValueError(f"its weights are of no such class{self._put_aside()}")
        return found

    def write(self, data: bytes) -> None:
        """Put these bytes in the place of what there is, whole or not at all. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, self.path)

    def _put_aside(self) -> str:
        aside = self.path.with_name(self.path.name + ".unreadable")
        try:
            os.replace(self.path, aside)
        except OSError:
            return ""
        return f"; it was put aside as {aside.name}"
