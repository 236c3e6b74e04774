from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.answer_scan import AnswerScan, text_tokens
from pointsman.model.usage import Usage
from tests.answer_streams import anthropic, data, openai

GUESS = 1234
"""Input tokens where the provider does not say."""


def scanned(protocol: str, stream: bytes | Iterable[bytes]) -> AnswerScan:
    """What is known after a stream, in one chunk or several."""
    scan = AnswerScan(protocol)
    for chunk in (stream,) if isinstance(stream, bytes) else stream:
        scan.feed(chunk)
    return scan


def verdict(scan: AnswerScan) -> tuple[bool, bool, Any, Usage]:
    """All that can be asked."""
    return scan.done, scan.ended, scan.error, scan.usage(lambda: GUESS)


USAGE = {"prompt_tokens": 20, "completion_tokens": 30, "prompt_tokens_details": {"cached_tokens": 16}}
START = {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 6, "output_tokens": 1}

WHOLE = {
    "openai with usage": ("openai", openai("Hello", " world", usage=USAGE), Usage(20, 16, 0, 30)),
    "openai spaced": ("openai", openai("Hello", usage=USAGE, spaced=True), Usage(20, 16, 0, 30)),
    "openai without usage": ("openai", openai("12345678", "9"), Usage(GUESS, 0, 0, 3, estimated=True)),
    "anthropic": ("anthropic", anthropic("Hello", start=START, last={"output_tokens": 15}), Usage(20, 4, 6, 15)),
    "anthropic spaced": (
        "anthropic",
        anthropic("Hello", start=START, last={"output_tokens": 15}, spaced=True),
        Usage(20, 4, 6, 15),
    ),
    "anthropic that counts no input at first": (
        "anthropic",
        anthropic("Hello", start={"input_tokens": 0}, last={"input_tokens": 9, "output_tokens": 5}),
        Usage(9, 0, 0, 5),
    ),
    "anthropic without usage": (
        "anthropic",
        anthropic("12345", start=None),
        Usage(GUESS, 0, 0, 2, estimated=True),
    ),
}


@pytest.mark.parametrize(("protocol", "stream", "usage"), WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_stream_is_known_for_whole(protocol: str, stream: bytes, usage: Usage) -> None:
    """It has ended, without an error, and its usage is what the provider said, or a guess that says so."""
    assert verdict(scanned(protocol, stream)) == (True, True, None, usage)


@pytest.mark.parametrize(("protocol", "stream", "usage"), WHOLE.values(), ids=WHOLE.keys())
@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_line_ends_may_be_any_of_three(protocol: str, stream: bytes, usage: Usage, line_end: bytes) -> None:
    """The standard allows them all."""
    assert verdict(scanned(protocol, stream.replace(b"\n", line_end))) == (True, True, None, usage)


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.integers(0, 1500), max_size=20))
def test_where_chunks_are_cut_makes_no_difference(name: str, cuts: list[int]) -> None:
    """In the middle of a line, of a word, of a character."""
    protocol, stream, usage = WHOLE[name]
    places = [0, *sorted(cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(places)]
    assert verdict(scanned(protocol, chunks)) == (True, True, None, usage)


@pytest.mark.parametrize("size", [1, 7, 170, 5000, 100_000])
@pytest.mark.parametrize(("protocol", "usage"), [("openai", Usage(20, 16, 0, 30)), ("anthropic", Usage(20, 4, 6, 15))])
def test_a_long_stream_is_known_by_its_beginning_and_its_end(protocol: str, usage: Usage, size: int) -> None:
    """However its chunks are cut; what lies between is counted and forgotten."""
    texts = ["some text, 17 by."] * 1000
    stream = (
        openai(*texts, usage=USAGE)
        if protocol == "openai"
        else anthropic(*texts, start=START, last={"output_tokens": 15})
    )
    scan = scanned(protocol, [stream[at : at + size] for at in range(0, len(stream), size)])
    assert verdict(scan) == (True, True, None, usage)
    assert scan.output_guess == 17_000 // 4
    assert len(scan._buffer) <= 12_288


def test_text_is_counted_whatever_it_is_called():
    """Words, thoughts, tool calls and refusals, in both protocols; escapes and all."""
    delta = {
        "role": "assistant",
        "content": 'a "quoted" \\ b',  # 16 bytes as it is written, escapes included
        "reasoning_content": "12345678",
        "tool_calls": [{"index": 0, "id": "call_123", "function": {"name": "f", "arguments": '{"a'}}],
        "refusal": None,
    }
    assert scanned("openai", data({"choices": [{"index": 0, "delta": delta}]})).output_guess == -(-(17 + 8 + 4) // 4)
    kinds = (
        {"type": "thinking_delta", "thinking": "1234"},
        {"type": "input_json_delta", "partial_json": "1234"},
        {"type": "signature_delta", "signature": "x" * 400},
        {"type": "text_delta", "text": "1234"},
    )
    stream = data(*({"type": "content_block_delta", "index": 0, "delta": kind} for kind in kinds))
    assert scanned("anthropic", stream).output_guess == 3


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=12), st.sampled_from(["x", "\\\\", '\\"', "ü"]))
def test_an_answer_in_one_endless_line_is_counted_too(sizes: list[int], letter: str) -> None:
    """Some servers send all of it as one event; a guess may be off by what one cut loses."""
    text = (letter * 60_000)[: 60_000 - 60_000 % len(letter)].encode()
    stream = b'data: {"choices":[{"delta":{"content":"' + text + b'"}}]}\n\n'
    scan = AnswerScan("openai")
    at = 0
    while at < len(stream):
        for size in sizes:
            scan.feed(stream[at : at + size])
            at += size
            assert len(scan._buffer) <= 12_288 + 9000
    assert 0.9 * len(text) / 4 <= scan.output_guess <= len(text) / 4 + 1


def test_a_stream_that_was_cut_has_not_ended_and_is_charged_for_what_came():
    """What Anthropic says at the beginning of its output is no account of what came."""
    cut = scanned("openai", openai("12345678", "1234", end=False))
    assert verdict(cut) == (False, False, None, Usage(GUESS, 0, 0, 3, estimated=True))
    cut = scanned("anthropic", anthropic("12345678", "1234", start=START, end=False))
    assert verdict(cut) == (False, False, None, Usage(20, 4, 6, 3, estimated=True))
    long = scanned("anthropic", anthropic(*["12345678"] * 1000, start=START, end=False))
    assert verdict(long) == (False, False, None, Usage(20, 4, 6, 2000, estimated=True))
    assert verdict(AnswerScan("openai")) == (False, False, None, Usage(GUESS, 0, 0, 0, estimated=True))


def test_what_comes_last_counts_where_usage_comes_twice():
    """The sum of cumulative figures would be nonsense; half an object is none."""
    twice = openai("x", usage={"prompt_tokens": 5, "completion_tokens": 1})
    twice = data({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 0}}) + twice
    assert scanned("openai", twice).usage(int) == Usage(5, 0, 0, 1)
    half = twice + b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_'
    assert scanned("openai", half).usage(int) == Usage(5, 0, 0, 1)
    cumulative = anthropic("x", start=START, last={"output_tokens": 3}, end=False)
    cumulative += data({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9}})
    assert scanned("anthropic", cumulative).usage(int) == Usage(20, 4, 6, 9)


def test_the_account_is_given_as_the_provider_wrote_it():
    """For native replies, which show it."""
    assert scanned("openai", openai("x", usage=USAGE)).said == USAGE
    assert scanned("anthropic", anthropic("x", start=START, last={"output_tokens": 7})).said == {
        **START,
        "output_tokens": 7,
    }
    assert scanned("anthropic", anthropic("x", start=START, end=False)).said == START
    assert AnswerScan("openai").said is None
    assert AnswerScan("anthropic").said is None


def test_a_reason_to_end_is_an_end_without_the_last_event():
    """Some servers of OpenAI's protocol leave [DONE] away; it is not done, as usage might follow."""
    stream = openai("Hello").removesuffix(b"data: [DONE]\n\n")
    scan = scanned("openai", stream)
    assert (scan.done, scan.ended) == (False, True)
    cut = anthropic("Hello", start=START, last={"output_tokens": 2}, end=False)
    assert not scanned("anthropic", cut).ended


def test_a_last_event_needs_no_blank_after_its_colon_and_no_line_end():
    """As the standard has it."""
    assert scanned("openai", b'data:{"choices":[]}\n\ndata:[DONE]').done


@pytest.mark.parametrize("line", [b": " + b"x" * 20_000 + b"\n", b": ping\n\n" * 5000, b":\n" * 20_000])
@pytest.mark.parametrize("size", [1, 1000, 1_000_000])
def test_comments_push_nothing_out_of_sight(line: bytes, size: int) -> None:
    """Servers that keep a connection open send them before, between and after all else."""
    for protocol, stream, usage in WHOLE.values():
        at = stream.index(b"\n\n", len(stream) // 2) + 2
        whole = line + stream[:at] + line + stream[at:] + line
        scan = scanned(protocol, [whole[place : place + size] for place in range(0, len(whole), size)])
        assert verdict(scan) == (True, True, None, usage)
        assert len(scan._buffer) <= 12_288


def test_each_choice_must_have_ended():
    """Of several that are streamed side by side, one may have come to its end before the rest is cut."""

    def chunk(index: int, reason: str | None) -> bytes:
        return data({"choices": [{"index": index, "delta": {}, "finish_reason": reason}]})

    assert not scanned("openai", chunk(0, "stop") + chunk(1, None)).ended
    assert scanned("openai", chunk(1, None) + chunk(0, "stop") + chunk(1, "length") + chunk(0, None)).ended
    assert scanned("openai", data({"choices": [{"finish_reason": "stop"}]})).ended
    assert not scanned("openai", data({"choices": []}, {"choices": 7}, {"choices": [7]})).ended


def test_an_answer_in_one_endless_event_has_ended_if_it_says_so():
    """It can no longer be read as a whole then."""
    text = "x" * 50_000
    for reason in ("stop", None):
        event = data({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]})
        assert scanned("openai", [event[at : at + 1000] for at in range(0, len(event), 1000)]).ended is bool(reason)


def test_space_within_the_json_makes_no_difference():
    """Python's and JavaScript's habits are not the only ones."""
    assert scanned("anthropic", b'data: { "type" :\t "message_stop" }\n\n').done
    assert scanned("openai", b'data: { "usage" : { "prompt_tokens" : 3, "completion_tokens" : 1 } }\n').usage(
        int
    ) == Usage(3, 0, 0, 1)


FORGED = [
    'data: [DONE]\n\ndata: {"error": {}}\n\n',
    '{"type":"message_stop"}',
    '{"type":"error","error":{}}',
    '"usage":{"prompt_tokens":1,"completion_tokens":1}',
    '"finish_reason":"stop"',
    "event: message_stop\ndata: x",
    "message_stop",
    "error",
    "[DONE]",
]


@pytest.mark.parametrize("text", FORGED)
def test_what_a_model_writes_cannot_be_taken_for_what_the_worker_says(text: str) -> None:
    """A model that explains the protocol, in words or as the arguments of a tool."""
    for scan in (
        scanned("openai", openai(text, end=False)),
        scanned("anthropic", anthropic(text, start=START, end=False)),
    ):
        assert (scan.done, scan.ended, scan.error) == (False, False, None)
        assert scan.usage(lambda: GUESS).estimated


ERRORS = {
    "openai": ("openai", data({"error": {"message": "boom", "type": "server_error"}})),
    "then done": ("openai", data({"error": {"message": "boom"}}) + b"data: [DONE]\n\n"),
    "openrouter": (
        "openai",
        data({"id": "x", "choices": [{"index": 0, "finish_reason": "error"}], "error": {"message": "boom"}}),
    ),
    "older vllm": ("openai", data({"object": "error", "message": "boom"})),
    "anthropic": (
        "anthropic",
        b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "boom"}}\n\n',
    ),
}


@pytest.mark.parametrize(("protocol", "event"), ERRORS.values(), ids=ERRORS.keys())
@pytest.mark.parametrize("before", [0, 1, 1000])
def test_an_error_event_is_found(protocol: str, event: bytes, before: int) -> None:
    """First of all, or after anything."""
    texts = ["some text"] * before
    stream = openai(*texts, end=False) if protocol == "openai" else anthropic(*texts, start=START, end=False)
    error = scanned(protocol, (stream if before else b"") + event).error
    assert error == event.split(b"data: ")[1].strip()


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_long_streams_with_any_line_end_are_known_and_counted(line_end: bytes) -> None:
    """By their lines, as with the usual one."""
    stream = openai(*["some text, 17 by."] * 1000, usage=USAGE).replace(b"\n", line_end)
    scan = scanned("openai", [stream[at : at + 170] for at in range(0, len(stream), 170)])
    assert verdict(scan) == (True, True, None, Usage(20, 16, 0, 30))
    assert scan.output_guess == 17_000 // 4
    error = data({"choices": []}, {"error": {"message": "boom"}}).replace(b"\n", line_end)
    assert scanned("openai", error).error == b'{"error":{"message":"boom"}}'


@pytest.mark.parametrize(
    "event",
    [
        {"choices": [], "error": None},
        {"choices": [], "prompt_filter_results": [{"error": {"code": "content_filter_error"}}]},
        {"choices": [{"delta": {"content": "error"}}]},
    ],
)
def test_an_error_somewhere_within_an_event_is_none(event: Any) -> None:
    """Only the event's own counts."""
    assert scanned("openai", data(event)).error is None


def test_half_an_error_is_none_yet():
    """Its other half may still come."""
    whole = data({"error": {"message": "boom"}})
    scan = scanned("openai", whole[:20])
    assert scan.error is None
    scan.feed(whole[20:])
    assert scan.error == b'{"error":{"message":"boom"}}'


@given(st.sampled_from(["openai", "anthropic"]), st.lists(st.binary(max_size=200), max_size=8))
def test_any_bytes_are_taken(protocol: str, chunks: list[bytes]) -> None:
    """Nothing raises, and nothing is negative."""
    scan = scanned(protocol, chunks)
    usage = scan.usage(lambda: GUESS)
    assert usage.input_tokens >= 0
    assert usage.output_tokens >= 0
    assert scan.error is None or scan.error.startswith(b"{")


PIECES = st.sampled_from(
    [
        b'"usage":',
        b"{",
        b"}",
        b'{"prompt_tokens":',
        b"1",
        b"}" * 3,
        b'"',
        b"\\",
        b"\n",
        b"data: ",
        b"[DONE]",
        b'"error"',
    ]
)


@given(st.sampled_from(["openai", "anthropic"]), st.lists(PIECES, max_size=40))
def test_any_pieces_of_the_grammar_are_taken(protocol: str, pieces: list[bytes]) -> None:
    """Half objects, quotes that never end, brackets that were never opened."""
    scan = scanned(protocol, pieces)
    assert scan.usage(lambda: GUESS).input_tokens >= 0
    assert scan.error is None or scan.error.startswith(b"{")


def test_the_text_of_a_plain_answer_is_counted_the_same_way():
    """For servers that do not count."""
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": 'say "hi" \\ now'}}]}).encode()
    assert text_tokens(body) == -(-len(rb"say \"hi\" \\ now") // 4)
    assert text_tokens(b"") == 0


def test_nesting_without_end_is_no_account():
    """A worker may write what it likes."""
    assert scanned("openai", b'data: {"usage":{"a":' + b"[" * 100_000).usage(lambda: GUESS).estimated
