"""Run every benchmark, or those named: `python -m benchmarks [decision queue admission round_trip http memory
conversations]`.

`python -m benchmarks gateway [options]` is a programme of its own: it starts other gateways, and takes minutes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from benchmarks import admission, conversations, decision, http, memory, queue, round_trip
from benchmarks.gateway import command as gateway

BENCHMARKS: dict[str, Callable[[], None]] = {
    "decision": decision.measure,
    "queue": queue.measure,
    "admission": lambda: asyncio.run(admission.measure()),
    "round_trip": lambda: asyncio.run(round_trip.measure()),
    "http": http.measure,
    "memory": memory.measure,
    "conversations": conversations.measure,
}


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    if sys.argv[1:2] == ["gateway"]:
        gateway.main(sys.argv[2:], prog_name="python -m benchmarks gateway")
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
