"""The rollout: its record can be read and written and is as it was written, and nothing holds it up unseen."""

from __future__ import annotations

import os
from pathlib import Path

from pointsman.core.rollout.record import Damaged, read
from pointsman.model.events import SecurityIncident
from pointsman.model.health import Finding, failed, passed, warned
from pointsman.runtime.health.premises import Alone, Premises
from pointsman.runtime.health.threads import OneThread

_SAFE = "everything goes to the old router; see `pointsman rollout status`"


class RolloutCheck(Alone):
    """Asks the rollout, and reads its record again.

    Args:
        house: whose rollout; where none is configured there is nothing to look at.
        beside: directory that the record's name starts from.
    """

    kind = "rollout"

    def __init__(self, house: Premises, beside: Path) -> None:
        self._house = house
        self._record = beside / house.settings.rollout.record
        self._thread = OneThread()
        self._tampered = False

    def probe(self) -> Finding:
        """Ask how it stands."""
        if not self._house.rollout.is_configured:
            return passed("no old router is configured")
        status = self._house.rollout.status()
        if status.alarm:
            return failed(f"{status.alarm}; {_SAFE}")
        if status.killed:
            return warned(f"killed by {status.killed}: {_SAFE}")
        if status.locked:
            return warned("rolled back and locked: find out why, then `pointsman rollout ack --reason ...`")
        return passed(f"{status.stage or status.state}, {100 * status.share:.0f} % of the keys are ours", status.share)

    async def look(self) -> Finding:
        """Ask, and read the record as a restart would."""
        finding = self.probe()
        if not self._house.rollout.is_configured or self._house.rollout.status().alarm:
            return finding
        must_be = self._house.rollout.status().history_head is not None
        self._tampered = False
        found = await self._thread.look(lambda: self._read(finding, must_be=must_be))
        if self._tampered:
            self._house.emit(SecurityIncident(self._house.clock.monotonic(), "record_tampered"))
        return found

    def _read(self, finding: Finding, *, must_be: bool) -> Finding:
        again = f"a restart would leave everything to the old router; bring {self._record} back from a copy"
        try:
            data = self._record.read_bytes()
            read(data)
        except FileNotFoundError:
            return failed(f"the record is gone: {again}") if must_be else finding
        except OSError as error:
            return failed(f"the record cannot be read: {error.strerror or error}; {again}")
        except Damaged as damaged:
            self._tampered = damaged.tampered
            return failed(f"the record is damaged: {damaged}; {again}")
        if not os.access(self._record, os.W_OK):
            return failed(f"{self._record} cannot be written, so that no step can be taken: give it back its rights")
        return finding
