"""Envelopes, attempts and leases for tests, as the parts before the one under test would leave them."""

from __future__ import annotations

from typing import Any

from pointsman.model.decision import Classification
from pointsman.model.message import LEVELS, Envelope, Message
from pointsman.ports import Attempt, Lease
from pointsman.runtime.replies import BufferSink


def envelope(text: str = "hello", *, at: float = 1000.0, pool: str = "coders", **fields: Any) -> Envelope:
    """Return an admitted envelope received at monotonic `at`; `fields` are those of `Message`, and `client`, `id`."""
    client = fields.pop("client", "someone")
    message_id = fields.pop("id", "0" * 31 + "1")
    message = Message(text=text, **fields)
    ttl_s = message.ttl_s or 300.0
    return Envelope(
        id=message_id,
        message=message,
        client=client,
        received_at=at,
        received_wall=1_700_000_000.0,
        ask=text,
        level=LEVELS[message.priority or "normal"],
        ttl_s=ttl_s,
        expires_at=at + ttl_s,
        classification=Classification("tactical", 0.9, {"tactical": 0.9, "strategic": 0.1}, "rule"),
        pool=pool,
    )


def attempt(
    of: Envelope | None = None, *, at: float = 1000.0, timeout_s: float = 60.0, pool: str = "coders"
) -> Attempt:
    """Return the next hand-out of a message, begun at monotonic `at`."""
    of = of or envelope(at=at, pool=pool)
    of.attempt += 1
    return Attempt(
        envelope=of,
        lease=Lease(of, of.attempt, of.pool, of.attempt),
        pool=pool,
        started_at=at,
        reply=BufferSink(),
        timeout_s=timeout_s,
    )
