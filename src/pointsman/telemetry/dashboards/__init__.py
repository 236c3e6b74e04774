"""Boards of Grafana, one module each; `BOARDS` is all of them, `render` makes what Grafana reads.

They are checked against a real Prometheus, not rendered by a real Grafana.
"""

from typing import Final

from pointsman.telemetry.dashboards.build import Board, render
from pointsman.telemetry.dashboards.fleet import FLEET
from pointsman.telemetry.dashboards.overview import OVERVIEW
from pointsman.telemetry.dashboards.rollout import ROLLOUT

BOARDS: Final[tuple[Board, ...]] = (OVERVIEW, FLEET, ROLLOUT)

__all__ = ["BOARDS", "Board", "render"]
