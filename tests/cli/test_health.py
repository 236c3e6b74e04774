from __future__ import annotations

import json

import pytest

from pointsman.cli.exits import ExitCode


def test_health_shows_every_component_and_its_exit_code_says_how_it_is(router, service):
    """Workers that run, and files that can be written: all is well.

    But for what other tests have sent to this router: that need not be like what the classifier was trained on.
    """
    ran = router("health", "--check")
    assert ran.code in {ExitCode.OK, ExitCode.WARNING}, ran.out
    assert f"at {service.url}: " in ran.out
    assert {"messages", "fleet", "process", "admission", "pool:coders", "worker:coder", "telemetry"} <= set(
        ran.out.split()
    )
    found = json.loads(router("health", "-o", "json").out)
    looked = {name: one[0]["status"] for name, one in found["checks"].items() if name != "learning"}
    assert set(looked.values()) == {"pass"}, looked
    assert {"access", "memory", "descriptors", "disk", "rollout"} <= set(found["checks"])


def test_a_worker_that_cannot_be_reached_fails_and_its_pool_warns(router, free_port):
    """Exit code 1, and 6 where a warning is the worst that was asked for."""
    router("workers", "add", "coders", "lost", f"http://127.0.0.1:{free_port}")
    try:
        ran = router("health", "--check")
        assert ran.code == ExitCode.FAILED
        assert "✗ worker:lost" in ran.out
        assert "because of worker:lost" in ran.out
        assert router("health", "--component", "pool:coders").code == ExitCode.WARNING
        assert router("health", "--component", "engine").code == ExitCode.OK
        shown = router("health", "--history", "--component", "worker:lost")
        assert shown.code == ExitCode.OK
        assert shown.out.splitlines()[1].rstrip().endswith("✗")
        past = json.loads(router("health", "--history", "-o", "json").out)
        assert {"component": "worker:lost", "status": "fail"}.items() <= next(
            one for one in past if one["component"] == "worker:lost"
        ).items()
    finally:
        router("workers", "rm", "lost")


def test_a_component_that_is_not_there_is_said(router):
    """With those there are."""
    ran = router("health", "--component", "nope")
    assert ran.code == ExitCode.FAILED
    assert "not_found" in ran.err
    assert "pool:coders" in ran.err


def test_no_router_is_unreachable(command, free_port):
    """Exit code 4, as for every command."""
    for more in ((), ("--history",), ("--check",), ("--watch",)):
        assert command("health", "--url", f"http://127.0.0.1:{free_port}", *more).code == ExitCode.UNREACHABLE


@pytest.mark.parametrize("other", ["--check", "--watch"])
def test_what_was_and_what_is_are_two_things(router, other):
    """Asked for at once they are neither."""
    assert router("health", "--history", other).code == ExitCode.USAGE
