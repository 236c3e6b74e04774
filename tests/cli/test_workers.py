from __future__ import annotations

import json


def test_workers_are_listed_with_state_and_breaker(router):
    """A row each; --pool leaves the others out."""
    heading, *rows = router("workers", "ls").out.splitlines()
    assert heading.split()[:4] == ["WORKER", "POOL", "STATE", "BREAKER"]
    assert {row.split()[0] for row in rows} >= {"planner", "coder"}
    assert {one["id"] for one in json.loads(router("workers", "ls", "--pool", "planners", "-o", "json").out)} == {
        "planner"
    }


def test_a_worker_joins_drains_resumes_and_leaves(router, free_port):
    """Each step is said, and shows in the list."""
    url = f"http://127.0.0.1:{free_port}/"
    added = router("workers", "add", "planners", "w-1", url, "--max-in-flight", "2")
    assert (added.code, added.out) == (0, "w-1 has joined pool planners\n")
    assert router("workers", "drain", "w-1").out == "w-1 is draining, with 0 in hand\n"
    assert router("workers", "resume", "w-1").out == "w-1 is ready\n"
    assert router("workers", "rm", "w-1").code == 0
    assert "w-1" not in router("workers", "ls").out


def test_what_the_router_refuses_is_said(router, free_port):
    """An id that is taken, a pool that there is not, an address that is not allowed, an unknown worker."""
    url = f"http://127.0.0.1:{free_port}/"
    for arguments, code in (
        (("add", "planners", "coder", url), "conflict"),
        (("add", "nope", "w-2", url), "not_found"),
        (("add", "planners", "w-2", "http://169.254.169.254/"), "forbidden"),
        (("add", "planners", "w-2", "ftp://x"), "invalid"),
        (("drain", "w-2"), "not_found"),
        (("rm", "w-2"), "not_found"),
    ):
        ran = router("workers", *arguments)
        assert ran.code == 1
        assert ran.err.startswith(f"error: {code}: ")
