"""Refusing a waiting sender early, while it still has time to go elsewhere.

Decides from the length of the queue and the speed of the workers. Does not measure either, does not decide
about stored messages (nobody waits for them) and not about a pool without workers (`no_worker` is another
rule).

The expected wait is Little's law read backwards: what is ahead, times the seconds each takes, over the slots
that work at once. A sender whose wait would use up too large a share of its time to live is refused now
rather than expired later: the answer would come too late to be of use, and the work for it would delay those
who can still be served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pointsman.model.settings import ShedSettings


def assess(
    queued_ahead: int,
    slots: int,
    service_s: float,
    ttl_left_s: float,
    level: int,
    settings: ShedSettings,
) -> float | None:
    """Say whether a waiting sender is better refused.

    Args:
        queued_ahead: messages that will be handed out before this one, 0 or more.
        slots: messages the pool's workers can work on at once; 0 where all workers are away.
        service_s: seconds a worker needs for one message, 0 where that is not known yet.
        ttl_left_s: seconds until the message expires; below 0 where it has.
        level: 0..4; level 0 is never refused here.
        settings: which share of the time left may be waited, and how many may wait for each slot in any case.

    Returns:
        None to admit it. Else the seconds after which it would be admitted if nobody else joined, above 0.
    """
    if level == 0 or slots <= 0:
        return None
    too_many = queued_ahead - settings.per_slot * slots
    expected_s = queued_ahead * service_s / slots
    too_long_s = expected_s - settings.wait_share * ttl_left_s
    if too_many <= 0 or too_long_s <= 0.0:
        return None
    return min(too_long_s, too_many * service_s / slots)
