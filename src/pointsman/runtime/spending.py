"""Keeps the budgets: reserves what a message may take before it is sent, and settles when it has ended.

What may be spent is decided by `core.budget`; what was, is written to the ledger, so that it survives the process. A
message is settled once it has ended *and* its last attempt is over: a cancelled stream still learns what it took while
it closes. Where the ledger cannot be written nothing is reserved, so nothing is overspent.

An observer of events.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, NamedTuple

from pointsman.core import spend_log
from pointsman.core.budget import Budgets, Exceeded, Reservation
from pointsman.core.budget_account import NANOS, Who, to_nanos
from pointsman.core.periods import written
from pointsman.core.spend_log import Damaged, Numbers, Reader, Reserved, Settled
from pointsman.model.errors import LedgerUnusable
from pointsman.model.events import AttemptEnded, AttemptStarted, Ended, Event
from pointsman.model.message import Envelope
from pointsman.model.outcome import Delivered, Refusal, Refused
from pointsman.model.settings import Settings
from pointsman.model.usage import Estimate
from pointsman.ports import Clock
from pointsman.runtime.ledger import Ledger

log = logging.getLogger("pointsman.spending")

COMPACT_BYTES: Final = 67_108_864
"""A ledger above this size, some 200,000 messages, is written anew without what is settled."""

_NO_ESTIMATE: Final = Estimate(0, 0)
_RETRY_S: Final = 5.0


class BudgetShare(NamedTuple):
    """How much of a budget's limit is spent or reserved, and how much is reserved; 0 and above."""

    name: str
    used_share: float
    reserved_share: float


class _InHand:
    """A message that has reserved. `nanos` and `tokens`: what its attempts took so far; `out`: those not over yet."""

    __slots__ = ("ended", "nanos", "out", "reservation", "tokens")

    def __init__(self, reservation: Reservation) -> None:
        self.reservation = reservation
        self.nanos = 0
        self.tokens = 0
        self.out = 0
        self.ended = False


class Spending:
    """The budgets of one router and their ledger; implements `ports.Purse`.

    Args:
        settings: budgets and where their ledger is.
        clock: time; budgets count by the wall clock, in UTC.
        beside: directory that the ledger's name starts from.
    """

    def __init__(self, settings: Settings, clock: Clock, beside: Path) -> None:
        self.budgets = Budgets(settings.budgets)
        self._clock = clock
        self._currency = settings.costs.currency
        self._ledger = Ledger(beside / settings.costs.ledger)
        self._numbers = Numbers()
        self._compact_at = COMPACT_BYTES
        self._unwritten: list[bytes] = []
        self._in_hand: dict[str, _InHand] = {}

    def __bool__(self) -> bool:
        """Whether there are budgets."""
        return bool(self.budgets)

    def __len__(self) -> int:
        """Messages that have reserved and are not settled."""
        return len(self._in_hand)

    def prepare(self, settings: Settings) -> None:
        """Open the ledger if these settings have budgets, read it, and write it anew in short.

        Raises:
            LedgerUnusable: it cannot be read or written, is damaged, or another process has it. Nothing has changed.
        """
        if not settings.budgets or self._ledger.is_open:
            return
        data = self._ledger.open()
        was, done = self.budgets, False
        try:
            self.budgets = self._recalled(settings, data)
            self._rewrite()
            done = True
        finally:
            if not done:
                self.budgets = was
                self._ledger.close()

    def _recalled(self, settings: Settings, data: bytes) -> Budgets:
        """Return budgets with what the ledger says was spent of them."""
        budgets, reader = Budgets(settings.budgets), Reader()
        now, path = self._clock.wall(), self._ledger.path
        try:
            for charge in reader.charges(data):
                budgets.charge(*charge, now)
        except Damaged as error:
            text = f"{path}: {error}; correct that line, or move the file away to begin with nothing spent"
            raise LedgerUnusable(text) from None
        if reader.torn:
            log.warning("%s: the last line was cut off and is left out; its message never went out", path)
        if reader.unsettled:
            log.warning("%s: in flight when the process ended, and counted as spent: %d", path, reader.unsettled)
        return budgets

    def use(self, settings: Settings) -> None:
        """Put other budgets into force and keep what was spent; `prepare` must have been called."""
        self._currency = settings.costs.currency
        self.budgets.use(settings.budgets, self._clock.wall())

    def reserve(self, envelope: Envelope) -> Refused | None:
        """See `ports.Purse`."""
        if not self.budgets:
            return None
        estimate = envelope.estimate or _NO_ESTIMATE
        nanos, now = _nanos(estimate), envelope.received_wall
        made = self.budgets.reserve(now, _who(envelope), nanos, estimate.tokens)
        if isinstance(made, Exceeded):
            return self._refuse(made, envelope)
        if not made.accounts:
            return None
        try:
            self._write(self._reserved(envelope.id, made))
        except LedgerUnusable as fault:
            self.budgets.release(made)
            detail = f"what is spent cannot be written down, so nothing is: {fault}"
            return Refused(Refusal.UNAVAILABLE, detail, _RETRY_S, message_class=_class(envelope))
        self._in_hand[envelope.id] = _InHand(made)
        return None

    def release(self, envelope: Envelope) -> None:
        """See `ports.Purse`."""
        held = self._in_hand.get(envelope.id)
        if held is not None:
            self._settle(envelope.id, held)

    def would_refuse(self, envelope: Envelope, estimate: Estimate) -> bool:
        """Whether a budget could not pay for a message now; reserves nothing."""
        if not self.budgets:
            return False
        found = self.budgets.check(envelope.received_wall, _who(envelope), _nanos(estimate), estimate.tokens)
        return isinstance(found, Exceeded)

    def shares(self) -> list[BudgetShare]:
        """Return how much of each budget is used, by whoever is nearest its limit."""
        now = self._clock.wall()
        found: list[BudgetShare] = []
        for budget in self.budgets:
            nearest = budget.largest(now, 1)
            used = budget.used_share(nearest[0]) if nearest else 0.0
            reserved = budget.reserved_share(nearest[0]) if nearest else 0.0
            found.append(BudgetShare(budget.name, used, reserved))
        return found

    def observe(self, event: Event) -> None:
        """Count what attempts take, and settle what is over."""
        if not self._in_hand:
            return
        if isinstance(event, AttemptStarted):
            held = self._in_hand.get(event.envelope.id)
            if held is not None:
                held.out += 1
        elif isinstance(event, AttemptEnded):
            self._attempt_ended(event)
        elif isinstance(event, Ended):
            held = self._in_hand.get(event.envelope.id)
            if held is not None:
                held.ended = True
                if not held.out:
                    self._settle(event.envelope.id, held)

    def _attempt_ended(self, event: AttemptEnded) -> None:
        held = self._in_hand.get(event.envelope.id)
        if held is None:
            return
        held.out -= 1
        usage = event.usage
        if usage is not None:
            held.tokens += usage.tokens
            if event.cost is not None:
                held.nanos += to_nanos(event.cost)
        elif isinstance(event.outcome, Delivered) or (event.outcome is None and event.worker):
            # A worker that answers, or is broken off at it, and does not say what that took is believed to have taken
            # what was expected: whoever cancels late must not work for nothing.
            held.tokens += held.reservation.tokens
            held.nanos += held.reservation.nanos
        if held.ended and not held.out:
            self._settle(event.envelope.id, held)

    def _settle(self, message_id: str, held: _InHand) -> None:
        del self._in_hand[message_id]
        self.budgets.settle(held.reservation, held.nanos, held.tokens)
        line = spend_log.encode(Settled(message_id, held.nanos, held.tokens))
        try:
            self._write(line)
        except LedgerUnusable as fault:
            if not self._unwritten:
                log.error("%s; until it can, nothing more is spent of a budget", fault)
            self._unwritten.append(line)

    def _reserved(self, message_id: str, made: Reservation) -> bytes:
        first = b""
        accounts: list[tuple[int, str]] = []
        for account in made.accounts:
            number, define = self._numbers.of(account.budget.identity)
            first += define
            accounts.append((number, account.owner))
        return first + spend_log.encode(Reserved(message_id, made.at, made.nanos, made.tokens, tuple(accounts)))

    def _write(self, lines: bytes) -> None:
        """Write lines after those that could not be written before. Raises LedgerUnusable."""
        if self._unwritten:
            self._ledger.append(b"".join(self._unwritten))
            self._unwritten.clear()
        self._ledger.append(lines)
        if self._ledger.size > self._compact_at:
            self._compact()

    def _compact(self) -> None:
        try:
            self._rewrite()
        except LedgerUnusable as fault:
            log.warning("%s; it grows on", fault)
            self._compact_at = self._ledger.size + COMPACT_BYTES

    def _rewrite(self) -> None:
        """Write the ledger anew: what is spent, and what is in flight."""
        numbers, self._numbers = self._numbers, Numbers()
        done = False
        try:
            lines = list(spend_log.summary(self.budgets, self._numbers))
            lines += [self._reserved(message_id, held.reservation) for message_id, held in self._in_hand.items()]
            self._ledger.rewrite(lines)
            done = True
        finally:
            if not done:
                self._numbers = numbers
        self._unwritten.clear()
        self._compact_at = self._ledger.size + COMPACT_BYTES

    def close(self) -> None:
        """Let the ledger go; what is still in flight stays reserved in it, and counts as spent at the next start."""
        self._ledger.close()

    def _refuse(self, exceeded: Exceeded, envelope: Envelope) -> Refused:
        wait_s = max(0.0, exceeded.resets_at - envelope.received_wall)
        detail = describe(exceeded, self._currency)
        return Refused(Refusal.BUDGET_EXCEEDED, detail, wait_s, message_class=_class(envelope))


def describe(exceeded: Exceeded, currency: str) -> str:
    """Return in words which budget cannot pay, its figures, and when it begins anew."""

    def amount(figure: int) -> str:
        return f"{figure / NANOS:,.6g} {currency}" if exceeded.kind == "money" else f"{figure:,} tokens"

    whose = f" of {exceeded.owner!r}" if exceeded.owner else ""
    text = (
        f"budget {exceeded.budget!r}{whose} cannot pay {amount(exceeded.wanted)}: of {amount(exceeded.limit)}"
        f" {amount(exceeded.spent)} are spent and {amount(exceeded.reserved)} reserved for messages in flight;"
        f" it begins anew at {written(exceeded.resets_at)}"
    )
    if exceeded.wanted > exceeded.limit:
        text += ". This message alone is expected to take more than that: ask for less output, or raise the budget"
    return text


def _nanos(estimate: Estimate) -> int:
    return 0 if estimate.money is None else to_nanos(estimate.money)


def _who(envelope: Envelope) -> Who:
    return Who(envelope.key_id, envelope.client, envelope.group, _class(envelope))


def _class(envelope: Envelope) -> str:
    return envelope.classification.message_class if envelope.classification else ""
