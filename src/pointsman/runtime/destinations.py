"""What a sender may name instead of letting the router decide: a class, an alias, a pool, or a worker's model.

Where one word is several of these, the first of that order counts, and of two classes that share a pool or whose pools
have the same model, the first in the settings.
"""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.model.settings import ClassSettings
from pointsman.runtime.pool import Pool


class Destinations:
    """Names of one version of the settings. Worker models are those of the workers that are there now.

    Args:
        classes: settings by class name.
        pools: pools by name.
    """

    def __init__(self, classes: Mapping[str, ClassSettings], pools: Mapping[str, Pool]) -> None:
        self._pools = pools
        self._pool_of = {name: of.pool for name, of in classes.items()}
        self._classes: dict[str, str] = {name: name for name in classes}
        for name, of in classes.items():
            for alias in of.alias:
                self._classes.setdefault(alias, name)
        for name, of in classes.items():
            self._classes.setdefault(of.pool, name)

    def message_class(self, name: str) -> str | None:
        """Return the class that a class name, an alias or a pool stands for, or None."""
        return self._classes.get(name)

    def model(self, name: str) -> tuple[str, str] | None:
        """Return the class that a name stands for in place of a model, and the worker model where it is one."""
        found = self._classes.get(name)
        if found is not None:
            return found, ""
        for message_class, pool in self._pool_of.items():
            if any(endpoint.settings.model == name for endpoint in self._pools[pool]):
                return message_class, name
        return None
