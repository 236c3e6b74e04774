"""Budgets: reserve, settle, release; owners, periods, reloads."""

from __future__ import annotations

import pytest

from pointsman.core.budget import Budgets, Exceeded, Reservation
from pointsman.core.budget_account import OTHERS, Who, to_nanos
from pointsman.model.settings import BudgetSettings

DAY_S = 86_400
NOON = 20_000 * DAY_S + 43_200.0
ALICE = Who(key="k1", client="alice", group="team", message_class="tactical")
BOB = Who(key="k2", client="bob", group="team", message_class="strategic")


def budgets(max_owners: int = 100, **of: BudgetSettings) -> Budgets:
    """Return budgets by name."""
    return Budgets(of, max_owners)


def reserve(of: Budgets, who: Who = ALICE, nanos: int = 0, tokens: int = 1, now: float = NOON) -> Reservation:
    """Reserve what must be there."""
    made = of.reserve(now, who, nanos, tokens)
    assert isinstance(made, Reservation), made
    return made


def spend(of: Budgets, who: Who = ALICE, nanos: int = 0, tokens: int = 1, now: float = NOON) -> None:
    """Reserve and take exactly that."""
    of.settle(reserve(of, who, nanos, tokens, now), nanos, tokens)


def spent(of: Budgets, now: float = NOON) -> dict[tuple[str, str], tuple[int, int]]:
    """Return nanos and tokens by budget and owner."""
    return {(b.name, a.owner): (a.spent_nanos, a.spent_tokens) for b in of for a in b.accounts(now)}


def test_what_is_reserved_counts_as_if_it_were_spent() -> None:
    """Two messages in flight use up a budget of ten tokens although nothing has been spent yet."""
    of = budgets(b=BudgetSettings(tokens=10))
    reserve(of, tokens=6)
    assert of.reserve(NOON, BOB, 0, 5) == Exceeded("b", "", "tokens", 10, 0, 6, 5, 20_001 * DAY_S)
    reserve(of, BOB, tokens=4)


def test_the_last_token_may_be_spent() -> None:
    """A limit is what may be spent, not the first amount that may not."""
    of = budgets(b=BudgetSettings(money=1.0))
    spend(of, nanos=to_nanos(1.0))
    assert isinstance(of.reserve(NOON, ALICE, 1, 1), Exceeded)


def test_settling_gives_back_what_was_not_taken() -> None:
    """Reserved 8 and took 3: 7 of 10 are left."""
    of = budgets(b=BudgetSettings(tokens=10))
    of.settle(reserve(of, tokens=8), 0, 3)
    reserve(of, tokens=7)
    assert isinstance(of.reserve(NOON, ALICE, 0, 1), Exceeded)


def test_what_was_taken_beyond_the_reservation_is_spent_all_the_same() -> None:
    """An answer longer than expected may exceed the budget; the next message is refused."""
    of = budgets(b=BudgetSettings(tokens=10))
    of.settle(reserve(of, tokens=10), 0, 25)
    refused = of.reserve(NOON, ALICE, 0, 1)
    assert isinstance(refused, Exceeded)
    assert refused.spent == 25


def test_a_reservation_is_settled_once() -> None:
    """A second settlement, or a release after it, changes nothing and says so."""
    of = budgets(b=BudgetSettings(tokens=10))
    made = reserve(of, tokens=5)
    assert of.settle(made, 0, 4)
    assert not of.settle(made, 0, 4)
    assert not of.release(made)
    assert spent(of) == {("b", ""): (0, 4)}


def test_all_budgets_that_apply_pay_or_none_does() -> None:
    """The month cannot pay, so the day reserves nothing either."""
    of = budgets(day=BudgetSettings(tokens=100), month=BudgetSettings(tokens=10, per="month"))
    assert isinstance(of.reserve(NOON, ALICE, 0, 11), Exceeded)
    assert [account for budget in of for account in budget.accounts(NOON)] == []
    reserve(of, tokens=10)


def test_of_several_that_cannot_pay_the_one_that_resets_last_is_named() -> None:
    """Coming back at the end of the day would be in vain where the month is used up too."""
    of = budgets(
        month=BudgetSettings(tokens=10, per="month"), day=BudgetSettings(tokens=10), hard=BudgetSettings(tokens=0)
    )
    refused = of.reserve(NOON, ALICE, 0, 11)
    assert isinstance(refused, Exceeded)
    assert refused.budget == "month"


def test_money_and_tokens_are_both_kept() -> None:
    """Either may refuse, and the refusal says which, in its own unit."""
    of = budgets(b=BudgetSettings(money=1.0, tokens=10))
    assert of.reserve(NOON, ALICE, to_nanos(1.5), 1)[2:4] == ("money", to_nanos(1.0))  # type: ignore[index]
    assert of.reserve(NOON, ALICE, 0, 11)[2:4] == ("tokens", 10)  # type: ignore[index]


@pytest.mark.parametrize(
    ("scope", "owner"), [("key", "k1"), ("client", "alice"), ("group", "team"), ("class", "tactical")]
)
def test_without_of_each_owner_has_the_budget_to_itself(scope: str, owner: str) -> None:
    """Alice's spending leaves Bob's alone, unless both are of one group."""
    of = budgets(b=BudgetSettings(scope=scope, tokens=10))
    spend(of, tokens=10)
    assert spent(of) == {("b", owner): (0, 10)}
    assert isinstance(of.reserve(NOON, BOB, 0, 1), Exceeded) is (scope == "group")


def test_with_of_only_that_owner_counts() -> None:
    """Everybody else is not held to it."""
    of = budgets(b=BudgetSettings(scope="client", of="alice", tokens=10))
    reserve(of, BOB, tokens=1000)
    assert isinstance(of.reserve(NOON, ALICE, 0, 11), Exceeded)
    assert spent(of) == {}


def test_who_has_no_key_and_no_group_is_not_held_to_budgets_of_theirs() -> None:
    """An empty name is nobody's."""
    of = budgets(k=BudgetSettings(scope="key", tokens=1), g=BudgetSettings(scope="group", tokens=1))
    made = reserve(of, Who(client="local", message_class="tactical"), tokens=1000)
    assert made.accounts == []


def test_a_new_day_begins_with_nothing_spent() -> None:
    """And the refusal of the day before had named that instant."""
    of = budgets(b=BudgetSettings(tokens=10))
    spend(of, tokens=10)
    refused = of.reserve(NOON, ALICE, 0, 1)
    assert isinstance(refused, Exceeded)
    assert isinstance(of.reserve(refused.resets_at - 0.001, ALICE, 0, 1), Exceeded)
    reserve(of, tokens=10, now=refused.resets_at)


def test_a_reservation_counts_in_the_period_it_was_made_in() -> None:
    """Settled after midnight, it is yesterday's spending."""
    of = budgets(b=BudgetSettings(tokens=10))
    made = reserve(of, tokens=10)
    reserve(of, tokens=10, now=NOON + DAY_S)
    of.settle(made, 0, 10)
    assert spent(of, NOON + DAY_S) == {("b", ""): (0, 0)}
    assert spent(of, NOON) == {("b", ""): (0, 10)}


def test_a_clock_that_jumps_and_comes_back_finds_what_was_spent() -> None:
    """A year ahead and back: today's ten tokens are still spent."""
    of = budgets(b=BudgetSettings(tokens=10))
    spend(of, tokens=10)
    spend(of, tokens=10, now=NOON + 365 * DAY_S)
    assert isinstance(of.reserve(NOON, ALICE, 0, 1), Exceeded)
    assert isinstance(of.reserve(NOON + 365 * DAY_S, ALICE, 0, 1), Exceeded)


def test_only_two_periods_are_remembered() -> None:
    """Days go by, memory does not grow."""
    of = budgets(b=BudgetSettings(tokens=10))
    for day in range(30):
        spend(of, tokens=1, now=NOON + day * DAY_S)
    (budget,) = of
    assert len(list(budget.accounts())) == 2


def test_owners_for_whom_there_is_no_room_share_one_account() -> None:
    """Nothing is forgotten: the third client and all after it share one limit, the first two keep theirs."""
    of = budgets(2, b=BudgetSettings(scope="client", tokens=10))
    for name in ("a", "b", "c", "d"):
        spend(of, Who(client=name), tokens=4)
    assert spent(of) == {("b", "a"): (0, 4), ("b", "b"): (0, 4), ("b", OTHERS): (0, 8)}
    assert isinstance(of.reserve(NOON, Who(client="e"), 0, 3), Exceeded)
    reserve(of, Who(client="a"), tokens=6)


def test_who_shares_an_account_shares_it_to_the_end_of_the_period() -> None:
    """Room that becomes free gives nobody a second budget beside what they have spent of the shared one."""
    of = budgets(2, b=BudgetSettings(scope="client", tokens=10))
    first = [reserve(of, Who(client=name)) for name in ("a", "b")]
    spend(of, Who(client="c"), tokens=10)
    for one in first:
        of.release(one)
    assert isinstance(of.reserve(NOON, Who(client="c"), 0, 1), Exceeded)


def test_an_account_of_which_nothing_was_spent_takes_no_room() -> None:
    """A thousand clients that were refused elsewhere leave nothing behind."""
    of = budgets(2, b=BudgetSettings(scope="client", tokens=10))
    for number in range(1000):
        of.release(reserve(of, Who(client=f"c{number}")))
        assert isinstance(of.reserve(NOON, Who(client=f"c{number}"), 0, 11), Exceeded)
    assert spent(of) == {}


def test_other_limits_keep_what_was_spent() -> None:
    """A reload raises the limit: what is left grows by the difference."""
    of = budgets(b=BudgetSettings(tokens=10))
    spend(of, tokens=10)
    of.use({"b": BudgetSettings(tokens=12)}, NOON)
    reserve(of, tokens=2)
    assert isinstance(of.reserve(NOON, ALICE, 0, 1), Exceeded)
    of.use({"b": BudgetSettings(tokens=5)}, NOON)
    assert isinstance(of.reserve(NOON, ALICE, 0, 0), Exceeded)


def test_a_budget_that_was_taken_away_finds_its_spending_when_it_comes_back() -> None:
    """A typo in the settings, corrected a minute later, must not hand out the money twice."""
    of = budgets(b=BudgetSettings(tokens=10))
    made = reserve(of, tokens=4)
    spend(of, tokens=6)
    of.use({}, NOON)
    assert not of
    of.settle(made, 0, 4)
    of.use({"b": BudgetSettings(tokens=10)}, NOON)
    assert spent(of) == {("b", ""): (0, 10)}


def test_a_budget_that_was_taken_away_is_forgotten_with_its_period() -> None:
    """The next day nothing of it is left."""
    of = budgets(b=BudgetSettings(tokens=10))
    spend(of, tokens=6)
    of.use({}, NOON)
    assert len(of.remembered()) == 1
    of.use({}, NOON + DAY_S)
    assert of.remembered() == ()


def test_a_budget_of_another_scope_is_another_budget() -> None:
    """What clients had spent says nothing about what classes have."""
    of = budgets(b=BudgetSettings(scope="client", tokens=10))
    spend(of, tokens=10)
    of.use({"b": BudgetSettings(scope="class", tokens=10)}, NOON)
    assert spent(of) == {}


def test_spending_on_record_is_charged_to_its_own_period() -> None:
    """Today's counts, yesterday's does not."""
    of = budgets(b=BudgetSettings(tokens=10), m=BudgetSettings(tokens=100, per="month"))
    day, month = (budget.identity for budget in of)
    assert of.charge(day, "", NOON - 3600, 5, 8, NOON)
    assert not of.charge(day, "", NOON - DAY_S, 5, 8, NOON)
    assert of.charge(month, "", NOON - DAY_S, 5, 8, NOON)
    assert spent(of) == {("b", ""): (5, 8), ("m", ""): (5, 8)}
    assert isinstance(of.reserve(NOON, ALICE, 0, 3), Exceeded)


def test_spending_on_record_waits_for_its_budget_to_come_back() -> None:
    """A budget that was taken out of the settings before a restart finds its spending when it is put in again."""
    of = budgets()
    assert of.charge(("b", "overall", None, "day"), "", NOON, 5, 8, NOON)
    assert spent(of) == {}
    of.use({"b": BudgetSettings(tokens=10)}, NOON)
    assert spent(of) == {("b", ""): (5, 8)}


def test_spending_on_record_may_exceed_the_limit() -> None:
    """A fact is not refused."""
    of = budgets(b=BudgetSettings(tokens=10))
    (budget,) = of
    assert of.charge(budget.identity, "", NOON, 0, 1000, NOON)
    assert spent(of) == {("b", ""): (0, 1000)}


def test_the_accounts_nearest_their_limit_come_first() -> None:
    """By the larger share of money and tokens; of a budget of 0 anything used is all of it."""
    of = budgets(b=BudgetSettings(scope="client", money=1.0, tokens=100))
    spend(of, Who(client="low"), nanos=to_nanos(0.1), tokens=1)
    spend(of, Who(client="high"), nanos=to_nanos(0.2), tokens=90)
    reserve(of, Who(client="mid"), nanos=to_nanos(0.5), tokens=1)
    (budget,) = of
    assert [account.owner for account in budget.largest(NOON, 2)] == ["high", "mid"]
    assert [budget.used_share(account) for account in budget.largest(NOON, 9)] == [0.9, 0.5, 0.1]


def test_nothing_may_be_spent_of_a_budget_of_nothing() -> None:
    """A limit of 0 money stops what has a price; what has none passes."""
    of = budgets(b=BudgetSettings(money=0.0))
    assert isinstance(of.reserve(NOON, ALICE, 1, 1), Exceeded)
    spend(of, tokens=5)
    (budget,) = of
    (account,) = budget.accounts(NOON)
    assert budget.used_share(account) == 0.0
    of.settle(reserve(of), 7, 1)
    assert budget.used_share(account) == 1.0
