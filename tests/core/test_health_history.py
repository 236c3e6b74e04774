from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core import health_history
from pointsman.core.health_history import History
from pointsman.model.health import HealthMark, HealthStatus


def mark(component: str, at: float, status: HealthStatus = HealthStatus.PASS) -> HealthMark:
    """Return a check."""
    return HealthMark(component, at, status, 0.1)


NAMES = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(NAMES, st.integers(0, 3)), max_size=60))
def test_it_is_as_a_list_of_bounded_lists(steps: list[tuple[str, int]]) -> None:
    """Age and number bound it, and the newest comes first."""
    history, model, now = History(20.0, 5), dict[str, deque[HealthMark]](), 0.0
    for component, pause in steps:
        now += pause
        one = mark(component, now, HealthStatus.WARN if pause else HealthStatus.PASS)
        history.add(one)
        ring = model.setdefault(component, deque(maxlen=5))
        if ring and ring[-1].at_wall == now:
            ring[-1] = one
        else:
            ring.append(one)
        history.forget(now)
        for other in model.values():
            while other and other[0].at_wall < now - 20.0:
                other.popleft()
    everything = [one for ring in model.values() for one in ring]
    assert len(history) == len(everything)
    assert sorted(history.find(), key=repr) == sorted(everything, key=repr)
    times = [one.at_wall for one in history.find()]
    assert times == sorted(times, reverse=True)


def test_what_is_asked_for_can_be_narrowed() -> None:
    """By component, by instant, by number."""
    history = History(1e6, 10)
    for at in range(4):
        history.add(mark("a", at))
        history.add(mark("b", at))
    assert [one.at_wall for one in history.find("a", since_wall=2.0)] == [3.0, 2.0]
    assert [one.at_wall for one in history.find("a", limit=1)] == [3.0]
    assert history.find("nobody") == []
    assert history.last("nobody") is None
    assert history.last("b") == mark("b", 3)


def test_names_that_come_and_go_do_not_fill_the_memory(monkeypatch) -> None:
    """The component longest unseen is forgotten first."""
    monkeypatch.setattr(health_history, "MOST_COMPONENTS", 2)
    history = History(1e6, 10)
    for name in ("a", "b", "a", "c"):
        history.add(mark(name, 1.0))
    assert {one.component for one in history} == {"a", "c"}
    history.forget(1e9)
    assert history._rings == {}
