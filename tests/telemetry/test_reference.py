from __future__ import annotations

import re

from pointsman.telemetry.names import METRICS
from pointsman.telemetry.reference import reference


def test_every_metric_has_a_row():
    """Name, kind, labels and meaning, in the order of the table."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \| (.+) \|$", reference(), re.MULTILINE)
    assert [(name, kind, help_) for name, kind, _, help_ in rows] == [
        (metric.name, metric.kind, metric.help) for metric in METRICS
    ]


def test_every_closed_label_has_its_values_listed():
    """Once, or for each metric where they differ."""
    page = reference()
    for metric in METRICS:
        for label in metric.labels:
            if label.values:
                values = ", ".join(f"`{value}`" for value in label.values)
                assert re.search(
                    rf"^- `{label.name}`(?: of .*`{metric.name}`.*)?: {re.escape(values)}$", page, re.MULTILINE
                )


def test_every_histogram_has_its_buckets_listed():
    """With the infinite one."""
    page = reference()
    for metric in METRICS:
        if metric.buckets:
            bounds = ", ".join(f"{bound:g}" for bound in metric.buckets)
            assert f"- `{metric.name}`: {bounds}, +Inf\n" in page
