"""A row of the first board: how the classifier fits the messages of today."""

from __future__ import annotations

from typing import Final

from pointsman.telemetry.dashboards.build import Panel, Query, Row, increase, total

CLASSIFIER: Final = Row(
    "The classifier",
    (
        Panel(
            title="Drift",
            description="How far recent messages are from those of the training; of confidence and class 0.25 is much.",
            queries=(Query(total("pointsman_classifier_drift", "kind", of="max"), "{{kind}}"),),
            width=6,
        ),
        Panel(
            title="Abstained share",
            description="Share of recent messages of which the words said too little.",
            unit="percentunit",
            queries=(Query(total("pointsman_abstain_share", of="max")),),
            width=6,
        ),
        Panel(
            title="Cost of abstaining, a day",
            description="What it cost over the last day beside the likeliest class, in the unit of the classes' cost.",
            queries=(Query(total("pointsman_abstain_day_cost")),),
            width=6,
        ),
        Panel(
            title="Feedback",
            description="Feedback within the window by kind; how far it is proven, of 1; whether it is used.",
            queries=(
                Query(increase("pointsman_feedback_total", "kind"), "{{kind}}"),
                Query(total("pointsman_feedback_proof", of="max"), "proof"),
                Query(total("pointsman_feedback_in_use", of="max"), "used"),
            ),
            width=6,
        ),
    ),
)
