"""What clients have used of their limits, which outlives a reload. Rules: `core.bucket` and `core.flood`."""

from __future__ import annotations

from pointsman.core.bucket import TokenBucket
from pointsman.core.flood import FloodDetector
from pointsman.model.settings import LimitSettings


class Limits:
    """Buckets and flood counters of one router.

    Attributes:
        per_client: rate of each client.
        overall: rate of all clients together; None where there is no limit.
        flood: identical messages of each client.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self.per_client = TokenBucket(settings.rate_per_min, settings.burst, settings.max_clients)
        self.overall = _overall(settings)
        self.flood = FloodDetector(settings.flood_copies, settings.flood_leak_s, settings.flood_tracked)

    def resize(self, settings: LimitSettings, now: float) -> None:
        """Change the limits and keep what has been used of them; how many are tracked stays as it was.

        Args:
            settings: the new limits.
            now: monotonic seconds.
        """
        self.per_client.resize(settings.rate_per_min, settings.burst, now)
        self.flood.resize(settings.flood_copies, settings.flood_leak_s, now)
        if self.overall is None or settings.overall_rate_per_min == 0:
            self.overall = _overall(settings)
        else:
            self.overall.resize(settings.overall_rate_per_min, settings.overall_burst, now)


def _overall(settings: LimitSettings) -> TokenBucket | None:
    rate_per_min = settings.overall_rate_per_min
    return TokenBucket(rate_per_min, settings.overall_burst, 2) if rate_per_min else None
