"""The native API for cost: budgets, and what was taken by whom."""

from __future__ import annotations

from math import inf

import msgspec

from pointsman.core.budget_account import NANOS, Account, Budget
from pointsman.core.cost_book import CostPeriod
from pointsman.http.exchange import Answer, Request, ok
from pointsman.http.messages import limit_of


class BudgetUse(msgspec.Struct, frozen=True):
    """What one owner has spent and reserved of a budget in this period; None in the unit that is not limited.

    `owner` is None where everybody shares the budget, and `*` for those for whom there was no room for an account.
    """

    owner: str | None
    money_spent: float
    money_reserved: float
    money_left: float | None
    tokens_spent: int
    tokens_reserved: int
    tokens_left: int | None
    used_share: float


class BudgetState(msgspec.Struct, frozen=True):
    """One budget; `owners` of them have spent something in this period, which ends at `resets_at` (Unix seconds)."""

    name: str
    scope: str
    of: str | None
    per: str
    money: float | None
    tokens: int | None
    resets_at: float
    owners: int
    accounts: list[BudgetUse]


class BudgetList(msgspec.Struct, frozen=True):
    """Every budget, and of each those who are nearest its limit."""

    currency: str
    budgets: list[BudgetState]


class CostReport(msgspec.Struct, frozen=True):
    """What messages took today and this month (UTC), as far as this process has seen them: `since`, Unix seconds."""

    currency: str
    since: float
    today: CostPeriod
    month: CostPeriod


async def list_budgets(request: Request) -> Answer:
    """List budgets: limit, spent, reserved and left, by owner, and when each begins anew."""
    surface = request.surface
    most, now = limit_of(request.query("limit")), surface.clock.wall()
    budgets = [_state(budget, now, most) for budget in surface.costs.spending.budgets]
    return ok(BudgetList(surface.costs.fares.currency, budgets))


async def show_costs(request: Request) -> Answer:
    """Show what messages took, today and this month: tokens, money, savings, cached share; by whom."""
    costs, most = request.surface.costs, limit_of(request.query("limit"))
    accounts = costs.accounts
    return ok(CostReport(costs.fares.currency, accounts.since, accounts.today(most), accounts.month(most)))


def _state(budget: Budget, now: float, most: int) -> BudgetState:
    accounts = [_use(budget, account) for account in budget.largest(now, most)]
    owners = sum(1 for _ in budget.accounts(now))
    if not accounts and (budget.scope == "overall" or budget.of is not None):
        accounts = [_use(budget, Account(budget, budget.of or "", 0))]
    return BudgetState(
        name=budget.name,
        scope=budget.scope,
        of=budget.of,
        per=budget.per,
        money=None if budget.limit_nanos == inf else budget.limit_nanos / NANOS,
        tokens=None if budget.limit_tokens == inf else int(budget.limit_tokens),
        resets_at=budget.resets_at(now),
        owners=owners,
        accounts=accounts,
    )


def _use(budget: Budget, account: Account) -> BudgetUse:
    money_left = budget.limit_nanos - account.spent_nanos - account.reserved_nanos
    tokens_left = budget.limit_tokens - account.spent_tokens - account.reserved_tokens
    return BudgetUse(
        owner=account.owner or None,
        money_spent=account.spent_nanos / NANOS,
        money_reserved=account.reserved_nanos / NANOS,
        money_left=None if money_left == inf else max(0.0, money_left / NANOS),
        tokens_spent=account.spent_tokens,
        tokens_reserved=account.reserved_tokens,
        tokens_left=None if tokens_left == inf else max(0, int(tokens_left)),
        used_share=budget.used_share(account),
    )
