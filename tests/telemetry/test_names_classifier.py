from __future__ import annotations

from pointsman.telemetry.names import METRICS
from pointsman.telemetry.names_classifier import CLASSIFIER


def test_the_third_part_of_the_table_is_in_the_whole():
    """What stands in one file only would never be exposed."""
    assert CLASSIFIER
    assert set(CLASSIFIER) <= set(METRICS)
