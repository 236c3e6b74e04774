"""Contradictions about cost: each is named by its key, and sound settings have none."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.consistency import contradictions
from pointsman.core.cost_rules import check_costs
from pointsman.model.settings import (
    BudgetSettings,
    PoolSettings,
    PriceSettings,
    QuotaSettings,
    Settings,
    WorkerSettings,
)

PRICES = {"m": PriceSettings(input=3.0, cached_input=0.3, output=15.0)}


def settings(**sections: Any) -> Settings:
    """Return settings with two empty pools."""
    return Settings(**{"pools": {"planners": PoolSettings(), "coders": PoolSettings()}, **sections})


def test_sound_settings_have_no_contradiction() -> None:
    """Each scope, a free model, a beginning of a name, a quota that only learns."""
    sound = settings(
        prices={**PRICES, "*": PriceSettings(), "gpt-4o*": PriceSettings(input=2.5, cached_input=2.5)},
        budgets={
            "all": BudgetSettings(money=5.0),
            "tokens": BudgetSettings(scope="client", tokens=0),
            "one": BudgetSettings(scope="class", of="tactical", money=1.0, tokens=5),
            "key": BudgetSettings(scope="key", of="k1", tokens=5),
        },
        quotas={"q": QuotaSettings()},
        pools={
            "planners": PoolSettings(),
            "coders": PoolSettings(workers=[WorkerSettings(id="w", transport="callable", quota="q")]),
        },
    )
    assert list(contradictions(sound)) == []


@pytest.mark.parametrize(
    ("sections", "key", "words"),
    [
        ({"prices": {"gpt*o": PriceSettings()}}, "prices.gpt*o", "at its end"),
        ({"prices": {"m": PriceSettings(input=1.0, cached_input=2.0)}}, "prices.m.cached_input", "at most"),
        ({"budgets": {"b": BudgetSettings()}}, "budgets.b", "neither money nor tokens"),
        ({"budgets": {"b": BudgetSettings(money=1.0)}}, "budgets.b.money", "nothing has a price"),
        ({"budgets": {"b": BudgetSettings(of="x", tokens=1)}}, "budgets.b.of", "everybody's"),
        ({"budgets": {"b": BudgetSettings(scope="class", of="x", tokens=1)}}, "budgets.b.of", "strategic, tactical"),
        ({"quotas": {"q": QuotaSettings(learn=False)}}, "quotas.q", "limits nothing"),
        (
            {
                "pools": {
                    "planners": PoolSettings(),
                    "coders": PoolSettings(workers=[WorkerSettings(id="w", transport="callable", quota="x")]),
                }
            },
            "pools.coders.workers.0.quota",
            "known: none",
        ),
    ],
)
def test_each_contradiction_is_named_by_its_key(sections: dict[str, Any], key: str, words: str) -> None:
    """One mistake, where it is and what was expected."""
    ((found, text),) = check_costs(settings(**sections))
    assert found == key
    assert words in text
    assert (key, text) in contradictions(settings(**sections))


@pytest.mark.parametrize("figure", ["rpm", "input_tokens_per_min", "output_tokens_per_min", "max_in_flight"])
def test_one_figure_makes_a_quota(figure: str) -> None:
    """Any of the four is enough where nothing is learnt."""
    assert list(check_costs(settings(quotas={"q": QuotaSettings(learn=False, **{figure: 1})}))) == []
