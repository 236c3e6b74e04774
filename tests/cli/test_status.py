from __future__ import annotations

import json

from pointsman.cli.status import _keys, _sum


def test_status_shows_readiness_accounting_pools_and_queues(router, service):
    """The router at a glance; and the same for programs."""
    ran = router("status")
    assert ran.code == 0
    assert f"at {service.url}: ready, up" in ran.out
    assert "admitted" in ran.out
    assert {"POOL", "QUEUE", "planners", "coders"} <= set(ran.out.split())
    found = json.loads(router("status", "-o", "json").out)
    assert found["ready"] is True
    counts = found["counts"]
    assert counts["admitted"] == sum(number for name, number in counts.items() if name != "admitted")


def test_status_says_how_many_keys_there_are(router):
    """Without any, it says what that means."""
    assert "\nAPI keys  none, so whoever reaches the router may use it" in router("status").out
    assert json.loads(router("status", "-o", "json").out)["keys"] == {"usable": 0, "expired": 0, "revoked": 0}
    assert _keys({"usable": 1200, "expired": 0, "revoked": 1}) == "1,200 usable, 1 revoked"


def test_the_accounting_is_written_as_a_sum_without_zeros():
    """What did not happen is left out."""
    none = dict.fromkeys(("delivered", "failed", "dead", "expired", "cancelled", "waiting", "in_flight"), 0)
    assert _sum({"admitted": 0, **none}) == "0 admitted"
    assert _sum({"admitted": 3, **none, "delivered": 2, "in_flight": 1}) == "3 admitted = 2 delivered + 1 in flight"
