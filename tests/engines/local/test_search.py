"""Finding messages: every filter narrows, the limit bounds, and only what is found is looked at closely."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pointsman.engines.local.record import Record, view
from pointsman.engines.local.search import Wanted
from pointsman.model.states import Status
from pointsman.model.views import MessageView
from pointsman.testing.make import envelope


def record(number: int, status: Status = Status.QUEUED, **fields: str) -> Record:
    """Return a live message."""
    return Record(envelope(id=f"{number:032x}", **fields), None, status, 0, 0.0, 1)  # type: ignore[arg-type]


def ended(number: int, status: Status = Status.DELIVERED, **fields: str) -> MessageView:
    """Return the view of an ended one."""
    return view(envelope(id=f"{number:032x}", **fields), status)  # type: ignore[arg-type]


LIVE = [record(1), record(2, Status.DELAYED, client="x"), record(3, Status.LEASED, conversation_id="talk")]
ENDED = [ended(4), ended(5, Status.DEAD, client="x"), ended(6, conversation_id="talk")]


def numbers(wanted: Wanted, limit: int = 100) -> list[int]:
    """Return which messages are found."""
    return [int(one.id, 16) for one in wanted.find(LIVE, ENDED, limit)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [1, 2, 3, 4, 5, 6]),
        (Wanted(status=Status.QUEUED), [1]),
        (Wanted(status=Status.DELAYED), [2]),
        (Wanted(status=Status.LEASED), [3]),
        (Wanted(status=Status.DEAD), [5]),
        (Wanted(client="x"), [2, 5]),
        (Wanted(conversation_id="talk"), [3, 6]),
        (Wanted(client="x", status=Status.DEAD), [5]),
        (Wanted(client="x", conversation_id="talk"), []),
        (Wanted(since=1_700_000_000.0), [1, 2, 3, 4, 5, 6]),
        (Wanted(since=1_700_000_000.1), []),
    ],
)
def test_filters_narrow(wanted: Wanted, found: list[int]) -> None:
    """What matches everything asked for is found: live messages first, in the order given."""
    assert numbers(wanted) == found


@pytest.mark.parametrize("limit", [0, 1, 4, 6, 7])
def test_no_more_is_found_than_asked_for(limit: int) -> None:
    """The first ones that match."""
    assert numbers(Wanted(), limit) == [1, 2, 3, 4, 5, 6][:limit]


def test_nothing_is_looked_at_beyond_the_last_one_found() -> None:
    """A hundred thousand others cost nothing where the first few are wanted."""

    def endless() -> Iterator[Record]:
        yield from LIVE
        raise AssertionError("looked at more than was asked for")

    assert len(Wanted().find(endless(), ENDED, 3)) == 3


def test_an_ended_status_looks_at_no_live_message() -> None:
    """And the other way round."""

    def none() -> Iterator[Record]:
        raise AssertionError("looked at live messages")
        yield

    assert [int(one.id, 16) for one in Wanted(status=Status.DEAD).find(none(), ENDED, 9)] == [5]
