"""Envelopes: fresh ids, the time of arrival on both clocks, a trace for everyone."""

from __future__ import annotations

import random

from pointsman.core.ids import IdSource
from pointsman.model.message import LOCAL_CLIENT, Message
from pointsman.runtime.envelopes import Envelopes
from pointsman.testing import FakeClock


def envelopes(clock: FakeClock) -> Envelopes:
    """Return a source."""
    rng = random.Random(1)
    return Envelopes(clock, IdSource(0, rng), rng)


def test_a_message_is_kept_as_it_was_written() -> None:
    """The envelope holds the very message, and both times of its arrival."""
    clock = FakeClock()
    clock.advance(5.0)
    message = Message(text="x")
    of = envelopes(clock).wrap(message)
    assert of.message is message
    assert (of.received_at, of.received_wall) == (clock.monotonic(), clock.wall())
    assert (of.client, of.protocol, of.body, of.size_bytes) == (LOCAL_CLIENT, "native", None, 0)
    assert (of.attempt, of.trail, of.replay_of, of.idempotency_key) == (0, [], None, None)


def test_ids_are_new_each_time_and_sort_by_arrival() -> None:
    """Also within one instant."""
    clock = FakeClock()
    source = envelopes(clock)
    ids = []
    for number in range(100):
        ids.append(source.wrap(Message(text="x")).id)
        clock.advance(0.001 * (number % 2))
    assert len(set(ids)) == 100
    assert ids == sorted(ids)
    assert all(len(one) == 32 for one in ids)


def test_a_trace_goes_on_or_begins() -> None:
    """A sender's trace is kept; without one there is a new one, 32 hexadecimal digits, for each message."""
    source = envelopes(FakeClock())
    assert source.wrap(Message(text="x"), trace_id="a" * 32).trace_id == "a" * 32
    own = [source.wrap(Message(text="x")).trace_id for _ in range(2)]
    assert own[0] != own[1]
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in own)


def test_what_the_sender_added_is_kept() -> None:
    """Client, protocol, body with its size, key, and which letter it repeats."""
    of = envelopes(FakeClock()).wrap(
        Message(text="x"), client="c", protocol="openai", body=b"12345", idempotency_key="k", replay_of="r" * 32
    )
    assert (of.client, of.protocol, of.body, of.size_bytes) == ("c", "openai", b"12345", 5)
    assert (of.idempotency_key, of.replay_of) == ("k", "r" * 32)


def test_an_envelope_is_made_again_with_all_that_its_sender_had_said() -> None:
    """Under a new id: another message that says the same, in the same language and to the same place."""
    source = envelopes(FakeClock())
    old = source.wrap(Message(text="x"), client="c", protocol="openai", body=b"{}", key_id="k", group="g")
    old.endpoint, old.headers, old.model, old.max_output_tokens = "/embeddings", (("a", "b"),), "m", 7
    new = source.again(old)
    said = ("message", "client", "protocol", "body", "key_id", "group", "endpoint", "headers", "model")
    assert [getattr(new, name) for name in said] == [getattr(old, name) for name in said]
    assert (new.max_output_tokens, new.size_bytes, new.replay_of) == (7, 2, old.id)
    assert new.id != old.id
