"""Every setting and every default, once, with its unit, its range and its reason.

The tree mirrors `pointsman.toml`. `config` fills it from file and environment; tests build it directly. Nothing else in
the project holds a default for any of these. Descriptions are the settings reference: `docs/reference/settings.md` is
generated from them.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(gt=0.0, le=2_592_000.0)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Section(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class Secret(_Section, frozen=True):
    """A secret, named and never written down: `{ env = "NAME" }` or `{ file = "path" }`, exactly one of the two."""

    env: Annotated[Text | None, Meta(description="environment variable that holds the secret")] = None
    file: Annotated[Text | None, Meta(description="file that holds the secret; a final newline is ignored")] = None


class ServerSettings(_Section, frozen=True):
    """The HTTP service."""

    listen: Annotated[
        str, Meta(description="address and port; anything but loopback needs API keys, which come later")
    ] = "127.0.0.1:8080"
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


class EngineSettings(_Section, frozen=True):
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


class ClassSettings(_Section, frozen=True):
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


class RuleSettings(_Section, frozen=True):
    """One classification rule of the user's own."""

    phrase: Annotated[Text, Meta(description="one to four words, matched whole and without case")]
    message_class: Annotated[Name, Meta(description="the class it speaks for")]
    weight: Annotated[float, Meta(ge=0.0, le=10.0, description="log-odds it adds")] = 1.0
    force: Annotated[bool, Meta(description="decides alone")] = False


class ClassifierSettings(_Section, frozen=True):
    """How a message gets its class."""

    fallback_class: Annotated[
        Name,
        Meta(description="class of a message that gave no decisive sign; the strong workers fail expensive, not wrong"),
    ] = "strategic"
    threshold: Annotated[Share, Meta(description="confidence below which the classifier abstains")] = 0.60
    abstain_share_max: Annotated[Share, Meta(description="share of abstained messages above which an alert fires")] = (
        0.30
    )
    pin_s: Annotated[
        Seconds, Meta(description="how long a conversation keeps its class after its last message, seconds")
    ] = 3600.0
    max_pins: Annotated[Count, Meta(description="conversations remembered; the least recent go first")] = 100_000
    rules: Annotated[list[RuleSettings], Meta(description="rules of your own, before the built-in ones")] = []


class WorkerSettings(_Section, frozen=True):
    """One worker."""

    id: Annotated[Name, Meta(description="unique in the whole file")]
    transport: Annotated[str, Meta(description='"http", "openai", "subprocess" or, in process, "callable"')] = "http"
    url: Annotated[Text | None, Meta(description="where an http or openai worker listens")] = None
    command: Annotated[list[Text], Meta(description="what a subprocess worker runs, program first; no shell")] = []
    model: Annotated[Text | None, Meta(description="model name an openai worker is asked for")] = None
    auth: Annotated[Secret | None, Meta(description="bearer token the worker wants")] = None
    max_in_flight: Annotated[Count, Meta(description="messages it may work on at once")] = 4
    weight: Annotated[
        Annotated[float, Meta(gt=0.0, le=1000.0)], Meta(description="relative share where a balancer uses weights")
    ] = 1.0


class BreakerSettings(_Section, frozen=True):
    """When a worker is taken out, and how it comes back."""

    failures: Annotated[Count, Meta(description="failures in a row that open the breaker")] = 5
    failure_share: Annotated[
        Share, Meta(description="or this share of the calls in the window; sees a worker that fails every other time")
    ] = 0.5
    min_calls: Annotated[Count, Meta(description="calls in the window before the share counts")] = 20
    window_s: Annotated[Seconds, Meta(description="length of that window, seconds")] = 10.0
    open_s: Annotated[
        Seconds, Meta(description="first pause before a trial call, seconds; doubles with each failed trial")
    ] = 5.0
    open_max_s: Annotated[Seconds, Meta(description="longest pause, seconds")] = 300.0
    permits: Annotated[Count, Meta(description="trial calls at once while half open")] = 1
    successes: Annotated[Count, Meta(description="successful trial calls that close it")] = 2


class RetrySettings(_Section, frozen=True):
    """How an attempt that failed is tried again."""

    max_attempts: Annotated[
        Annotated[int, Meta(ge=1, le=100)], Meta(description="hand-outs that count; a busy worker's refusal does not")
    ] = 3
    base_s: Annotated[Seconds, Meta(description="back-off after the first failure, seconds; doubles each time")] = 0.2
    max_s: Annotated[
        Seconds, Meta(description="longest back-off, seconds; a worker's Retry-After may ask for more")
    ] = 30.0
    jitter_share: Annotated[
        Share, Meta(description="share of the back-off that is random, so that retries do not come in step")
    ] = 0.5


class PoolSettings(_Section, frozen=True):
    """A group of interchangeable workers with one queue."""

    balancer: Annotated[str, Meta(description='"adaptive", "p2c", "least_loaded" or "round_robin"')] = "adaptive"
    workers: Annotated[list[WorkerSettings], Meta(description="its workers")] = []
    timeout_s: Annotated[
        Seconds | None,
        Meta(description="longest attempt, seconds; default 600, and 14,400 where all workers are subprocesses"),
    ] = None
    redeliver: Annotated[
        str | None,
        Meta(description='"always", "unsent" or "never"; default "always", and "unsent" for subprocess workers'),
    ] = None
    breaker: Annotated[BreakerSettings, Meta(description="circuit breakers of its workers")] = BreakerSettings()
    retry: Annotated[RetrySettings, Meta(description="retries")] = RetrySettings()


class LimitSettings(_Section, frozen=True):
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
    flood_tracked: Annotated[Count, Meta(description="fingerprints tracked")] = 131_072


class ValidationSettings(_Section, frozen=True):
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


class ShedSettings(_Section, frozen=True):
    """Refusing waiting senders early, while there is still time to go elsewhere."""

    wait_share: Annotated[
        Share,
        Meta(description="refused when the expected wait is above this share of the time left; critical is exempt"),
    ] = 0.5
    per_slot: Annotated[
        Count, Meta(description="waiting messages per worker slot before the expected wait is looked at")
    ] = 4


class TelemetrySettings(_Section, frozen=True):
    """What is remembered about what happened."""

    keep_decisions: Annotated[Count, Meta(description="decision records in memory; the oldest go first")] = 10_000
    log_level: Annotated[str, Meta(description='"debug", "info", "warning" or "error"')] = "info"


class Settings(_Section, frozen=True):
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
    telemetry: Annotated[TelemetrySettings, Meta(description="what is remembered")] = TelemetrySettings()


CHOICES: dict[str, tuple[str, ...]] = {
    "engine.kind": ("memory",),
    "pools.*.balancer": ("adaptive", "p2c", "least_loaded", "round_robin"),
    "pools.*.redeliver": ("always", "unsent", "never"),
    "pools.*.workers.*.transport": ("callable", "http", "openai", "subprocess"),
    "classes.*.fallback_on.*": ("down", "busy"),
    "telemetry.log_level": ("debug", "info", "warning", "error"),
}
"""Closed sets of strings by key; `*` stands for any name or position."""


def check(settings: Settings) -> list[tuple[str, str]]:
    """Return what no single value shows: `(key, mistake)` for each name that points nowhere or stands twice.

    An empty list means that the settings can be used. Values out of their range are found while decoding, not here.
    """
    mistakes = [*_check_classes(settings), *_check_workers(settings)]
    if settings.classifier.fallback_class not in settings.classes:
        mistakes.append(
            ("classifier.fallback_class", _nowhere("class", settings.classifier.fallback_class, settings.classes))
        )
    for position, rule in enumerate(settings.classifier.rules):
        if rule.message_class not in settings.classes:
            key = f"classifier.rules.{position}.message_class"
            mistakes.append((key, _nowhere("class", rule.message_class, settings.classes)))
    return mistakes


def _check_classes(settings: Settings) -> list[tuple[str, str]]:
    mistakes: list[tuple[str, str]] = []
    names: dict[str, str] = {name: name for name in settings.classes}
    for name, of in settings.classes.items():
        for field, pools in (("pool", [of.pool]), ("fallback", of.fallback)):
            nowhere = [pool for pool in pools if pool not in settings.pools]
            mistakes.extend((f"classes.{name}.{field}", _nowhere("pool", pool, settings.pools)) for pool in nowhere)
        for other, its in settings.classes.items():
            if other < name and its.pool == of.pool and its.fallback != of.fallback and its.fallback and of.fallback:
                text = f"classes {other!r} and {name!r} share pool {of.pool!r} and must name the same fallback pools"
                mistakes.append((f"classes.{name}.fallback", text))
        if of.pool in of.fallback:
            mistakes.append((f"classes.{name}.fallback", f"pool {of.pool!r} cannot be its own fallback"))
        for alias in of.alias:
            if alias == "auto":
                mistakes.append((f"classes.{name}.alias", '"auto" means "classify" and cannot be an alias'))
            elif names.setdefault(alias, name) != name:
                mistakes.append((f"classes.{name}.alias", f"{alias!r} already names class {names[alias]!r}"))
    return mistakes


def _check_workers(settings: Settings) -> list[tuple[str, str]]:
    mistakes: list[tuple[str, str]] = []
    owners: dict[str, str] = {}
    for pool_name, pool in settings.pools.items():
        for position, worker in enumerate(pool.workers):
            key = f"pools.{pool_name}.workers.{position}"
            if worker.id in owners:
                mistakes.append((f"{key}.id", f"worker {worker.id!r} already stands in pool {owners[worker.id]!r}"))
            owners.setdefault(worker.id, pool_name)
            mistakes.extend(_check_worker(key, worker))
    return mistakes


def _check_worker(key: str, worker: WorkerSettings) -> list[tuple[str, str]]:
    mistakes: list[tuple[str, str]] = []
    if worker.transport in {"http", "openai"} and not worker.url:
        mistakes.append((f"{key}.url", f"a worker of transport {worker.transport!r} needs a url"))
    if worker.url and not worker.url.startswith(("http://", "https://")):
        mistakes.append((f"{key}.url", f"got {worker.url!r}, expected http:// or https://"))
    if worker.transport == "subprocess" and not worker.command:
        mistakes.append((f"{key}.command", "a worker of transport 'subprocess' needs a command"))
    if worker.auth is not None and (worker.auth.env is None) == (worker.auth.file is None):
        mistakes.append((f"{key}.auth", "expected exactly one of env and file"))
    return mistakes


def _nowhere(kind: str, name: str, known: dict[str, Any]) -> str:
    return f"there is no {kind} {name!r}; known: {', '.join(sorted(known)) or 'none'}"
