"""Admission: samples that must be refused are, and those that must pass do, through the live validator.

A harmful sample that passes is worse than a fault: it is reported as a security incident when it is first seen, and
by each deep check that still sees it.
"""

from __future__ import annotations

from typing import Any, Final

from pointsman.model.events import SecurityIncident
from pointsman.model.health import Finding, failed, passed
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Refusal
from pointsman.runtime.health.premises import Alone, Premises

_CLIENT: Final = "health check"

_GOOD: Final[tuple[dict[str, Any], ...]] = (
    {"text": "Fix the typo in README.md and commit it."},
    {"text": "Prüfe den Plan, bitte: دستیار، 计划 \U0001f469\u200d\U0001f4bb", "priority": "high", "ttl_s": 60.0},
    {"messages": [{"role": "user", "content": "Which of the two is cheaper?"}], "metadata": {"ticket": "BIL-318"}},
)
"""Messages that nobody may refuse."""

_BAD: Final[tuple[tuple[dict[str, Any], Refusal], ...]] = (
    ({"text": "done \x1b]0;your terminal\x07"}, Refusal.HARMFUL),
    ({"text": "hello \U000e0049\U000e0047\U000e004e\U000e004f\U000e0052\U000e0045"}, Refusal.HARMFUL),
    ({"text": "if access == \u202eresu\u2066"}, Refusal.HARMFUL),
    ({"messages": [{"role": "user", "content": "hidden \x00 end"}]}, Refusal.HARMFUL),
    ({}, Refusal.INVALID),
    ({"text": "x", "messages": []}, Refusal.INVALID),
    ({"text": "x", "ttl_s": -1.0}, Refusal.INVALID),
    ({"text": "x", "class_": "no such class, and never one"}, Refusal.UNKNOWN_CLASS),
)
"""Messages, and why each must be refused."""


class AdmissionCheck(Alone):
    """Asks the validator about samples; nothing is sent, counted or remembered.

    Args:
        house: whose validator.
    """

    kind = "admission"

    def __init__(self, house: Premises) -> None:
        self._house = house
        self._told = False

    def probe(self) -> Finding:
        """Ask about one good and one harmful message."""
        return self._ask(_GOOD[:1], _BAD[:1])

    async def look(self) -> Finding:
        """Ask about all samples, and one that is too large."""
        self._told = False
        limit = self._house.settings.validation.max_text_bytes
        return self._ask(_GOOD, (*_BAD, ({"text": "x" * (limit + 1)}, Refusal.TOO_LARGE)))

    def _ask(self, good: tuple[dict[str, Any], ...], bad: tuple[tuple[dict[str, Any], Refusal], ...]) -> Finding:
        wrong = []
        for at, fields in enumerate(good):
            refusal = self._refusal(fields)
            if refusal is not None:
                wrong.append(f"good sample {at} is refused as {refusal}")
        for at, (fields, expected) in enumerate(bad):
            refusal = self._refusal(fields)
            if refusal is not expected:
                wrong.append(f"bad sample {at} gets {refusal or 'accepted'} in place of {expected}")
            if refusal is None and expected is Refusal.HARMFUL:
                self._tell()
        asked = len(good) + len(bad)
        if not wrong:
            self._told = False
            return passed(f"{asked} samples were judged as they must be", 0, "wrong answers", 0)
        output = (
            f"{wrong[0]}; compare [validation] with its defaults, and stop taking messages until this is understood"
        )
        return failed(output, len(wrong), "wrong answers", 0)

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._house.emit(SecurityIncident(self._house.clock.monotonic(), "blocked_message_passed"))

    def _refusal(self, fields: dict[str, Any]) -> Refusal | None:
        clock = self._house.clock
        now = clock.monotonic()
        envelope = Envelope("0" * 32, Message(**fields), _CLIENT, now, clock.wall())
        refused = self._house.validator.check(envelope, now)
        return None if refused is None else refused.reason
