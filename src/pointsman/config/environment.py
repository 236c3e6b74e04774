"""The environment, read in one place. Everybody else takes a mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KILL: Final = "POINTSMAN_ROLLOUT_KILL"
"""While it is set, a rollout leaves everything to the old router. No setting: those begin with POINTSMAN__."""


def snapshot() -> Mapping[str, str]:
    """Return a read-only copy of the environment as it is now; later changes do not show in it."""
    return MappingProxyType(dict(os.environ))


def kill_reason() -> str:
    """Return why the environment holds everything at the old router, or nothing where it does not."""
    return snapshot().get(KILL, "")
