"""Statistics of what was measured: percentiles, and a figure over rounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

Series = dict[int, float]
"""A figure by round."""


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least `share` (0..1) of the values do not exceed; the nearest-rank method.

    Raises:
        ValueError: there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values to take a percentile of")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratios(of: Mapping[int, float], to: Mapping[int, float]) -> Series:
    """Return round by round how many times `to` each of `of` is; a round that one of them lacks is left out."""
    return {number: of[number] / to[number] for number in of if to.get(number, 0.0) > 0.0}
