"""A channel over an ASGI scope, as far as it differs from our own server's."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest

from pointsman.http.channel import AsgiChannel


def channel(**scope: Any) -> tuple[AsgiChannel, list[MutableMapping[str, Any]]]:
    """A channel whose client sends nothing, and what is written to it."""
    written: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"late", "more_body": False}

    async def send(event: MutableMapping[str, Any]) -> None:
        written.append(event)

    whole = {"method": "GET", "path": "/a b", "query_string": b"", "headers": [], **scope}
    return AsgiChannel(whole, receive, send), written


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ({"raw_path": b"/a%20b", "query_string": b"x=%ff"}, b"/a%20b?x=%ff"),
        ({"raw_path": b"/a%20b"}, b"/a%20b"),
        ({"raw_path": None}, b"/a%20b"),
        ({}, b"/a%20b"),
    ],
)
def test_the_target_is_what_came_or_means_the_same(scope: dict[str, Any], target: bytes) -> None:
    """Not every server tells the path as it came."""
    assert channel(**scope)[0].memo.target == target


async def test_a_body_that_was_put_back_comes_once_more() -> None:
    """Whole and at once."""
    one, _ = channel()
    assert one.arrived() is None
    one.put_back(b"body")
    assert one.arrived() == b"body"
    assert await one.receive() == {"type": "http.request", "body": b"body", "more_body": False}
    assert (await one.receive())["body"] == b"late"


async def test_somebody_elses_answer_is_written_like_any() -> None:
    """Its headers as they are; the server frames it."""
    one, written = channel()
    await one.start_as_is(200, [(b"content-length", b"1")], is_sized=True, at_once=True)
    await one.write(b"x")
    await one.end()
    assert [event["type"].rpartition(".")[2] for event in written] == ["start", "body", "body"]
    assert written[0]["headers"] == [(b"content-length", b"1")]
