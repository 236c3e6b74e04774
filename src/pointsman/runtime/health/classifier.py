"""The classifier: golden messages get the class they must get, with probabilities that can be ones.

The golden messages are for the model that comes along, or the built-in rules. Where the settings know no class of that
role, only the form of the answers is looked at; where they have rules of their own, another class may be what somebody
wanted, and is a warning.
"""

from __future__ import annotations

from collections.abc import Collection

from pointsman.core.classify.golden import GOLDEN
from pointsman.core.classify.pins import ConversationPins
from pointsman.model.decision import Classification
from pointsman.model.health import Finding, failed, passed, warned
from pointsman.runtime.health.premises import Alone, Premises

_NEARLY = 1e-6


class ClassifierCheck(Alone):
    """Asks the live classifier; no conversation's pin is touched.

    Args:
        house: whose classifier.
    """

    kind = "classifier"

    def __init__(self, house: Premises) -> None:
        self._house = house
        self._pins = ConversationPins(1.0, 1)

    def probe(self) -> Finding:
        """Ask about one."""
        return self._ask(GOLDEN[:1])

    async def look(self) -> Finding:
        """Ask about all."""
        return self._ask(GOLDEN)

    def _ask(self, golden: tuple[tuple[str, str], ...]) -> Finding:
        classifier = self._house.classifier
        other, odd = [], []
        for text, role in golden:
            answer = classifier.dry(
                ask=text, hint=None, client="", conversation_id=None, now=self._house.clock.monotonic(), pins=self._pins
            )
            odd += _oddity(answer, self._house.settings.classes)
            expected = classifier.resolve(role)
            if expected is not None and answer.message_class != expected:
                other.append(f"{text[:40]!r} gets {answer.message_class} in place of {expected}")
        if odd:
            return failed(f"{odd[0]}: this is a fault in Pointsman; please report it", len(odd), "odd answers", 0)
        if not other:
            return passed(f"{len(golden)} golden messages got their class", 0, "wrong answers", 0)
        if self._house.settings.classifier.rules:
            output = f"{other[0]}: if your own rules do not mean that, `pointsman classify` shows which one decides"
            return warned(output, len(other), "wrong answers", 0)
        output = f"{other[0]}: compare [classifier] with its defaults; `pointsman explain` shows what decides"
        return failed(output, len(other), "wrong answers", 0)


def _oddity(answer: Classification, classes: Collection[str]) -> list[str]:
    """Return what no answer may be."""
    odds = answer.probabilities
    if answer.message_class not in odds or set(odds) != set(classes):
        return [f"the classifier answers with the class {answer.message_class!r}, which is none of the settings"]
    if not all(0.0 <= share <= 1.0 for share in odds.values()) or abs(sum(odds.values()) - 1.0) > _NEARLY:
        return ["the probabilities of the classes are none, or do not add up to 1"]
    if answer.confidence != odds[answer.message_class]:
        return [f"the confidence is {answer.confidence:.3f} and the probability {odds[answer.message_class]:.3f}"]
    return []
