"""What messages, workers and clients add to an idle service process, measured on the real process."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.report import figure, heading

PROGRAM = """
import asyncio, gc, sys
from pointsman.embedded import Router
from pointsman.model.message import Message
from pointsman.model.settings import PoolSettings, Settings, WorkerSettings
import pointsman.serving

def resident():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6

async def main():
    router = Router(Settings())
    await router.start()
    idle = resident()
    async def worker(work):
        await asyncio.sleep(3600)
    for number in range(50):
        await router.add_worker("coders", worker, id=f"w{number}", max_in_flight=1)
    waiting = []
    for number in range(1050):
        text = (f"message {number} " + "word " * 100)[:500]
        waiting.append(asyncio.ensure_future(router.send(text, client=f"client-{number % 1000}", class_="tactical")))
    await asyncio.sleep(0.5)
    counts = await router.counts()
    print(idle, resident() - idle, counts.waiting, counts.in_flight)
    await router.stop(0)

asyncio.run(main())
"""

IDLE_SERVICE = """
import asyncio
from pointsman.model.settings import ServerSettings, Settings
from pointsman.assembly import House
from pointsman.serving import open_service

async def main():
    async with open_service(House(Settings(server=ServerSettings(listen="127.0.0.1:0")))):
        with open("/proc/self/statm") as statm:
            print(int(statm.read().split()[1]) * 4096 / 1e6)

asyncio.run(main())
"""


def measure() -> None:
    """Print resident memory, megabytes of 10^6 bytes."""
    heading("Memory of the service process (resident)")
    idle = float(_run(IDLE_SERVICE)[0])
    figure("idle service process", idle, "MB", 60)
    _, added, waiting, in_flight = _run(PROGRAM)
    figure(f"{waiting} waiting, {in_flight} out, 50 workers, 1,000 clients add", float(added), "MB", 20)


def _run(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


if __name__ == "__main__":
    measure()
