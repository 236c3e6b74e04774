"""One budget: whose account a message counts for, and the accounts of a period.

Decides which account, and when one may be forgotten: see the head of `core.budget`, which decides what may be spent.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nlargest
from math import inf
from typing import Final, NamedTuple

from pointsman.core.periods import period_of
from pointsman.model.settings import BudgetSettings

NANOS: Final = 1_000_000_000
"""Parts of one unit of money."""

OTHERS: Final = "*"
"""Owner of the account that everybody shares for whom there was no room."""

Identity = tuple[str, str, str | None, str]
"""What makes a budget the same one after a reload: name, `scope`, `of`, `per`; its limits do not."""


def to_nanos(money: float) -> int:
    """Return money in whole billionths, rounded to the nearest."""
    return round(money * NANOS)


class Who(NamedTuple):
    """Whom a message's spending counts for; an empty one does not count. In the order of `_SCOPES`."""

    key: str = ""
    client: str = ""
    group: str = ""
    message_class: str = ""


_SCOPES: Final = {"key": 0, "client": 1, "group": 2, "class": 3}


class Account:
    """What one owner has spent and reserved of one budget in one period. `open`: reservations not settled yet."""

    __slots__ = ("budget", "open", "owner", "reserved_nanos", "reserved_tokens", "spent_nanos", "spent_tokens", "start")

    def __init__(self, budget: Budget, owner: str, start: int) -> None:
        self.budget = budget
        self.owner = owner
        self.start = start
        self.spent_nanos = 0
        self.spent_tokens = 0
        self.reserved_nanos = 0
        self.reserved_tokens = 0
        self.open = 0

    @property
    def is_empty(self) -> bool:
        """Nothing is spent, nothing reserved: forgetting it changes nothing."""
        return not (self.open or self.spent_nanos or self.spent_tokens)


class Budget:
    """One budget with its accounts. Only `Budgets` changes them.

    Attributes:
        limit_nanos: most money in a period; infinite where only tokens count.
        limit_tokens: most tokens; infinite where only money counts.
    """

    __slots__ = ("_accounts", "_end", "_max_owners", "_periods", "_scope_at", "_start", "limit_nanos", "limit_tokens",
                 "name", "of", "per", "scope")  # fmt: skip

    def __init__(self, name: str, settings: BudgetSettings, max_owners: int) -> None:
        self.name = name
        self.scope = settings.scope
        self.of = settings.of
        self.per = settings.per
        self._scope_at = _SCOPES.get(settings.scope)
        self._max_owners = max_owners
        self._periods: dict[int, dict[str, Account]] = {}
        self._accounts: dict[str, Account] = {}
        self._start = self._end = 0
        self.limit(settings)

    def limit(self, settings: BudgetSettings) -> None:
        """Change how much may be spent."""
        self.limit_nanos: float = inf if settings.money is None else to_nanos(settings.money)
        self.limit_tokens: float = inf if settings.tokens is None else settings.tokens

    @property
    def identity(self) -> Identity:
        """Return what makes it the same budget after a reload."""
        return self.name, self.scope, self.of, self.per

    def resets_at(self, now: float) -> int:
        """Return when the next period begins, Unix seconds."""
        self._turn(now)
        return self._end

    def account(self, who: Who, now: float) -> Account | None:
        """Return the account that a message counts for, perhaps a new one that is not kept yet; None if it does not."""
        if self._scope_at is None:
            owner = ""
        else:
            owner = who[self._scope_at]
            if not owner or (self.of is not None and owner != self.of):
                return None
        if not self._start <= now < self._end:
            self._turn(now)
        return self._accounts.get(owner) or self._new(owner, self._start)

    def _new(self, owner: str, start: int) -> Account:
        accounts = self._periods[start]
        if owner not in accounts and (len(accounts) >= self._max_owners or OTHERS in accounts):
            owner = OTHERS
        return accounts.get(owner) or Account(self, owner, start)

    def keep(self, account: Account) -> None:
        """Remember an account of which something is spent or reserved."""
        accounts = self._periods.get(account.start)
        if accounts is not None:
            accounts[account.owner] = account

    def drop_if_empty(self, account: Account) -> None:
        """Forget an account of which nothing is spent or reserved."""
        if account.is_empty and account.start in self._periods:
            self._periods[account.start].pop(account.owner, None)

    def _turn(self, now: float) -> None:
        """Go to the period around `now`. The one before stays; what was before that is history."""
        self._start, self._end = period_of(self.per, now)
        self._accounts = self._periods.pop(self._start, {})
        self._periods[self._start] = self._accounts
        while len(self._periods) > 2:
            del self._periods[next(iter(self._periods))]

    def charge(self, owner: str, start: int, nanos: int, tokens: int) -> None:
        """Count as spent in the period that begins at `start`, without asking whether there is room for it."""
        self._periods.setdefault(start, {})
        account = self._new(owner, start)
        account.spent_nanos += nanos
        account.spent_tokens += tokens
        self.keep(account)

    def accounts(self, now: float | None = None) -> Iterator[Account]:
        """Yield the accounts of the period around `now`, or all that are remembered."""
        if now is None:
            for accounts in self._periods.values():
                yield from accounts.values()
        else:
            self._turn(now)
            yield from self._accounts.values()

    def largest(self, now: float, most: int) -> list[Account]:
        """Return at most `most` accounts of the period around `now`, the one nearest its limit first."""
        return nlargest(most, self.accounts(now), key=self.used_share)

    def used_share(self, account: Account) -> float:
        """Return how much of the limit is spent or reserved, 0 and above: the larger share of money and tokens."""
        money = _share(account.spent_nanos + account.reserved_nanos, self.limit_nanos)
        return max(money, _share(account.spent_tokens + account.reserved_tokens, self.limit_tokens))

    def reserved_share(self, account: Account) -> float:
        """Return how much of the limit is reserved for messages in flight, as `used_share`."""
        money = _share(account.reserved_nanos, self.limit_nanos)
        return max(money, _share(account.reserved_tokens, self.limit_tokens))


def _share(used: int, limit: float) -> float:
    return used / limit if limit else float(used > 0)
