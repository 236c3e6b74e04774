"""Contradictions in what the settings say about cost: prices, budgets, quotas."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pointsman.model.settings import BudgetSettings, PriceSettings, QuotaSettings, Settings

Mistakes = Iterator[tuple[str, str]]


def check_costs(settings: Settings) -> Mistakes:
    """Yield `(key, mistake)` for each contradiction."""
    for name, price in settings.prices.items():
        yield from _under(f"prices.{name}", _check_price(name, price))
    for name, budget in settings.budgets.items():
        yield from _under(f"budgets.{name}", _check_budget(settings, budget))
    for name, quota in settings.quotas.items():
        yield from _under(f"quotas.{name}", _check_quota(quota))
    for pool, of in settings.pools.items():
        for place, worker in enumerate(of.workers):
            if worker.quota is not None and worker.quota not in settings.quotas:
                yield f"pools.{pool}.workers.{place}.quota", _nowhere("quota", worker.quota, settings.quotas)


def _under(key: str, mistakes: Mistakes) -> Mistakes:
    for field, text in mistakes:
        yield f"{key}.{field}" if field else key, text


def _check_price(name: str, price: PriceSettings) -> Mistakes:
    if "*" in name[:-1]:
        yield "", "`*` stands for the rest of a name: expected at its end, or not at all"
    if price.cached_input is not None and price.cached_input > price.input:
        yield "cached_input", f"got {price.cached_input:g}, expected at most what input costs, {price.input:g}"


def _check_budget(settings: Settings, budget: BudgetSettings) -> Mistakes:
    if budget.money is None and budget.tokens is None:
        yield "", "neither money nor tokens is set, expected one of them at least"
    if budget.money is not None and not settings.prices:
        yield "money", "nothing has a price, so no money is ever spent: add a table `prices`, or limit tokens instead"
    if budget.of is not None and budget.scope == "overall":
        yield "of", f"got {budget.of!r}, but scope 'overall' is everybody's: leave it out, or choose another scope"
    if budget.of is not None and budget.scope == "class" and budget.of not in settings.classes:
        yield "of", _nowhere("class", budget.of, settings.classes)


def _check_quota(quota: QuotaSettings) -> Mistakes:
    figures = (quota.rpm, quota.input_tokens_per_min, quota.output_tokens_per_min, quota.max_in_flight)
    if not quota.learn and not any(figures):
        yield "", "it limits nothing and learns nothing: set a figure, or learn = true"


def _nowhere(kind: str, name: str, known: Collection[str]) -> str:
    return f"there is no {kind} {name!r}; known: {', '.join(sorted(known)) or 'none'}"
