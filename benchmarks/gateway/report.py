"""A run's figures on the screen and as JSON."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from statistics import median
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.gateway.bars import Verdict, added, judge
from benchmarks.gateway.stage import Record, System
from benchmarks.report import calibrate, processor

_COLUMNS: Final[Mapping[str, tuple[tuple[str, str, float, int], ...]]] = {
    "Plain requests: one connection, and 32": (
        ("p50 us", "p50_us", 1, 0),
        ("p95", "p95_us", 1, 0),
        ("p99", "p99_us", 1, 0),
        ("added p50", "+p50_us", 1, 0),
        ("CPU us c1", "single_cpu_us", 1, 0),
        ("CPU us c32", "cpu_us", 1, 1),
        ("best", "<cpu_us", 1, 1),
        ("req/s/core", "core_rate", 1, 0),
        ("req/s", "rate", 1, 0),
        ("waited %", "waited_share", 100, 0),
        ("load core %", "load_busy_share", 100, 0),
    ),
    "Open loop, half of its own maximum": (
        ("req/s", "tail_rate", 1, 0),
        ("p50 us", "tail_p50_us", 1, 0),
        ("p99 us", "tail_p99_us", 1, 0),
        ("failed", ">tail_failed", 1, 0),
        ("CPU us", "tail_cpu_us", 1, 1),
        ("waited %", "tail_waited_share", 100, 0),
    ),
    "Streams: 32 x 50 chunks paced 2 ms; burst: 8 at once, unpaced": (
        ("first p50 us", "first_p50_us", 1, 0),
        ("added", "+first_p50_us", 1, 0),
        ("CPU us/chunk", "chunk_cpu_us", 1, 1),
        ("chunk p50 us", "chunk_p50_us", 1, 0),
        ("p99", "chunk_p99_us", 1, 0),
        ("max", "chunk_max_us", 1, 0),
        ("held", ">held_back", 1, 0),
        ("bad", ">bad_streams", 1, 0),
        ("core %", "stream_busy_share", 100, 0),
        ("waited %", "stream_waited_share", 100, 0),
        ("burst CPU", "burst_chunk_cpu_us", 1, 2),
    ),
    "Faults: p99 of disconnect to upstream closed, and % of cut streams flagged": (
        ("midway ms", "cancel_midway_p99_us", 1e-3, 2),
        ("first token", "cancel_first_p99_us", 1e-3, 2),
        ("waiting", "cancel_waiting_p99_us", 1e-3, 2),
        ("never", "cancels_lost", 1, 0),
        ("reset %", "cut_reset_flagged_share", 100, 0),
        ("in chunk %", "cut_inside_flagged_share", 100, 0),
        ("no end %", "cut_clean_flagged_share", 100, 0),
    ),
}
"""Tables by title: heading, figure, factor, digits. `+`: added to the direct way; `<`, `>`: least, most of rounds."""


def machine() -> dict[str, Any]:
    """Return when and where this is measured."""
    names = ("pointsman", "msgspec", "httptools", "uvicorn", "uvloop")
    return {
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),
        "calibration": round(calibrate(), 3),
        "python": platform.python_version(),
        "python_optimized": "profile-use" in (sysconfig.get_config_var("PY_CORE_CFLAGS") or ""),
        "packages": {name: version(name) for name in names if _installed(name)},
    }


def as_json(where: Mapping[str, Any], systems: Iterable[System], missing: Mapping[str, str], record: Record) -> str:
    """Return everything that was measured, each round of it."""
    verdicts = {
        ours: [{**msgspec.to_builtins(one), "met": one.met} for one in judge(record, ours)] for ours in _ours(record)
    }
    whole = {
        "machine": dict(where),
        "versions": {system.name: system.version for system in systems},
        "missing": dict(missing),
        "figures": record.figures,
        "bars": verdicts,
        "faults": {name: dict(faults) for name, faults in record.faults.items() if faults},
    }
    return json.dumps(whole, indent=1)


def show(
    console: Console,
    where: Mapping[str, Any],
    systems: Iterable[System],
    missing: Mapping[str, str],
    record: Record,
    parts: Iterable[str],
) -> None:
    """Print tables of medians, then the bars of the parts that were measured."""
    packages = ", ".join(f"{name} {number}" for name, number in where["packages"].items())
    built = "" if where["python_optimized"] else " (built without profile-guided optimisation)"
    console.print(f"{where['date']}, CPython {where['python']}{built}, {packages}")
    console.print(
        f"{where['processor']}, {where['cores']} cores, Linux {where['kernel']}, load {where['load']},"
        f" calibration {where['calibration']}"
    )
    console.print(
        "peers: " + ", ".join(f"{one.name} {one.version}" for one in systems if one.version and not one.is_ours)
    )
    for name, why in missing.items():
        console.print(f"missing: {name}: {why}", markup=False)
    console.print(
        "waited %: how long the gateway was ready to run while the machine gave its core to something else;"
        " above a few percent a tail is the machine's"
    )
    for title, columns in _COLUMNS.items():
        _show_table(console, title, columns, record)
    _show_bars(console, parts, record)
    for name, faults in record.faults.items():
        for what, count in faults.most_common(5):
            console.print(f"failed: {name}: {count} x {what}", markup=False)


def _show_table(console: Console, title: str, columns: tuple[tuple[str, str, float, int], ...], record: Record) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("median of rounds", no_wrap=True)
    for heading, *_ in columns:
        table.add_column(heading, justify="right")
    for name in record.figures:
        cells = [_cell(record, name, figure, factor, digits) for _, figure, factor, digits in columns]
        if any(cells):
            table.add_row(name, *cells)
    if table.row_count:
        console.print(table)


def _cell(record: Record, system: str, figure: str, factor: float, digits: int) -> str:
    pick: Callable[[Iterable[float]], float] = {"<": min, ">": max}.get(figure[0], median)
    name = figure.lstrip("+<>")
    values = added(record, system, name) if figure[0] == "+" else record.series(system, name)
    return f"{pick(values.values()) * factor:,.{digits}f}" if values else ""


def _show_bars(console: Console, parts: Iterable[str], record: Record) -> None:
    judged = {ours: judge(record, ours) for ours in _ours(record)}
    table = Table(title="Bars: median of rounds (least to most)", title_justify="left", title_style="bold")
    table.add_column("what", no_wrap=True)
    table.add_column("bar", justify="right", no_wrap=True)
    for ours in judged:
        table.add_column(ours)
    for row in zip(*judged.values(), strict=True):
        if row[0].part in parts:
            bound = f"{'>=' if row[0].at_least else '<='} {row[0].bound:g} {row[0].unit}".strip()
            table.add_row(row[0].what, bound, *(_judged(one) for one in row))
    console.print(table)


def _judged(one: Verdict) -> str:
    if one.value is None:
        return f"not judged: {one.note}"
    met = "met" if one.met else "[bold]MISSED[/bold]"
    spread = f" ({_number(one.least)} to {_number(one.most)})" if one.least != one.most else ""
    return f"{met:<6} {_number(one.value):>6}{spread}" + (f"; {one.note}" if one.note else "")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == 0 else f"{value:.3g}"


def _ours(record: Record) -> list[str]:
    return [name for name in record.figures if name.startswith("pointsman")]


def _installed(name: str) -> bool:
    try:
        version(name)
    except ModuleNotFoundError:
        return False
    return True
