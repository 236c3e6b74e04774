"""Run every benchmark, or those named: `python -m benchmarks [decision queue admission round_trip http memory
conversations rollout rollout_http rollout_switch]`.

`python -m benchmarks gateway [options]` is a programme of its own: it starts other gateways, and takes minutes. So is
`python -m benchmarks classification [options]`: it trains, needs numpy, and looks for data of others.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from benchmarks import admission, conversations, decision, http, memory, queue, round_trip, telemetry
from benchmarks.classification import command as classification
from benchmarks.gateway import command as gateway
from benchmarks.rollout import no_effect, over_http, switch

BENCHMARKS: dict[str, Callable[[], None]] = {
    "decision": decision.measure,
    "queue": queue.measure,
    "admission": lambda: asyncio.run(admission.measure()),
    "round_trip": lambda: asyncio.run(round_trip.measure()),
    "http": http.measure,
    "memory": memory.measure,
    "conversations": conversations.measure,
    "telemetry": telemetry.measure,
    "rollout": no_effect.measure,
    "rollout_http": over_http.measure,
    "rollout_switch": switch.measure,
}


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    if sys.argv[1:2] == ["gateway"]:
        gateway.main(sys.argv[2:], prog_name="python -m benchmarks gateway")
    if sys.argv[1:2] == ["classification"]:
        classification.main(sys.argv[2:], prog_name="python -m benchmarks classification")
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
