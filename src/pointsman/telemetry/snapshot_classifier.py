"""Metrics of the classifier, from what it says of itself when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

from pointsman.model.feedback import ClassifierStatus
from pointsman.telemetry.names import BY_NAME
from pointsman.telemetry.names_classifier import CLASSIFIER
from pointsman.telemetry.registry import Gauge, Known


def of_classifier(status: ClassifierStatus | None, known: Known) -> Iterable[Gauge]:
    """Return the metrics of the classifier. What is not known yet is absent."""
    made = {metric.name: Gauge(BY_NAME[metric.name], known) for metric in CLASSIFIER}
    if status is not None:
        for kind, figure in status.drift.items():
            made["pointsman_classifier_drift"].add((kind,), figure)
        if status.abstain_share is not None:
            made["pointsman_abstain_share"].add((), status.abstain_share)
        made["pointsman_abstain_day_cost"].add((), status.abstain_day_cost)
        for kind, count in status.feedback.items():
            made["pointsman_feedback_total"].add((kind,), count)
        made["pointsman_feedback_in_use"].add((), int(status.delta.state == "in_use"))
        made["pointsman_feedback_proof"].add((), status.delta.proof)
    return made.values()
