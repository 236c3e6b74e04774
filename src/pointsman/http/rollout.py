"""The native API of the rollout: how it stands, its verbs, its history, and what the shadow found.

Which verb may follow on which state is decided in `core.rollout`, and by whom it was ordered is said by the key that
came along: an actor without a key is only a word. A verb needs no body at all, so that in a hurry
`curl -X POST .../rollout/rollback` is enough.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from pointsman.core.rollout.agreement import AgreementView
from pointsman.core.rollout.assign import BUCKETS
from pointsman.core.rollout.samples import Sample
from pointsman.http import wire
from pointsman.http.exchange import Answer, Request, ok
from pointsman.http.messages import limit_of
from pointsman.http.problems import invalid
from pointsman.model.rollout import DIFFERENCES, Entry, Order

OWN_ACTORS: Final = ("guard", "kill_file", "environment")
"""Actors that the router itself is; nobody else may be called so."""

_BODY_BYTES: Final = 16_384
_ACTOR_CHARACTERS: Final = 128
_DIGITS: Final = 15


class RolloutOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who orders a step, and why; every field may be left out, and so may the whole body.

    Attributes:
        actor: who orders it, in words. `ack` needs a person's. The name of the API key is put before it.
        reason: why. `ack` and `force` need one.
        force: promote below the minimum time of the stage.
        ref: what it is about, such as a change request; kept with the rollout that `start` begins.
        expected_seq: number of the last entry of the history that the caller knows; another one is there: refused.
            `rollback` does not look at it.
    """

    actor: Annotated[str, Meta(max_length=_ACTOR_CHARACTERS)] = ""
    reason: Annotated[str, Meta(max_length=2_000)] = ""
    force: bool = False
    ref: Annotated[str, Meta(max_length=200)] = ""
    expected_seq: Annotated[int, Meta(ge=0)] | None = None


class RolloutHistory(msgspec.Struct, frozen=True):
    """Steps of the rollout, the newest first.

    Attributes:
        entries: the steps.
        before: ask again with it for older ones; null where there are none.
    """

    entries: list[Entry]
    before: int | None


class RolloutDifferences(msgspec.Struct, frozen=True):
    """What the shadow found.

    Attributes:
        counts: messages sampled, compared, dropped and timed out, and those compared by kind.
        agreement: how often the candidate gives the class that the old router gave.
        differences: a fair sample of each kind, without the text of the messages; the newest first.
    """

    counts: dict[str, int]
    agreement: AgreementView
    differences: list[Sample]


class RolloutAssignment(msgspec.Struct, frozen=True):
    """Who answers a key now, and why.

    Attributes:
        key: as it was asked for.
        lane: `legacy`, `candidate` or `both`.
        why: what decided.
        bucket: 0..9999, its place in the order in which keys move over; -1 where nothing depends on that.
        from_share: the candidate answers it from this share on; null where nothing depends on that.
        share: of the keys that the candidate answers now.
    """

    key: str
    lane: str
    why: str
    bucket: int
    from_share: float | None
    share: float


_ORDER: Final = msgspec.json.Decoder(RolloutOrder)


async def show(request: Request) -> Answer:
    """Show how the rollout stands: state, stage, shares, verdicts of the guard, and the verbs that may follow."""
    request.query()
    return ok(request.surface.rollout.status())


async def start(request: Request) -> Answer:
    """Begin a rollout in the shadow: the legacy goes on answering everything, the candidate looks on."""
    return ok(await request.surface.rollout.start(await _order(request)))


async def promote(request: Request) -> Answer:
    """Go on to the next stage."""
    return ok(await request.surface.rollout.promote(await _order(request)))


async def pause(request: Request) -> Answer:
    """Freeze the share; the guard goes on watching."""
    return ok(await request.surface.rollout.pause(await _order(request)))


async def resume(request: Request) -> Answer:
    """Go on with the stage that was paused."""
    return ok(await request.surface.rollout.resume(await _order(request)))


async def rollback(request: Request) -> Answer:
    """Give everything back to the legacy, from the next message on, and lock the rollout."""
    return ok(await request.surface.rollout.rollback(await _order(request)))


async def ack(request: Request) -> Answer:
    """Say that a rollback has been understood, so that a rollout may begin again."""
    order = await _order(request, needs_person=True)
    return ok(await request.surface.rollout.ack(order))


async def history(request: Request) -> Answer:
    """List the steps of the rollout, the newest first: who did what, when and why."""
    query = request.query("limit", "before")
    most, rollout = limit_of(query), request.surface.rollout
    head = rollout.status().history_head
    newest = head.seq if head is not None else 0
    before = min(_seq(query["before"]), newest + 1) if "before" in query else newest + 1
    known = rollout.history(newest + 1 - before + most + 1)
    older = [entry for entry in known if entry.seq < before]
    entries = older[:most]
    return ok(RolloutHistory(entries, entries[-1].seq if len(older) > most else None))


async def differences(request: Request) -> Answer:
    """Show where the candidate would have decided otherwise than the legacy did, and how often."""
    query = request.query("limit", "kind")
    most, kind = limit_of(query), query.get("kind")
    if kind is not None and kind not in DIFFERENCES:
        raise invalid(f"kind: got {wire.shorten(kind)}, expected one of {', '.join(DIFFERENCES)}", "kind")
    shadow = request.surface.shadow
    found = [one for one in shadow.samples() if kind is None or one.kind == kind]
    return ok(RolloutDifferences(shadow.counts(), shadow.agreement(), found[:most]))


async def assignment(request: Request) -> Answer:
    """Say who answers the messages of a key now, and from which share on the candidate does."""
    query = request.query("key", "client", "path")
    key = query.get("key", "")
    if not key:
        raise invalid("key: missing, expected a conversation id, or else a client", "key")
    rollout = request.surface.rollout
    found = rollout.look_up(key, client=query.get("client", key), path=query.get("path", ""))
    from_share = (found.bucket + 1) / BUCKETS if found.bucket >= 0 else None
    return ok(
        RolloutAssignment(key, found.lane.value, found.why.value, found.bucket, from_share, rollout.status().share)
    )


def _seq(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS or int(text) < 1:
        raise invalid(f"before: got {wire.shorten(text)}, expected the number of an entry, 1 or more", "before")
    return int(text)


async def _order(request: Request, *, needs_person: bool = False) -> Order:
    """Return what is ordered, with whoever orders it as we know them.

    Raises:
        RefusedError: `invalid`.
    """
    request.query()
    body = await request.body(_BODY_BYTES) if _has_body(request) else b""
    asked = wire.strict(body, _ORDER) if body else RolloutOrder()
    actor, reason = asked.actor.strip(), asked.reason.strip()
    for field, text in (("actor", actor), ("ref", asked.ref)):
        if not text.isprintable():
            raise invalid(f"{field}: got {wire.shorten(text)}, expected printable characters on one line", field)
    if actor in OWN_ACTORS or actor.startswith("key:"):
        raise invalid(
            f"actor: {wire.shorten(actor)} is a name that the router itself gives; expected a person", "actor"
        )
    if needs_person and not actor:
        raise invalid("actor: missing, expected who has looked into the rollback", "actor")
    if (needs_person or asked.force) and not reason:
        what = "what was found out" if needs_person else "why the minimum time of the stage need not be kept"
        raise invalid(f"reason: missing, expected {what}", "reason")
    return Order(
        actor=_signed(request, actor),
        reason=reason,
        force=asked.force,
        ref=asked.ref.strip(),
        expected_seq=asked.expected_seq,
    )


def _has_body(request: Request) -> bool:
    fields = request.fields
    return (
        b"content-type" in fields
        or b"transfer-encoding" in fields
        or fields.get(b"content-length", b"0").strip(b"0") != b""
    )


def _signed(request: Request, actor: str) -> str:
    """Return an actor behind the name of the key that came along; without both, the client."""
    identity = request.identity
    if not identity.key_id:
        return actor or identity.client
    key = request.surface.keys().get(identity.key_id)
    return f"key:{key.name if key else identity.key_id} {actor}".rstrip()
