"""Facts about which messages are accepted, what is filled in, and how each refusal is named."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.validate import Validator, needs_store
from pointsman.model.message import PRIORITIES, Envelope, Message
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.settings import Settings, ValidationSettings

BOUNDS = ValidationSettings()
VALIDATOR = Validator(BOUNDS, Settings().classes)
RECEIVED, WALL = 1000.0, 1_795_523_400.0  # 2026-11-24T12:30:00Z
OMITTED: Any = object()


def put(idempotency_key: Any = None, text: Any = OMITTED, **fields: Any) -> Envelope:
    """A message as a sender might build it in process, where types are not checked."""
    if text is OMITTED:
        text = None if "messages" in fields else "fix it"
    message = Message(text=text, **fields)
    return Envelope("0" * 32, message, "c", RECEIVED, WALL, idempotency_key=idempotency_key)


def check(now: float = RECEIVED, **fields: Any) -> Refused | None:
    """Check a message."""
    return VALIDATOR.check(put(**fields), now)


def user(content: Any) -> dict[str, Any]:
    """A turn of the user."""
    return {"role": "user", "content": content}


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_plain_message_gets_the_defaults():
    """Normal priority, the waiting time to live, no time-out of its own, kept in memory only."""
    envelope = put(text="fix it")
    assert VALIDATOR.check(envelope, RECEIVED) is None
    assert (envelope.ask, envelope.level, envelope.timeout_s, envelope.stored) == ("fix it", 2, None, False)
    assert (envelope.ttl_s, envelope.expires_at) == (BOUNDS.ttl_waiting_s, RECEIVED + BOUNDS.ttl_waiting_s)


def test_what_the_sender_says_is_filled_in():
    """Priority as its level, times as given; the time to live runs from receipt, not from the check."""
    envelope = put(text="x", priority="critical", ttl_s=7, timeout_s=9.5)
    assert VALIDATOR.check(envelope, RECEIVED + 3.0) is None
    assert (envelope.level, envelope.ttl_s, envelope.timeout_s) == (0, 7, 9.5)
    assert envelope.expires_at == RECEIVED + 7
    for level, name in enumerate(PRIORITIES):
        envelope = put(priority=name)
        VALIDATOR.check(envelope, RECEIVED)
        assert envelope.level == level


@pytest.mark.parametrize(
    "fields",
    [
        {"wait": False},
        {"durable": True},
        {"idempotency_key": "k"},
        {"delay_s": 1.0},
        {"not_before": "2026-11-24T12:31:00Z"},
    ],
)
def test_a_message_that_must_outlive_its_sender_is_stored(fields):
    """Each of the five ways, and with it the longer time to live."""
    envelope = put(**fields)
    assert VALIDATOR.check(envelope, RECEIVED) is None
    assert envelope.stored
    assert envelope.ttl_s == BOUNDS.ttl_stored_s


def test_a_delay_of_nothing_is_no_delay():
    """`delay_s: 0` stands in the documented example, and does not turn a waiting message into a stored one."""
    assert not needs_store(Message(text="x", delay_s=0), None)


def test_the_newest_human_request_is_what_is_asked():
    """Of a chat list the last turn of the user, whole; a list without one asks nothing and is legal."""
    envelope = put(messages=[user("plan"), {"role": "assistant", "content": "ok"}, user("```\nfix\n```")])
    assert VALIDATOR.check(envelope, RECEIVED) is None
    assert envelope.ask == "```\nfix\n```"
    envelope = put(messages=[{"role": "system", "content": "plan"}])
    assert VALIDATOR.check(envelope, RECEIVED) is None
    assert envelope.ask == ""


ESC = "\x1b[31m"

GOOD: list[dict[str, Any]] = [
    {"text": ""},
    {"text": "é" * 131_072},
    {"text": "x" * 262_144},
    {"text": "tab\tline\nform\f \u2764\ufe0f \u0645\u06cc\u200c\u062e"},
    {"class_": "tactical"},
    {"class_": "strong"},
    {"class_": "auto"},
    {"priority": "bulk", "redeliver": "never", "strict": True},
    {"ttl_s": 0.001},
    {"ttl_s": 2_592_000},
    {"timeout_s": 2_592_000.0},
    {"wait_s": 0},
    {"wait_s": 600},
    {"delay_s": 86_399.0},
    {"not_before": "2001-01-01T00:00:00Z"},
    {"conversation_id": "x" * 256},
    {"idempotency_key": "x" * 256},
    {"callback_url": "https://example.org/done?id=1", "durable": True},
    {"metadata": {"a": nested(31)}, "params": {"temperature": 0.2}},
    {"messages": [{"role": "tool", "content": ESC}, {"role": "assistant", "content": ESC}, user("why")]},
    {"messages": [user([{"type": "tool_result", "content": ESC}, {"type": "text", "text": "why"}])]},
    {"messages": [user([{"type": "x", "data": nested(30)}])]},
]


@pytest.mark.parametrize("fields", GOOD)
def test_a_message_at_its_bounds_passes(fields):
    """The largest, the shortest, the strangest that is still in order."""
    assert check(**fields) is None


BAD: list[tuple[dict[str, Any], Refusal, str, str]] = [
    # Content
    ({"text": None}, Refusal.INVALID, "text", "got neither text and messages, expected exactly one"),
    ({"text": "x", "messages": [user("x")]}, Refusal.INVALID, "text", "got both text and messages"),
    ({"text": 3}, Refusal.INVALID, "text", "got 3, expected a string"),
    ({"text": b"x"}, Refusal.INVALID, "text", "got a Python bytes"),
    ({"messages": []}, Refusal.INVALID, "messages", "got an empty list"),
    ({"messages": "x"}, Refusal.INVALID, "messages", "expected a list"),
    ({"messages": [{"role": "root", "content": ""}]}, Refusal.INVALID, "messages", "turn 0: role: got 'root'"),
    ({"text": "x" * 262_145}, Refusal.TOO_LARGE, "text", "got 262,145 bytes of text or more, expected at most 262,144"),
    ({"text": "é" * 131_073}, Refusal.TOO_LARGE, "text", "got 262,146 bytes"),
    ({"messages": [user("é" * 65_537)] * 2}, Refusal.TOO_LARGE, "messages", "got 262,148 bytes"),
    ({"messages": [user([{"type": "x", "data": nested(31)}])]}, Refusal.INVALID, "messages", "nested deeper"),
    ({"messages": [user([{"type": "x", "data": nested(100_000)}])]}, Refusal.INVALID, "messages", "nested deeper"),
    ({"messages": [user("x"), {"role": "tool", "content": "\ud800"}]}, Refusal.INVALID, "messages", "surrogate"),
    # Characters
    ({"text": "a\x00"}, Refusal.HARMFUL, "text", "U+0000, at character 1"),
    ({"text": ESC}, Refusal.HARMFUL, "text", "U+001B"),
    ({"text": "\ud800"}, Refusal.HARMFUL, "text", "lone surrogate"),
    ({"text": "\U000e0041"}, Refusal.HARMFUL, "text", "tag characters"),
    ({"messages": [user("x"), user(ESC)]}, Refusal.HARMFUL, "messages", "U+001B"),
    ({"messages": [user([{"type": "text", "text": "\u202e"}])]}, Refusal.HARMFUL, "messages", "U+202E"),
    # Names
    ({"class_": "gpt"}, Refusal.UNKNOWN_CLASS, "class", "expected one of fast, strategic, strong, tactical, or auto"),
    ({"class_": ""}, Refusal.UNKNOWN_CLASS, "class", "got ''"),
    ({"class_": 3}, Refusal.INVALID, "class", "got 3, expected a string"),
    ({"priority": "urgent"}, Refusal.INVALID, "priority", "expected one of critical, high, normal, low, bulk"),
    ({"priority": ["high"]}, Refusal.INVALID, "priority", "got a list"),
    ({"redeliver": "twice"}, Refusal.INVALID, "redeliver", "expected one of always, unsent, never"),
    ({"wait": "false"}, Refusal.INVALID, "wait", "got 'false', expected true or false"),
    ({"stream": None}, Refusal.INVALID, "stream", "got null"),
    ({"durable": 1}, Refusal.INVALID, "durable", "got 1"),
    ({"strict": 0}, Refusal.INVALID, "strict", "got 0"),
    ({"conversation_id": ""}, Refusal.INVALID, "conversation_id", "got 0 characters, expected a string of 1 to 256"),
    ({"conversation_id": "x" * 257}, Refusal.INVALID, "conversation_id", "got 257 characters"),
    ({"conversation_id": 7}, Refusal.INVALID, "conversation_id", "got 7"),
    ({"conversation_id": "a\nb"}, Refusal.INVALID, "conversation_id", "control characters"),
    ({"idempotency_key": "a\x1b"}, Refusal.INVALID, "idempotency_key", "control characters"),
    ({"idempotency_key": ""}, Refusal.INVALID, "idempotency_key", "got 0 characters"),
    ({"callback_url": "https://example.org"}, Refusal.INVALID, "callback_url", "only with a stored message"),
    ({"callback_url": "ftp://x", "wait": False}, Refusal.INVALID, "callback_url", "expected http:// or https://"),
    ({"callback_url": "http://x/ y", "wait": False}, Refusal.INVALID, "callback_url", "escape them"),
    ({"callback_url": 3, "wait": False}, Refusal.INVALID, "callback_url", "got 3"),
    # Times
    ({"ttl_s": 0}, Refusal.INVALID, "ttl_s", "got 0, expected seconds from 0.001 to 2,592,000"),
    ({"ttl_s": -1.5}, Refusal.INVALID, "ttl_s", "got -1.5"),
    ({"ttl_s": 2_592_000.1}, Refusal.INVALID, "ttl_s", "got 2592000.1"),
    ({"ttl_s": math.nan}, Refusal.INVALID, "ttl_s", "got nan"),
    ({"ttl_s": math.inf}, Refusal.INVALID, "ttl_s", "got inf"),
    ({"ttl_s": 10**5000}, Refusal.INVALID, "ttl_s", "got an integer beyond"),
    ({"ttl_s": "60"}, Refusal.INVALID, "ttl_s", "got '60'"),
    ({"ttl_s": True}, Refusal.INVALID, "ttl_s", "got true"),
    ({"timeout_s": 0.0}, Refusal.INVALID, "timeout_s", "got 0.0"),
    ({"timeout_s": math.nan}, Refusal.INVALID, "timeout_s", "got nan"),
    ({"wait_s": -0.1}, Refusal.INVALID, "wait_s", "expected seconds from 0 to 600"),
    ({"wait_s": 600.5}, Refusal.INVALID, "wait_s", "got 600.5"),
    ({"delay_s": -1}, Refusal.INVALID, "delay_s", "expected seconds from 0 to 2,592,000"),
    ({"delay_s": 86_400.0}, Refusal.INVALID, "delay_s", "raise ttl_s"),
    ({"delay_s": 60, "ttl_s": 30}, Refusal.INVALID, "delay_s", "start 30 s after its time to live of 30 s"),
    ({"not_before": "tomorrow"}, Refusal.INVALID, "not_before", "expected an RFC 3339 instant"),
    ({"not_before": 1}, Refusal.INVALID, "not_before", "got 1"),
    ({"not_before": "2026-11-25T12:30:00Z"}, Refusal.INVALID, "not_before", "raise ttl_s"),
    ({"not_before": "2026-11-24T12:31:00Z", "delay_s": 5}, Refusal.INVALID, "not_before", "expected one of the two"),
    # Data
    ({"metadata": None}, Refusal.INVALID, "metadata", "got null, expected an object"),
    ({"metadata": []}, Refusal.INVALID, "metadata", "got a list"),
    ({"metadata": {str(n): n for n in range(65)}}, Refusal.INVALID, "metadata", "got 65 keys"),
    ({"metadata": {"a": nested(100_000)}}, Refusal.INVALID, "metadata", "nested deeper than 32"),
    ({"metadata": {"a": 2**53 + 1}}, Refusal.INVALID, "metadata", "beyond 2^53"),
    ({"metadata": {"a": math.nan}}, Refusal.INVALID, "metadata", "got nan"),
    ({"params": {"a": "\ud800"}}, Refusal.INVALID, "params", "lone surrogate"),
    ({"params": {"a": "x" * 65_536}}, Refusal.INVALID, "params", "got 65544 bytes as JSON"),
    ({"params": {"a": {1, 2}}}, Refusal.INVALID, "params", "got a Python set"),
]


@pytest.mark.parametrize(("fields", "reason", "field", "part"), BAD, ids=[f"{row[2]}-{row[3]}" for row in BAD])
def test_bad_input_is_refused_by_name(fields, reason, field, part):
    """Reason, field, and a detail that begins with the field and says what was got or expected."""
    refused = check(**fields)
    assert refused is not None
    assert (refused.reason, refused.field) == (reason, field)
    assert refused.detail.startswith(f"{field}: ")
    assert part in refused.detail
    assert refused.detail.isprintable()
    assert not refused.retryable


def test_a_refused_message_is_left_as_it_was():
    """Nothing is filled in."""
    envelope = put(text="fix", priority="high", ttl_s=5, callback_url="https://example.org")
    assert VALIDATOR.check(envelope, RECEIVED) is not None
    assert (envelope.ask, envelope.level, envelope.ttl_s, envelope.stored) == ("", 2, 0.0, False)


def test_a_delay_runs_from_the_check_and_an_instant_from_the_calendar():
    """Time spent before the check counts against a delay that just fits, and not against an instant."""
    assert check(delay_s=29.0, ttl_s=30.0) is None
    assert check(now=RECEIVED + 1.0, delay_s=29.0, ttl_s=30.0) is not None
    assert check(now=RECEIVED + 1.0, not_before="2026-11-24T12:30:29Z", ttl_s=30.0) is None


def test_the_largest_text_follows_the_settings():
    """A smaller bound holds for text and for chat lists."""
    small = Validator(ValidationSettings(max_text_bytes=4), Settings().classes)
    assert small.check(put(text="four"), RECEIVED) is None
    for fields in ({"text": "fives"}, {"messages": [user("four"), user("5")]}):
        refused = small.check(put(**fields), RECEIVED)
        assert refused is not None
        assert refused.reason is Refusal.TOO_LARGE


class Touchy:
    """Answers no question, as some arrays and lazy values do not."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=()), max_size=8)
    | st.binary(max_size=3)
    | st.sampled_from(["high", "auto", "user", "text", "2026-11-24T12:31:00Z", "https://x", Touchy(), 10**400, {1}]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text", 1, None]), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = sorted(set(Message.__struct_fields__))


@given(st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=4), JUNK)
def test_no_junk_raises(fields, key):
    """Any value in any field gives a refusal of a known reason, or a message in order."""
    refused = VALIDATOR.check(put(idempotency_key=key, **fields), RECEIVED)
    if refused is not None:
        assert refused.field in {*FIELDS, "class", "idempotency_key"}
        assert refused.reason in {Refusal.INVALID, Refusal.TOO_LARGE, Refusal.HARMFUL, Refusal.UNKNOWN_CLASS}
        refused.detail.encode()


def compatible(protocol: str = "anthropic", **fields: Any) -> Envelope:
    """A message of a compatible API."""
    envelope = put(**fields)
    envelope.protocol = protocol
    return envelope


TOLERATED: list[list[Any]] = [
    [user("x" * 1_000_000), {"role": "assistant", "content": "y" * 1_000_000}, user("why")],
    [{"role": "critic", "content": 3}, {"role": None}, {}, user("why")],
    [user([{"type": "tool_result", "content": [nested(40)]}, {"text": "no type"}, "loose", 7, None])],
    [user([{"type": "text", "text": None}, {"type": ["text"], "text": "x"}, {"type": "thinking", "signature": "s"}])],
    [user("why"), {"role": "tool", "content": "\ud800 raw \x1b[31m", "n": 2**70}],
]


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
@pytest.mark.parametrize("messages", TOLERATED)
def test_what_a_compatible_message_holds_is_for_its_provider_to_judge(protocol, messages):
    """Megabytes of history, roles and parts of tomorrow, raw tool output: the native API refuses each of them."""
    assert VALIDATOR.check(compatible(protocol, messages=messages), RECEIVED) is None
    assert VALIDATOR.check(put(messages=messages), RECEIVED) is not None


@pytest.mark.parametrize(
    ("fields", "reason", "part"),
    [
        ({"messages": []}, Refusal.INVALID, "messages: got an empty list"),
        ({"messages": {}}, Refusal.INVALID, "messages: got an object, expected a list"),
        ({"messages": [user("x"), "y"]}, Refusal.INVALID, "messages: turn 1: got 'y', expected an object"),
        ({"messages": [user(nested(70))]}, Refusal.INVALID, "messages: got objects or lists nested deeper than 64"),
        ({"messages": [user(nested(100_000))]}, Refusal.INVALID, "nested deeper"),
        ({"text": None}, Refusal.INVALID, "got neither text and messages"),
        ({"text": 3}, Refusal.INVALID, "text: got 3, expected a string"),
        ({"messages": [user("x"), user(ESC)]}, Refusal.HARMFUL, "messages: got"),
        ({"messages": [user([{"type": "text", "text": ESC}, {"type": "tool_result"}])]}, Refusal.HARMFUL, "U+001B"),
        ({"messages": [user("x")], "conversation_id": "a\nb"}, Refusal.INVALID, "conversation_id: got control"),
        ({"messages": [user("x")], "ttl_s": 0}, Refusal.INVALID, "ttl_s: got 0"),
    ],
)
def test_what_nobody_could_read_is_refused_all_the_same(fields, reason, part):
    """Whatever the provider would say: what is no chat, what nests for ever, what is hostile to whoever reads it."""
    refused = VALIDATOR.check(compatible(**fields), RECEIVED)
    assert refused is not None
    assert refused.reason is reason
    assert part in refused.detail


def test_the_text_of_embeddings_is_bounded_by_the_body_alone():
    """It stands for the input; a native text of that size is refused."""
    assert VALIDATOR.check(compatible("openai", text="x" * 1_000_000), RECEIVED) is None


@given(JUNK, st.sampled_from(["openai", "anthropic"]))
def test_no_junk_raises_in_a_compatible_message(messages, protocol):
    """Any JSON, and anything else, as the chat list and as its turns."""
    for value in (messages, [messages], [{"role": "user", "content": messages}]):
        refused = VALIDATOR.check(compatible(protocol, messages=value), RECEIVED)
        assert refused is None or refused.reason in {Refusal.INVALID, Refusal.HARMFUL}
