from __future__ import annotations

import msgspec
import pytest

from pointsman.model.objectives import Level
from pointsman.model.settings import Settings
from pointsman.telemetry.exposing import LEVELS_KEPT_S, Exposing
from pointsman.telemetry.metrics import Metrics
from pointsman.telemetry.snapshot import Snapshot
from pointsman.testing.clock import FakeClock
from tests.deploy.instruments import needs_instruments, promtool
from tests.telemetry.test_metrics import NOW
from tests.telemetry.test_snapshot_operations import ERRORS


class Reading:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.added_up = 0
        self.exposing = Exposing(Metrics(Settings()), self.snapshot, self.levels, self.clock)

    def levels(self) -> list[Level]:
        self.added_up += 1
        return [msgspec.structs.replace(ERRORS, observed=float(self.added_up))]

    async def snapshot(self, levels) -> Snapshot:
        return msgspec.structs.replace(NOW, objectives=levels)

    async def page(self) -> str:
        return (await self.exposing.page(""))[0].decode()


@pytest.mark.real_loop
async def test_objectives_are_added_up_once_in_a_while():
    """A page asked for within ten seconds has the figures of the one before."""
    reading = Reading()
    assert 'pointsman_slo_observed{slo="errors"} 1.0' in await reading.page()
    reading.clock.advance(LEVELS_KEPT_S - 0.1)
    assert 'pointsman_slo_observed{slo="errors"} 1.0' in await reading.page()
    reading.clock.advance(0.2)
    assert 'pointsman_slo_observed{slo="errors"} 2.0' in await reading.page()
    reading.exposing.close()


@needs_instruments
@pytest.mark.real_loop
async def test_prometheus_finds_nothing_to_complain_of():
    """Names, units, help and types, by its own checker."""
    reading = Reading()
    page = await reading.page()
    reading.exposing.close()
    code, said = promtool("check", "metrics", stdin=page.encode())
    assert (code, said) == (0, "")
