"""The objectives on shares: what is an observation, what breaks it, and how much may be broken.

Decides what counts for and against each promise. How they are judged stands in `core.slo`.

**Availability** counts against us what the router itself could not do: a refusal as `unavailable`, an answer 500, an
attempt that a fault of the router ended. What it refuses on purpose (a wrong request, a limit, too much load, no
worker, while draining) is an answer, and is counted apart. A router that does not run counts nothing: that shows in the
coverage, not here, so availability as clients see it needs a probe from outside.

**Success and errors** are two sides of the same messages: each message once, at its end, not its attempts. Cancelled
ones and those whose worker said that the message itself is wrong are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from pointsman.core.slo_tally import CLASSIFICATION, OVERHEAD, REFUSED, ROUTING, Tally
from pointsman.model.settings_operations import ObjectiveSettings

SLOW_SHARE: Final = 0.05
"""Of messages that may be slow, as every bar on time is a p95."""

ERRORS: Final = ("failed", "dead", "expired")
LEFT_OUT: Final = ("cancelled", "message_fault")
OWN: Final = ("unavailable", "fault", "router_error")


class Seen(NamedTuple):
    """What was seen of one objective: observations, and those that broke it."""

    n: int
    bad: int


class Share(NamedTuple):
    """An objective on a share of what happens.

    Attributes:
        name: stable.
        objective: in words.
        allowed_share: that may be bad, 0..1.
        is_strict: exactly so many are too many.
        look: counts them.
        target, observed: the bar as it is promised, and the figure beside it.
        histogram: of times, where it is on time.
        bar_s: what 95 of 100 must not exceed, where it is on time.
    """

    name: str
    objective: str
    allowed_share: float
    is_strict: bool
    look: Callable[[Tally], Seen]
    target: float
    observed: Callable[[Seen], float]
    histogram: int | None = None
    bar_s: float = 0.0


def shares(settings: ObjectiveSettings) -> tuple[Share, ...]:
    """Return the objectives on shares, in the order in which they are shown."""
    return (
        timed("overhead", "the router adds", OVERHEAD, settings.overhead_p95_s),
        timed("classification", "the classifier takes", CLASSIFICATION, settings.classification_p95_s),
        timed("routing", "the router adds without classification", ROUTING, settings.routing_p95_s),
        Share(
            "success",
            f"more than {percent(settings.success_share)} of messages are delivered",
            round(1.0 - settings.success_share, 9),
            True,
            ends,
            settings.success_share,
            lambda seen: 1.0 - seen.bad / seen.n,
        ),
        Share(
            "errors",
            f"fewer than {percent(settings.error_share_max)} of messages fail, die or expire",
            settings.error_share_max,
            True,
            ends,
            settings.error_share_max,
            lambda seen: seen.bad / seen.n,
        ),
        Share(
            "availability",
            f"more than {percent(settings.availability_share)} of requests are answered without an error of our own",
            round(1.0 - settings.availability_share, 9),
            True,
            answers,
            settings.availability_share,
            lambda seen: 1.0 - seen.bad / seen.n,
        ),
    )


def timed(name: str, what: str, histogram: int, bar_s: float) -> Share:
    """Return an objective on a p95."""
    return Share(
        name,
        f"95 of 100 messages: {what} at most {bar_s * 1000:g} ms",
        SLOW_SHARE,
        False,
        lambda tally: Seen(tally.timed(histogram), tally.above(histogram, bar_s)),
        1.0 - SLOW_SHARE,
        lambda seen: 1.0 - seen.bad / seen.n,
        histogram,
        bar_s,
    )


def ends(tally: Tally) -> Seen:
    """Messages that ended, but for cancelled ones and those whose sender was at fault."""
    bad = tally.of(*ERRORS)
    return Seen(tally.of("delivered") + bad, bad)


def answers(tally: Tally) -> Seen:
    """Requests that were answered; a refusal on purpose is an answer."""
    answered = tally.of("delivered", "message_fault", *ERRORS, *REFUSED, "unavailable", "fault")
    return Seen(answered, tally.of(*OWN))


def percent(share: float) -> str:
    """Return a share in percent, without zeros at its end."""
    return f"{100.0 * share:.4g} %"
