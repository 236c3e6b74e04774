"""The words of a rollout: its states, lanes, and what is written down of each step. Plain data, no decision.

A rollout brings the candidate (this router) in beside the legacy (the router that was there before). What may follow
on what stands in `core.rollout.stages`; what is written down, in `core.rollout.record`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

DIFFERENCES: Final = (
    "match",
    "class_mismatch",
    "worker_mismatch",
    "both_error",
    "legacy_error_only",
    "candidate_error_only",
    "uncompared",
)
"""What a comparison in the shadow may come to; `uncompared` where the legacy does not say what it decided."""

SHADOW_DROPS: Final = ("full", "too_large", "shed", "breaker", "unreadable", "closed")
"""Why a message that was to be mirrored was not."""

INCIDENTS: Final = ("blocked_message_passed", "forbidden_call_obeyed", "record_tampered")
"""Kinds of security incidents: a harmful message that was let through, a call without the right to it that was obeyed,
a record that somebody else has changed."""


class State(StrEnum):
    """Where a rollout stands. `partial` has stages of its own, and `paused` remembers the stage it holds."""

    DISABLED = "disabled"
    SHADOW = "shadow"
    PARTIAL = "partial"
    FULL = "full"
    COMPLETED = "completed"
    PAUSED = "paused"
    ROLLED_BACK = "rolled_back"


class Lane(StrEnum):
    """Who answers a message: the old router, this one, or the old one while this one looks on."""

    LEGACY = "legacy"
    CANDIDATE = "candidate"
    BOTH = "both"


class Why(StrEnum):
    """Why a message was given its lane; the first three and `split` and `error` are OpenFeature's words."""

    DISABLED = "disabled"
    STATIC = "static"
    SPLIT = "split"
    ERROR = "error"
    EXCLUDED = "excluded"
    KILLED = "killed"


class Assignment(msgspec.Struct, frozen=True, gc=False):
    """The lane of one message and why.

    Attributes:
        lane: who answers.
        why: what decided.
        bucket: 0..9999, place of its key in the rollout's order; -1 where that was not asked.
    """

    lane: Lane
    why: Why
    bucket: int = -1


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks of a rollout, beside the verb.

    Attributes:
        actor: who asks; `guard`, `kill_file` and `environment` are the router's own.
        reason: why, in their words.
        force: do it below the minimum time of the stage; needs a reason.
        ref: what it is about, such as a change request; kept with the rollout.
        expected_seq: number of the last entry the caller knew; None asks for no such check.
    """

    actor: str = ""
    reason: str = ""
    force: bool = False
    ref: str = ""
    expected_seq: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a rollout, as it is written down.

    Attributes:
        seq: 1.. and rising.
        at: Unix seconds.
        rollout_id: of the rollout it belongs to; the first one on record is the salt of every assignment.
        event: the verb, or `trip` where the guard acted.
        was, now: states before and after.
        stage: name of the stage afterwards: `shadow`, `partial-25`, `full`; of a pause, the stage it holds.
        share: of keys that the candidate answers afterwards, 0..1.
        actor, reason, ref: see `Order`.
        forced: it was done below the minimum time.
        evidence: figures that led to it, by name.
        realised_share: of messages that the candidate had answered in the stage that ended; None where there were none.
        previous: SHA-256 of the line before, hexadecimal; empty in the first.
    """

    seq: int
    at: float
    rollout_id: str
    event: str
    was: State
    now: State
    stage: str
    share: float
    actor: str
    reason: str = ""
    ref: str = ""
    forced: bool = False
    evidence: dict[str, float | int | str] = {}
    realised_share: float | None = None
    previous: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How one gate of the guard stands.

    Attributes:
        gate: `error` or `slow`.
        verdict: `pass`, `fail`, `hold` (it would fail, but too few clients bear witness) or `no_data`.
        observed_share: of bad messages among the last, 0..1; None without any.
        limit_share: what it must not exceed.
        messages: candidate messages looked at.
        bad: of them.
        clients: distinct clients among them.
        detail: one sentence for people.
    """

    gate: str
    verdict: str
    observed_share: float | None
    limit_share: float
    messages: int
    bad: int
    clients: int
    detail: str


class RolloutStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout at one moment; also the answer of the API.

    Attributes:
        configured: there is a legacy router.
        state, stage: see `Entry`.
        share: of keys that the candidate answers now, 0..1; 0 while a kill switch or an alarm holds them back.
        shadow_share: of messages mirrored now, 0..1.
        realised_share: of messages since the stage began that the candidate answered; None where there were none.
        messages: since the stage began, by lane.
        since: Unix seconds at which the stage began.
        stage_min_s: how long it must last before it may be promoted without force.
        locked: rolled back and not acknowledged.
        killed: a kill file or the environment holds everything at the legacy; says which, or is empty.
        alarm: what is wrong with the record, or empty; everything goes to the legacy then.
        rollout_id, ref: of the rollout at hand, or empty.
        verdicts: the guard's gates.
        fallbacks: messages of the candidate that the legacy answered in the end, since the stage began, by reason.
        shadow: sampled, compared, dropped and timed out messages, differences by kind, since the rollout began.
        allowed: verbs that may follow now.
        next_stage: what `promote` would lead to, or empty.
        history_head: the newest entry, or None.
    """

    configured: bool
    state: State
    stage: str
    share: float
    shadow_share: float
    realised_share: float | None
    messages: dict[str, int]
    since: float | None
    stage_min_s: float
    locked: bool
    killed: str
    alarm: str
    rollout_id: str
    ref: str
    verdicts: list[Verdict]
    fallbacks: dict[str, int]
    shadow: dict[str, int]
    allowed: list[str]
    next_stage: str
    history_head: Entry | None
