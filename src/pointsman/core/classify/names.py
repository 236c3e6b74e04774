"""The names a class may be called by: its own and its aliases.

Decides what a hint means. Whether a message carries a hint is `pipeline`'s business, and whether names clash is
found when settings are checked (`core.settings_check.check`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pointsman.model.settings import ClassSettings

AUTO: Final = "auto"
"""Where a class may be named: "you choose"."""


class ClassNames:
    """Class names and aliases.

    Args:
        classes: settings by class name.
    """

    __slots__ = ("_by_name", "known")

    def __init__(self, classes: Mapping[str, ClassSettings]) -> None:
        self._by_name = {alias: name for name, of in classes.items() for alias in of.alias}
        self._by_name.update((name, name) for name in classes)
        self.known = tuple(sorted(self._by_name))

    def resolve(self, name: str) -> str | None:
        """Return the class that `name` stands for, or None. Exact: case and spaces count. `AUTO` stands for none."""
        return self._by_name.get(name)
