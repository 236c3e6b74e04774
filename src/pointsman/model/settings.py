"""Every setting and every default, once, with its unit, its range and its reason.

The tree mirrors `pointsman.toml`. `config` fills it from file and environment; tests build it directly. Nothing else in
the project holds a default for any of these. Descriptions are the settings reference: `docs/reference/settings.md` is
generated from them.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from pointsman.model.fields import Count, ModelName, Money, Name, Seconds, Secret, Section, Share, Text, Whole
from pointsman.model.settings_costs import BudgetSettings, CostSettings, PriceSettings, QuotaSettings
from pointsman.model.settings_operations import (
    GuardSettings,
    HealthSettings,
    ObjectiveSettings,
    RolloutSettings,
    ShadowSettings,
)
from pointsman.model.settings_workers import (
    BreakerSettings,
    PoolSettings,
    RetrySettings,
    TlsSettings,
    WorkerSettings,
)

__all__ = [
    "CHOICES",
    "BreakerSettings",
    "BudgetSettings",
    "ClassSettings",
    "ClassifierSettings",
    "ConversationSettings",
    "CostSettings",
    "Count",
    "EngineSettings",
    "GuardSettings",
    "HealthSettings",
    "LimitSettings",
    "ModelName",
    "Money",
    "Name",
    "ObjectiveSettings",
    "PoolSettings",
    "PriceSettings",
    "QuotaSettings",
    "RetrySettings",
    "RolloutSettings",
    "RuleSettings",
    "Seconds",
    "Secret",
    "ServerSettings",
    "Settings",
    "ShadowSettings",
    "Share",
    "ShedSettings",
    "TelemetrySettings",
    "Text",
    "TlsSettings",
    "ValidationSettings",
    "Whole",
    "WorkerSettings",
]


class ServerSettings(Section, frozen=True):
    """The HTTP service."""

    listen: Annotated[
        str, Meta(description="address and port; anything but loopback needs API keys (`pointsman keys create`)")
    ] = "127.0.0.1:8080"
    keys_file: Annotated[
        Text,
        Meta(
            description="file of API keys, hashed; read again when it changes. With a key in it, each request needs one"
        ),
    ] = "var/keys.jsonl"
    ping_s: Annotated[
        Seconds,
        Meta(description="a streamed answer that has not begun is kept open by a comment every so many seconds"),
    ] = 15.0
    native_body_bytes: Annotated[
        Count, Meta(description="largest body of the native API; 1 MiB holds the largest text four times over")
    ] = 1_048_576
    compatible_body_bytes: Annotated[
        Count, Meta(description="largest body of the compatible APIs; 32 MiB is what vision requests need")
    ] = 33_554_432
    discard_bytes: Annotated[
        Count,
        Meta(description="how much of an oversize body is read and thrown away so that its sender gets the answer"),
    ] = 67_108_864
    discard_s: Annotated[Seconds, Meta(description="for how long, seconds")] = 5.0
    drain_s: Annotated[Seconds, Meta(description="on SIGTERM: how long messages in hand may take to end, seconds")] = (
        30.0
    )
    max_connections: Annotated[Count, Meta(description="connections held open at once")] = 4096


class EngineSettings(Section, frozen=True):
    """Where messages wait."""

    kind: Annotated[str, Meta(description='"memory": nothing survives a restart, stored messages are refused')] = (
        "memory"
    )
    max_queued: Annotated[
        Count, Meta(description="messages that may wait at once; the next is refused with queue_full")
    ] = 100_000
    max_queued_bytes: Annotated[Count, Meta(description="bytes of messages that may wait at once")] = 536_870_912
    lease_s: Annotated[
        Seconds, Meta(description="a hand-out not renewed for so long is lost; renewed three times in it")
    ] = 30.0
    keep_ended: Annotated[
        Count, Meta(description="ended messages that can still be looked up; the oldest go first")
    ] = 10_000
    keep_ended_bytes: Annotated[
        Count, Meta(description="bytes of replies kept for senders that did not wait long enough")
    ] = 67_108_864
    keep_dead_letters: Annotated[Count, Meta(description="dead letters kept; the oldest go first")] = 10_000
    keep_dead_letter_bytes: Annotated[Count, Meta(description="bytes of messages among them")] = 67_108_864


class ClassSettings(Section, frozen=True):
    """One class of messages."""

    pool: Annotated[Name, Meta(description="the pool whose queue its messages wait in")]
    alias: Annotated[list[Name], Meta(description="other names for it on the wire")] = []
    fallback: Annotated[list[Name], Meta(description="pools that may take its messages, in this order")] = []
    fallback_on: Annotated[
        list[str], Meta(description='when: "down" (no admissible worker), "busy" (no free one either)')
    ] = msgspec.field(default_factory=lambda: ["down"])
    fallback_after_s: Annotated[
        Annotated[float, Meta(ge=0.0, le=86_400.0)],
        Meta(description="for how long that must have been so, seconds; 5 s outlasts a worker's restart"),
    ] = 5.0
    cost: Annotated[
        Annotated[float, Meta(gt=0.0)], Meta(description="relative cost; of two forced classes the dearer wins")
    ] = 1.0
    threshold: Annotated[
        Share | None, Meta(description="confidence below which this class is not taken; by default that of the model")
    ] = None
    serial: Annotated[
        bool, Meta(description="of one conversation only one message at a time is handed out, in the order they came")
    ] = False


class RuleSettings(Section, frozen=True):
    """One classification rule of the user's own."""

    phrase: Annotated[Text, Meta(description="one to four words, matched whole and without case")]
    message_class: Annotated[Name, Meta(description="the class it speaks for")]
    weight: Annotated[float, Meta(ge=0.0, le=10.0, description="log-odds it adds")] = 1.0
    force: Annotated[bool, Meta(description="decides alone")] = False


class ClassifierSettings(Section, frozen=True):
    """How a message gets its class."""

    fallback_class: Annotated[
        Name,
        Meta(description="class of a message that gave no decisive sign; the strong workers fail expensive, not wrong"),
    ] = "strategic"
    model: Annotated[
        Text,
        Meta(
            description='"current" (chosen by `pointsman model use`, else the default), "default" (comes along), "none"'
            " (rules only), or a file"
        ),
    ] = "current"
    models_dir: Annotated[Text, Meta(description="where `pointsman model` keeps trained models")] = "var/models"
    threshold: Annotated[
        Share | None, Meta(description="confidence below which it abstains; by default that of the model, 0.6 of rules")
    ] = None
    second_opinion_below: Annotated[
        Share,
        Meta(description="an embedder, where a program gave one, is asked below this confidence; 0 = never"),
    ] = 0.80
    second_opinion_s: Annotated[Seconds, Meta(description="how long it may take, seconds")] = 0.05
    cost_of_failure: Annotated[
        Money,
        Meta(
            description="what a message costs that went to too cheap a class, in the unit of `classes.*.cost`;"
            " 0 = the likeliest class is taken"
        ),
    ] = 0.0
    abstain_share_max: Annotated[Share, Meta(description="share of abstained messages above which an alert fires")] = (
        0.30
    )
    pin_s: Annotated[
        Seconds, Meta(description="how long a conversation keeps its class after its last message, seconds")
    ] = 3600.0
    max_pins: Annotated[Count, Meta(description="conversations remembered; the least recent go first")] = 20_000
    rules: Annotated[list[RuleSettings], Meta(description="rules of your own, before the built-in ones")] = []


class LimitSettings(Section, frozen=True):
    """How much a client may send. Rates are exact (GCRA); `burst` is how much may come at once."""

    rate_per_min: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)], Meta(description="messages a minute per client")
    ] = 100
    burst: Annotated[Count, Meta(description="messages at once per client")] = 20
    overall_rate_per_min: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000)], Meta(description="messages a minute of all clients; 0 = no limit")
    ] = 0
    overall_burst: Annotated[Count, Meta(description="messages at once of all clients")] = 1000
    max_clients: Annotated[
        Count, Meta(description="clients tracked; twice as many as you have makes the limits exact")
    ] = 100_000
    flood_copies: Annotated[Count, Meta(description="identical messages of one client before the next is refused")] = 10
    flood_leak_s: Annotated[Seconds, Meta(description="one copy is forgotten every so many seconds")] = 6.0
    flood_tracked: Annotated[Count, Meta(description="fingerprints tracked")] = 65_536


class ValidationSettings(Section, frozen=True):
    """What a message may look like. Everything here is checked before anything is decided."""

    max_text_bytes: Annotated[Count, Meta(description="UTF-8 bytes of `text`, or of all the text in `messages`")] = (
        262_144
    )
    max_metadata_keys: Annotated[Count, Meta(description="keys in `metadata`, and in `params`")] = 64
    max_metadata_bytes: Annotated[Count, Meta(description="size of each as JSON")] = 65_536
    max_depth: Annotated[Annotated[int, Meta(ge=1, le=64)], Meta(description="nesting of each")] = 32
    ttl_waiting_s: Annotated[Seconds, Meta(description="time to live where the sender waits and named none")] = 300.0
    ttl_stored_s: Annotated[Seconds, Meta(description="the same for stored messages")] = 86_400.0
    wait_s: Annotated[Seconds, Meta(description="how long a sender waits where it named no time")] = 60.0
    wait_max_s: Annotated[Seconds, Meta(description="the longest it may name")] = 600.0


class ShedSettings(Section, frozen=True):
    """Refusing waiting senders early, while there is still time to go elsewhere."""

    wait_share: Annotated[
        Share,
        Meta(description="refused when the expected wait is above this share of the time left; critical is exempt"),
    ] = 0.5
    per_slot: Annotated[
        Count, Meta(description="waiting messages per worker slot before the expected wait is looked at")
    ] = 4


class ConversationSettings(Section, frozen=True):
    """What is remembered of a conversation besides its class."""

    prefer_s: Annotated[
        Seconds,
        Meta(description="how long a conversation prefers its last worker, whose prompt cache knows it, seconds"),
    ] = 3600.0
    patience_s: Annotated[
        Annotated[float, Meta(ge=0.0, le=60.0)],
        Meta(
            description="how long a message waits for that worker while only others are free, seconds; 0 = not at all"
        ),
    ] = 5.0
    max_tracked: Annotated[Count, Meta(description="conversations remembered; the least recent go first")] = 20_000


class TelemetrySettings(Section, frozen=True):
    """What is remembered about what happened."""

    keep_decisions: Annotated[Count, Meta(description="decision records in memory; the oldest go first")] = 10_000
    log_level: Annotated[str, Meta(description='"debug", "info", "warning" or "error"')] = "info"


class Settings(Section, frozen=True):
    """Everything that can be set, with its defaults."""

    server: Annotated[ServerSettings, Meta(description="the HTTP service")] = ServerSettings()
    engine: Annotated[EngineSettings, Meta(description="where messages wait")] = EngineSettings()
    classes: Annotated[dict[Name, ClassSettings], Meta(description="classes by name")] = msgspec.field(
        default_factory=lambda: {
            "strategic": ClassSettings(pool="planners", alias=["strong"], fallback=["coders"], cost=10.0),
            "tactical": ClassSettings(pool="coders", alias=["fast"], cost=1.0),
        }
    )
    classifier: Annotated[ClassifierSettings, Meta(description="how a message gets its class")] = ClassifierSettings()
    pools: Annotated[dict[Name, PoolSettings], Meta(description="pools by name")] = msgspec.field(
        default_factory=lambda: {"planners": PoolSettings(), "coders": PoolSettings()}
    )
    limits: Annotated[LimitSettings, Meta(description="how much a client may send")] = LimitSettings()
    validation: Annotated[ValidationSettings, Meta(description="what a message may look like")] = ValidationSettings()
    shed: Annotated[ShedSettings, Meta(description="refusing early under overload")] = ShedSettings()
    conversations: Annotated[ConversationSettings, Meta(description="what is remembered of conversations")] = (
        ConversationSettings()
    )
    prices: Annotated[
        dict[ModelName, PriceSettings], Meta(description="prices by model name, or by its beginning and `*`")
    ] = {}
    costs: Annotated[CostSettings, Meta(description="how spending is accounted for")] = CostSettings()
    budgets: Annotated[dict[Name, BudgetSettings], Meta(description="budgets by name")] = {}
    quotas: Annotated[dict[Name, QuotaSettings], Meta(description="provider accounts that workers share, by name")] = {}
    telemetry: Annotated[TelemetrySettings, Meta(description="what is remembered")] = TelemetrySettings()
    rollout: Annotated[RolloutSettings, Meta(description="bringing it in beside the router that was there before")] = (
        RolloutSettings()
    )
    objectives: Annotated[ObjectiveSettings, Meta(description="the service levels that are promised")] = (
        ObjectiveSettings()
    )
    health: Annotated[HealthSettings, Meta(description="how often the router looks at itself")] = HealthSettings()


CHOICES: dict[str, tuple[str, ...]] = {
    "engine.kind": ("memory",),
    "pools.*.balancer": ("adaptive", "p2c", "least_loaded", "round_robin"),
    "pools.*.redeliver": ("always", "unsent", "never"),
    "pools.*.workers.*.transport": ("anthropic", "callable", "http", "openai", "subprocess"),
    "classes.*.fallback_on.*": ("down", "busy"),
    "budgets.*.scope": ("key", "client", "group", "class", "overall"),
    "budgets.*.per": ("day", "month"),
    "telemetry.log_level": ("debug", "info", "warning", "error"),
}
"""Closed sets of strings by key; `*` stands for any name or position."""
