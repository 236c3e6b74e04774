"""Strict JSON: what no two parsers may read differently is refused, and the refusal says where and what is expected."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.http import wire
from pointsman.http.problems import RequestError
from pointsman.model.errors import RefusedError
from pointsman.model.message import Message

DEEP = 100_000


def refused(body: bytes) -> tuple[str, str]:
    """Return detail and field of the refusal that a body must meet."""
    with pytest.raises(RefusedError) as caught:
        wire.message(body)
    assert caught.value.refused.reason == "invalid"
    return caught.value.refused.detail, caught.value.refused.field


@pytest.mark.parametrize(
    ("body", "words", "field"),
    [
        (b"", "the body is empty", ""),
        (b" \n", "the body is empty", ""),
        (b"{", "line 1, column 2", ""),
        (b'{"text": "a",}', "line 1, column 14", ""),
        (b"{'text': 'a'}", "line 1, column 2", ""),
        (b'{"text": "a"} x', "Extra data", ""),
        (b'{"text": "a"}\x00', "Extra data", ""),
        (b'{"text": "a\x01"}', "control character", ""),
        (b'{"metadata": {"a": 01}}', "malformed JSON", ""),
        (b"[]", "the body: got an array, expected an object", ""),
        (b"null", "the body: got null, expected an object", ""),
        (b'{"text": 5}', "text: got an integer, expected a string", "text"),
        (b'{"wait": "yes"}', "wait: got a string, expected true or false", "wait"),
        (b'{"ttl_s": "5"}', "ttl_s: got a string, expected a number", "ttl_s"),
        (b'{"class": []}', "class: got an array, expected a string", "class"),
        (b'{"messages": [{}, 2]}', "messages[1]: got an integer, expected an object", "messages[1]"),
        (b'{"metadata": [1]}', "metadata: got an array, expected an object", "metadata"),
        (b'{"txet": "a"}', "unknown field 'txet'; did you mean 'text'?", "txet"),
        (b'{"zzz": 1}', "unknown field 'zzz'; known: text, messages, class", "zzz"),
        (b'{"class_": "a"}', "unknown field 'class_'; did you mean 'class'?", "class_"),
        (b'{"\\u001b[31m": 1}', "unknown field '\\x1b[31m'", "\x1b[31m"),
        (b'{"text": "a", "text": "b"}', "the body: key 'text' stands more than once", ""),
        (b'{"metadata": {"a": [{"b": 1, "b": 2}]}}', "metadata.a[0]: key 'b'", "metadata.a[0]"),
        (b'{"text": "a", "te\\u0078t": "b"}', "key 'text' stands more than once", ""),
        (b'{"ttl_s": NaN}', "NaN is no JSON number", ""),
        (b'{"metadata": {"a": Infinity}}', "Infinity is no JSON number", ""),
        (b'{"metadata": {"a": -Infinity}}', "-Infinity is no JSON number", ""),
        (b'{"ttl_s": 1e999}', "ttl_s: number out of range", "ttl_s"),
        (b'{"metadata": {"a": 1e999}}', "number out of range", "metadata[...]"),
        (b'{"ttl_s": 9007199254740993}', "ttl_s: got the integer 9007199254740993, expected at most 2^53", "ttl_s"),
        (b'{"metadata": {"a": [-9007199254740993]}}', "metadata.a[0]: got the integer", "metadata.a[0]"),
        (b'{"metadata": {"a": ' + b"9" * 4_000 + b"}}", "metadata.a: got the integer 99999", "metadata.a"),
        (b'{"metadata": {"a": ' + b"9" * 40_000 + b"}}", "integer value out of range", "metadata[...]"),
        (b'{"text": "\xff"}', "byte 10 is no valid UTF-8", ""),
        (b'{"text": "\xed\xa0\x80"}', "byte 10 is no valid UTF-8", ""),
        (b'{"text": "\\ud800"}', "half of a surrogate pair", ""),
        (b'{"metadata": {"\\udc00": 1}}', "half of a surrogate pair", ""),
        (b'\xef\xbb\xbf{"text": "a"}', "byte order mark", ""),
        ('{"text": "a"}'.encode("utf-16"), "no valid UTF-8", ""),
        (b'{"metadata": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}", "nested too deep", ""),
        (b'{"metadata": {"a": ' + b'{"b":' * DEEP, "nested too deep", ""),
        (b"[" * DEEP, "the body: got an array", ""),
    ],
)
def test_what_is_no_strict_json_is_refused(body: bytes, words: str, field: str) -> None:
    """Each refusal names the field where there is one, what was got, and what is expected."""
    detail, named = refused(body)
    assert words in detail
    assert named == field


def test_a_whole_message_is_understood() -> None:
    """Every field arrives as it was sent."""
    sent: dict[str, Any] = {
        "text": "naïve 🚂 \u0007",
        "class": "fast",
        "ttl_s": 30,
        "wait": False,
        "metadata": {"n": 9007199254740992, "m": -9007199254740992, "x": [1.5, None, {"y": True}]},
    }
    message = wire.message(json.dumps(sent).encode())
    assert message == Message(text="naïve 🚂 \u0007", class_="fast", ttl_s=30.0, wait=False, metadata=sent["metadata"])


def test_surrogate_pairs_are_characters() -> None:
    """Two halves that belong together are one character."""
    assert wire.message(b'{"text": "\\ud83d\\ude82"}').text == "🚂"


def test_integers_of_any_size_pass_where_a_worker_reads_them() -> None:
    """A compatible body may hold them, but not twice the same key."""
    decoder = msgspec.json.Decoder(dict[str, Any])
    assert wire.strict(b'{"seed": 9223372036854775807}', decoder, big_integers=True) == {"seed": 2**63 - 1}
    with pytest.raises(RefusedError, match="stands more than once"):
        wire.strict(b'{"seed": 1, "seed": 2}', decoder, big_integers=True)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_whatever_another_writer_writes_is_read_as_it_meant(metadata: dict[str, Any]) -> None:
    """Every JSON object of the standard library's writer comes in as the same value."""
    body = json.dumps({"text": "", "metadata": metadata}).encode("utf-8", "surrogatepass")
    if any(0xD800 <= ord(char) < 0xE000 for char in json.dumps(metadata, ensure_ascii=False)):
        assert "surrogate" in refused(body)[0]
    else:
        assert wire.message(body).metadata == metadata


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f'{{"text":"{text}"}}'.encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing but a message or a refusal comes of a body."""
    with contextlib.suppress(RefusedError):
        wire.message(body)


@pytest.mark.parametrize(
    "value", [None, "text", {"text": "a"}, [1, 2.5, {"x": None}], {"big": 2**200, "small": -(2**70)}]
)
def test_a_reply_is_written_as_json_in_one_line(value: Any) -> None:
    """Whatever JSON holds, big integers too."""
    written = bytes(wire.encode_reply(value))
    assert json.loads(written) == value
    assert b"\n" not in written


@pytest.mark.parametrize("value", [object(), {1.5: 2, object(): 3}, {"a": "\ud800"}])
def test_a_reply_that_is_no_json_value_is_refused_by_name(value: Any) -> None:
    """A worker in this process may answer anything; what cannot be written is its garbage, not our traceback."""
    with pytest.raises(RequestError) as caught:
        wire.encode_reply(value)
    assert (caught.value.code, caught.value.http_status) == ("worker_garbage", 502)


def test_a_reply_nested_without_end_is_refused_by_name() -> None:
    """A cycle is no JSON value."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RequestError) as caught:
        wire.encode_reply(value)
    assert caught.value.code == "worker_garbage"


def test_what_is_shown_is_cut_and_printable() -> None:
    """Nothing of a sender's reaches a screen or a log raw."""
    shown = wire.shorten("\x1b]0;" + "é\u202e" * 50)
    assert len(shown) < 400
    assert shown.isprintable()
