"""Which class to take when the probabilities are known: what a mistake costs decides, and not only what is likeliest.

A message sent to a dearer class than it needed costs the difference. One sent to a cheaper class than it needed has
failed, and costs what a failure costs. So the class with the least expected cost is taken,

    cost(c) + cost_of_failure x P(the right class is dearer than c),

which for two classes says: down only if `p(cheap) >= 1 - (extra cost of the dear one) / cost_of_failure`. Where nobody
has said what a failure costs, the likeliest class is taken. Source: decision theory; the trap that a likely cheap class
is taken too readily is BerriAI/litellm issue 42139.
"""

from __future__ import annotations

from collections.abc import Mapping


def cheapest(probabilities: Mapping[str, float], costs: Mapping[str, float], cost_of_failure: float) -> str:
    """Return the class to take.

    Args:
        probabilities: by class, at least one.
        costs: by class, above 0; all classes of `probabilities` are among them.
        cost_of_failure: in the unit of `costs`; 0 takes the likeliest class. Of two that are equal the dearer wins.
    """
    if not cost_of_failure:
        return max(probabilities, key=lambda name: (probabilities[name], costs[name]))
    best, least, dearer = "", 0.0, 0.0
    by_cost = sorted(probabilities, key=lambda name: -costs[name])
    for at, name in enumerate(by_cost):
        if at and costs[by_cost[at - 1]] != costs[name]:
            dearer = sum(probabilities[other] for other in by_cost[:at])
        expected = costs[name] + cost_of_failure * dearer
        if not best or expected < least or (expected == least and probabilities[name] > probabilities[best]):
            best, least = name, expected
    return best


def least_confidence(extra_cost: float, cost_of_failure: float) -> float:
    """Return the probability from which a class that saves `extra_cost` is taken, of two; 0..1."""
    if not cost_of_failure:
        return 0.5
    return min(1.0, max(0.0, 1.0 - extra_cost / cost_of_failure))
