"""The one file that reads the environment."""

from __future__ import annotations

import pytest

from pointsman.config.environment import snapshot


def test_a_snapshot_does_not_change_with_the_environment(monkeypatch):
    """It is a copy, taken when asked for."""
    monkeypatch.setenv("POINTSMAN__LIMITS__BURST", "5")
    taken = snapshot()
    monkeypatch.setenv("POINTSMAN__LIMITS__BURST", "6")
    assert taken["POINTSMAN__LIMITS__BURST"] == "5"
    assert snapshot()["POINTSMAN__LIMITS__BURST"] == "6"


def test_a_snapshot_cannot_be_written_to():
    """Nobody can pass settings on behind the loader's back."""
    with pytest.raises(TypeError):
        snapshot()["X"] = "1"  # type: ignore[index]
