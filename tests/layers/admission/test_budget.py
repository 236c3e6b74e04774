"""The budget layer: what a budget cannot pay goes no further, and what goes no further is paid back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pointsman.layers.admission.budget import Budget
from pointsman.model.errors import EngineUnavailable
from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.model.settings import BudgetSettings, CostSettings, Settings
from pointsman.model.usage import Estimate
from pointsman.runtime.spending import Spending
from pointsman.testing.clock import FakeClock
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe

ESTIMATE = Estimate(60, 0)


class Gate:
    """The layer in front of a probe, with a real budget of 100 tokens behind it."""

    def __init__(self, where: Path, answer: Any) -> None:
        settings = Settings(budgets={"b": BudgetSettings(tokens=100)}, costs=CostSettings(ledger="spend.jsonl"))
        self.spending = Spending(settings, FakeClock(), where)
        self.spending.prepare(settings)
        self.inner = Probe(answer)
        self.admit = Budget(self.spending, lambda of: ESTIMATE)(self.inner)
        self.made = 0

    def message(self) -> Envelope:
        """Return a fresh message."""
        self.made += 1
        return envelope(id=f"{self.made:032x}")


async def test_what_a_budget_can_pay_goes_on_with_its_estimate(tmp_path: Path) -> None:
    """It stays reserved until it is settled."""
    gate = Gate(tmp_path, Accepted("x"))
    of = gate.message()
    assert await gate.admit(of) == Accepted("x")
    assert of.estimate is ESTIMATE
    assert gate.inner.seen == [of]
    assert len(gate.spending) == 1


async def test_what_it_cannot_pay_goes_no_further(tmp_path: Path) -> None:
    """The refusal is the answer; what had been reserved before stays."""
    gate = Gate(tmp_path, Accepted("x"))
    await gate.admit(gate.message())
    refused = await gate.admit(gate.message())
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.BUDGET_EXCEEDED
    assert len(gate.inner.seen) == 1
    assert len(gate.spending) == 1


@pytest.mark.parametrize(
    "answer", [Refused(Refusal.OVERLOADED, "busy", 1.0), Accepted("another", duplicate=True)], ids=str
)
async def test_what_is_not_sent_after_all_is_paid_back(tmp_path: Path, answer: Any) -> None:
    """A later layer refused it, or it repeats a message that is ours already."""
    gate = Gate(tmp_path, answer)
    for _ in range(5):
        assert await gate.admit(gate.message()) == answer
    assert len(gate.spending) == 0


@pytest.mark.parametrize("fault", [EngineUnavailable("gone"), asyncio.CancelledError()], ids=repr)
async def test_what_breaks_is_paid_back(tmp_path: Path, fault: BaseException) -> None:
    """And the fault goes on."""
    gate = Gate(tmp_path, fault)
    for _ in range(5):
        with pytest.raises(type(fault)):
            await gate.admit(gate.message())
    assert len(gate.spending) == 0


async def test_where_nobody_asks_nothing_is_estimated(tmp_path: Path) -> None:
    """No prices, no budgets, no quotas: the message passes as it is."""
    gate = Gate(tmp_path, Accepted("x"))
    of = gate.message()
    assert await Budget(gate.spending, None)(gate.inner)(of) == Accepted("x")
    assert of.estimate is None
    assert len(gate.spending) == 0
