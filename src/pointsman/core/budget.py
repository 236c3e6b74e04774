"""Budgets: whether a message may still be paid for, and what has been spent of each.

Decides by reservation. A message reserves what it is expected to take in every budget that applies to it, in all of
them or in none; when it has ended, what it really took is spent and the reservation is given back. So messages in
flight count as if they were spent, and no budget is ever exceeded by more than what messages took beyond their own
reservations. Does not know what a message costs, where the figures are kept on disk, or that a refusal becomes a 429.

*Owners.* A budget with `of` has one account; one without gives each key, client, group or class an account of its own.
Accounts are bounded: once `max_owners` owners have an account in a period, all further ones of that period share the
account `OTHERS`, with the limit of one. So spending is never forgotten to save room; at worst somebody is refused too
early. Accounts of which nothing is spent or reserved are dropped at once.

*Periods.* A reservation counts in the period in which it was made, also if it is settled in the next. A budget
remembers the period it used before: a clock that jumps to another day and back finds today's spending again.

Money is counted in whole billionths (nanos), so that sums neither drift nor depend on their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from pointsman.core.budget_account import Account, Budget, Identity, Who
from pointsman.core.periods import period_of
from pointsman.model.settings import BudgetSettings

MAX_OWNERS: Final = 20_000
"""Accounts of one budget in one period, which take 8 MB."""


class Exceeded(NamedTuple):
    """A budget that cannot pay: the one that resets last, where several cannot. Money in nanos.

    Attributes:
        budget: its name.
        owner: whose account, or an empty string for everybody's.
        kind: `money` or `tokens`, which the four figures are in.
        limit: most that may be spent in the period.
        spent: what has been.
        reserved: for messages in flight.
        wanted: what this message was expected to take.
        resets_at: Unix seconds at which the next period begins.
    """

    budget: str
    owner: str
    kind: str
    limit: int
    spent: int
    reserved: int
    wanted: int
    resets_at: int


class Reservation:
    """What a message in flight may take, in every account that it counts for. `at`: Unix seconds it was made."""

    __slots__ = ("accounts", "at", "closed", "nanos", "tokens")

    def __init__(self, accounts: list[Account], at: float, nanos: int, tokens: int) -> None:
        self.accounts = accounts
        self.at = at
        self.nanos = nanos
        self.tokens = tokens
        self.closed = False


class Budgets:
    """All budgets of one router.

    Args:
        settings: budgets by name; `use` takes later ones.
        max_owners: accounts of one budget in one period; see the head of this file.
    """

    def __init__(self, settings: Mapping[str, BudgetSettings], max_owners: int = MAX_OWNERS) -> None:
        self._max_owners = max_owners
        self._active: tuple[Budget, ...] = ()
        self._dormant: tuple[Budget, ...] = ()
        self.use(settings, 0.0)

    def __bool__(self) -> bool:
        """Whether there is any budget."""
        return bool(self._active)

    def __iter__(self) -> Iterator[Budget]:
        """The budgets in force."""
        return iter(self._active)

    def remembered(self) -> tuple[Budget, ...]:
        """Return the budgets in force, and those that were taken away while something was spent of them."""
        return (*self._active, *self._dormant)

    def use(self, settings: Mapping[str, BudgetSettings], now: float) -> None:
        """Put other budgets into force and keep what was spent.

        A budget is the same one as long as name, `scope`, `of` and `per` are. One that is taken away and comes back
        within its period finds its spending again, but nothing that was spent in the meantime.

        Args:
            settings: budgets by name.
            now: Unix seconds.
        """
        known = {budget.identity: budget for budget in self.remembered()}
        active: list[Budget] = []
        for name, of in settings.items():
            budget = known.pop((name, of.scope, of.of, of.per), None) or Budget(name, of, self._max_owners)
            budget.limit(of)
            active.append(budget)
        self._active = tuple(active)
        self._dormant = tuple(one for one in known.values() if any(not a.is_empty for a in one.accounts(now)))

    def check(self, now: float, who: Who, nanos: int, tokens: int) -> list[Account] | Exceeded:
        """Return the accounts that a message would count for, or the budget that cannot pay it. Changes nothing."""
        accounts: list[Account] = []
        exceeded: Exceeded | None = None
        for budget in self._active:
            account = budget.account(who, now)
            if account is None:
                continue
            if (
                account.spent_nanos + account.reserved_nanos + nanos > budget.limit_nanos
                or account.spent_tokens + account.reserved_tokens + tokens > budget.limit_tokens
            ):
                found = _exceeded(budget, account, now, nanos, tokens)
                exceeded = found if exceeded is None or found.resets_at > exceeded.resets_at else exceeded
            accounts.append(account)
        return accounts if exceeded is None else exceeded

    def reserve(self, now: float, who: Who, nanos: int, tokens: int) -> Reservation | Exceeded:
        """Reserve in every budget that applies, or in none.

        Args:
            now: Unix seconds.
            who: whom it counts for.
            nanos: what it is expected to cost, 0 where nothing has a price.
            tokens: input and output tokens it is expected to take.
        """
        accounts = self.check(now, who, nanos, tokens)
        if isinstance(accounts, Exceeded):
            return accounts
        for account in accounts:
            if account.is_empty:
                account.budget.keep(account)
            account.reserved_nanos += nanos
            account.reserved_tokens += tokens
            account.open += 1
        return Reservation(accounts, now, nanos, tokens)

    def settle(self, reservation: Reservation, nanos: int, tokens: int) -> bool:
        """Spend what a message really took, in the period of its reservation; whether that had not been done before."""
        if reservation.closed:
            return False
        reservation.closed = True
        for account in reservation.accounts:
            account.reserved_nanos -= reservation.nanos
            account.reserved_tokens -= reservation.tokens
            account.open -= 1
            account.spent_nanos += nanos
            account.spent_tokens += tokens
            if account.is_empty:
                account.budget.drop_if_empty(account)
        return True

    def release(self, reservation: Reservation) -> bool:
        """Give a reservation back: the message took nothing."""
        return self.settle(reservation, 0, 0)

    def charge(self, identity: Identity, owner: str, at: float, nanos: int, tokens: int, now: float) -> bool:
        """Count what was spent at an earlier time, as a record of it says; whether it still counts.

        It does not where the period around `at` is over. What was spent of a budget that is not in force is remembered
        for when it comes back.

        Args:
            identity: of the budget.
            owner: whose account.
            at: Unix seconds.
            nanos: money.
            tokens: tokens.
            now: Unix seconds.
        """
        start, end = period_of(identity[3], at)
        if end <= now:
            return False
        budget = next((one for one in self.remembered() if one.identity == identity), None)
        if budget is None:
            name, scope, of, per = identity
            budget = Budget(name, BudgetSettings(scope=scope, of=of, per=per), self._max_owners)
            self._dormant = (*self._dormant, budget)
        budget.charge(owner, start, nanos, tokens)
        return True


def _exceeded(budget: Budget, account: Account, now: float, nanos: int, tokens: int) -> Exceeded:
    resets_at = budget.resets_at(now)
    if account.spent_nanos + account.reserved_nanos + nanos > budget.limit_nanos:
        spent, reserved = account.spent_nanos, account.reserved_nanos
        return Exceeded(budget.name, account.owner, "money", int(budget.limit_nanos), spent, reserved, nanos, resets_at)
    spent, reserved = account.spent_tokens, account.reserved_tokens
    return Exceeded(budget.name, account.owner, "tokens", int(budget.limit_tokens), spent, reserved, tokens, resets_at)
