"""Spending against a reference, with processes that die at any moment: nothing is lost, nothing is doubled."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pointsman.model.outcome import Delivered
from pointsman.model.settings import BudgetSettings
from pointsman.model.states import Status
from pointsman.model.usage import Usage
from tests.runtime.test_spending import FAILED, Till

LIMIT = 60
BUDGETS = {"all": BudgetSettings(tokens=LIMIT), "each": BudgetSettings(scope="client", per="month", tokens=LIMIT)}
CLIENTS = ("a", "b")
TOKENS = st.integers(1, 20)


class SpendingMachine(RuleBasedStateMachine):
    """Messages come, go out, end in every order; the process dies and another one begins."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.till = Till(Path(self.directory.name), BUDGETS)
        self.spent = dict.fromkeys(CLIENTS, 0)
        self.open: list[dict[str, Any]] = []

    def teardown(self) -> None:
        self.till.spending.close()
        self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        assert self.till.figures() == {}

    @rule(client=st.sampled_from(CLIENTS), tokens=TOKENS)
    def reserve(self, client: str, tokens: int) -> None:
        of = self.till.message(tokens, client=client)
        used = dict(self.spent)
        for one in self.open:
            used[one["client"]] += one["want"]
        fits = sum(used.values()) + tokens <= LIMIT and used[client] + tokens <= LIMIT
        assert (self.till.spending.reserve(of) is None) is fits
        if fits:
            self.open.append({"of": of, "client": client, "want": tokens, "took": 0, "out": False, "ended": False})

    @rule(data=st.data())
    def hand_out(self, data: st.DataObject) -> None:
        waiting = [one for one in self.open if not one["out"] and not one["ended"]]
        if waiting:
            one = data.draw(st.sampled_from(waiting))
            one["out"] = True
            self.till.begin(one["of"])

    @rule(data=st.data(), tokens=st.one_of(st.none(), TOKENS), delivered=st.booleans())
    def attempt_ends(self, data: st.DataObject, tokens: int | None, delivered: bool) -> None:
        out = [one for one in self.open if one["out"]]
        if out:
            one = data.draw(st.sampled_from(out))
            one["out"] = False
            one["took"] += tokens if tokens is not None else one["want"] if delivered else 0
            outcome = Delivered("w") if delivered else FAILED
            self.till.over(one["of"], outcome, None if tokens is None else Usage(tokens))
            self.close_if_over(one)

    @rule(data=st.data())
    def message_ends(self, data: st.DataObject) -> None:
        going = [one for one in self.open if not one["ended"]]
        if going:
            one = data.draw(st.sampled_from(going))
            one["ended"] = True
            self.till.end(one["of"], Status.CANCELLED)
            self.close_if_over(one)

    def close_if_over(self, one: dict[str, Any]) -> None:
        if one["ended"] and not one["out"]:
            self.spent[one["client"]] += one["took"]
            self.open.remove(one)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        untouched = [one for one in self.open if not one["out"] and not one["took"] and not one["ended"]]
        if untouched:
            one = data.draw(st.sampled_from(untouched))
            self.till.spending.release(one["of"])
            self.open.remove(one)

    @rule()
    def die(self) -> None:
        """What was in flight was spent as reserved, as far as anybody knows."""
        made = self.till.made
        self.till = self.till.again()
        self.till.made = made
        for one in self.open:
            self.spent[one["client"]] += one["want"]
        self.open = []

    @invariant()
    def accounts_are_as_the_reference_says(self) -> None:
        reserved = dict.fromkeys(CLIENTS, 0)
        for one in self.open:
            reserved[one["client"]] += one["want"]
        expected = {("each", client): (0.0, self.spent[client], reserved[client]) for client in CLIENTS}
        expected[("all", "")] = (0.0, sum(self.spent.values()), sum(reserved.values()))
        assert {key: of for key, of in self.till.figures().items() if of != (0.0, 0, 0)} == {
            key: of for key, of in expected.items() if of != (0.0, 0, 0)
        }


TestSpendingMachine = SpendingMachine.TestCase
TestSpendingMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
