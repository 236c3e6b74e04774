"""What a worker is given, and how JSON passes both ways."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.decision import Classification
from pointsman.model.message import Message
from pointsman.model.usage import Usage
from pointsman.testing.attempts import make_attempt
from pointsman.transports.work import (
    decode_json,
    decode_lenient,
    encode_json,
    encode_work,
    to_work,
    traceparent,
    usage_in,
)


def test_a_worker_is_given_what_the_product_page_says() -> None:
    """All of it, and nothing else."""
    attempt = make_attempt("plan it", number=7, attempt=2, temperature=0.5)
    attempt.envelope.classification = Classification("strategic", 0.9, {"strategic": 0.9}, "rule")
    attempt.envelope.level = 1
    attempt.envelope.message.metadata["ticket"] = 12
    assert to_work(attempt) == {
        "id": f"{7:032x}",
        "attempt": 2,
        "class": "strategic",
        "priority": "high",
        "deadline_s": 60.0,
        "text": "plan it",
        "metadata": {"ticket": 12},
        "params": {"temperature": 0.5},
    }


def test_a_chat_list_takes_the_place_of_the_text() -> None:
    """One of the two, never both."""
    attempt = make_attempt()
    chat = [{"role": "user", "content": "hi"}]
    attempt.envelope.message = Message(messages=chat)
    work = to_work(attempt)
    assert work["messages"] == chat
    assert "text" not in work


def test_the_attempt_number_is_the_leases() -> None:
    """The envelope's may already be that of a later hand-out."""
    attempt = make_attempt(attempt=2)
    attempt.envelope.attempt = 3
    assert to_work(attempt)["attempt"] == 2


def test_a_message_without_a_class_says_so_with_an_empty_one() -> None:
    """Workers may rely on the key."""
    attempt = make_attempt()
    attempt.envelope.classification = None
    assert to_work(attempt)["class"] == ""


def test_work_is_one_line() -> None:
    """Whatever line ends the text has."""
    line = encode_work(make_attempt("a\nb\r\u2028c"))
    assert b"\n" not in line
    assert b"\r" not in line
    assert json.loads(line)["text"] == "a\nb\r\u2028c"


def test_the_trace_goes_on_with_a_span_of_its_own() -> None:
    """Another for each attempt, the same each time it is asked for."""
    first, second = make_attempt(number=5), make_attempt(number=5, attempt=2)
    for each in (first, second):
        each.envelope.trace_id = "ab" * 16
    assert re.fullmatch(r"00-(ab){16}-[0-9a-f]{16}-01", traceparent(first))
    assert traceparent(first) != traceparent(second)
    assert traceparent(first) == traceparent(first)


def test_a_message_without_a_trace_is_one_under_its_id() -> None:
    """Its worker's logs can be found by the message's id."""
    assert traceparent(make_attempt(number=5)).split("-")[1] == f"{5:032x}"


def test_a_span_is_never_zero() -> None:
    """W3C forbids it."""
    assert traceparent(make_attempt(number=1, attempt=1)).split("-")[2] == "0" * 15 + "1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_json_passes_both_ways(value: Any) -> None:
    """As the standard library reads it."""
    data = encode_json(value)
    assert decode_json(data) == value
    assert json.loads(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"NaN",
        b'{"a": 1} x',
        b'"\xff"',
        b'{"a": "\xff"}',
        b'"\\ud800"',
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        b"1e999",
    ],
    ids=["empty", "cut", "NaN", "more", "no UTF-8", "no UTF-8 inside", "half a pair", "deep", "BOM", "too large"],
)
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    """One exception, whatever is wrong with it."""
    with pytest.raises(ValueError):
        decode_json(data)


def cyclic() -> list[Any]:
    """A list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [object(), {"a": object()}, "\ud800", {(1, 2): 3}, cyclic()])
def test_what_cannot_be_json_is_a_value_error(value: Any) -> None:
    """One exception, whatever is wrong with it."""
    with pytest.raises(ValueError):
        encode_json(value)


def test_what_other_readers_take_can_be_taken() -> None:
    """Half a surrogate pair, a number of any length; never what is no JSON."""
    assert decode_lenient(rb'{"a": "\ud800", "b": 1%b}' % (b"0" * 40)) == {"a": "\ud800", "b": 10**40}
    for bad in (b"", b"NaN", b"[Infinity]", b"\xff", b"[" * 100_000, b"{} {}"):
        with pytest.raises(ValueError):  # each has words of its own
            decode_lenient(bad)


@pytest.mark.parametrize(
    ("value", "usage"),
    [
        ({"text": "x", "usage": {"prompt_tokens": 5, "completion_tokens": 2}}, Usage(5, 0, 0, 2)),
        (
            {"usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 3}},
            Usage(8, 3, 0, 2),
        ),
        ({"usage": {"prompt_tokens": 5}}, None),
        ({"usage": {"tokens": 5}}, None),
        ({"usage": 5}, None),
        ({"text": "x"}, None),
        ("x", None),
        (None, None),
    ],
)
def test_a_native_worker_may_say_what_it_took(value: Any, usage: Usage | None) -> None:
    """In either provider's words; half an account is none."""
    assert usage_in(value) == usage
