"""The first board: are the service levels kept, what comes in, how long it takes, what it costs, how the process is."""

from __future__ import annotations

from typing import Final

from pointsman.telemetry.dashboards.build import (
    Board,
    Panel,
    Query,
    Row,
    quantile,
    rate,
    share_within,
    total,
)
from pointsman.telemetry.dashboards.overview_classifier import CLASSIFIER
from pointsman.telemetry.dashboards.overview_process import MONEY, PROCESS

_ENDED: Final = "pointsman_messages_ended_total"
_COUNTED: Final = 'status=~"delivered|dead|expired"'
_DELIVERED: Final = 'status="delivered"'
_ANSWERED: Final = f"{rate('pointsman_messages_admitted_total')} + {rate('pointsman_messages_refused_total')}"
_FAULTS: Final = rate("pointsman_request_faults_total")
_SHARES: Final = 'slo=~"overhead|classification|routing|success|errors|availability"'
_UNAVAILABLE: Final = rate("pointsman_messages_refused_total", where='reason="unavailable"')


def _tile(title: str, description: str, unit: str, query: str, warn: float, bad: float) -> Panel:
    return Panel(
        kind="stat",
        title=title,
        description=description,
        unit=unit,
        queries=(Query(query),),
        width=4,
        height=4,
        warn=warn,
        bad=bad,
    )


_LEVELS: Final = Row(
    "Service levels, now",
    (
        _tile(
            "Overhead, p95",
            "Time the router added to 95 of 100 messages; promised: below 45 ms. As exact as the buckets are.",
            "s",
            quantile(0.95, "pointsman_overhead_seconds"),
            0.030,
            0.045,
        ),
        _tile(
            "Overhead up to 45 ms",
            "Share of messages to which the router added at most 45 ms, counted exactly; promised: 95 %.",
            "percentunit",
            share_within("pointsman_overhead_seconds", "0.045"),
            0.97,
            0.95,
        ),
        _tile(
            "Classification, p95",
            "Time that 95 of 100 messages took in the classifier; promised: below 50 ms.",
            "s",
            quantile(0.95, "pointsman_classify_seconds"),
            0.030,
            0.050,
        ),
        _tile(
            "Delivered",
            "Share of messages that were delivered, of all that ended but by the sender's doing; promised: 98.5 %.",
            "percentunit",
            f"{rate(_ENDED, where=_DELIVERED)} / {rate(_ENDED, where=_COUNTED)}",
            0.99,
            0.985,
        ),
        _tile(
            "Available",
            "Share of requests that were not refused or broken off by the router's own fault; promised: 99.9 %.",
            "percentunit",
            f"1 - ({_UNAVAILABLE} + {_FAULTS}) / ({_ANSWERED} + {_FAULTS})",
            0.9995,
            0.999,
        ),
        _tile(
            "Security incidents",
            "Harmful messages let through, forbidden calls obeyed, records changed by others; promised: none.",
            "short",
            total("pointsman_security_incidents_total"),
            1,
            1,
        ),
    ),
)

_WINDOW: Final = Row(
    "Service levels, over their window",
    (
        Panel(
            kind="bargauge",
            title="Observed",
            description="What the router measured over the window of each objective, as a share of messages.",
            unit="percentunit",
            queries=(Query(total("pointsman_slo_observed", "slo", _SHARES, of="max"), "{{slo}}"),),
            width=6,
        ),
        Panel(
            kind="bargauge",
            title="Promised",
            description="The objective, as a share of messages; at most so many for errors, at least for the others.",
            unit="percentunit",
            queries=(Query(total("pointsman_slo_objective", "slo", _SHARES, of="max"), "{{slo}}"),),
            width=6,
        ),
        Panel(
            kind="bargauge",
            title="Error budget left",
            description="Share of what may still go wrong within the window; below 0 the promise is broken.",
            unit="percentunit",
            queries=(Query(total("pointsman_slo_budget_left_share", "slo", of="min"), "{{slo}}"),),
            width=6,
            warn=0.25,
            bad=0.1,
        ),
        Panel(
            kind="bargauge",
            title="Coverage",
            description="Share of the window for which there are figures; a full budget after an hour says little.",
            unit="percentunit",
            queries=(Query(total("pointsman_slo_coverage_share", "slo", of="min"), "{{slo}}"),),
            width=6,
        ),
    ),
)

_TRAFFIC: Final = Row(
    "Traffic",
    (
        Panel(
            title="Accepted",
            description="Messages accepted in a second, by class.",
            unit="reqps",
            queries=(Query(rate("pointsman_messages_admitted_total", "class"), "{{class}}"),),
        ),
        Panel(
            title="Refused",
            description="Messages refused in a second, by reason. Deliberate refusals are no outages.",
            unit="reqps",
            queries=(Query(rate("pointsman_messages_refused_total", "reason"), "{{reason}}"),),
        ),
        Panel(
            title="Ended",
            description="Messages ended in a second, by how.",
            unit="reqps",
            queries=(Query(rate(_ENDED, "status"), "{{status}}"),),
        ),
        Panel(
            title="Decided by",
            description="What decided the class. Many that abstain say that the classifier does not know this traffic; "
            "a conflict, that rules force several classes.",
            unit="reqps",
            queries=(
                Query(rate("pointsman_classifications_total", "cause"), "{{cause}}"),
                Query(rate("pointsman_rule_conflicts_total"), "conflict of rules"),
            ),
        ),
        Panel(
            title="Given out again",
            description="Attempts after the first in a second, by what came of the one before.",
            unit="reqps",
            queries=(Query(rate("pointsman_retries_total", "reason"), "{{reason}}"),),
        ),
        Panel(
            title="Served by another pool",
            description="Hand-outs in a second to another pool than the message's own.",
            unit="reqps",
            queries=(Query(rate("pointsman_fallbacks_total", "from_pool, to_pool"), "{{from_pool}} to {{to_pool}}"),),
        ),
    ),
)

_TIMES: Final = Row(
    "Times",
    (
        Panel(
            title="Overhead",
            description="Time the router added: not the worker's, not the wait for a free one. Promised p95: 45 ms.",
            unit="s",
            queries=tuple(
                Query(quantile(share, "pointsman_overhead_seconds"), name)
                for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ),
        ),
        Panel(
            title="Admission and classification, p95",
            description="From receipt to acceptance, and of that in the classifier.",
            unit="s",
            queries=(
                Query(quantile(0.95, "pointsman_admission_seconds"), "admission"),
                Query(quantile(0.95, "pointsman_classify_seconds"), "classification"),
            ),
        ),
        Panel(
            title="Classification up to 50 ms",
            description="Share of messages that took at most 50 ms in the classifier; promised: 95 %.",
            unit="percentunit",
            queries=(Query(share_within("pointsman_classify_seconds", "0.05")),),
        ),
        Panel(
            title="Wait in the queue, p95",
            description="From acceptance to the first hand-out, by priority. A delay the sender asked for is in it.",
            unit="s",
            queries=(Query(quantile(0.95, "pointsman_queue_wait_seconds", "priority"), "{{priority}}"),),
        ),
        Panel(
            title="In workers, p95",
            description="Time of an attempt in a worker, by pool.",
            unit="s",
            queries=(Query(quantile(0.95, "pointsman_worker_seconds", "pool"), "{{pool}}"),),
        ),
        Panel(
            title="Waited for a particular worker",
            description="Messages in a second that waited for the worker of their conversation, or for one that suits.",
            unit="reqps",
            queries=(Query(rate("pointsman_parked_seconds_count")),),
        ),
    ),
)

OVERVIEW: Final = Board(
    "pointsman-overview",
    "Pointsman: overview",
    "Service levels, traffic, times, money and the process of a Pointsman router.",
    (_LEVELS, _WINDOW, _TRAFFIC, _TIMES, CLASSIFIER, MONEY, PROCESS),
)
