"""Spending: written down before a message goes out, settled when it is over, never lost and never doubled."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from pointsman.core.budget_account import NANOS
from pointsman.core.periods import written
from pointsman.model.errors import LedgerUnusable
from pointsman.model.events import AttemptEnded, AttemptStarted, Ended
from pointsman.model.message import Envelope
from pointsman.model.outcome import Delivered, Failed, Failure, Outcome, Refusal, Refused
from pointsman.model.settings import BudgetSettings, CostSettings, Settings
from pointsman.model.states import Status
from pointsman.model.usage import Estimate, Usage
from pointsman.runtime import spending as module
from pointsman.runtime.spending import BudgetShare, Spending
from pointsman.testing.clock import FakeClock
from pointsman.testing.make import envelope

TEAM = {"team": BudgetSettings(tokens=100)}
FAILED = Failed(Failure.WORKER_ERROR, "broken", sent=True)


class Till:
    """A spending that is open, in a directory of its own."""

    def __init__(
        self, where: Path, budgets: dict[str, BudgetSettings] | None = None, clock: FakeClock | None = None
    ) -> None:
        self.clock = clock or FakeClock()
        self.settings = Settings(budgets=TEAM if budgets is None else budgets, costs=CostSettings(ledger="spend.jsonl"))
        self.path = where / "spend.jsonl"
        self.spending = Spending(self.settings, self.clock, where)
        self.spending.prepare(self.settings)
        self.made = 0

    def message(self, tokens: int = 10, money: float | None = None, **fields: Any) -> Envelope:
        """Return a message with an estimate."""
        self.made += 1
        of = envelope(id=f"{self.made:032x}", **fields)
        of.received_wall = self.clock.wall()
        of.estimate = Estimate(tokens, 0, money)
        return of

    def reserved(self, tokens: int = 10, money: float | None = None, **fields: Any) -> Envelope:
        """Return a message that has reserved."""
        of = self.message(tokens, money, **fields)
        assert self.spending.reserve(of) is None
        return of

    def begin(self, of: Envelope) -> None:
        """An attempt goes out."""
        self.spending.observe(AttemptStarted(0.0, of, "coders"))

    def over(
        self, of: Envelope, outcome: Outcome | None, usage: Usage | None = None, cost: float | None = None
    ) -> None:
        """It is over."""
        self.spending.observe(AttemptEnded(0.0, of, "coders", "w", 1.0, 1.0, outcome, usage, cost))

    def end(self, of: Envelope, status: Status = Status.DELIVERED) -> None:
        """The message has ended."""
        self.spending.observe(Ended(0.0, of, status, None, "", 0.0, 0.0))

    def figures(self) -> dict[tuple[str, str], tuple[float, int, int]]:
        """Return money and tokens spent, and tokens reserved, by budget and owner."""
        return {
            (budget.name, account.owner): (account.spent_nanos / NANOS, account.spent_tokens, account.reserved_tokens)
            for budget in self.spending.budgets
            for account in budget.accounts(self.clock.wall())
        }

    def again(self) -> Till:
        """Return what a new process finds. The old one is dead: it has let go of the lock and does no more."""
        self.spending._ledger.close()
        return Till(self.path.parent, self.settings.budgets, self.clock)


@pytest.fixture
def till(tmp_path: Path) -> Till:
    """A budget of 100 tokens for everybody."""
    return Till(tmp_path)


def test_what_is_over_is_settled_with_what_it_took(tmp_path: Path) -> None:
    """All attempts together, those that failed too."""
    till = Till(tmp_path, {"team": BudgetSettings(money=1.0, tokens=100)})
    of = till.reserved(50, 0.5)
    till.begin(of)
    till.over(of, FAILED, Usage(5, 0, 0, 5), 0.125)
    till.begin(of)
    till.over(of, Delivered("w"), Usage(20, 10, 0, 2), 0.25)
    assert till.figures() == {("team", ""): (0.0, 0, 50)}
    till.end(of)
    assert till.figures() == {("team", ""): (0.375, 32, 0)}
    assert len(till.spending) == 0


def test_a_cancelled_message_is_settled_when_its_attempt_is_over(till: Till) -> None:
    """It ends before its stream has closed, and only then it is known what came of it."""
    of = till.reserved(50)
    till.begin(of)
    till.end(of, Status.CANCELLED)
    assert till.figures() == {("team", ""): (0.0, 0, 50)}
    till.over(of, None, Usage(5, 0, 0, 7, estimated=True))
    assert till.figures() == {("team", ""): (0.0, 12, 0)}


def test_whoever_cancels_at_a_worker_that_says_nothing_pays_what_was_expected(till: Till) -> None:
    """Such a worker has begun, and nobody knows how far it came."""
    of = till.reserved(50)
    till.begin(of)
    till.end(of, Status.CANCELLED)
    till.over(of, None, None)
    assert till.figures() == {("team", ""): (0.0, 50, 0)}


def test_a_message_with_two_attempts_out_is_settled_after_the_last(till: Till) -> None:
    """The lease of the first was lost, and both workers write; it ends with the second, and both are paid."""
    of = till.reserved(50)
    till.begin(of)
    till.begin(of)
    till.end(of)
    till.over(of, Delivered("w"), Usage(5))
    assert till.figures() == {("team", ""): (0.0, 0, 50)}
    till.over(of, None, Usage(6))
    assert till.figures() == {("team", ""): (0.0, 11, 0)}


def test_a_message_that_never_went_out_took_nothing(till: Till) -> None:
    """It expired or was cancelled while it waited; nothing of the account is left."""
    till.end(till.reserved(50), Status.EXPIRED)
    assert till.figures() == {}


def test_a_failed_attempt_that_says_nothing_took_nothing(till: Till) -> None:
    """Providers do not charge for their own faults."""
    of = till.reserved(50)
    till.begin(of)
    till.over(of, FAILED)
    till.end(of, Status.DEAD)
    assert till.figures() == {}


def test_an_answer_whose_worker_says_nothing_took_what_was_expected(tmp_path: Path) -> None:
    """Otherwise no budget would ever hold such a worker."""
    till = Till(tmp_path, {"team": BudgetSettings(money=1.0, tokens=100)})
    of = till.reserved(50, 0.5)
    till.begin(of)
    till.over(of, Delivered("w"))
    till.end(of)
    assert till.figures() == {("team", ""): (0.5, 50, 0)}


def test_a_released_message_took_nothing_and_is_settled_no_more(till: Till) -> None:
    """Its later events, or a second release, change nothing."""
    of = till.reserved(50)
    till.spending.release(of)
    till.spending.release(of)
    till.begin(of)
    till.over(of, Delivered("w"), Usage(9))
    till.end(of)
    assert till.figures() == {}


def test_a_refusal_says_which_budget_how_much_and_when(tmp_path: Path) -> None:
    """Budget, owner, limit, spent, reserved, and the instant at which it begins anew; and for how long to wait."""
    till = Till(tmp_path, {"each": BudgetSettings(scope="client", money=1.0)})
    of = till.reserved(1, 0.25, client="alice")
    till.begin(of)
    till.over(of, Delivered("w"), Usage(1), 0.5)
    till.end(of)
    till.reserved(1, 0.25, client="alice")
    refused = till.spending.reserve(till.message(1, 0.5, client="alice"))
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.BUDGET_EXCEEDED
    assert refused.retryable
    assert refused.message_class == "tactical"
    assert refused.detail == (
        "budget 'each' of 'alice' cannot pay 0.5 USD: of 1 USD 0.5 USD are spent and 0.25 USD reserved for messages in"
        f" flight; it begins anew at {written(till.clock.wall() + (refused.retry_after_s or 0))}"
    )
    assert 0.0 < (refused.retry_after_s or 0.0) <= 86_400.0
    assert till.spending.reserve(till.message(1, 0.5, client="bob")) is None


def test_a_message_larger_than_its_budget_is_told_so(till: Till) -> None:
    """Waiting would be in vain."""
    refused = till.spending.reserve(till.message(101))
    assert refused is not None
    assert "101 tokens: of 100 tokens 0 tokens are spent" in refused.detail
    assert "This message alone" in refused.detail


def test_without_budgets_there_is_no_ledger_and_nothing_is_held(tmp_path: Path) -> None:
    """Not even a lock."""
    till = Till(tmp_path, {})
    of = till.message(10)
    assert till.spending.reserve(of) is None
    till.begin(of)
    till.end(of)
    assert not till.spending
    assert list(tmp_path.iterdir()) == []


def test_a_message_that_no_budget_applies_to_is_not_written_down(tmp_path: Path) -> None:
    """It has no key, and only keys have a budget."""
    till = Till(tmp_path, {"keys": BudgetSettings(scope="key", tokens=1)})
    till.reserved(1000)
    assert len(till.spending) == 0
    assert till.path.read_bytes() == b""


def test_a_reservation_is_on_file_before_the_message_may_go_out(till: Till) -> None:
    """A process that dies at once afterwards has spent it."""
    till.reserved(50)
    assert till.again().figures() == {("team", ""): (0.0, 50, 0)}


def test_nothing_that_was_spent_is_lost_and_nothing_is_doubled_by_restarts(till: Till) -> None:
    """Settled as settled, in flight as reserved, released as nothing; however often it is started."""
    settled, flying, released = till.reserved(20), till.reserved(30), till.reserved(40)
    till.begin(settled)
    till.over(settled, Delivered("w"), Usage(7))
    till.end(settled)
    till.begin(flying)
    till.spending.release(released)
    after = till
    for _ in range(3):
        after = after.again()
        assert after.figures() == {("team", ""): (0.0, 37, 0)}
    after.reserved(63)
    assert after.spending.reserve(after.message(1)) is not None


def test_what_was_in_flight_is_said_at_the_next_start(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    """And a line that was cut off: its message never went out."""
    till.reserved(30)
    with till.path.open("ab") as file:
        file.write(b'{"do":"reserve","id":"')
    with caplog.at_level(logging.WARNING):
        again = till.again()
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "the last line was cut off and is left out; its message never went out",
        "in flight when the process ended, and counted as spent: 1",
    ]
    assert again.figures() == {("team", ""): (0.0, 30, 0)}


def test_yesterdays_spending_is_forgotten(till: Till) -> None:
    """It takes no room in the file either; that of a month stays to the month's end."""
    till.reserved(30)
    till.clock.shift_wall(86_400.0)
    assert till.again().figures() == {}
    assert till.path.read_bytes() == b""


def test_a_damaged_ledger_is_not_guessed_at(till: Till) -> None:
    """The line is named, nothing is changed, and the file is let go."""
    till.reserved(30)
    till.spending.close()
    data = till.path.read_bytes() + b"not ours\n"
    till.path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(LedgerUnusable, match=r"line 3 is none of ours.*begin with nothing spent"):
            till.again()
    assert till.path.read_bytes() == data


def test_where_nothing_can_be_written_nothing_is_spent(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the message is refused as unavailable, and its reservation is given back."""
    monkeypatch.setattr(till.spending._ledger, "append", _full)
    refused = till.spending.reserve(till.message(10))
    assert refused is not None
    assert refused.reason is Refusal.UNAVAILABLE
    assert "no room" in refused.detail
    assert till.figures() == {}
    monkeypatch.undo()
    till.reserved(100)


def test_a_settlement_that_cannot_be_written_comes_first_later(
    till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it took beyond its reservation would be lost otherwise; until it is written, nothing more is spent."""
    flying = [till.reserved(10), till.reserved(10)]
    monkeypatch.setattr(till.spending._ledger, "append", _full)
    for of in flying:
        till.begin(of)
        till.over(of, Delivered("w"), Usage(25))
        till.end(of)
    assert till.spending.reserve(till.message(1)) is not None
    assert len(caplog.records) == 1
    monkeypatch.undo()
    till.reserved(5)
    assert till.again().figures() == {("team", ""): (0.0, 55, 0)}


def _full(lines: bytes) -> None:
    raise LedgerUnusable("no room")


def test_a_ledger_that_has_grown_is_written_anew(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is spent as a sum, what is in flight as it is, and nothing of it is lost."""
    monkeypatch.setattr(module, "COMPACT_BYTES", 2_000)
    till = till.again()
    flying = till.reserved(30)
    for _ in range(50):
        of = till.reserved(10)
        till.begin(of)
        till.over(of, Delivered("w"), Usage(1))
        till.end(of)
        assert till.path.stat().st_size < 2_600
    till.begin(flying)
    till.over(flying, Delivered("w"), Usage(5))
    till.end(flying)
    assert till.again().figures() == {("team", ""): (0.0, 55, 0)}


def test_a_ledger_that_cannot_be_written_anew_grows_on(
    till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, not with each message."""
    monkeypatch.setattr(module, "COMPACT_BYTES", 500)
    till = till.again()
    till.path.with_name("spend.jsonl.new").mkdir()
    for _ in range(5):
        till.spending.release(till.reserved(10))
    assert 1 <= len(caplog.records) <= 3
    till.reserved(10)
    till.path.with_name("spend.jsonl.new").rmdir()
    assert till.again().figures() == {("team", ""): (0.0, 10, 0)}


def test_other_limits_keep_what_was_spent_also_on_file(till: Till) -> None:
    """A reload raises the budget; a restart afterwards finds the same."""
    till.reserved(100)
    assert till.spending.reserve(till.message(1)) is not None
    till.settings = Settings(budgets={"team": BudgetSettings(tokens=150)}, costs=till.settings.costs)
    till.spending.prepare(till.settings)
    till.spending.use(till.settings)
    till.reserved(50)
    assert till.spending.reserve(till.message(1)) is not None
    assert till.again().figures() == {("team", ""): (0.0, 150, 0)}


def test_budgets_may_come_while_it_runs(tmp_path: Path) -> None:
    """Then the ledger is opened; what an earlier process spent of them is in it."""
    Till(tmp_path).reserved(30)
    till = Till(tmp_path, {})
    with_team = Settings(budgets=TEAM, costs=till.settings.costs)
    with pytest.raises(LedgerUnusable):
        till.spending.prepare(with_team)


def test_an_old_ledger_is_read_when_budgets_come(tmp_path: Path) -> None:
    """The process that wrote it is gone."""
    first = Till(tmp_path)
    first.reserved(30)
    first.spending.close()
    till = Till(tmp_path, {})
    with_team = Settings(budgets=TEAM, costs=till.settings.costs)
    till.spending.prepare(with_team)
    till.spending.use(with_team)
    assert till.figures() == {("team", ""): (0.0, 30, 0)}
    till.reserved(70)
    assert till.spending.reserve(till.message(1)) is not None


def test_a_new_definition_of_a_budget_is_written_before_it_is_used(till: Till) -> None:
    """The numbers of the file stay right when a budget changes its scope while it runs."""
    till.reserved(30)
    changed = {"team": BudgetSettings(scope="client", tokens=100)}
    till.settings = Settings(budgets=changed, costs=till.settings.costs)
    till.spending.use(till.settings)
    till.reserved(40, client="alice")
    again = till.again()
    assert again.figures() == {("team", "alice"): (0.0, 40, 0)}
    again.spending.use(Settings(budgets=TEAM, costs=till.settings.costs))
    assert again.figures() == {("team", ""): (0.0, 30, 0)}


def test_shares_are_those_of_whoever_is_nearest_the_limit(tmp_path: Path) -> None:
    """Used and reserved; 0 where nobody has spent anything."""
    till = Till(tmp_path, {"each": BudgetSettings(scope="client", tokens=100), "all": BudgetSettings(tokens=1000)})
    assert till.spending.shares() == [BudgetShare("each", 0.0, 0.0), BudgetShare("all", 0.0, 0.0)]
    of = till.reserved(20, client="a")
    till.begin(of)
    till.over(of, Delivered("w"), Usage(20))
    till.end(of)
    till.reserved(40, client="a")
    till.reserved(50, client="b")
    assert till.spending.shares() == [BudgetShare("each", 0.6, 0.4), BudgetShare("all", 0.11, 0.09)]


def test_asking_whether_a_budget_would_refuse_reserves_nothing(till: Till) -> None:
    """However often."""
    of = till.message(60)
    for _ in range(3):
        assert not till.spending.would_refuse(of, Estimate(60, 0))
    assert till.spending.would_refuse(of, Estimate(101, 0))
    assert till.figures() == {}
