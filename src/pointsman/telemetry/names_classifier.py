"""The third part of the table in `names`: how the classifier fits the messages of today, and what feedback does."""

from __future__ import annotations

from typing import Final

from pointsman.core.classify.drift import KINDS
from pointsman.model.feedback import FEEDBACK_KINDS
from pointsman.telemetry.metric import Label, Metric, counter, gauge

CLASSIFIER: Final[tuple[Metric, ...]] = (
    gauge(
        "pointsman_classifier_drift",
        "How far recent messages are from those of the training: of confidence and class the population stability "
        "index, of unknown words and abstaining the difference of shares, of calibration its error.",
        Label("kind", KINDS),
        max_series=20,
    ),
    gauge("pointsman_abstain_share", "Share of recent messages that abstained, of those whose words decided."),
    gauge(
        "pointsman_abstain_day_cost",
        "What abstaining cost over the last day beside the likeliest class, in the unit of the classes' cost.",
    ),
    counter(
        "pointsman_feedback_total", "Feedback that was given, by kind.", Label("kind", FEEDBACK_KINDS), max_series=12
    ),
    gauge("pointsman_feedback_in_use", "1 while what was learnt from feedback is used, else 0."),
    gauge("pointsman_feedback_proof", "How far the advantage of what feedback taught is proven; from 1 on it is."),
)
