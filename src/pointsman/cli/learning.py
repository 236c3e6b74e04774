"""What `train` and `evaluate` share: the question whether the extra that learns is there."""

from __future__ import annotations

from importlib.util import find_spec

from pointsman.cli import output
from pointsman.cli.exits import ExitCode


def need_numpy() -> None:
    """End the command where the extra that learns is not installed."""
    if find_spec("numpy") is None:
        output.fail(
            "training needs numpy, which is not installed: pip install 'pointsman[train]'; using a model needs nothing",
            ExitCode.FAILED,
        )
