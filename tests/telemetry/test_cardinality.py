"""Names that anybody can make up fill neither memory nor the page."""

from __future__ import annotations

import tracemalloc

import msgspec
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pointsman.model.events import (
    Admitted,
    AttemptEnded,
    BreakerMoved,
    FellBackToLegacy,
    MessageRefused,
    Mirrored,
    WorkerJoined,
    WorkerLeft,
)
from pointsman.model.outcome import Failed, Failure, Refusal, Refused
from pointsman.model.settings import Settings
from pointsman.model.views import QueueView
from pointsman.telemetry.metric import MOST_SAMPLES
from pointsman.telemetry.metrics import Metrics
from tests.telemetry.test_metrics import NOW, envelope
from tests.telemetry.test_snapshot_operations import HEALTHY


def test_invented_names_do_not_fill_memory_or_page():
    """Workers, pools, classes, reasons, components: so many lines at most, 20 MB, and what found no room is counted.

    `python -m benchmarks telemetry` does it with 100,000.
    """
    tracemalloc.start()
    metrics = Metrics(Settings())
    for place in range(8_000):
        name = f"invented-{place}"
        metrics.observe(WorkerJoined(0.0, name, name))
        metrics.observe(AttemptEnded(12.0, envelope(), name, name, 1.0, 1.0, Failed(Failure.WORKER_ERROR, "")))
        metrics.observe(MessageRefused(11.0, envelope(), Refused(Refusal.HARMFUL, "", message_class=name)))
        metrics.observe(FellBackToLegacy(11.0, name, name))
        metrics.observe(Mirrored(11.0, "compared", name))
        metrics.observe(Admitted(11.0, envelope(name, client=name), 0.1, 0.1))
        metrics.observe(BreakerMoved(12.0, name, name, "closed", "open"))
        if place % 20 == 0:
            metrics.observe(WorkerLeft(13.0, name, name))
    queues = [QueueView(f"q{place}", (1, 1, 1, 1, 1), 1, 0, 1.0, False) for place in range(1_000)]
    health = [msgspec.structs.replace(HEALTHY, kind=f"k{place}") for place in range(1_000)]
    body, _ = metrics.exposition("", msgspec.structs.replace(NOW, queues=queues, health=health))
    held_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    assert len(lines) <= MOST_SAMPLES
    assert held_bytes <= 20_000_000
    dropped = {
        sample.labels["metric"]: sample.value
        for family in parse_text(body.decode())
        for sample in family.samples
        if sample.name == "pointsman_dropped_series_total"
    }
    assert dropped["pointsman_attempts_total"] >= 6_500
    assert dropped["pointsman_health_status"] >= 900
