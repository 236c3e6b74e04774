from __future__ import annotations

import msgspec

from pointsman.model.feedback import ClassifierStatus, DeltaStatus
from pointsman.telemetry.names_classifier import CLASSIFIER
from pointsman.telemetry.registry import Known
from pointsman.telemetry.snapshot_classifier import of_classifier

DELTA = DeltaStatus("in_use", 20, 1, 120, 110.5, 6, 0.05, 1.5, saved=True, alarm="")
STATUS = ClassifierStatus(
    model="m",
    threshold=0.6,
    looked_at=2_000,
    abstain_share=0.04,
    abstain_share_max=0.3,
    abstain_day_cost=90.0,
    drift={"confidence": 0.3, "class": 0.01, "unknown": -0.1},
    feedback={"label": 100, "ok": 20, "failed": 3},
    delta=DELTA,
)


def made(status: ClassifierStatus | None) -> dict[str, dict[tuple[str, ...], float]]:
    """Figures by metric and labels."""
    return {
        gauge.metric.name.removeprefix("pointsman_"): dict(gauge.items()) for gauge in of_classifier(status, Known())
    }


def test_the_metrics_say_what_the_status_says():
    """A figure each, by kind where there are kinds."""
    assert made(STATUS) == {
        "classifier_drift": {("confidence",): 0.3, ("class",): 0.01, ("unknown",): -0.1},
        "abstain_share": {(): 0.04},
        "abstain_day_cost": {(): 90.0},
        "feedback_total": {("label",): 100, ("ok",): 20, ("failed",): 3},
        "feedback_in_use": {(): 1},
        "feedback_proof": {(): 1.5},
    }


def test_what_is_not_known_is_absent_and_no_metric_is_left_out():
    """Too few messages; no status at all."""
    few = made(
        msgspec.structs.replace(
            STATUS, abstain_share=None, drift={}, delta=msgspec.structs.replace(DELTA, state="shadow")
        )
    )
    assert few["abstain_share"] == few["classifier_drift"] == {}
    assert few["feedback_in_use"] == {(): 0}
    none = made(None)
    assert len(none) == len(CLASSIFIER)
    assert not any(none.values())
