"""The life of a message: the table is complete, every state can be reached, and an end is an end."""

from __future__ import annotations

import pytest

from pointsman.model.errors import UsageError
from pointsman.model.states import DEAD_LETTERS, ENDS, TRANSITIONS, IllegalStep, Status, step

EVENTS = sorted({event for steps in TRANSITIONS.values() for event in steps})
LIVE = set(Status) - ENDS


def test_every_status_has_its_row() -> None:
    """And the five ends are those without a way out."""
    assert set(TRANSITIONS) == set(Status)
    assert {status for status, steps in TRANSITIONS.items() if not steps} == ENDS
    assert len(ENDS) == 5


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("event", EVENTS)
def test_a_step_is_the_one_in_the_table_or_none(status: Status, event: str) -> None:
    """An illegal one says what would be allowed."""
    if event in TRANSITIONS[status]:
        assert step(status, event) is TRANSITIONS[status][event]
        return
    with pytest.raises(IllegalStep, match=f"that is {status} cannot {event}") as error:
        step(status, event)
    assert isinstance(error.value, UsageError)
    allowed = ", ".join(sorted(TRANSITIONS[status])) or "nothing: it is an end"
    assert str(error.value).endswith(f"allowed: {allowed}")


def test_an_unknown_event_is_illegal_everywhere() -> None:
    """Also in a state in which much is allowed."""
    with pytest.raises(IllegalStep, match="cannot fly"):
        step(Status.LEASED, "fly")


@pytest.mark.parametrize("start", [Status.QUEUED, Status.DELAYED])
def test_every_status_can_be_reached(start: Status) -> None:
    """A message begins ready or delayed, and from there all is possible."""
    reached, border = {start}, [start]
    while border:
        for after in TRANSITIONS[border.pop()].values():
            if after not in reached:
                reached.add(after)
                border.append(after)
    assert reached == set(Status)


@pytest.mark.parametrize("status", sorted(LIVE))
def test_whatever_is_live_can_be_cancelled_or_expire(status: Status) -> None:
    """No message lives for ever, and no sender is stuck with one."""
    assert step(status, "cancel") is Status.CANCELLED
    assert step(status, "expire") is Status.EXPIRED


def test_a_message_is_delivered_only_while_it_is_out() -> None:
    """Nothing else may end it well."""
    assert [status for status, steps in TRANSITIONS.items() if Status.DELIVERED in steps.values()] == [Status.LEASED]


def test_bad_ends_leave_a_dead_letter() -> None:
    """Whoever cancels knows why, and what was delivered needs none."""
    assert {Status.DELIVERED, Status.CANCELLED} == ENDS - DEAD_LETTERS


def test_the_values_are_api() -> None:
    """They stand in answers, records and metrics."""
    assert [status.value for status in Status] == [
        "queued",
        "delayed",
        "leased",
        "delivered",
        "failed",
        "dead",
        "expired",
        "cancelled",
    ]
