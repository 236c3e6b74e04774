"""The leaf of a worker's stack: speaks to the worker."""

from __future__ import annotations

from pointsman.model.outcome import Outcome
from pointsman.ports import Attempt
from pointsman.runtime.endpoint import Endpoint


class Send:
    """Hands the attempt to the worker's transport.

    Position: the leaf, after Timeout because everything it does may take too long.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, attempt: Attempt) -> Outcome:
        """Deliver."""
        return await self._endpoint.transport.send(attempt)
