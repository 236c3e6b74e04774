"""The flood guard layer: what counts as the same message, and whose copies count."""

from __future__ import annotations

from pointsman.core.flood import FloodDetector
from pointsman.layers.admission.flood_guard import FloodGuard, content
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe


async def test_cuts_a_flood_of_copies() -> None:
    """Ten copies pass, the eleventh is refused and says when a copy is taken again."""
    admit = FloodGuard(FloodDetector(10, 6.0, 1000))(Probe(Accepted("x")))
    receipts = [await admit(envelope("same")) for _ in range(11)]
    assert receipts[:10] == [Accepted("x")] * 10
    refused = receipts[10]
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.FLOODING
    assert refused.retry_after_s is not None
    assert refused.retry_after_s <= 60.0
    assert await admit(envelope("another")) == Accepted("x")
    assert await admit(envelope("same", client="somebody else")) == Accepted("x")


async def test_other_turns_make_another_message() -> None:
    """The same newest turn after another history is no copy."""
    history = [{"role": "user", "content": "first"}, {"role": "user", "content": "yes"}]
    other = [{"role": "user", "content": "second"}, {"role": "user", "content": "yes"}]
    one, two = envelope("yes"), envelope("yes")
    one.message, two.message = (
        type(one.message)(messages=history),
        type(two.message)(messages=other),
    )
    assert content(one) != content(two)


async def test_the_same_text_in_two_conversations_is_no_copy() -> None:
    """A conversation makes a message its own."""
    assert content(envelope("ok", conversation_id="a")) != content(envelope("ok", conversation_id="b"))
