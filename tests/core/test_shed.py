from __future__ import annotations

from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.shed import assess
from pointsman.model.settings import ShedSettings

SETTINGS = ShedSettings(wait_share=0.5, per_slot=4)


@pytest.mark.parametrize(
    ("queued", "slots", "service_s", "ttl_left_s", "level", "expected"),
    [
        pytest.param(0, 4, 10.0, 300.0, 2, None, id="empty queue"),
        pytest.param(60, 4, 10.0, 300.0, 2, None, id="wait of exactly half the time left"),
        pytest.param(61, 4, 10.0, 300.0, 2, 2.5, id="one message more"),
        pytest.param(100, 4, 10.0, 300.0, 4, 100.0, id="waits 250 s, may wait 150"),
        pytest.param(100, 4, 10.0, 300.0, 0, None, id="critical is exempt"),
        pytest.param(100, 4, 10.0, 300.0, 1, 100.0, id="high is not"),
        pytest.param(16, 4, 100.0, 300.0, 2, None, id="four for each slot may always wait"),
        pytest.param(17, 4, 100.0, 300.0, 2, 25.0, id="the fifth may not; one service later it may"),
        pytest.param(100, 0, 10.0, 300.0, 2, None, id="no slots: the time to live decides"),
        pytest.param(100, 4, 0.0, 300.0, 2, None, id="service time unknown"),
        pytest.param(100, 4, 10.0, -5.0, 2, 210.0, id="no time left"),
    ],
)
def test_who_is_refused_and_for_how_long(queued, slots, service_s, ttl_left_s, level, expected):
    """The rule by example: both limits, the exemptions, and the seconds told."""
    assert assess(queued, slots, service_s, ttl_left_s, level, SETTINGS) == expected


@given(
    st.integers(0, 100_000),
    st.integers(1, 1_000),
    st.floats(0.001, 600.0),
    st.floats(0.001, 86_400.0),
    st.integers(1, 4),
    st.floats(0.0, 1.0),
    st.integers(1, 20),
)
def test_who_comes_back_when_told_is_admitted(queued, slots, service_s, ttl_left_s, level, share, per_slot):
    """After the wait, with nobody else in between, the same message is admitted; just before it is not."""
    settings = ShedSettings(wait_share=share, per_slot=per_slot)
    retry_s = assess(queued, slots, service_s, ttl_left_s, level, settings)
    if retry_s is None:
        assert queued <= per_slot * slots or queued * service_s / slots <= share * ttl_left_s
        return
    assert retry_s > 0.0
    still, rounding = queued - retry_s * slots / service_s, 1e-6 * queued
    fewer, more = max(0, floor(still - rounding)), ceil(still + rounding)
    assert assess(fewer, slots, service_s, ttl_left_s, level, settings) is None
    if still < more <= queued:
        assert assess(more, slots, service_s, ttl_left_s, level, settings) is not None
