"""Cost in a running router: what is paid, what is refused, and which provider account rests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pointsman.model.errors import LedgerUnusable
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import (
    BudgetSettings,
    CostSettings,
    PoolSettings,
    PriceSettings,
    QuotaSettings,
    Settings,
)
from pointsman.model.states import Status
from pointsman.model.usage import Usage
from pointsman.reload import reload
from tests.till import PLENTY, Till, worker

PRICES = {"big": PriceSettings(input=10.0, output=50.0), "small": PriceSettings(input=1.0, output=5.0)}
COSTS = CostSettings(output_tokens=10)
ASKED = 20
"""Tokens that a message of `Till` is expected to take: 10 in, 10 out."""


def good(result: Result | Refused) -> Result:
    """Return a result that must be one of a delivered message."""
    assert isinstance(result, Result), result
    assert result.delivered, result
    return result


async def test_an_answer_says_what_it_took_and_so_does_its_record(tmp_path: Path) -> None:
    """Tokens and money; what was expected; and the same in the accounts of the day."""
    async with Till(tmp_path, worker("w", model="small"), prices=PRICES, costs=COSTS) as till:
        till.metered["w"].takes = Usage(100, 60, 0, 20)
        result = good(await till.say())
        decision = till.decisions.get(result.id)
        assert decision is not None
        assert result.usage == decision.usage == decision.attempts[0].usage == Usage(100, 60, 0, 20)
        assert result.cost == decision.cost == decision.attempts[0].cost == pytest.approx(100e-6 + 20 * 5e-6)
        assert decision.estimate is not None
        assert decision.estimate.tokens == ASKED
        assert decision.estimate.money == pytest.approx(10e-6 + 10 * 5e-6)
        assert till.costs.accounts.total_today().money == result.cost


async def test_savings_are_against_the_dearest_class(tmp_path: Path) -> None:
    """The same tokens at the planners' model cost ten times as much."""
    pools = {
        "planners": PoolSettings(workers=[worker("p", model="big")]),
        "coders": PoolSettings(workers=[worker("w", model="small")]),
    }
    async with Till(tmp_path, prices=PRICES, costs=COSTS, pools=pools) as till:
        cost = good(await till.say()).cost
        assert cost is not None
        assert till.costs.accounts.total_today().savings == pytest.approx(9 * cost)
        good(await till.say(class_="strategic"))
        assert till.costs.accounts.total_today().savings == pytest.approx(9 * cost)


async def test_at_the_edge_of_a_budget_no_more_is_spent_than_it_has(tmp_path: Path) -> None:
    """64 at once, of which 10 can be paid: ten are delivered, the others are refused until the next day."""
    budgets = {"b": BudgetSettings(tokens=10 * ASKED + 5)}
    async with Till(tmp_path, worker("w", 64), budgets=budgets, costs=COSTS) as till:
        results = await asyncio.gather(*(till.say() for _ in range(64)))
        refused = [one for one in results if isinstance(one, Refused)]
        assert len(refused) == 54
        assert {one.reason for one in refused} == {Refusal.BUDGET_EXCEEDED}
        assert all(0.0 < (one.retry_after_s or 0.0) <= 86_400.0 for one in refused)
        assert till.spent() == {"b": (10 * ASKED, 0)}
        till.clock.shift_wall(refused[0].retry_after_s or 0.0)  # type: ignore[attr-defined]
        good(await till.say())


async def test_answers_longer_than_expected_exceed_a_budget_by_no_more_than_what_was_in_flight(tmp_path: Path) -> None:
    """64 senders again and again, each answer half as long again as reserved: then nobody is let in any more."""
    budgets = {"b": BudgetSettings(tokens=20 * ASKED)}
    async with Till(tmp_path, worker("w", 8), budgets=budgets, costs=COSTS) as till:
        till.metered["w"].takes = Usage(15, 0, 0, 15)
        flying: list[int] = []

        async def sender() -> None:
            while not isinstance(await till.say(), Refused):
                flying.append(till.spent()["b"][1])

        await asyncio.gather(*(sender() for _ in range(64)))
        spent, reserved = till.spent()["b"]
        assert reserved == 0
        assert 20 * ASKED - 30 < spent <= 20 * ASKED + len(flying) * 10
        assert spent <= 20 * ASKED + max(flying) + ASKED


async def test_a_cancelled_message_pays_for_what_came(tmp_path: Path) -> None:
    """Its sender hangs up while the worker answers: the input, and what had been written."""
    async with Till(tmp_path, worker("w"), budgets={"b": BudgetSettings(tokens=100)}, costs=COSTS) as till:
        sender = asyncio.create_task(till.say())
        await asyncio.sleep(0.5)
        assert till.spent() == {"b": (0, ASKED)}
        sender.cancel()
        await asyncio.sleep(0.1)
        assert till.spent() == {"b": (11, 0)}
        of = till.wrap(stream=False)
        sender = asyncio.create_task(till.core.send(of, None))
        await asyncio.sleep(0.5)
        assert await till.core.cancel(of.id)
        await asyncio.sleep(0.1)
        assert till.spent() == {"b": (22, 0)}
        assert (await sender).status is Status.CANCELLED  # type: ignore[union-attr]


async def test_a_message_that_expires_in_its_queue_pays_nothing(tmp_path: Path) -> None:
    """It held its reservation as long as it waited."""
    async with Till(tmp_path, worker("w", 1), budgets={"b": BudgetSettings(tokens=100)}, costs=COSTS) as till:
        till.metered["w"].works_s = 10.0
        first = asyncio.create_task(till.say())
        second = asyncio.create_task(till.say(ttl_s=2.0))
        await asyncio.sleep(1.0)
        assert till.spent() == {"b": (0, 2 * ASKED)}
        assert (await second).status is Status.EXPIRED  # type: ignore[union-attr]
        assert till.spent() == {"b": (0, ASKED)}
        good(await first)
        assert till.spent() == {"b": (ASKED, 0)}


async def test_a_message_that_is_refused_later_is_paid_back(tmp_path: Path) -> None:
    """There is no worker for it."""
    async with Till(tmp_path, budgets={"b": BudgetSettings(tokens=100)}, costs=COSTS) as till:
        for _ in range(20):
            refused = await till.say()
            assert isinstance(refused, Refused)
            assert refused.reason is Refusal.NO_WORKER
        assert till.spent() == {"b": (0, 0)}


async def test_what_is_in_hand_at_a_stop_is_settled(tmp_path: Path) -> None:
    """Cancelled by the shutdown, it pays for what came; a restart finds just that."""
    budgets = {"b": BudgetSettings(tokens=100)}
    async with Till(tmp_path, worker("w"), budgets=budgets, costs=COSTS) as till:
        sender = asyncio.create_task(till.say())
        await asyncio.sleep(0.5)
    await sender
    async with Till(tmp_path, worker("w"), budgets=budgets, costs=COSTS) as till:
        assert till.spent() == {"b": (11, 0)}


async def test_budgets_prices_and_quotas_change_without_losing_what_was_spent(tmp_path: Path) -> None:
    """In one reload, with messages in flight: they settle in the budget they reserved in, at the new prices."""
    first = {"b": BudgetSettings(tokens=100)}
    async with Till(tmp_path, worker("w", model="small"), budgets=first, prices=PRICES, costs=COSTS) as till:
        good(await till.say())
        sender = asyncio.create_task(till.say())
        await asyncio.sleep(0.5)
        changed = Settings(
            pools={
                "planners": PoolSettings(),
                "coders": PoolSettings(workers=[worker("w", model="small", quota="q"), worker("v", quota="q")]),
            },
            limits=PLENTY,
            budgets={"b": BudgetSettings(tokens=60), "c": BudgetSettings(money=1.0)},
            prices={"small": PriceSettings(input=100.0)},
            quotas={"q": QuotaSettings(rpm=1)},
            costs=COSTS,
        )
        answer = await reload(till, changed)
        assert {"budgets.b.tokens", "quotas.q.rpm"} <= set(answer["changed"])
        result = good(await sender)
        assert result.cost == pytest.approx(10 * 100e-6)
        assert till.spent() == {"b": (2 * ASKED, 0), "c": (0, 0)}
        good(await till.say())
        assert till.spent() == {"b": (3 * ASKED, 0), "c": (ASKED, 0)}
        refused = await till.say()
        assert isinstance(refused, Refused)
        assert "budget 'b'" in refused.detail
        assert [view.workers for view in till.costs.quotas.views()] == [2]
        assert till.fleet.workers()[0].state == "held"


async def test_budgets_may_come_with_a_reload(tmp_path: Path) -> None:
    """The ledger is opened with them; where it cannot be, nothing changes."""
    async with Till(tmp_path, worker("w"), costs=COSTS) as till:
        budgets = {"b": BudgetSettings(tokens=100)}
        changed = Settings(pools=till.settings.pools, limits=PLENTY, budgets=budgets, costs=COSTS)
        (tmp_path / "var").mkdir()
        (tmp_path / COSTS.ledger).mkdir()
        with pytest.raises(LedgerUnusable):
            await reload(till, changed)
        assert till.settings.budgets == {}
        good(await till.say())
        (tmp_path / COSTS.ledger).rmdir()
        assert (await reload(till, changed))["changed"]
        good(await till.say())
        assert till.spent() == {"b": (ASKED, 0)}
    async with Till(tmp_path, worker("w"), budgets=budgets, costs=COSTS) as till:
        assert till.spent() == {"b": (ASKED, 0)}


async def test_another_ledger_needs_a_restart(tmp_path: Path) -> None:
    """Two files would each know half."""
    async with Till(tmp_path, worker("w"), budgets={"b": BudgetSettings(tokens=100)}, costs=COSTS) as till:
        other = CostSettings(ledger="other", output_tokens=10)
        changed = Settings(pools=till.settings.pools, budgets=till.settings.budgets, costs=other)
        assert (await reload(till, changed))["needs_restart"] == ["costs.ledger"]
        good(await till.say())
    assert not (tmp_path / "other").exists()


async def test_a_throttled_account_sends_its_messages_elsewhere(tmp_path: Path) -> None:
    """Worker `a` is told 429: `b` of the same account is not asked, `c` of none takes over; no attempt is used up."""
    workers = (worker("a", 1, quota="q"), worker("b", 1, quota="q"), worker("c", 1))
    async with Till(tmp_path, *workers, quotas={"q": QuotaSettings()}, costs=COSTS) as till:
        for name in ("a", "b"):
            till.metered[name].refuses, till.metered[name].retry_after_s = 1, 60.0
        till.metered["c"].works_s = 5.0
        results = await asyncio.gather(*(till.say() for _ in range(4)))
        assert [good(one).worker for one in results] == ["c"] * 4
        assert len(till.metered["a"].seen) + len(till.metered["b"].seen) == 1
        assert {view.id: view.state for view in till.fleet.workers()} == {"a": "held", "b": "held", "c": "ready"}


async def test_messages_of_a_throttled_account_wait_for_it(tmp_path: Path) -> None:
    """With nobody else they wait in their queue, wake when the account does, and use up no attempt."""
    workers = (worker("a", 1, quota="q"), worker("b", 1, quota="q"))
    async with Till(tmp_path, *workers, quotas={"q": QuotaSettings()}, costs=COSTS) as till:
        for name in ("a", "b"):
            till.metered[name].refuses, till.metered[name].retry_after_s = 1, 30.0
        began = till.clock.monotonic()
        results = [good(one) for one in await asyncio.gather(*(till.say() for _ in range(4)))]
        assert till.clock.monotonic() - began >= 30.0
        for result in results:
            decision = till.decisions.get(result.id)
            assert decision is not None
            assert {one.result for one in decision.attempts} <= {"worker_busy", "no_worker", "delivered"}
        assert sum(len(metered.seen) for metered in till.metered.values()) <= 6


async def test_an_account_is_never_asked_more_often_than_it_allows(tmp_path: Path) -> None:
    """Three workers, 30 a minute, 90 messages at once: 30 go out, then one in two seconds, and none is refused."""
    workers = [worker(name, 10, quota="q") for name in ("a", "b", "c")]
    async with Till(tmp_path, *workers, quotas={"q": QuotaSettings(rpm=30)}, costs=COSTS) as till:
        began = till.clock.monotonic()
        results = await asyncio.gather(*(till.say() for _ in range(90)))
        assert all(good(one) for one in results)
        times = sorted(out.started_at - began for metered in till.metered.values() for out in metered.seen)
        assert len(times) == 90
        for number, at in enumerate(times[30:], 1):
            assert at >= 2.0 * number - 0.01
        assert times[-1] < 2.0 * 60 + 10.0


async def test_what_a_provider_says_is_left_is_not_overdrawn(tmp_path: Path) -> None:
    """It allows three more, and says so in its first reply; the rest waits, as nobody had set a figure."""
    async with Till(tmp_path, worker("a", 10, quota="q"), quotas={"q": QuotaSettings()}, costs=COSTS) as till:
        metered = till.metered["a"]
        metered.headers = [("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "3")]
        good(await till.say())
        metered.headers = ()
        tasks = [asyncio.create_task(till.say()) for _ in range(8)]
        await asyncio.sleep(0.5)
        assert len(metered.seen) == 1 + 4
        await asyncio.gather(*tasks)
        assert len(metered.seen) == 9
