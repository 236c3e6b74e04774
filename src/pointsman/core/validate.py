"""Decides whether a message is one at all: shape, size, characters, names, times and data.

The same rules hold for what came by HTTP and for what was built in process, where any field may hold anything:
nothing here raises. Only what the newest human wrote is searched for hostile characters; history and tool results
may hold raw terminal output. What the words mean is no business of this file.

A message of a compatible API is its provider's to judge: only what we read ourselves is checked, and its size is
bounded by that of its body alone, because agents send their whole history with each turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from pointsman.core.characters import find_harmful, is_label
from pointsman.core.chat import check_depth, check_list, check_turns, count_bytes, count_text_bytes
from pointsman.core.classify.ask import ask_of
from pointsman.core.classify.names import AUTO, ClassNames
from pointsman.core.instants import parse_instant
from pointsman.core.payload import check_data, check_tree, show
from pointsman.core.suitable import PROTOCOLS
from pointsman.model.message import LEVELS, ON_DISCONNECT, PRIORITIES, REDELIVER, Envelope, Message
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.settings import ClassSettings, ValidationSettings

SHORTEST_S: Final = 0.001
LONGEST_S: Final = 2_592_000.0
"""30 days. Bounds of times to live, of time-outs and of delays."""

MAX_LABEL: Final = 256
"""Characters of a conversation id and of an idempotency key."""

MAX_URL: Final = 2048


_FLAGS: Final = tuple((name, attrgetter(name)) for name in ("wait", "stream", "durable", "strict"))
_CHOICES: Final = tuple(
    (name, attrgetter(name), choices)
    for name, choices in (("priority", PRIORITIES), ("redeliver", REDELIVER), ("on_disconnect", ON_DISCONNECT))
)


class Validator:
    """Checks messages. Immutable.

    Args:
        settings: bounds, and the times of messages that name none.
        classes: settings by class name; a message may name a class, an alias of one, or `auto`.
    """

    def __init__(self, settings: ValidationSettings, classes: Mapping[str, ClassSettings]) -> None:
        self._settings = settings
        self._names = ClassNames(classes)

    def check(self, envelope: Envelope, now: float) -> Refused | None:
        """Return why the message is refused, or None where it is in order.

        Fills in `ask`, `level`, `ttl_s`, `expires_at`, `timeout_s` and `stored` of a message that is in order.

        Args:
            envelope: the message; its time to live began at `received_at`.
            now: monotonic seconds; a delay begins here.
        """
        message = envelope.message
        compatible = envelope.protocol in PROTOCOLS
        refused = _check_compatible(message) if compatible else self._check_content(message)
        if refused is not None:
            return refused
        ask = ask_of(message)
        return (
            _check_characters(message, ask)
            or self._check_class(message)
            or _check_names(message, envelope.idempotency_key)
            or self._check_times(message)
            or (None if compatible else self._check_tree(message))
            or self._check_data(message)
            or self._fill(envelope, ask, now)
        )

    def _check_content(self, message: Message) -> Refused | None:
        text, messages = message.text, message.messages
        if (text is None) == (messages is None):
            return _not_one(message)
        largest = self._settings.max_text_bytes
        if messages is not None:
            wrong = check_turns(messages)
            if wrong:
                return _invalid("messages", wrong)
            return _too_large("messages", count_text_bytes(messages), largest)
        if type(text) is not str:
            return _invalid("text", f"got {show(text)}, expected a string")
        return _too_large("text", len(text) if len(text) > largest else count_bytes(text), largest)

    def _check_class(self, message: Message) -> Refused | None:
        name = message.class_
        if name is None:
            return None
        if type(name) is not str:
            return _invalid("class", f"got {show(name)}, expected a string")
        if name != AUTO and self._names.resolve(name) is None:
            known = ", ".join(self._names.known)
            detail = f"class: got {show(name)}, expected one of {known}, or {AUTO}"
            return Refused(Refusal.UNKNOWN_CLASS, detail, field="class")
        return None

    def _check_times(self, message: Message) -> Refused | None:
        if message.ttl_s is None and message.timeout_s is None and message.wait_s is None and message.delay_s is None:
            return None
        return (
            _check_seconds("ttl_s", message.ttl_s, SHORTEST_S, LONGEST_S)
            or _check_seconds("timeout_s", message.timeout_s, SHORTEST_S, LONGEST_S)
            or _check_seconds("wait_s", message.wait_s, 0.0, self._settings.wait_max_s)
            or _check_seconds("delay_s", message.delay_s, 0.0, LONGEST_S)
        )

    def _check_tree(self, message: Message) -> Refused | None:
        if message.messages is None:
            return None
        bounds = self._settings
        # The list and its turns are two levels more than what one of them holds.
        wrong = check_tree(message.messages, bounds.max_depth + 2, bounds.max_text_bytes)
        return _invalid("messages", wrong) if wrong else None

    def _check_data(self, message: Message) -> Refused | None:
        bounds = self._settings
        for field, value in (("metadata", message.metadata), ("params", message.params)):
            if type(value) is not dict or value:
                wrong = check_data(value, bounds.max_metadata_keys, bounds.max_depth, bounds.max_metadata_bytes)
                if wrong:
                    return _invalid(field, wrong)
        return None

    def _fill(self, envelope: Envelope, ask: str, now: float) -> Refused | None:
        """Fill in what follows from fields that are in order each; refuse what they cannot mean together."""
        message = envelope.message
        stored = needs_store(message, envelope.idempotency_key)
        default_s = self._settings.ttl_stored_s if stored else self._settings.ttl_waiting_s
        ttl_s = default_s if message.ttl_s is None else message.ttl_s
        expires_at = envelope.received_at + ttl_s
        if message.callback_url is not None and not stored:
            detail = "expected only with a stored message: set wait to false, durable to true, or an Idempotency-Key"
            return _invalid("callback_url", detail)
        if message.delay_s or message.not_before is not None:
            refused = _check_start(envelope, now, expires_at, ttl_s)
            if refused is not None:
                return refused
        envelope.ask = ask
        envelope.level = LEVELS[message.priority or "normal"]
        envelope.ttl_s = ttl_s
        envelope.expires_at = expires_at
        envelope.timeout_s = message.timeout_s
        envelope.stored = stored
        return None


def needs_store(message: Message, idempotency_key: str | None) -> bool:
    """Return whether a message must outlive its sender: nobody waits, or it must happen only once, or later."""
    return bool(
        not message.wait
        or message.durable
        or idempotency_key is not None
        or message.delay_s
        or message.not_before is not None
    )


def _check_compatible(message: Message) -> Refused | None:
    """Refuse content of a compatible API that nobody could read; what is odd about it is for the provider to say."""
    text, messages = message.text, message.messages
    if (text is None) == (messages is None):
        return _not_one(message)
    if messages is None:
        return None if type(text) is str else _invalid("text", f"got {show(text)}, expected a string")
    wrong = check_list(messages) or check_depth(messages)
    return _invalid("messages", wrong) if wrong else None


def _not_one(message: Message) -> Refused:
    got = "neither" if message.text is None else "both"
    return _invalid("text", f"got {got} text and messages, expected exactly one of the two")


def _check_characters(message: Message, ask: str) -> Refused | None:
    wrong = find_harmful(ask)
    if not wrong:
        return None
    field = "text" if message.messages is None else "messages"
    return Refused(Refusal.HARMFUL, f"{field}: got {wrong}", field=field)


def _check_names(message: Message, idempotency_key: Any) -> Refused | None:
    for field, flag in _FLAGS:
        value = flag(message)
        if type(value) is not bool:
            return _invalid(field, f"got {show(value)}, expected true or false")
    for field, choice, choices in _CHOICES:
        value = choice(message)
        # The type comes first: comparing may raise where a value defines what equality means.
        if value is not None and (type(value) is not str or value not in choices):
            return _invalid(field, f"got {show(value)}, expected one of {', '.join(choices)}")
    for field, value in (("conversation_id", message.conversation_id), ("idempotency_key", idempotency_key)):
        refused = None if value is None else _check_label(field, value)
        if refused is not None:
            return refused
    return None if message.callback_url is None else _check_url(message.callback_url)


def _check_label(field: str, value: Any) -> Refused | None:
    if type(value) is not str or not 1 <= len(value) <= MAX_LABEL:
        got = f"{len(value)} characters" if type(value) is str else show(value)
        return _invalid(field, f"got {got}, expected a string of 1 to {MAX_LABEL} characters")
    if not is_label(value):
        return _invalid(field, "got control characters or line ends, expected none")
    return None


def _check_url(value: Any) -> Refused | None:
    if type(value) is not str or len(value) > MAX_URL or not value.startswith(("http://", "https://")):
        expected = f"expected http:// or https:// and at most {MAX_URL} characters"
        return _invalid("callback_url", f"got {show(value)}, {expected}")
    if not value.isascii() or not value.isprintable() or " " in value:
        return _invalid("callback_url", "got blanks or characters that are no printable ASCII: escape them with %")
    return None


def _check_seconds(field: str, value: Any, least: float, most: float) -> Refused | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return _invalid(field, f"got {show(value)}, expected seconds from {least:g} to {most:,.10g}")
    return None


def _check_start(envelope: Envelope, now: float, expires_at: float, ttl_s: float) -> Refused | None:
    """Refuse a delayed message that has two starts, none, or one after its end."""
    message = envelope.message
    if message.not_before is None:
        field, starts_at = "delay_s", now + (message.delay_s or 0.0)
    elif message.delay_s:
        return _invalid("not_before", "got delay_s too, expected one of the two")
    else:
        field = "not_before"
        instant = parse_instant(message.not_before) if type(message.not_before) is str else None
        if instant is None:
            detail = f"got {show(message.not_before)}, expected an RFC 3339 instant such as 2026-01-31T09:00:00Z"
            return _invalid(field, detail)
        starts_at = envelope.received_at + instant - envelope.received_wall
    if starts_at >= expires_at:
        detail = (
            f"it would start {starts_at - expires_at:,.10g} s after its time to live of {ttl_s:,.10g} s: raise ttl_s"
        )
        return _invalid(field, detail)
    return None


def _too_large(field: str, got: int, largest: int) -> Refused | None:
    if got <= largest:
        return None
    detail = f"{field}: got {got:,} bytes of text or more, expected at most {largest:,}"
    return Refused(Refusal.TOO_LARGE, detail, field=field)


def _invalid(field: str, detail: str) -> Refused:
    return Refused(Refusal.INVALID, f"{field}: {detail}", field=field)
