"""What becomes of a message after an attempt: done, again, or never again.

The only place that knows retry and redelivery policy. Does not choose the next worker (the balancer does) and
does not count attempts (the dispatcher does, asking `counts`).

Two questions, in this order. *May* it be tried again? That depends on whether a worker may have acted
(`sent`), whether the sender has seen a part of the answer (`started`), and on `redeliver`:

    =============================  ===========  ===========  ===========
    what happened                  always       unsent       never
    =============================  ===========  ===========  ===========
    the message is at fault        failed       failed       failed
    a part of the answer was seen  dead         dead         dead
    busy, or no worker was chosen  again, free  again, free  again, free
    a worker failed, unsent        again        again        dead
    a worker failed, sent          again        dead         dead
    =============================  ===========  ===========  ===========

*Free* hand-outs do not count against `max_attempts`; only the time to live ends them. *When* is it tried
again? After an exponential back-off with jitter (Brooker, "Exponential Backoff and Jitter", 2015), or later
if the worker asked for it, but not later than the message expires: a retry that cannot come in time waits for
the end of the time to live, and the engine ends it as `expired`, which is what happened to it. The first time
that a worker is silent until its time-out, the next one gets the message at once: its sender has waited long
enough, and so has whatever the worker suffers from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pointsman.model.outcome import (
    Ack,
    Cause,
    Dead,
    Delivered,
    Expire,
    Expired,
    Fail,
    Failed,
    Failure,
    RetryIn,
)

if TYPE_CHECKING:
    import random

    from pointsman.model.message import Envelope
    from pointsman.model.outcome import Outcome, Settlement
    from pointsman.model.settings import RetrySettings

_NOBODY_CHOSEN: Final = frozenset({Failure.NO_WORKER, Failure.BREAKER_OPEN, Failure.WORKER_LEFT})
# No worker had it, as long as nothing was sent.

_DOUBLINGS: Final = 32
# More than these exceed every legal `max_s`; keeps powers, and the look back along a long trail, short.


def counts(outcome: Outcome) -> bool:
    """Whether an attempt with this outcome counts against `max_attempts`; asked before `after`."""
    if isinstance(outcome, Failed):
        return not _free(outcome)
    return isinstance(outcome, Delivered)


def after(outcome: Outcome, envelope: Envelope, policy: RetrySettings, now: float, rng: random.Random) -> Settlement:
    """Decide how an attempt is settled.

    Args:
        outcome: what the attempt came to.
        envelope: the message; its `tries` must already include this attempt if it `counts`. Whether its
            `trail` does makes no difference.
        policy: back-off; the attempts allowed are those of the envelope.
        now: monotonic seconds.
        rng: for the jitter.
    """
    if isinstance(outcome, Delivered):
        return Ack()
    if isinstance(outcome, Expired):
        return Expire()
    if outcome.reason is Failure.MESSAGE_FAULT:
        return Fail(outcome.detail)
    refusal = _forbidden(outcome, envelope.redeliver)
    if refusal is not None:
        return refusal
    if _free(outcome):
        round_ = _busy_in_a_row(envelope) if _busy_without_a_wish(outcome) else 1
    elif envelope.tries >= envelope.max_attempts:
        return Dead(
            Cause.ATTEMPTS_USED_UP,
            f"{envelope.tries} of {envelope.max_attempts} attempts failed, the last one: {_words(outcome)}",
        )
    elif _silent_for_the_first_time(outcome, envelope):
        return RetryIn(0.0)
    else:
        round_ = envelope.tries
    wait_s = max(_back_off(round_, policy, rng), outcome.retry_after_s or 0.0)
    return RetryIn(min(wait_s, max(0.0, envelope.expires_at - now)))


def _free(outcome: Failed) -> bool:
    if outcome.started:
        return False
    return outcome.reason is Failure.WORKER_BUSY or (outcome.reason in _NOBODY_CHOSEN and not outcome.sent)


def _silent_for_the_first_time(outcome: Failed, envelope: Envelope) -> bool:
    return outcome.reason is Failure.WORKER_TIMEOUT and not any(
        record.result == Failure.WORKER_TIMEOUT and record.number < envelope.attempt for record in envelope.trail
    )


def _busy_without_a_wish(outcome: Failed) -> bool:
    # A busy worker that says when to come again is believed; growing back-off is for those that do not.
    return outcome.reason is Failure.WORKER_BUSY and outcome.retry_after_s is None


def _forbidden(outcome: Failed, redeliver: str) -> Dead | None:
    """Return how it ends where it must not be tried again, else None."""
    if outcome.started:
        return Dead(Cause.OUTCOME_UNKNOWN, f"the sender has seen a part of the answer, then: {_words(outcome)}")
    if redeliver == "always" or _free(outcome):
        return None
    if outcome.sent:
        if outcome.reason is Failure.WORKER_ERROR:
            return Dead(
                Cause.NOT_REDELIVERABLE,
                f"a worker has seen it and redeliver is {redeliver!r}: {_words(outcome)}",
            )
        return Dead(
            Cause.OUTCOME_UNKNOWN,
            f"a worker may have acted on it and redeliver is {redeliver!r}: {_words(outcome)}",
        )
    if redeliver == "never":
        return Dead(Cause.NOT_REDELIVERABLE, f"it was handed out and redeliver is 'never': {_words(outcome)}")
    return None


def _busy_in_a_row(envelope: Envelope) -> int:
    """Return how many hand-outs up to this one met a busy worker in a row, at most `_DOUBLINGS` + 1."""
    in_a_row = 1
    for record in reversed(envelope.trail):
        if record.number >= envelope.attempt:
            continue
        if record.result != Failure.WORKER_BUSY or in_a_row > _DOUBLINGS:
            break
        in_a_row += 1
    return in_a_row


def _back_off(round_: int, policy: RetrySettings, rng: random.Random) -> float:
    longest_s = min(policy.max_s, policy.base_s * 2.0 ** min(max(round_ - 1, 0), _DOUBLINGS))
    return longest_s * (1.0 - policy.jitter_share * rng.random())


def _words(outcome: Failed) -> str:
    where = f" at worker {outcome.worker}" if outcome.worker else ""
    return f"{outcome.reason.value}{where}: {outcome.detail}"
