"""Attempts of one pool that wait for a particular worker while others are free, and what wakes them.

An attempt that parks gives its slot back, so that the slot serves another message, and sits down here. A slot of a
worker that comes free is promised to whoever has waited longest for it, before the queue is asked for more work; what
is promised is out of the balancer's sight until the attempt has come to take it. Who is next is decided in
`core.parking`, who parks at all in `runtime.choosing`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pointsman.core.parking import Parked, ParkingLot
from pointsman.core.suitable import Need
from pointsman.runtime.endpoint import Endpoint

if TYPE_CHECKING:
    from pointsman.runtime.pool import Pool


class Seat(Parked):
    """Where one attempt waits. `granted` is the worker a slot of which is promised to it, once there is one."""

    __slots__ = ("_woken", "granted")

    def __init__(self, need: Need | None) -> None:
        super().__init__(need)
        self.granted: Endpoint | None = None
        self._woken: asyncio.Future[None] | None = None

    async def wait(self, for_s: float) -> None:
        """Return when it is woken, or after so many seconds; at once where it has been promised a slot."""
        if self.granted is not None:
            return
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        timer = loop.call_later(max(0.0, for_s), self.wake)
        try:
            await self._woken
        finally:
            self._woken = None
            timer.cancel()

    def wake(self) -> None:
        """Something has changed: look again."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


class Parking:
    """The seats of one pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.lot: ParkingLot[Seat] = ParkingLot()

    def grant(self, endpoint: Endpoint, slots: int) -> None:
        """So many slots of a worker have come free: promise them to those that have waited longest for them."""
        unsuitable = self._pool.roster.unsuitable

        def may_serve(need: Need | None) -> bool:
            return need is None or endpoint.id not in unsuitable(need)

        for _ in range(slots):
            seat = self.lot.next_for(endpoint.id, may_serve)
            if seat is None:
                return
            self._promise(seat, endpoint)

    def offer(self) -> bool:
        """A slot that was promised to somebody else is free after all; whether it was of use to anybody here."""
        for seat in self.lot.heads():
            endpoint = self._free_for(seat)
            if endpoint is not None:
                self._promise(seat, endpoint)
                self._pool.changed(endpoint)
                return True
        return False

    def alarm(self, endpoint: Endpoint) -> None:
        """A worker is no longer to be waited for: wake everybody who might."""
        for seat in self.lot.concerned(endpoint.id):
            seat.wake()

    def collect(self, seat: Seat) -> Endpoint | None:
        """Return the worker whose slot was promised, if one was. The caller must take the slot at once."""
        endpoint, seat.granted = seat.granted, None
        if endpoint is not None:
            endpoint.reserve(-1)
        return endpoint

    def close(self, seat: Seat) -> None:
        """Its attempt needs it no more; a slot that was promised to it goes to the next."""
        self.lot.close(seat)
        endpoint = self.collect(seat)
        if endpoint is not None:
            self._pool.changed(endpoint)

    def _promise(self, seat: Seat, endpoint: Endpoint) -> None:
        self.lot.leave(seat)
        endpoint.reserve(1)
        seat.granted = endpoint
        seat.wake()

    def _free_for(self, seat: Seat) -> Endpoint | None:
        if seat.worker:
            endpoint = self._pool.find(seat.worker)
            return endpoint if endpoint is not None and endpoint.load.available > 0 else None
        barred = () if seat.need is None else self._pool.roster.unsuitable(seat.need)
        return self._pool.pick(self._pool.now(), barred)
