"""Metrics as text: Prometheus text format 0.0.4, or OpenMetrics 1.0 for those who ask for it.

Sources: prometheus.io "Exposition formats" (0.0.4) and the OpenMetrics 1.0.0 specification. The two differ in
the names of counter and info families, in escaping of help, in units and in the end mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from pointsman.telemetry.metric import Kind, Metric
from pointsman.telemetry.registry import Histogram, Labels, Series


class Format(Enum):
    """A text format, by its content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


_OPEN_METRICS_VERSIONS: Final = ("1.0.0", "")
_UNITS: Final = ("seconds", "bytes")


def choose(accept: str) -> Format:
    """Return the format that an `Accept` header prefers; plain text for all that is unclear."""
    best = {Format.TEXT: 0.0, Format.OPEN_METRICS: 0.0}
    for one in accept.split(","):
        media, *parameters = (part.strip().lower() for part in one.split(";"))
        named = dict(part.partition("=")[::2] for part in parameters)
        weight = _weight(named.get("q", "1"))
        if media == "application/openmetrics-text" and named.get("version", "") in _OPEN_METRICS_VERSIONS:
            best[Format.OPEN_METRICS] = max(best[Format.OPEN_METRICS], weight)
        elif media in {"text/plain", "text/*"}:
            best[Format.TEXT] = max(best[Format.TEXT], weight)
    preferred = best[Format.OPEN_METRICS]
    return Format.OPEN_METRICS if preferred > 0 and preferred >= best[Format.TEXT] else Format.TEXT


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def render(series: Iterable[Series], form: Format) -> bytes:
    """Return the whole exposition, families in the order given."""
    lines: list[str] = []
    for one in series:
        if isinstance(one, Histogram):
            _family(lines, one.metric, form)
            _histogram(lines, one)
        elif rows := one.items():
            _family(lines, one.metric, form)
            _plain(lines, one.metric, rows)
    if form is Format.OPEN_METRICS:
        lines.append("# EOF")
    lines.append("")
    return "\n".join(lines).encode()


def _family(lines: list[str], metric: Metric, form: Format) -> None:
    if form is Format.TEXT:
        kind = Kind.GAUGE if metric.kind is Kind.INFO else metric.kind
        help_ = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
        lines.append(f"# HELP {metric.name} {help_}")
        lines.append(f"# TYPE {metric.name} {kind}")
        return
    name = metric.name.removesuffix("_total").removesuffix("_info")
    lines.append(f"# TYPE {name} {metric.kind}")
    unit = name.rpartition("_")[2]
    if unit in _UNITS:
        lines.append(f"# UNIT {name} {unit}")
    lines.append(f"# HELP {name} {_escaped(metric.help)}")


def _plain(lines: list[str], metric: Metric, rows: list[tuple[Labels, float]]) -> None:
    for labels, value in rows:
        inside = _pairs(metric, labels)
        lines.append(f"{metric.name}{{{inside}}} {value!r}" if inside else f"{metric.name} {value!r}")


def _histogram(lines: list[str], histogram: Histogram) -> None:
    metric = histogram.metric
    bounds = [*(repr(bound) for bound in histogram.bounds), "+Inf"]
    for labels, slot in histogram.items():
        inside = _pairs(metric, labels)
        opening = f'{metric.name}_bucket{{{inside},le="' if inside else f'{metric.name}_bucket{{le="'
        count = 0
        for bound, in_bucket in zip(bounds, slot, strict=False):
            count += int(in_bucket)
            lines.append(f'{opening}{bound}"}} {count}')
        around = f"{{{inside}}}" if inside else ""
        lines.append(f"{metric.name}_count{around} {count}")
        lines.append(f"{metric.name}_sum{around} {slot[-1]!r}")


def _pairs(metric: Metric, labels: Labels) -> str:
    return ",".join(f'{label.name}="{_escaped(value)}"' for label, value in zip(metric.labels, labels, strict=True))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
