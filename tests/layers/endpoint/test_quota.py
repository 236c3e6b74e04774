"""The quota layer: what an account has nothing left for is turned away as busy, and what replies say is learnt."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pointsman.core import retry
from pointsman.layers.endpoint.quota import DrawQuota
from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.model.settings import QuotaSettings
from pointsman.ports import Attempt
from pointsman.runtime.quotas import Account
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from pointsman.testing.probe import Probe
from tests.runtime.fleet_of import Scripted, Yard


class Counter:
    """The layer of one worker in front of a probe."""

    def __init__(self, answer: Any = Delivered("w"), **figures: Any) -> None:  # noqa: B008 - a value
        self.clock = SimClock()
        self.endpoint = Yard(self.clock).join("w", Scripted())
        self.account = Account("acme", QuotaSettings(**figures), self.clock)
        self.inner = Probe(answer)
        self.deliver = DrawQuota(self.endpoint, self.account)(self.inner)

    async def send(self) -> Outcome:
        """Deliver one message."""
        return await self.deliver(attempt(at=self.clock.monotonic()))


async def test_a_worker_without_an_account_has_no_layer() -> None:
    """Nothing is asked, nothing is learnt, nothing is paid for it."""
    inner = Probe(Delivered("w"))
    endpoint = Yard(SimClock()).join("w", Scripted())
    assert DrawQuota(endpoint, None)(inner) is inner


async def test_what_the_account_has_nothing_left_for_is_turned_away_unsent() -> None:
    """As busy, which uses up no attempt; the detail says which account and when."""
    counter = Counter(rpm=1)
    assert await counter.send() == Delivered("w")
    outcome = await counter.send()
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent, outcome.worker) == (Failure.WORKER_BUSY, False, "w")
    assert outcome.detail == "quota 'acme' of worker 'w' is used up; again in 60.0 s"
    assert not retry.counts(outcome)
    assert len(counter.inner.seen) == 1
    await counter.clock.sleep(60.0)
    assert await counter.send() == Delivered("w")


async def test_nobody_knows_when_a_request_that_is_out_will_end() -> None:
    """So the detail says just that."""
    counter = Counter(max_in_flight=1)
    release = asyncio.Event()

    async def slow(out: Attempt) -> Outcome:
        await release.wait()
        return Delivered("w")

    deliver = DrawQuota(counter.endpoint, counter.account)(slow)
    first: asyncio.Task[Outcome] = asyncio.create_task(deliver(attempt()))  # type: ignore[arg-type]
    await counter.clock.sleep(1.0)
    outcome = await counter.send()
    assert isinstance(outcome, Failed)
    assert outcome.detail.endswith("again when a request of it has ended")
    release.set()
    await first
    assert await counter.send() == Delivered("w")


@pytest.mark.parametrize(
    "answer",
    [Delivered("w"), Failed(Failure.WORKER_ERROR, "x", sent=True), ZeroDivisionError(), asyncio.CancelledError()],
)
async def test_nothing_stays_in_flight_whatever_happens(answer: Any) -> None:
    """After success, failure, an exception and a cancellation the next may go."""
    counter = Counter(answer, max_in_flight=1)
    for _ in range(3):
        if isinstance(answer, BaseException):
            with pytest.raises(type(answer)):
                await counter.send()
        else:
            assert await counter.send() == answer
    assert counter.account.quota.in_flight == 0


async def test_the_head_of_a_reply_is_learnt_from_while_its_body_comes() -> None:
    """And afterwards nobody listens any more."""
    counter = Counter()
    out = attempt(at=counter.clock.monotonic())
    out.provider_headers = (("retry-after", "999"),)
    left: list[dict[str, float]] = []

    async def reply(out: Attempt) -> Outcome:
        assert out.provider_headers == ()
        out.heard([("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "25")])
        left.append(counter.account.view().left)
        return Delivered("w")

    await DrawQuota(counter.endpoint, counter.account)(reply)(out)
    assert left == [{"requests": 0.5}]
    assert out.on_head is None


async def test_how_long_to_stay_away_is_for_the_account_and_not_for_the_message() -> None:
    """Another account may serve it at once. What one server asks for itself is left as it is."""
    throttled = Failed(Failure.WORKER_BUSY, "slow down", "w", retry_after_s=30.0, status=429)
    counter = Counter(throttled)
    outcome = await counter.send()
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.status, outcome.retry_after_s) == (Failure.WORKER_BUSY, 429, 0.0)
    assert counter.account.view().resumes_s == pytest.approx(30.0)
    busy = Failed(Failure.WORKER_BUSY, "full", "w", retry_after_s=30.0, status=503)
    assert await Counter(busy).send() == busy
