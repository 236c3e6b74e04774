from __future__ import annotations

import json

from pointsman.cli.bench import _show


def test_without_a_url_a_router_in_this_process_is_measured(command):
    """Everything is delivered; JSON has throughput and latencies."""
    ran = command("bench", "--seconds", "0.2", "--concurrency", "3", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert found["target"].startswith("in process, ")
    assert found["concurrency"] == 3
    assert found["delivered"] > 0
    assert found["not_delivered"] == {}
    latency = found["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] <= latency["max"]


def test_a_running_router_is_only_measured_on_a_yes(router, service):
    """Its workers would answer all of it."""
    ran = router("bench", "--url", service.url, "--seconds", "0.2")
    assert ran.code == 2
    assert f"Send messages to {service.url} for 0.2 s?" in ran.err
    ran = router("bench", "--url", service.url, "--seconds", "0.2", "--concurrency", "2", "--yes", "-o", "json")
    assert json.loads(ran.out)["delivered"] > 0


def test_a_router_that_is_not_there_is_unreachable(command, free_port):
    """Before anything is measured."""
    assert command("bench", "--url", f"http://127.0.0.1:{free_port}", "--yes").code == 4


def test_limits_that_held_the_measurement_back_are_named(capsys):
    """So that nobody takes the limit for the speed."""
    latency = {"p50": 1.0, "p95": 2.0, "p99": 3.0, "max": 4.0}
    _show(
        {
            "target": "http://127.0.0.1:8080",
            "concurrency": 2,
            "seconds": 2.0,
            "delivered": 20,
            "per_second": 10.0,
            "latency_ms": latency,
            "not_delivered": {"rate_limited": 1500},
        }
    )
    shown = capsys.readouterr()
    assert "delivered  20 in 2.0 s: 10 a second\n" in shown.out
    assert "latency    p50 1.00 ms, p95 2.00 ms, p99 3.00 ms, max 4.00 ms\n" in shown.out
    assert "other      1,500 rate_limited\n" in shown.out
    assert "limits.rate_per_min" in shown.err
