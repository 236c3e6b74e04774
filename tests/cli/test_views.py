from __future__ import annotations

from pointsman.cli import views
from pointsman.cli.views import (
    POOL_COLUMNS,
    QUEUE_COLUMNS,
    WORKER_COLUMNS,
    pool_rows,
    queue_rows,
    worker_rows,
)
from pointsman.model.message import PRIORITIES


def test_the_priorities_are_those_of_messages():
    """They are written twice, as help must not import messages."""
    assert views.PRIORITIES == PRIORITIES


def test_a_queue_shows_what_waits_in_all_and_by_priority():
    """Delayed messages wait too."""
    queued = {"critical": 1, "high": 2, "normal": 3, "low": 4, "bulk": 5}
    queue = {"name": "q", "queued": queued, "delayed": 6, "in_flight": 7, "oldest_s": 1.5, "paused": True}
    (row,) = queue_rows([queue])
    assert row == ["q", "paused", 21, 1, 2, 3, 4, 5, 6, 7, "1.50 s"]
    assert len(row) == len(QUEUE_COLUMNS)
    assert queue_rows([{**queue, "paused": False, "oldest_s": 0.0}])[0][1::9] == ["ready", None]


def test_a_worker_shows_state_load_and_what_was_learned():
    """Its own time and share of successes as the balancer sees them."""
    worker = {
        "id": "w",
        "pool": "p",
        "transport": "http",
        "state": "open",
        "breaker": "open",
        "in_flight": 1,
        "max_in_flight": 4,
        "service_s": 0.25,
        "success_share": 0.5,
        "origin": "file",
    }
    (row,) = worker_rows([worker])
    assert row == ["w", "p", "open", "open", "1/4", "250 ms", "50.0 %", "http", "file"]
    assert len(row) == len(WORKER_COLUMNS)


def test_a_pool_is_down_busy_or_ready():
    """Down: no worker may be called. Busy: none is free."""
    pool = {"name": "p", "workers": 2, "slots": 8, "free": 8, "down_s": None}
    assert pool_rows([pool]) == [["p", "ready", 2, 8, 8, None]]
    assert pool_rows([{**pool, "free": 0}])[0][1] == "busy"
    assert pool_rows([{**pool, "free": 0, "down_s": 2.0}])[0][1::4] == ["down", "2.00 s"]
    assert len(POOL_COLUMNS) == 6
