"""Observers: everyone hears everything, and one that fails costs nobody else a thing."""

from __future__ import annotations

import pytest

from pointsman.model.events import Event, WorkerJoined, WorkerLeft
from pointsman.runtime.observers import Observers

EVENTS = [WorkerJoined(float(number), "coders", "w") for number in range(3)]


def test_listeners_hear_each_event_in_the_order_of_coming() -> None:
    """First come, first told; whoever is removed hears no more."""
    heard: list[tuple[str, Event]] = []
    observers = Observers()

    def first(event: Event) -> None:
        heard.append(("first", event))

    def second(event: Event) -> None:
        heard.append(("second", event))

    observers.add(first)
    observers.add(second)
    observers.emit(EVENTS[0])
    observers.remove(first)
    observers.remove(first)
    observers.emit(EVENTS[1])
    assert heard == [("first", EVENTS[0]), ("second", EVENTS[0]), ("second", EVENTS[1])]


def test_a_listener_that_raises_is_reported_and_called_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """The others hear this event and all that follow; the log says who failed and on what."""
    heard: list[Event] = []
    calls = 0

    def broken(event: Event) -> None:
        nonlocal calls
        calls += 1
        raise ZeroDivisionError

    observers = Observers()
    observers.add(broken)
    observers.add(heard.append)
    for event in EVENTS:
        observers.emit(event)
    assert (heard, calls) == (EVENTS, 1)
    assert "broken" in caplog.text
    assert "WorkerJoined" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_listener_may_remove_itself() -> None:
    """While it is told, without confusing those after it."""
    heard: list[Event] = []
    observers = Observers()

    def once(event: Event) -> None:
        observers.remove(once)

    observers.add(once)
    observers.add(heard.append)
    observers.emit(EVENTS[0])
    observers.emit(EVENTS[1])
    assert heard == EVENTS[:2]


def test_a_listener_hears_the_kinds_it_asked_for() -> None:
    """Others cost it nothing; one that named no kind hears all, also kinds that were told of before it came."""
    observers = Observers()
    some: list[Event] = []
    every: list[Event] = []
    observers.add(some.append, WorkerLeft)
    observers.emit(WorkerJoined(1.0, "coders", "w"))
    observers.add(every.append)
    observers.emit(WorkerJoined(2.0, "coders", "w"))
    observers.emit(WorkerLeft(3.0, "coders", "w"))
    assert [type(event) for event in some] == [WorkerLeft]
    assert [type(event) for event in every] == [WorkerJoined, WorkerLeft]
