"""The rate limit layer: the client's own limit, then everybody's, with a refund."""

from __future__ import annotations

from pointsman.core.bucket import TokenBucket
from pointsman.layers.admission.rate_limit import RateLimit
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe


async def test_lets_a_client_send_its_burst_and_no_more() -> None:
    """The burst passes, the next is refused with the time after which it would pass."""
    inner = Probe(Accepted("x"))
    admit = RateLimit(TokenBucket(60, 2, 100), None)(inner)
    receipts = [await admit(envelope(at=10.0)) for _ in range(3)]
    assert receipts[:2] == [Accepted("x")] * 2
    refused = receipts[2]
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.RATE_LIMITED
    assert refused.retry_after_s is not None
    assert 0.0 < refused.retry_after_s < 1.001
    assert len(inner.seen) == 2
    assert await admit(envelope(at=10.0 + refused.retry_after_s)) == Accepted("x")


async def test_one_client_does_not_use_up_another_ones_limit() -> None:
    """A client at its limit changes nothing for the next."""
    admit = RateLimit(TokenBucket(60, 1, 100), None)(Probe(Accepted("x")))
    assert await admit(envelope(client="a")) == Accepted("x")
    assert isinstance(await admit(envelope(client="a")), Refused)
    assert await admit(envelope(client="b")) == Accepted("x")


async def test_an_overall_refusal_gives_the_client_its_token_back() -> None:
    """What the overall limit refuses is not taken from the client's own."""
    per_client, overall = TokenBucket(60, 2, 100), TokenBucket(60, 1, 2)
    admit = RateLimit(per_client, overall)(Probe(Accepted("x")))
    assert await admit(envelope(client="a", at=5.0)) == Accepted("x")
    for _ in range(5):
        assert isinstance(await admit(envelope(client="b", at=5.0)), Refused)
    assert per_client.take("b", 5.0) == 0.0
    assert per_client.take("b", 5.0) == 0.0
    assert per_client.take("b", 5.0) > 0.0
