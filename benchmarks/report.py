"""What every benchmark prints the same way: the machine, the calibration, and a table of figures against their bars."""

from __future__ import annotations

import datetime
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version


def heading(title: str) -> None:
    """Print where and when this was measured."""
    now = datetime.datetime.now(datetime.UTC)
    packages = ", ".join(f"{name} {version(name)}" for name in ("msgspec", "httptools", "uvicorn"))
    print(f"\n{title}")
    print(f"  {now:%Y-%m-%d %H:%M} UTC, CPython {platform.python_version()}, {packages}")
    print(f"  {processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, calibration {calibrate():.3f}")


def figure(name: str, value: float, unit: str, bar: float | None = None, *, at_least: bool = False) -> None:
    """Print one figure beside its bar; `at_least` where more is better."""
    if bar is None:
        print(f"  {name:<58} {value:>12,.2f} {unit}")
        return
    holds = value >= bar if at_least else value <= bar
    bound = f"{'>=' if at_least else '<='} {bar:,g}"
    print(f"  {name:<58} {value:>12,.2f} {unit:<10} bar {bound:<10} {'ok' if holds else 'MISSED'}")


def calibrate() -> float:
    """Return how long a fixed piece of Python takes here, in units of a quiet 3 GHz core of 2024 (1.0 = as fast)."""
    best = min(_loop() for _ in range(5))
    return best / 0.0115


def _loop() -> float:
    begun = time.process_time()
    total, table = 0, {}
    for number in range(100_000):
        table[number & 1023] = total
        total += number ^ (total & 255)
    return time.process_time() - begun


def percentile(sorted_values: list[float], share: float) -> float:
    """Return the value below which `share` of the sorted values lie."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def per_call_us(call: Callable[[], object], times: int, rounds: int = 5) -> float:
    """Return CPU microseconds of one call: the best of `rounds` rounds of `times` calls."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        for _ in range(times):
            call()
        best = min(best, time.process_time() - begun)
    return best / times * 1e6


def processor() -> str:
    """Return the processor's name."""
    if sys.platform == "linux":
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
