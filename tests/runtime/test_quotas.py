"""Provider accounts: when one has nothing left all its workers rest, and when it has again they all wake."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from pointsman.core.quota import Draw
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.settings import QuotaSettings, WorkerSettings
from pointsman.model.usage import Estimate, Usage
from pointsman.ports import Attempt
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.quotas import Account, Quotas, QuotaView
from pointsman.sim import SimClock
from pointsman.testing.make import attempt, envelope
from tests.runtime.fleet_of import Scripted, Yard

THROTTLED = Failed(Failure.WORKER_BUSY, "slow down", retry_after_s=20.0, status=429)


class Site:
    """Two pools of two workers each; all four draw from quota `acme`, unless told otherwise."""

    def __init__(self, **figures: Any) -> None:
        self.clock = SimClock()
        self.yards = {name: Yard(self.clock) for name in ("planners", "coders")}
        for name, yard in self.yards.items():
            yard.pool.name = name
        self.quotas = Quotas({name: yard.pool for name, yard in self.yards.items()}, self.clock)
        self.quotas.use({"acme": QuotaSettings(**figures)})
        for pool in self.yards:
            for number in (1, 2):
                self.join(pool, f"{pool}-{number}", "acme")

    def join(self, pool: str, worker: str, quota: str | None) -> Endpoint:
        """Let a worker join and everybody know."""
        yard = self.yards[pool]
        endpoint = yard.endpoint(worker, Scripted())
        endpoint.settings = WorkerSettings(id=worker, transport="callable", quota=quota)
        yard.pool.join(endpoint)
        self.quotas.observe(yard.events[-1])
        return endpoint

    @property
    def account(self) -> Account:
        """The account `acme`."""
        found = self.quotas.account("acme")
        assert found is not None
        return found

    def out(self, input_tokens: int = 1, output_tokens: int = 1) -> Attempt:
        """Return a hand-out of a message with an estimate."""
        of = envelope(at=self.clock.monotonic())
        of.estimate = Estimate(input_tokens, output_tokens)
        return attempt(of, at=self.clock.monotonic())

    def draw(self, out: Attempt | None = None) -> Draw:
        """Draw what must be there."""
        drawn = self.account.draw(out or self.out())
        assert isinstance(drawn, Draw), drawn
        return drawn

    def free(self) -> dict[str, int]:
        """Return the free slots by pool, after whatever time has done."""
        for yard in self.yards.values():
            yard.pool.advance(self.clock.monotonic())
        return {name: yard.pool.free for name, yard in self.yards.items()}


ALL = {"planners": 2, "coders": 2}
NONE = {"planners": 0, "coders": 0}


async def test_an_account_that_is_used_up_lets_all_its_workers_rest() -> None:
    """In every pool; they wake by themselves when the next request may go out."""
    site = Site(rpm=2)
    site.draw()
    assert site.free() == ALL
    site.draw()
    assert site.free() == NONE
    await site.clock.sleep(29.9)
    assert site.free() == NONE
    await site.clock.sleep(0.2)
    assert site.free() == ALL


async def test_workers_of_another_account_or_none_go_on() -> None:
    """What one account has left says nothing about others."""
    site = Site(rpm=1)
    site.quotas.use({"acme": QuotaSettings(rpm=1), "other": QuotaSettings(rpm=1)})
    site.join("coders", "free", None)
    site.join("coders", "other", "other")
    site.draw()
    assert site.free() == {"planners": 0, "coders": 2}


async def test_a_refusal_of_the_provider_lets_all_rest_as_long_as_it_wants() -> None:
    """One worker was told 429; the others need not ask."""
    site = Site()
    out = site.out()
    site.account.finish(site.draw(out), out, THROTTLED)
    assert site.free() == NONE
    view = site.quotas.views()[0]
    assert view.resting
    assert view.resumes_s == pytest.approx(20.0)
    await site.clock.sleep(20.0)
    assert site.free() == ALL
    assert site.quotas.views() == [QuotaView("acme", 4, 0, {}, False, None)]


async def test_the_wish_may_stand_in_the_headers_alone() -> None:
    """In milliseconds, for instance."""
    site = Site()
    out = site.out()
    drawn = site.draw(out)
    out.provider_headers = (("Retry-After-Ms", "1500"),)
    site.account.finish(drawn, out, Failed(Failure.WORKER_BUSY, "slow down", status=429))
    assert site.quotas.views()[0].resumes_s == pytest.approx(1.5)


async def test_another_kind_of_busy_is_the_workers_own() -> None:
    """503 says that one server has enough, not that the account has."""
    site = Site()
    out = site.out()
    site.account.finish(site.draw(out), out, Failed(Failure.WORKER_BUSY, "full", retry_after_s=20.0, status=503))
    assert site.free() == ALL


async def test_as_many_requests_are_out_as_may_be() -> None:
    """All rest until one ends, whenever that is."""
    site = Site(max_in_flight=2)
    outs = [site.out(), site.out()]
    drawn = [site.draw(out) for out in outs]
    assert site.free() == NONE
    view = site.quotas.views()[0]
    assert (view.in_flight, view.resting, view.resumes_s, view.left) == (2, True, None, {"in_flight": 0.0})
    await site.clock.sleep(3600.0)
    assert site.free() == NONE
    assert site.account.draw(site.out()) == inf
    site.account.finish(drawn[0], outs[0], None)
    assert site.free() == ALL


async def test_what_was_not_taken_wakes_them_early() -> None:
    """A long answer was expected and a short one came."""
    site = Site(output_tokens_per_min=1000)
    out = site.out(output_tokens=1000)
    drawn = site.draw(out)
    assert site.free() == NONE
    out.usage = Usage(1, 0, 0, 10)
    site.account.finish(drawn, out, Delivered("w"))
    assert site.free() == ALL


async def test_a_request_that_never_went_out_is_given_back() -> None:
    """The worker could not be reached, so the provider knows nothing of it."""
    site = Site(rpm=1)
    out = site.out()
    site.account.finish(site.draw(out), out, Failed(Failure.WORKER_UNREACHABLE, "no route"))
    assert site.free() == ALL
    site.account.finish(site.draw(out), out, Failed(Failure.WORKER_ERROR, "broken", sent=True, status=500))
    assert site.free() == NONE


async def test_what_a_reply_says_is_heeded_at_once() -> None:
    """The stream has only begun, and already nobody asks again before there is something left."""
    site = Site()
    drawn = site.draw()
    site.account.hear(
        drawn,
        [
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "60s"),
        ],
    )
    assert site.free() == NONE
    await site.clock.sleep(1.0)
    assert site.free() == ALL


async def test_who_joins_an_account_that_rests_rests_too() -> None:
    """And who has left is not woken."""
    site = Site(rpm=1)
    site.draw()
    site.join("coders", "late", "acme")
    pool = site.yards["coders"].pool
    gone = pool.endpoint("coders-1")
    pool.remove(gone)
    site.quotas.observe(site.yards["coders"].events[-1])
    assert site.free() == NONE
    await site.clock.sleep(60.0)
    site.account.heed(site.clock.monotonic())
    assert site.free() == ALL
    assert site.quotas.views()[0].workers == 4


async def test_a_pause_that_changes_by_little_disturbs_nobody() -> None:
    """A worker is looked at anew only when it matters: each look costs a pool's round."""
    site = Site()
    out = site.out()
    site.account.finish(site.draw(out), out, THROTTLED)
    until = site.yards["coders"].pool.endpoint("coders-1").paused_until
    site.account.quota.throttle(site.clock.monotonic() + 0.04, 20.0)
    site.account.heed(site.clock.monotonic() + 0.04)
    assert site.yards["coders"].pool.endpoint("coders-1").paused_until == until
    site.account.quota.throttle(site.clock.monotonic(), 30.0)
    site.account.heed(site.clock.monotonic())
    assert site.quotas.views()[0].resumes_s == pytest.approx(30.0)


async def test_a_short_pause_after_a_long_one_is_heeded() -> None:
    """The workers have just woken: that the new pause ends near the end of the old one is no reason to leave it."""
    site = Site()
    out = site.out()
    site.account.finish(site.draw(out), out, THROTTLED)
    await site.clock.sleep(20.0)
    assert site.free() == ALL
    site.account.quota.throttle(site.clock.monotonic(), 0.03)
    site.account.heed(site.clock.monotonic())
    assert site.free() == NONE
    await site.clock.sleep(0.03)
    assert site.free() == ALL


async def test_other_figures_are_heeded_at_once_and_keep_what_was_drawn() -> None:
    """A reload raises the limit: whoever rested for the old one wakes. An account that is gone limits nothing."""
    site = Site(rpm=1)
    site.draw()
    assert site.free() == NONE
    site.quotas.use({"acme": QuotaSettings(rpm=2)})
    assert site.free() == ALL
    site.draw()
    assert site.free() == NONE
    site.quotas.use({})
    assert site.free() == ALL
    assert site.quotas.account("acme") is None
    assert site.quotas.views() == []


async def test_a_worker_without_a_quota_has_no_account() -> None:
    """Nor has one that names none that there is."""
    site = Site()
    assert site.quotas.account(None) is None
    assert site.quotas.account("nowhere") is None
    site.join("coders", "stray", "nowhere")
    assert site.quotas.views()[0].workers == 4
