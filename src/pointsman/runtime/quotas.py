"""The provider accounts that workers share, and the workers of each: what one learns, all of them heed.

When an account has nothing left, all its workers rest, so that messages stay in their queues, in their order, and go
where there is still something left; when it has again, they all wake. Rules: `core.quota`.

An observer of events: workers come and go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Final, TypeGuard

import msgspec

from pointsman.core.quota import Draw, Quota
from pointsman.core.rate_headers import readings, retry_after_s
from pointsman.model.events import Event, WorkerJoined, WorkerLeft
from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.model.settings import QuotaSettings
from pointsman.ports import Attempt, Clock
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.pool import Pool

_THROTTLED: Final = 429

_NEAR_S: Final = 0.05
"""A new end of a pause as near to the old one as this changes nothing: whoever wakes too early asks again."""


class QuotaView(msgspec.Struct, frozen=True):
    """One account as it is shown.

    Attributes:
        left: shares, 0..1, by kind.
        resting: its workers are given nothing.
        resumes_s: seconds for which they rest; None where they do not, or nobody knows.
    """

    name: str
    workers: int
    in_flight: int
    left: dict[str, float]
    resting: bool
    resumes_s: float | None


class Account:
    """One provider account with its workers.

    Args:
        name: of the quota in the settings.
        settings: what it allows.
        clock: time.
    """

    def __init__(self, name: str, settings: QuotaSettings, clock: Clock) -> None:
        self.name = name
        self.quota = Quota(settings, clock.monotonic())
        self._clock = clock
        self._members: dict[Endpoint, Pool] = {}
        self._rest_until = 0.0

    def add(self, endpoint: Endpoint, pool: Pool) -> None:
        """A worker draws from it from now on."""
        self._members[endpoint] = pool
        pool.pause(endpoint, self._rest_until)

    def remove(self, endpoint_id: str) -> None:
        """A worker has left; unknown ones are ignored."""
        self._members = {endpoint: pool for endpoint, pool in self._members.items() if endpoint.id != endpoint_id}

    def draw(self, attempt: Attempt) -> Draw | float:
        """Draw for an attempt; or return for how many seconds it must wait, perhaps infinite."""
        now, estimate = self._clock.monotonic(), attempt.envelope.estimate
        tokens = (0, 0) if estimate is None else (estimate.input_tokens, estimate.output_tokens)
        drawn = self.quota.draw(attempt.envelope.id, now, *tokens)
        self.heed(now)
        return drawn

    def hear(self, drawn: Draw, headers: Sequence[tuple[str, str]]) -> None:
        """Learn from the head of a reply."""
        now = self._clock.monotonic()
        self.quota.hear(drawn, now, readings(headers, self._clock.wall()))
        self.heed(now)

    def finish(self, drawn: Draw, attempt: Attempt, outcome: Outcome | None) -> None:
        """An attempt is over; None where it was cancelled."""
        now, sent = self._clock.monotonic(), True
        if type(outcome) is Failed:
            if is_throttled(outcome):
                wish_s = outcome.retry_after_s
                self.quota.throttle(now, retry_after_s(attempt.provider_headers) if wish_s is None else wish_s)
            # A provider that was too busy has seen the request all the same.
            sent = outcome.sent or outcome.status > 0
        elif outcome is not None:
            self.quota.answered()
        self.quota.finish(drawn, now, attempt.usage, sent=sent)
        self.heed(now)

    def heed(self, now: float) -> None:
        """Let the workers rest until something is left, or wake them."""
        ready_at = self.quota.ready_at(now)
        until, was = 0.0 if ready_at <= now else ready_at, self._rest_until
        if until == was or (until > now and was > now and abs(until - was) < _NEAR_S):
            return
        self._rest_until = until
        for endpoint, pool in list(self._members.items()):
            pool.pause(endpoint, until)

    def view(self) -> QuotaView:
        """Return how it is."""
        now = self._clock.monotonic()
        resting = self._rest_until > now
        resumes_s = self._rest_until - now if resting and self._rest_until < inf else None
        left = self.quota.left_shares(now)
        return QuotaView(self.name, len(self._members), self.quota.in_flight, left, resting, resumes_s)


def is_throttled(outcome: Outcome) -> TypeGuard[Failed]:
    """Whether a provider refused a request as one too many of its account."""
    return type(outcome) is Failed and outcome.reason is Failure.WORKER_BUSY and outcome.status == _THROTTLED


class Quotas:
    """All accounts of one router.

    Args:
        pools: by name; a reload may add to the mapping.
        clock: time.
    """

    def __init__(self, pools: Mapping[str, Pool], clock: Clock) -> None:
        self._pools = pools
        self._clock = clock
        self._accounts: dict[str, Account] = {}

    def use(self, settings: Mapping[str, QuotaSettings]) -> None:
        """Put other figures into force and keep what was drawn. An account that is taken away limits nothing more."""
        now = self._clock.monotonic()
        for name, of in settings.items():
            account = self._accounts.get(name)
            if account is None:
                self._accounts[name] = Account(name, of, self._clock)
            else:
                account.quota.use(of, now)
                account.heed(now)
        for name in [name for name in self._accounts if name not in settings]:
            # A worker that joined by API may still draw from it.
            account = self._accounts.pop(name)
            account.quota.use(QuotaSettings(learn=False), now)
            account.heed(now)

    def account(self, name: str | None) -> Account | None:
        """Return the account of that name; None where there is none, or no name."""
        return None if name is None else self._accounts.get(name)

    def observe(self, event: Event) -> None:
        """Let workers in and out."""
        if type(event) is WorkerJoined:
            pool = self._pools.get(event.pool)
            if pool is not None:
                endpoint = pool.endpoint(event.worker)
                account = self.account(endpoint.settings.quota)
                if account is not None:
                    account.add(endpoint, pool)
        elif type(event) is WorkerLeft:
            for account in self._accounts.values():
                account.remove(event.worker)

    def views(self) -> list[QuotaView]:
        """Return how all accounts are."""
        return [account.view() for account in self._accounts.values()]
