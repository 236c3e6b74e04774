"""Limits over a reload: what has been used stays used."""

from __future__ import annotations

from pointsman.model.settings import LimitSettings
from pointsman.runtime.limits import Limits

NOW = 100.0


def test_a_client_at_its_limit_stays_there_when_limits_change() -> None:
    """A larger burst gives what is larger, not everything anew."""
    limits = Limits(LimitSettings(rate_per_min=60, burst=3))
    for _ in range(3):
        assert limits.per_client.take("c", NOW) == 0.0
    limits.resize(LimitSettings(rate_per_min=60, burst=5), NOW)
    assert [limits.per_client.take("c", NOW) == 0.0 for _ in range(3)] == [True, True, False]


def test_what_all_have_used_together_stays_used() -> None:
    """A reload is no way around the overall limit."""
    limits = Limits(LimitSettings(overall_rate_per_min=60, overall_burst=2))
    assert limits.overall is not None
    for _ in range(2):
        assert limits.overall.take("", NOW) == 0.0
    limits.resize(LimitSettings(overall_rate_per_min=120, overall_burst=2), NOW)
    assert limits.overall.take("", NOW) > 0.0
    assert limits.overall.take("", NOW + 0.5) == 0.0


def test_the_overall_limit_can_be_switched_on_and_off() -> None:
    """0 means no limit."""
    limits = Limits(LimitSettings())
    assert limits.overall is None
    limits.resize(LimitSettings(overall_rate_per_min=60, overall_burst=1), NOW)
    assert limits.overall is not None
    assert limits.overall.take("", NOW) == 0.0
    limits.resize(LimitSettings(), NOW)
    assert limits.overall is None


def test_copies_counted_stay_counted() -> None:
    """A client that floods goes on being refused."""
    limits = Limits(LimitSettings(flood_copies=2, flood_leak_s=60.0))
    for _ in range(2):
        assert limits.flood.check("c", 1, NOW) == 0.0
    limits.resize(LimitSettings(flood_copies=2, flood_leak_s=30.0), NOW)
    assert limits.flood.check("c", 1, NOW) > 0.0
