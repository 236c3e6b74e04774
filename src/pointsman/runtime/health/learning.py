"""The classifier beside the messages of today: whether they are still like those that it was trained on.

Only warns: messages are served, and the classifier changes nothing by itself.
"""

from __future__ import annotations

from pointsman.core.classify.drift import MUCH
from pointsman.model.health import Finding, passed, warned
from pointsman.runtime.health.premises import Alone, Premises

_TRAIN = "label some recent messages and run `pointsman train`"


class LearningCheck(Alone):
    """Asks for the figures of drift, of abstaining and of what was learnt from feedback.

    Args:
        house: whose classifier.
    """

    kind = "learning"

    def __init__(self, house: Premises) -> None:
        self._house = house

    def probe(self) -> Finding:
        """Ask, without counting through the messages."""
        alarm = self._house.learning.keeping.alarm
        return warned(alarm) if alarm else passed("what feedback taught is kept, or nothing was taught")

    async def look(self) -> Finding:
        """Ask for all figures."""
        status = self._house.learning.status()
        if status.delta.alarm:
            return warned(status.delta.alarm)
        share, most = status.abstain_share, status.abstain_share_max
        if share is not None and share > most:
            output = f"{share:.0%} of {status.looked_at} messages abstained, and went to the fallback class: {_TRAIN}"
            return warned(output, share, "abstained share", most)
        kinds = [kind for kind in ("confidence", "class") if kind in status.drift]
        if not kinds:
            return passed(f"{status.looked_at} messages, too few to tell drift by", None, "stability index", MUCH)
        kind = max(kinds, key=status.drift.__getitem__)
        index = status.drift[kind]
        if index > MUCH:
            output = f"messages are not like those of the training any more (by {kind}): {_TRAIN}"
            return warned(output, index, "stability index", MUCH)
        return passed(f"messages are like those of the training (by {kind})", index, "stability index", MUCH)
