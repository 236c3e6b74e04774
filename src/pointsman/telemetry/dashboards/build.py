"""Boards of Grafana as plain data: panels in rows, laid out here, and rendered to what Grafana reads (v1 JSON).

No plugin and no Angular panel is used, only what every Grafana from 9 on brings along. The data source, the job and the
instances are variables, so that a board fits any Prometheus.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

SELECTOR: Final = 'job=~"$job",instance=~"$instance"'
WINDOW: Final = "$__rate_interval"

_WIDTH: Final = 24
_SCHEMA: Final = 39
_SOURCE: Final[dict[str, str]] = {"type": "prometheus", "uid": "${datasource}"}


class Query(msgspec.Struct, frozen=True):
    """One line of a panel: an expression of PromQL and how it is called."""

    expr: str
    legend: str = ""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One panel.

    Attributes:
        kind: `timeseries`, `stat`, `bargauge` or `state-timeline`.
        title, description: for people.
        unit: one of Grafana's: `s`, `percentunit`, `short`, `reqps`, `bytes`, `dateTimeFromNow`.
        queries: what it shows.
        width, height: of 24, and in Grafana's lines.
        warn, bad: bounds from which a value is yellow, red; None shows none. With `bad` below `warn`, low is bad.
        words: text for values, such as 0 and 1.
    """

    kind: str = "timeseries"
    title: str
    description: str
    unit: str = "short"
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 7
    warn: float | None = None
    bad: float | None = None
    words: tuple[tuple[float, str], ...] = ()


class Row(msgspec.Struct, frozen=True):
    """Panels below one heading, from left to right."""

    title: str
    panels: tuple[Panel, ...]


class Board(msgspec.Struct, frozen=True):
    """One board. `uid` is part of its address and never changes."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Return the rise of a counter in a second, summed over everything but `by`."""
    return f"sum{_by(by)} (rate({metric}{{{_where(where)}}}[{WINDOW}]))"


def increase(metric: str, by: str = "", where: str = "") -> str:
    """Return the rise of a counter within the window."""
    return f"sum{_by(by)} (increase({metric}{{{_where(where)}}}[{WINDOW}]))"


def total(metric: str, by: str = "", where: str = "", of: str = "sum") -> str:
    """Return a gauge, summed (or `max`, `min`) over everything but `by`."""
    return f"{of}{_by(by)} ({metric}{{{_where(where)}}})"


def quantile(share: float, metric: str, by: str = "") -> str:
    """Return a quantile of a histogram, as far as its buckets tell."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{{{SELECTOR}}}[{WINDOW}])))"


def share_within(metric: str, bound: str) -> str:
    """Return the share of durations up to a bound that is one of the histogram's buckets."""
    within = f'sum (rate({metric}_bucket{{{SELECTOR},le="{bound}"}}[{WINDOW}]))'
    return f"{within} / {rate(metric + '_count')}"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""


def _where(more: str) -> str:
    return f"{SELECTOR},{more}" if more else SELECTOR


def render(board: Board) -> dict[str, Any]:
    """Return the board as Grafana reads it."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["pointsman"],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "schemaVersion": _SCHEMA,
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "links": [
            {"type": "dashboards", "title": "Pointsman", "tags": ["pointsman"], "asDropdown": True, "keepTime": True}
        ],
        "annotations": {"list": []},
        "panels": _laid_out(board.rows),
    }


def _variables() -> list[dict[str, Any]]:
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}
    asked = {
        "job": "label_values(pointsman_build_info, job)",
        "instance": 'label_values(pointsman_build_info{job=~"$job"}, instance)',
    }
    return [source] + [
        {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": query, "refId": name},
            "definition": query,
            "refresh": 2,
            "multi": True,
            "includeAll": True,
            "allValue": ".+",
            "current": {"text": "All", "value": "$__all"},
            "sort": 1,
            "hide": 0,
        }
        for name, query in asked.items()
    ]


def _laid_out(rows: Sequence[Row]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        made.append(
            {
                "id": len(made) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": 1},
            }
        )
        top += 1
        left = tallest = 0
        for panel in row.panels:
            if left + panel.width > _WIDTH:
                top, left, tallest = top + tallest, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            made.append({"id": len(made) + 1, "gridPos": place, **_panel(panel)})
            left += panel.width
            tallest = max(tallest, panel.height)
        top += tallest
    return made


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or panel.title,
                "range": True,
                "instant": False,
            }
            for place, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel.kind),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "noValue": "no data", "thresholds": _thresholds(panel)}
    if panel.kind == "timeseries":
        defaults["custom"] = {"fillOpacity": 8, "lineWidth": 1, "showPoints": "auto", "spanNulls": False}
    if panel.words:
        options = {f"{value:g}": {"text": text, "index": at} for at, (value, text) in enumerate(panel.words)}
        defaults["mappings"] = [{"type": "value", "options": options}]
    return defaults


def _thresholds(panel: Panel) -> dict[str, Any]:
    """Return colours by value; where low is bad, they begin with red."""
    if panel.bad is None:
        return {"mode": "absolute", "steps": [{"color": "green", "value": None}]}
    warn = panel.bad if panel.warn is None else panel.warn
    colours = ["green", "yellow", "red"] if panel.bad >= warn else ["red", "yellow", "green"]
    bounds = [None, *sorted((warn, panel.bad))]
    return {
        "mode": "absolute",
        "steps": [{"color": colour, "value": bound} for colour, bound in zip(colours, bounds, strict=True)],
    }


def _options(kind: str) -> dict[str, Any]:
    if kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if kind == "stat":
        return {"reduceOptions": reduce, "colorMode": "background", "graphMode": "area", "textMode": "auto"}
    return {"reduceOptions": reduce, "displayMode": "gradient", "orientation": "horizontal", "showUnfilled": True}
