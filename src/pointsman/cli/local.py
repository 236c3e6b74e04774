"""Decides about messages in this process, by the settings and the live rules; nothing runs and nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pointsman.assembly import House
from pointsman.model.message import Message
from pointsman.model.outcome import Refused
from pointsman.model.settings import Settings
from pointsman.runtime.preview import Preview


class Local:
    """A router that only answers what it would do.

    Args:
        settings: everything that can be set.
        beside: directory that relative file names in them start from; by default the working directory.

    Raises:
        SettingsError: they contradict themselves.
    """

    def __init__(self, settings: Settings, beside: Path | None = None) -> None:
        self._house = House(settings, beside=beside)

    def preview(self, **fields: Any) -> Preview | str:
        """Return what would be decided for a message with these fields, or why it would be refused."""
        envelope = self._house.envelopes.wrap(Message(**fields))
        decided = self._house.previewer.preview(envelope)
        return f"{decided.reason.value}: {decided.detail}" if isinstance(decided, Refused) else decided
