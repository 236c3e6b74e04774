"""Budgets against a reference that keeps every reservation and settlement in plain lists."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from pointsman.core.budget import Budgets, Exceeded, Reservation
from pointsman.core.budget_account import Who
from pointsman.core.periods import period_of
from pointsman.model.settings import BudgetSettings

DAY_S = 86_400
WHO = st.builds(
    Who,
    key=st.sampled_from(["", "k1", "k2"]),
    client=st.sampled_from(["a", "b", "c"]),
    group=st.sampled_from(["", "g"]),
    message_class=st.sampled_from(["s", "t"]),
)
AMOUNT = st.integers(0, 6)
BUDGET = st.builds(
    BudgetSettings,
    scope=st.sampled_from(["overall", "key", "client", "group", "class"]),
    of=st.sampled_from([None, "a", "s", "g", "k1"]),
    per=st.sampled_from(["day", "month"]),
    money=st.sampled_from([None, 10e-9, 25e-9]),
    tokens=st.sampled_from([8, 20]),
)


class Entry:
    """One reservation as the reference keeps it. `took` is None while it is in flight."""

    def __init__(self, at: float, who: Who, nanos: int, tokens: int) -> None:
        self.at, self.who, self.want = at, who, (nanos, tokens)
        self.took: tuple[int, int] | None = None
        self.counts: list[tuple[Any, ...]] = []


def owner_of(of: BudgetSettings, who: Who) -> str | None:
    """Return whose account a message counts for."""
    if of.scope == "overall":
        return ""
    owner = {"key": who.key, "client": who.client, "group": who.group, "class": who.message_class}[of.scope]
    return owner if owner and of.of in {None, owner} else None


class BudgetMachine(RuleBasedStateMachine):
    """Reserves, settles, releases, lets time pass, and changes limits."""

    open = Bundle("open")

    @initialize(of=st.dictionaries(st.sampled_from(["x", "y", "z"]), BUDGET, min_size=1), at=st.integers(0, 60))
    def begin(self, of: dict[str, BudgetSettings], at: int) -> None:
        self.of = of
        self.now = 20_000 * DAY_S + at * 3600.0
        self.budgets = Budgets(of, 1000)
        self.entries: list[Entry] = []

    def figures(self, account: tuple[Any, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return what the reference says is spent and reserved of an account: money and tokens each."""
        mine = [one for one in self.entries if account in one.counts]
        spent = [one.took for one in mine if one.took is not None]
        reserved = [one.want for one in mine if one.took is None]
        return _sums(spent), _sums(reserved)

    @rule(target=open, who=WHO, nanos=AMOUNT, tokens=AMOUNT)
    def reserve(self, who: Who, nanos: int, tokens: int) -> Any:
        applies, room = [], True
        for name, of in self.of.items():
            owner = owner_of(of, who)
            if owner is None:
                continue
            account = (name, of.scope, of.of, of.per, owner, period_of(of.per, self.now)[0])
            spent, reserved = self.figures(account)
            limits = (float("inf") if of.money is None else of.money * 1e9, of.tokens or 0)
            room = room and spent[0] + reserved[0] + nanos <= limits[0]
            room = room and spent[1] + reserved[1] + tokens <= limits[1]
            applies.append(account)
        made = self.budgets.reserve(self.now, who, nanos, tokens)
        assert isinstance(made, Reservation) is room
        if isinstance(made, Exceeded):
            assert made.spent + made.reserved + made.wanted > made.limit
            return None
        entry = Entry(self.now, who, nanos, tokens)
        entry.counts = applies
        self.entries.append(entry)
        return made, entry

    @rule(one=consumes(open), nanos=AMOUNT, tokens=AMOUNT)
    def settle(self, one: Any, nanos: int, tokens: int) -> None:
        if one is not None:
            made, entry = one
            assert self.budgets.settle(made, nanos, tokens)
            assert not self.budgets.settle(made, nanos, tokens)
            entry.took = (nanos, tokens)

    @rule(one=consumes(open))
    def release(self, one: Any) -> None:
        if one is not None:
            made, entry = one
            assert self.budgets.release(made)
            self.entries.remove(entry)

    @rule(hours=st.integers(0, 40))
    def let_time_pass(self, hours: int) -> None:
        self.now += hours * 3600.0

    @rule(name=st.sampled_from(["x", "y", "z"]), tokens=st.sampled_from([0, 8, 40]))
    def change_a_limit(self, name: str, tokens: int) -> None:
        if name in self.of:
            old = self.of[name]
            new = BudgetSettings(scope=old.scope, of=old.of, per=old.per, money=old.money, tokens=tokens)
            self.of = {**self.of, name: new}
            self.budgets.use(self.of, self.now)

    @invariant()
    def accounts_are_as_the_reference_says(self) -> None:
        if not hasattr(self, "budgets"):
            return
        for budget in self.budgets:
            start = period_of(budget.per, self.now)[0]
            held = {
                account.owner: (
                    (account.spent_nanos, account.spent_tokens),
                    (account.reserved_nanos, account.reserved_tokens),
                )
                for account in budget.accounts(self.now)
            }
            keys = {one for entry in self.entries for one in entry.counts if one[0] == budget.name and one[5] == start}
            wanted = {account[4]: self.figures(account) for account in keys}
            nothing = ((0, 0), (0, 0))
            assert {owner: of for owner, of in held.items() if of != nothing} == {
                owner: of for owner, of in wanted.items() if of != nothing
            }


def _sums(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(one for one, _ in pairs), sum(two for _, two in pairs)


TestBudgetMachine = BudgetMachine.TestCase
TestBudgetMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
