"""Asks the provider account that the worker draws from."""

from __future__ import annotations

from msgspec import structs

from pointsman.core.quota import Draw
from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.ports import Attempt, Deliver
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.quotas import Account, is_throttled


class DrawQuota:
    """Turns a call away, unsent, that the account has nothing left for; teaches the account what replies say.

    What is turned away is merely busy: it goes to a worker of another account, or back into its queue, and no attempt
    is used up. The account's workers rest meanwhile, so that rarely happens.

    Position: after Limit because what is turned away there must draw nothing, before Timeout because it takes no time.
    """

    def __init__(self, endpoint: Endpoint, account: Account | None) -> None:
        self._endpoint = endpoint
        self._account = account

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`; without an account it is `inner` itself."""
        endpoint, account = self._endpoint, self._account
        if account is None:
            return inner

        async def deliver(attempt: Attempt) -> Outcome:
            drawn = account.draw(attempt)
            if not isinstance(drawn, Draw):
                when = f"again in {drawn:.1f} s" if drawn < float("inf") else "again when a request of it has ended"
                detail = f"quota {account.name!r} of worker {endpoint.id!r} is used up; {when}"
                return Failed(Failure.WORKER_BUSY, detail, worker=endpoint.id, retry_after_s=0.0)
            attempt.provider_headers = ()
            attempt.on_head = lambda headers: account.hear(drawn, headers)
            outcome: Outcome | None = None
            try:
                outcome = await inner(attempt)
                # For how long to stay away is now the account's to heed: the message may go to another one at once.
                return structs.replace(outcome, retry_after_s=0.0) if is_throttled(outcome) else outcome
            finally:
                attempt.on_head = None
                account.finish(drawn, attempt, outcome)

        return deliver
