"""Cost over HTTP: budgets and who is nearest their limit, and what was taken by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.core.budget_account import Who, to_nanos
from pointsman.model.events import AttemptEnded
from pointsman.model.outcome import Delivered
from pointsman.model.settings import BudgetSettings, CostSettings, PriceSettings
from pointsman.model.usage import Usage
from pointsman.testing.make import envelope
from tests.http.service import Service, service

PRICES = {"m": PriceSettings(input=1.0)}


def sections(tmp_path: Path, **budgets: BudgetSettings) -> dict[str, Any]:
    """Return sections of the settings with these budgets."""
    return {"budgets": budgets, "prices": PRICES, "costs": CostSettings(ledger=str(tmp_path / "l"), currency="EUR")}


def reserve(run: Service, client: str, money: float, tokens: int, *, settle: bool = True) -> None:
    """Spend, or only reserve, as a message of a client would."""
    budgets, now = run.house.costs.spending.budgets, run.house.clock.wall()
    made = budgets.reserve(now, Who(client=client, message_class="tactical"), to_nanos(money), tokens)
    if settle:
        budgets.settle(made, to_nanos(money), tokens)  # type: ignore[arg-type]


async def test_budgets_are_listed_with_what_is_left_of_them(tmp_path: Path) -> None:
    """By owner, whoever is nearest the limit first, and when each begins anew."""
    each = BudgetSettings(scope="client", money=1.0, tokens=100)
    async with service(**sections(tmp_path, each=each)) as run:
        reserve(run, "low", 0.125, 10)
        reserve(run, "high", 0.25, 60)
        reserve(run, "high", 0.5, 20, settle=False)
        listed = (await run.client.get("/api/v1/budgets")).json()
        assert listed["currency"] == "EUR"
        (budget,) = listed["budgets"]
        assert (budget["name"], budget["scope"], budget["of"], budget["per"]) == ("each", "client", None, "day")
        assert (budget["money"], budget["tokens"], budget["owners"]) == (1.0, 100, 2)
        assert budget["resets_at"] % 86_400 == 0
        assert 0 < budget["resets_at"] - run.house.clock.wall() <= 86_400
        assert budget["accounts"][0] == {
            "owner": "high",
            "money_spent": 0.25,
            "money_reserved": 0.5,
            "money_left": 0.25,
            "tokens_spent": 60,
            "tokens_reserved": 20,
            "tokens_left": 20,
            "used_share": 0.8,
        }
        assert budget["accounts"][1]["owner"] == "low"
        few = (await run.client.get("/api/v1/budgets?limit=1")).json()["budgets"][0]
        assert ([one["owner"] for one in few["accounts"]], few["owners"]) == (["high"], 2)


@pytest.mark.parametrize(
    ("budget", "owners"),
    [
        (BudgetSettings(tokens=5), [None]),
        (BudgetSettings(scope="class", of="tactical", tokens=5), ["tactical"]),
        (BudgetSettings(scope="client", tokens=5), []),
    ],
)
async def test_a_budget_of_which_nothing_is_spent_is_shown(
    tmp_path: Path, budget: BudgetSettings, owners: list[str | None]
) -> None:
    """With its only account, where there can be only one; what is not limited is null."""
    async with service(**sections(tmp_path, b=budget)) as run:
        (shown,) = (await run.client.get("/api/v1/budgets")).json()["budgets"]
        assert (shown["money"], shown["tokens"], shown["owners"]) == (None, 5, 0)
        assert [one["owner"] for one in shown["accounts"]] == owners
        for one in shown["accounts"]:
            assert (one["money_left"], one["tokens_left"], one["used_share"]) == (None, 5, 0.0)


async def test_what_is_left_of_an_exceeded_budget_is_nothing(tmp_path: Path) -> None:
    """Not less; how far it was exceeded shows in what is spent."""
    async with service(**sections(tmp_path, b=BudgetSettings(money=1.0, tokens=10))) as run:
        budgets, now = run.house.costs.spending.budgets, run.house.clock.wall()
        made = budgets.reserve(now, Who(), 0, 10)
        budgets.settle(made, to_nanos(3.0), 25)  # type: ignore[arg-type]
        (account,) = (await run.client.get("/api/v1/budgets")).json()["budgets"][0]["accounts"]
        assert (account["money_spent"], account["money_left"]) == (3.0, 0.0)
        assert (account["tokens_spent"], account["tokens_left"], account["used_share"]) == (25, 0, 3.0)


async def test_costs_are_shown_for_the_day_and_the_month(tmp_path: Path) -> None:
    """In all, and by client, class and worker; the status says the day in short."""
    async with service(**sections(tmp_path)) as run:
        of = envelope(client="alice")
        of.usage = usage = Usage(100, 40, 0, 20)
        run.house.emit(AttemptEnded(0.0, of, "coders", "w", 1.0, 1.0, Delivered("w"), usage, 0.5))
        costs = (await run.client.get("/api/v1/costs")).json()
        assert (costs["currency"], costs["since"]) == ("EUR", run.house.costs.accounts.since)
        for period in ("today", "month"):
            assert costs[period]["total"]["money"] == 0.5
            assert costs[period]["start"] <= costs["since"] < costs[period]["end"]
            for kind, name in (("clients", "alice"), ("classes", "tactical"), ("workers", "w")):
                (row,) = costs[period][kind]
                assert (row["name"], row["messages"], row["input_tokens"], row["output_tokens"]) == (name, 1, 100, 20)
                assert (row["cached_input_tokens"], row["cached_input_share"], row["savings"]) == (40, 0.4, None)
        assert (await run.client.get("/api/v1/status")).json()["spending"] == {
            "currency": "EUR",
            "money": 0.5,
            "savings": None,
            "tokens": 120,
            "cached_input_share": 0.4,
        }


@pytest.mark.parametrize("path", ["/api/v1/budgets", "/api/v1/costs"])
async def test_how_many_are_shown_has_bounds(path: str) -> None:
    """And nothing else can be asked for."""
    async with service() as run:
        assert (await run.client.get(path)).status == 200
        for query in ("limit=0", "limit=1001", "limit=x", "client=a"):
            assert (await run.client.get(f"{path}?{query}")).status == 400


async def test_a_message_that_a_budget_cannot_pay_is_refused_until_it_begins_anew(tmp_path: Path) -> None:
    """429 with `Retry-After`; what it says can be read in the budget. A dry run says so without refusing."""
    message = {"text": "fix it", "class": "tactical"}
    async with service(**sections(tmp_path, b=BudgetSettings(tokens=5))) as run:
        answer = await run.client.post("/api/v1/messages", message)
        assert answer.status == 429
        problem = answer.problem()
        assert (problem["code"], problem["retryable"]) == ("budget_exceeded", True)
        assert "budget 'b' cannot pay" in problem["detail"]
        assert 0 < problem["retry_after_s"] <= 86_400
        dry = await run.client.post("/api/v1/decisions", message)
        assert (dry.status, dry.json()["would_refuse"]) == (200, "budget_exceeded")
        assert dry.json()["estimate"] == {"input_tokens": 2, "output_tokens": 1024, "money": None, "currency": "EUR"}
