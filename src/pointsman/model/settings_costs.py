"""Settings of prices, budgets and shared quotas; part of the tree in `model.settings`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pointsman.model.fields import Count, Money, Name, Section, Text, Whole


class PriceSettings(Section, frozen=True):
    """What a model costs, per million tokens, in `costs.currency`."""

    input: Annotated[Money, Meta(description="a million input tokens that no cache knew")] = 0.0
    cached_input: Annotated[
        Money | None, Meta(description="a million input tokens read from the provider's cache; as `input` by default")
    ] = None
    cache_write: Annotated[
        Money | None, Meta(description="a million input tokens written to that cache; as `input` by default")
    ] = None
    output: Annotated[Money, Meta(description="a million output tokens, reasoning included")] = 0.0


class CostSettings(Section, frozen=True):
    """How spending is accounted for."""

    currency: Annotated[Name, Meta(description="what the prices are in; shown, never converted")] = "USD"
    ledger: Annotated[
        Text, Meta(description="append-only file of what was reserved and spent; written where there are budgets")
    ] = "var/spend.jsonl"
    output_tokens: Annotated[Count, Meta(description="output tokens reserved for a message that names no maximum")] = (
        1024
    )


class BudgetSettings(Section, frozen=True):
    """How much may be spent in a period, in UTC. One of `money` and `tokens` at least."""

    scope: Annotated[
        str, Meta(description='whose spending counts: "key", "client", "group" (of keys), "class" or "overall"')
    ] = "overall"
    of: Annotated[
        Text | None, Meta(description="which key, client, group or class; without it each has this budget to itself")
    ] = None
    per: Annotated[str, Meta(description='"day" or "month"')] = "day"
    money: Annotated[Money | None, Meta(description="most that may be spent, in `costs.currency`")] = None
    tokens: Annotated[Whole | None, Meta(description="most input and output tokens")] = None


class QuotaSettings(Section, frozen=True):
    """What a provider account allows all workers that draw from it together; 0 = no limit known."""

    rpm: Annotated[Whole, Meta(description="requests a minute")] = 0
    input_tokens_per_min: Annotated[Whole, Meta(description="input tokens a minute")] = 0
    output_tokens_per_min: Annotated[Whole, Meta(description="output tokens a minute")] = 0
    max_in_flight: Annotated[Whole, Meta(description="requests at once")] = 0
    learn: Annotated[
        bool, Meta(description="learn from the provider's rate-limit headers what is left, and limits not given here")
    ] = True
