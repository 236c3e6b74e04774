"""The scheduler: push and pop with few and many waiting, five levels, 200 clients, the expiry wheel on."""

from __future__ import annotations

import time

from benchmarks.report import figure, heading
from pointsman.core.schedule import Scheduler, Ticket

CLIENTS = 200
PAIRS = 20_000


def _ticket(number: int) -> Ticket:
    return Ticket(
        id=f"{number:032x}",
        level=number % 5,
        client=f"client-{number % CLIENTS}",
        expires_at=1000.0 + number % 3600,
        queued_at=0.0,
    )


def measure() -> None:
    """Print microseconds of a push and pop, and of an expiry."""
    heading("Queue: push + pop, five levels, 200 clients, expiry wheel on")
    for waiting in (10, 1_000, 100_000):
        scheduler = Scheduler()
        for number in range(waiting):
            scheduler.push(_ticket(number))
        best = float("inf")
        for _ in range(5):
            tickets = [_ticket(number) for number in range(PAIRS)]
            begun = time.process_time()
            for ticket in tickets:
                scheduler.push(ticket)
                scheduler.pop(0.0)
            best = min(best, time.process_time() - begun)
        figure(f"{waiting:,} waiting", best / PAIRS * 1e6, "us", 5.0 if waiting == 100_000 else None)
    scheduler = Scheduler()
    for number in range(100_000):
        scheduler.push(_ticket(number))
    begun = time.process_time()
    expired = len(scheduler.expire(1e6))
    figure(f"expiry of {expired:,} at once, each", (time.process_time() - begun) / expired * 1e6, "us")


if __name__ == "__main__":
    measure()
