"""Facts about who gets a worker's next slot, and how many may wait for it."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pointsman.core.parking import ROOM, Parked, ParkingLot
from pointsman.core.suitable import Need

OPENAI, MODEL = Need("openai", True, ""), Need("", True, "m")
SERVES = {"a": {None, OPENAI}, "b": {None, MODEL}, "c": {None, OPENAI, MODEL}}
"""Workers, and the needs that they suit."""


def may(worker: str):
    """Return what tells whether a worker suits a need."""
    return lambda need: need in SERVES[worker]


def test_the_oldest_that_a_worker_may_serve_is_next():
    """Those that wait for it alone and those that wait for its like, by age; others are passed over."""
    lot: ParkingLot[Parked] = ParkingLot()
    model, for_b, openai, for_a, anybody = Parked(MODEL), Parked(None), Parked(OPENAI), Parked(None), Parked(None)
    lot.wait_for_any(model)
    lot.wait_for(for_b, "b")
    lot.wait_for_any(openai)
    lot.wait_for(for_a, "a")
    lot.wait_for_any(anybody)
    order = []
    while (found := lot.next_for("a", may("a"))) is not None:
        order.append(found)
        lot.close(found)
    assert order == [openai, for_a, anybody]
    assert lot.heads() == [model, for_b]
    assert lot.next_for("c", may("c")) is model


def test_one_keeps_its_age_and_its_room_when_its_patience_ends():
    """It comes before those that waited for anybody from the first, and still counts where it counted."""
    lot: ParkingLot[Parked] = ParkingLot()
    old, young = Parked(OPENAI), Parked(OPENAI)
    lot.wait_for(old, "a")
    lot.wait_for_any(young)
    assert lot.next_for("c", may("c")) is young
    lot.wait_for_any(old)
    assert lot.next_for("c", may("c")) is old
    assert (lot.has_room("a", 1), lot.has_room(OPENAI, 1)) == (True, True)
    assert [lot._counts["a"], lot._counts[OPENAI]] == [1, 1]


def test_room_is_bounded_by_slots():
    """`ROOM` for each slot; a place is free again once it is closed, not while it is only left."""
    lot: ParkingLot[Parked] = ParkingLot()
    assert not lot.has_room("a", 0)
    seats = [Parked(None) for _ in range(2 * ROOM)]
    for seat in seats:
        assert lot.has_room("a", 2)
        lot.wait_for(seat, "a")
    assert not lot.has_room("a", 2)
    assert lot.has_room("b", 1)
    lot.leave(seats[0])
    assert not lot.has_room("a", 2)
    lot.close(seats[0])
    lot.close(seats[0])
    assert lot.has_room("a", 2)
    assert lot.counted == 2 * ROOM - 1


def test_those_whom_a_workers_illness_concerns():
    """Who waits for it, and all who wait for anybody; not those who wait for another one."""
    lot: ParkingLot[Parked] = ParkingLot()
    for_a, for_b, openai, anybody = Parked(None), Parked(None), Parked(OPENAI), Parked(None)
    lot.wait_for(for_a, "a")
    lot.wait_for(for_b, "b")
    lot.wait_for_any(openai)
    lot.wait_for_any(anybody)
    assert set(lot.concerned("a")) == {for_a, openai, anybody}
    assert set(lot.concerned("c")) == {openai, anybody}


class LotAgainstAList(RuleBasedStateMachine):
    """The real thing beside a list of (seat, worker or none), in order of age."""

    def __init__(self) -> None:
        super().__init__()
        self.lot: ParkingLot[Parked] = ParkingLot()
        self.seats: list[Parked] = []
        self.waits_for: dict[Parked, str | None] = {}
        self.counted: dict[Parked, str | Need | None] = {}

    @rule(need=st.sampled_from([None, OPENAI, MODEL]), worker=st.sampled_from(["a", "b", "c", None]))
    def park(self, need: Need | None, worker: str | None) -> None:
        seat = Parked(need)
        self.seats.append(seat)
        self.counted[seat] = need if worker is None else worker
        self.move_to(seat, worker)

    def move_to(self, seat: Parked, worker: str | None) -> None:
        self.waits_for[seat] = worker
        if worker is None:
            self.lot.wait_for_any(seat)
        else:
            self.lot.wait_for(seat, worker)

    @precondition(lambda self: self.seats)
    @rule(data=st.data(), worker=st.sampled_from(["a", "b", "c", None]))
    def move(self, data: st.DataObject, worker: str | None) -> None:
        self.move_to(data.draw(st.sampled_from(self.seats)), worker)

    @precondition(lambda self: self.seats)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        seat = data.draw(st.sampled_from(self.seats))
        self.lot.leave(seat)
        self.waits_for.pop(seat, None)

    @precondition(lambda self: self.seats)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        seat = data.draw(st.sampled_from(self.seats))
        self.lot.close(seat)
        self.waits_for.pop(seat, None)
        self.seats.remove(seat)

    @invariant()
    def agrees(self) -> None:
        waiting = [seat for seat in self.seats if seat in self.waits_for]
        assert (len(self.lot), bool(self.lot), self.lot.counted) == (len(waiting), bool(waiting), len(self.seats))
        assert [seat.waits for seat in self.seats] == [seat in self.waits_for for seat in self.seats]
        for worker, needs in SERVES.items():
            fitting = [
                seat
                for seat in waiting
                if self.waits_for[seat] == worker or (self.waits_for[seat] is None and seat.need in needs)
            ]
            assert self.lot.next_for(worker, may(worker)) is (fitting[0] if fitting else None)
        for whom in ("a", "b", "c", None, OPENAI, MODEL):
            count = sum(self.counted[seat] == whom for seat in self.seats)
            assert self.lot.has_room(whom, 1) == (count < ROOM)
        heads = self.lot.heads()
        assert [head.number for head in heads] == sorted(head.number for head in heads)
        lines = {(self.waits_for[seat], seat.need if self.waits_for[seat] is None else None) for seat in waiting}
        assert len(heads) == len(lines)


TestLotAgainstAList = LotAgainstAList.TestCase
TestLotAgainstAList.settings = settings(max_examples=60, stateful_step_count=40)
