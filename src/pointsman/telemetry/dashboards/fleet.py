"""The second board: workers, their breakers and what they do; queues, what waits in them, and dead letters."""

from __future__ import annotations

from typing import Final

from pointsman.telemetry.dashboards.build import Board, Panel, Query, Row, rate, total

_FLEET: Final = Row(
    "Fleet",
    (
        Panel(
            title="Workers by state",
            description="How many workers of each pool are in which state.",
            queries=(Query(total("pointsman_workers", "pool, state") + " > 0", "{{pool}} {{state}}"),),
        ),
        Panel(
            title="Slots in use",
            description="Messages in hand of those that the workers of a pool may have at once.",
            unit="percentunit",
            queries=(
                Query(
                    f"{total('pointsman_in_flight', 'pool')} / {total('pointsman_worker_slots', 'pool')}", "{{pool}}"
                ),
            ),
        ),
        Panel(
            title="In flight",
            description="Messages that a worker has in hand.",
            queries=(Query(total("pointsman_in_flight", "pool, worker"), "{{worker}}"),),
        ),
        Panel(
            title="Slots",
            description="Messages that the workers of a pool may have in hand at once.",
            queries=(Query(total("pointsman_worker_slots", "pool"), "{{pool}}"),),
        ),
        Panel(
            kind="state-timeline",
            title="Workers",
            description="What a worker may be given: 1 messages, 0.5 a trial or nothing for a while, 0 nothing.",
            queries=(Query(total("pointsman_worker_state", "pool, worker", of="min"), "{{worker}}"),),
            warn=0.75,
            bad=0.25,
            words=((0, "nothing"), (0.5, "a trial"), (1, "messages")),
        ),
        Panel(
            kind="state-timeline",
            title="Circuit breakers",
            description="Of each worker: closed passes, open refuses, half open tries; by hand: set by an operator.",
            queries=(Query(total("pointsman_breaker_state", "pool, worker", of="max"), "{{worker}}"),),
            warn=1,
            bad=2,
            words=((0, "closed"), (1, "half open"), (2, "open"), (3, "by hand")),
        ),
    ),
)

_WORK: Final = Row(
    "Attempts",
    (
        Panel(
            title="Attempts by result",
            description="Hand-outs that came to a result in a second.",
            unit="reqps",
            queries=(Query(rate("pointsman_attempts_total", "result"), "{{result}}"),),
        ),
        Panel(
            title="Attempts by worker",
            description="The same by worker.",
            unit="reqps",
            queries=(Query(rate("pointsman_attempts_total", "worker"), "{{worker}}"),),
        ),
        Panel(
            title="Breakers that moved",
            description="Changes of circuit breakers in a second, by new state.",
            unit="reqps",
            queries=(Query(rate("pointsman_breaker_transitions_total", "to"), "{{to}}"),),
        ),
    ),
)

_QUEUES: Final = Row(
    "Queues",
    (
        Panel(
            title="Ready to be handed out",
            description="Messages that wait for a free worker, by queue and priority.",
            queries=(Query(total("pointsman_queued_messages", "queue, priority"), "{{queue}} {{priority}}"),),
        ),
        Panel(
            title="Oldest message",
            description="Age of the oldest message that waits, by queue.",
            unit="s",
            queries=(Query(total("pointsman_oldest_message_seconds", "queue", of="max"), "{{queue}}"),),
            warn=30,
            bad=60,
        ),
        Panel(
            title="Delayed",
            description="Messages that must not be handed out yet: retries, and what its sender put off.",
            queries=(Query(total("pointsman_delayed_messages", "queue"), "{{queue}}"),),
        ),
        Panel(
            title="Waiting in all",
            description="Messages that wait, delayed ones included.",
            queries=(Query(total("pointsman_messages_waiting")),),
            width=12,
        ),
        Panel(
            title="Dead letters",
            description="Messages that nobody could deliver, kept to be looked at and replayed.",
            queries=(Query(total("pointsman_dead_letters")),),
            width=12,
        ),
    ),
)

FLEET: Final = Board(
    "pointsman-fleet",
    "Pointsman: fleet and queues",
    "Workers, circuit breakers, attempts, queues and dead letters of a Pointsman router.",
    (_FLEET, _WORK, _QUEUES),
)
