"""Estimates: four bytes a token, the output that is asked for, attachments by number and not by size."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.estimate import ATTACHMENT_TOKENS, estimate_tokens
from pointsman.model.message import Envelope, Message
from pointsman.testing.make import envelope


def compatible(body: bytes, endpoint: str = "/chat/completions", **fields: Any) -> Envelope:
    """Return a message of a compatible API."""
    of = envelope("hi")
    of.body, of.endpoint, of.max_output_tokens = body, endpoint, fields.pop("max_output_tokens", 0)
    of.message = Message(messages=fields.pop("messages", [{"role": "user", "content": "hi"}]))
    return of


def test_four_bytes_are_a_token() -> None:
    """Bytes of UTF-8, not characters; an empty text is a token too."""
    assert estimate_tokens(envelope("x" * 400), 50) == (100, 50)
    assert estimate_tokens(envelope("ä" * 400), 50) == (200, 50)
    assert estimate_tokens(envelope(""), 50) == (1, 50)


def test_of_a_native_chat_every_turn_counts() -> None:
    """Not only what was asked last."""
    of = envelope("short")
    of.message = Message(messages=[{"role": "user", "content": "x" * 400}, {"role": "user", "content": "short"}])
    assert estimate_tokens(of, 50)[0] == 102


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_a_native_message_names_its_most_output_in_params(name: str) -> None:
    """By any of the three names that providers use."""
    assert estimate_tokens(envelope("x", params={name: 7}), 50)[1] == 7


@pytest.mark.parametrize("value", [0, -5, True, "7", 7.5, None])
def test_a_maximum_that_is_no_number_of_tokens_is_none(value: object) -> None:
    """Then the default counts."""
    assert estimate_tokens(envelope("x", params={"max_tokens": value, "temperature": 1}), 50)[1] == 50


def test_of_a_compatible_message_the_whole_body_counts() -> None:
    """Tools and parameters are input too; the HTTP side has read the maximum."""
    assert estimate_tokens(compatible(b"x" * 4000), 50) == (1000, 50)
    assert estimate_tokens(compatible(b"x" * 4000, max_output_tokens=9), 50) == (1000, 9)
    # A maximum below 0 must not make room in a budget.
    assert estimate_tokens(compatible(b"x" * 4000, max_output_tokens=-9_000), 50) == (1000, 50)


@pytest.mark.parametrize("mark", [b'"url": "data:image/png;base64,', b'"type": "base64", "data": "'])
def test_an_attachment_counts_as_one_however_large_it_is(mark: bytes) -> None:
    """A picture of a megabyte would otherwise reserve 250,000 tokens."""
    body = b'[{"text": "' + b"t" * 400 + b'"}, {' + mark + b"A" * 1_000_000 + b'"}]'
    content = [{"type": "text", "text": "t" * 400}]
    of = compatible(body, messages=[{"role": "user", "content": content}])
    assert estimate_tokens(of, 50)[0] == 100 + ATTACHMENT_TOKENS


def test_embeddings_have_no_output_and_counting_is_free() -> None:
    """Whatever query follows the path."""
    assert estimate_tokens(compatible(b"x" * 400, "/embeddings"), 50) == (100, 0)
    assert estimate_tokens(compatible(b"x" * 400, "/messages/count_tokens?beta=true"), 50) == (0, 0)
    assert estimate_tokens(compatible(b"x" * 400, "/messages?beta=true"), 50) == (100, 50)
