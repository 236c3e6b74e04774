"""Settings of pools and of the workers in them; part of the tree in `model.settings`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pointsman.model.fields import Count, Name, Seconds, Secret, Section, Share, Text


class TlsSettings(Section, frozen=True):
    """How an https worker is checked, and what we show it. Paths start from the settings file."""

    ca_file: Annotated[
        Text | None, Meta(description="PEM file of authorities to trust instead of those of the operating system")
    ] = None
    cert_file: Annotated[Text | None, Meta(description="PEM file of our own certificate, for a worker that asks")] = (
        None
    )
    key_file: Annotated[Text | None, Meta(description="its key, where that is a file of its own")] = None
    server_name: Annotated[
        Text | None, Meta(description="name the worker's certificate must bear, where it is not the url's host")
    ] = None


class WorkerSettings(Section, frozen=True):
    """One worker."""

    id: Annotated[Name, Meta(description="unique in the whole file")]
    transport: Annotated[
        str, Meta(description='"http", "openai", "anthropic", "subprocess" or, in process, "callable"')
    ] = "http"
    url: Annotated[Text | None, Meta(description="where an http, openai or anthropic worker listens")] = None
    command: Annotated[list[Text], Meta(description="what a subprocess worker runs, program first; no shell")] = []
    model: Annotated[
        Text | None,
        Meta(description="model an openai or anthropic worker is asked for; of any worker, what its price is found by"),
    ] = None
    auth: Annotated[
        Secret | Literal["passthrough"] | None,
        Meta(description='key the worker wants, or "passthrough": the one that the client sent'),
    ] = None
    tls: Annotated[TlsSettings | None, Meta(description="how an https worker is checked")] = None
    proxy: Annotated[
        Text | None, Meta(description="http proxy to reach it by, http://[user:password@]host:port; none by default")
    ] = None
    quota: Annotated[Name | None, Meta(description="the provider account it draws from, a name under `quotas`")] = None
    max_in_flight: Annotated[Count, Meta(description="messages it may work on at once")] = 4
    weight: Annotated[
        Annotated[float, Meta(gt=0.0, le=1000.0)], Meta(description="relative share where a balancer uses weights")
    ] = 1.0


class BreakerSettings(Section, frozen=True):
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


class RetrySettings(Section, frozen=True):
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


class PoolSettings(Section, frozen=True):
    """A group of interchangeable workers with one queue."""

    balancer: Annotated[str, Meta(description='"adaptive", "p2c", "least_loaded" or "round_robin"')] = "adaptive"
    workers: Annotated[list[WorkerSettings], Meta(description="its workers")] = []
    timeout_s: Annotated[
        Seconds | None,
        Meta(description="longest attempt, seconds; default 600, and 14,400 where all workers are subprocesses"),
    ] = None
    first_token_s: Annotated[
        Seconds, Meta(description="a streamed answer must begin within so many seconds; reasoning models think long")
    ] = 300.0
    idle_s: Annotated[
        Seconds, Meta(description="longest silence inside a streamed answer, seconds; providers ping more often")
    ] = 120.0
    redeliver: Annotated[
        str | None,
        Meta(description='"always", "unsent" or "never"; default "always", and "unsent" for subprocess workers'),
    ] = None
    breaker: Annotated[BreakerSettings, Meta(description="circuit breakers of its workers")] = BreakerSettings()
    retry: Annotated[RetrySettings, Meta(description="retries")] = RetrySettings()
