"""Settings of bringing the router in and of watching it; part of the tree in `model.settings`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from pointsman.model.fields import Count, Seconds, Secret, Section, Share, Text
from pointsman.model.settings_workers import TlsSettings

Rising = Annotated[list[Share], Meta(min_length=1, max_length=20)]


class GuardSettings(Section, frozen=True):
    """When a rollout rolls back by itself. Looked at with every message of the candidate."""

    window: Annotated[Count, Meta(description="the last so many messages of the candidate are judged")] = 1000
    min_messages: Annotated[Count, Meta(description="before so many nothing is judged")] = 300
    min_clients: Annotated[
        Count, Meta(description="so many clients must be among them, and so many must have seen bad ones")
    ] = 3
    error_share_max: Annotated[
        Share, Meta(description="more failed, dead, expired and fallen back messages than this roll back")
    ] = 0.015
    slow_s: Annotated[Seconds, Meta(description="a message to which the router added more than this is slow")] = 0.045
    slow_share_max: Annotated[
        Share, Meta(description="more slow messages than this roll back; 0.05 makes it a p95")
    ] = 0.05


class ShadowSettings(Section, frozen=True):
    """What looking on may cost. Nothing of it ever delays an answer."""

    share: Annotated[Share, Meta(description="of messages that are mirrored in the shadow stage")] = 0.10
    max_waiting: Annotated[Count, Meta(description="mirrored messages that may wait; more are dropped")] = 1000
    max_waiting_bytes: Annotated[Count, Meta(description="bytes of them")] = 10_485_760
    max_body_bytes: Annotated[Count, Meta(description="a larger message is not mirrored")] = 1_048_576
    timeout_s: Annotated[Seconds, Meta(description="longest decision, seconds")] = 0.05
    core_share_max: Annotated[
        Share, Meta(description="of a processor core that decisions in the shadow may take; above it they are shed")
    ] = 0.10
    keep_samples: Annotated[Count, Meta(description="differences kept to look at, of each kind")] = 50


class RolloutSettings(Section, frozen=True):
    """Bringing this router in beside the one that was there before."""

    legacy: Annotated[
        Text | None,
        Meta(
            description="base URL of the old router; with it the rollout decides who answers, and begins at the old one"
        ),
    ] = None
    legacy_auth: Annotated[
        Secret | None,
        Meta(description="given to the old router in place of a Pointsman key"),
    ] = None
    legacy_tls: Annotated[TlsSettings | None, Meta(description="how an https legacy is checked")] = None
    legacy_timeout_s: Annotated[
        Seconds, Meta(description="longest silence of the old router before and inside its answer, seconds")
    ] = 600.0
    legacy_class_header: Annotated[
        Text, Meta(description="header in which the old router says the class it chose; compared in the shadow")
    ] = "x-pointsman-class"
    legacy_worker_header: Annotated[Text, Meta(description="the same for the worker")] = "x-pointsman-worker"
    record: Annotated[
        Text, Meta(description="file that every step is written to; cannot be read: everything goes to the old router")
    ] = "var/rollout.jsonl"
    kill_file: Annotated[
        Text, Meta(description="while this file exists everything goes to the old router; its first line says why")
    ] = "var/ROLLOUT_KILL"
    stages: Annotated[
        Rising, Meta(description="shares of the keys that the candidate answers, one stage each, rising")
    ] = msgspec.field(default_factory=lambda: [0.25, 0.50, 0.75])
    min_shadow_s: Annotated[
        Annotated[float, Meta(ge=0.0, le=2_592_000.0)],
        Meta(description="the shadow stage lasts at least so long; earlier only by force, with a reason"),
    ] = 86_400.0
    min_stage_s: Annotated[
        Annotated[float, Meta(ge=0.0, le=2_592_000.0)], Meta(description="the same for each partial stage")
    ] = 3_600.0
    min_full_s: Annotated[
        Annotated[float, Meta(ge=0.0, le=2_592_000.0)],
        Meta(description="how long everything goes to the candidate before the rollout may be completed"),
    ] = 86_400.0
    exclude_clients: Annotated[list[Text], Meta(description="clients that always stay with the old router")] = []
    exclude_paths: Annotated[
        list[Text], Meta(description="paths that always stay with the old router, whole or with a final `*`")
    ] = []
    shadow: Annotated[ShadowSettings, Meta(description="what looking on may cost")] = ShadowSettings()
    guard: Annotated[GuardSettings, Meta(description="when it rolls back by itself")] = GuardSettings()


class ObjectiveSettings(Section, frozen=True):
    """The service levels that are promised; `pointsman slo` shows how they are kept."""

    window_s: Annotated[Seconds, Meta(description="over how long they are judged, seconds")] = 2_592_000.0
    overhead_p95_s: Annotated[Seconds, Meta(description="95 of 100 messages: time added by the router")] = 0.045
    classification_p95_s: Annotated[Seconds, Meta(description="95 of 100 messages: time in the classifier")] = 0.050
    routing_p95_s: Annotated[
        Seconds, Meta(description="95 of 100 messages: time the router added without classification")
    ] = 0.050
    success_share: Annotated[Share, Meta(description="delivered, of all that ended but by the client's doing")] = 0.985
    error_share_max: Annotated[Share, Meta(description="failed, dead and expired of the same")] = 0.015
    availability_share: Annotated[Share, Meta(description="requests not answered by the router's own 5xx")] = 0.999
    rollback_s: Annotated[Seconds, Meta(description="from the order to roll back to the first legacy answer")] = 300.0
    journal: Annotated[
        Text, Meta(description="file that keeps the figures of past hours, so that a restart forgets nothing")
    ] = "var/slo.jsonl"


class HealthSettings(Section, frozen=True):
    """How often the router looks at itself."""

    probe_s: Annotated[Seconds, Meta(description="between two cheap probes of every component, seconds")] = 5.0
    check_s: Annotated[Seconds, Meta(description="between two deep checks of every component, seconds")] = 900.0
    check_timeout_s: Annotated[Seconds, Meta(description="longest deep check of one component, seconds")] = 5.0
    keep_s: Annotated[Seconds, Meta(description="how long results are kept, seconds")] = 604_800.0
    journal: Annotated[Text, Meta(description="file that keeps them over a restart")] = "var/health.jsonl"
    min_free_bytes: Annotated[Count, Meta(description="less free disk than this fails the check of the disk")] = (
        268_435_456
    )
