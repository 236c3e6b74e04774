"""Functions that a program gives as workers, by pool and id: whether they are what they must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pointsman.model.errors import UsageError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_workers(workers: object) -> None:
    """Raise UsageError where functions that are to be workers are not given by pool and id."""
    if not isinstance(workers, Mapping) or not all(isinstance(of, Mapping) for of in workers.values()):
        raise UsageError("workers are given by pool and id: workers={'coders': {'coder-1': function}}")
    for pool, functions in workers.items():
        for worker_id, function in functions.items():
            for name in (pool, worker_id):
                if not isinstance(name, str) or not _NAME.fullmatch(name):
                    wrong = str(name)[:40]
                    raise UsageError(f"{wrong!r} names no pool or worker: use letters, digits, '.', '_' and '-'")
            if not callable(function):
                raise UsageError(f"worker {worker_id!r} of pool {pool!r} must be a function, got {function!r:.40}")
