"""Run every benchmark, or those named: `python -m benchmarks [decision queue admission round_trip http memory]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from benchmarks import admission, decision, http, memory, queue, round_trip

BENCHMARKS: dict[str, Callable[[], None]] = {
    "decision": decision.measure,
    "queue": queue.measure,
    "admission": lambda: asyncio.run(admission.measure()),
    "round_trip": lambda: asyncio.run(round_trip.measure()),
    "http": http.measure,
    "memory": memory.measure,
}


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    for name in names:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
