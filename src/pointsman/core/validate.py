"""Decides whether a message is one at all: its shape, size, characters, names, times and data, before anything else looks at
it.

The same rules hold for what came by HTTP and for what was built in process, where any field may hold anything; nothing here
raises. Patterns of abuse are no business of this file, and the words of a message are none of its business either. Only what
the newest human wrote is checked for hostile characters: history and tool results may hold raw terminal output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pointsman.core.characters import find_harmful
from pointsman.core.classify.ask import ask_of
from pointsman.core.classify.names import AUTO, ClassNames
from pointsman.core.conversation import check_turns
from pointsman.core.instants import parse_instant
from pointsman.core.payload import check_data, kind_of
from pointsman.model.message import LEVELS, PRIORITIES, REDELIVER, Envelope, Message
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.settings import ClassSettings, ValidationSettings

SHORTEST_S: Final = 0.001
LONGEST_S: Final = 2_592_000.0
"""30 days: bounds of times to live, of time-outs and of delays."""

MAX_ID: Final = 256
"""Characters of a conversation id and of an idempotency key."""

MAX_URL: Final = 2048

_SWITCHES: Final = ("wait", "stream", "durable", "strict")
_SHOWN: Final = 40


class Validator:
    """Checks messages. Immutable.

    Args:
        settings: bounds and default times.
        classes: settings by class name; a message may name a class or an alias of one.
    """

    def __init__(self, settings: ValidationSettings, classes: Mapping[str, ClassSettings]) -> None:
        self._settings = settings
        self._names = ClassNames(classes)

    def check(self, envelope: Envelope, now: float) -> Refused | None:
        """Return why the message is refused, or None where it is in order.

        Fills in `ask`, `level`, `ttl_s`, `expires_at`, `timeout_s` and `stored` of a message in order.

        Args:
            envelope: the message; its `received_at` is when its time to live begins.
            now: monotonic seconds; a delay begins here.
        """
        message = envelope.message
        refused = (
            self._check_content(message)
            or self._check_names(message, envelope.idempotency_key)
            or self._check_times(message)
            or self._check_data(message)
        )
        if refused is not None:
            return refused
        ask = ask_of(message)
        wrong = find_harmful(ask)
        if wrong:
            return Refused(Refusal.HARMFUL, f"the text holds {wrong}", field=_content_field(message))
        envelope.ask = ask
        envelope.level = LEVELS[message.priority or "normal"]
        envelope.timeout_s = message.timeout_s
        delayed = bool(message.delay_s) or message.not_before is not None
        envelope.stored = bool(not message.wait or message.durable or envelope.idempotency_key or delayed)
        default_s = self._settings.ttl_stored_s if envelope.stored else self._settings.ttl_waiting_s
        envelope.ttl_s = default_s if message.ttl_s is None else message.ttl_s
        envelope.expires_at = envelope.received_at + envelope.ttl_s
        return self._check_reach(envelope, now)
