"""Head and body of an answer leave in one write, and nothing is held back for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from pointsman.http.one_write import OneWrite

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Calls(asyncio.Transport):
    """Notes each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes | str] = []

    def write(self, data: Any) -> None:
        self.calls.append(bytes(data))

    def close(self) -> None:
        self.calls.append("close")

    def is_closing(self) -> bool:
        return "close" in self.calls

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return name


def pair() -> tuple[Calls, OneWrite]:
    """Return a transport and what requests see of it."""
    calls = Calls()
    return calls, OneWrite(calls)


def test_head_and_body_are_one_write() -> None:
    """For each answer on the connection."""
    calls, transport = pair()
    for _ in range(2):
        calls.calls.clear()
        transport.write(HEAD)
        assert calls.calls == []
        transport.write(b"ok")
        assert calls.calls == [HEAD + b"ok"]


def test_further_pieces_of_a_body_go_at_once() -> None:
    """Streams are not held back."""
    calls, transport = pair()
    for piece in (HEAD, b"a", b"b", b"HTTP"):
        transport.write(piece)
    assert calls.calls == [HEAD + b"a", b"b", b"HTTP"]


def test_an_interim_answer_goes_at_once() -> None:
    """A client that waits for it would wait for ever."""
    calls, transport = pair()
    transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert calls.calls == [b"HTTP/1.1 100 Continue\r\n\r\n"]


def test_an_answer_without_a_body_leaves_at_its_end() -> None:
    """An empty write counts as a body; so does a flush."""
    calls, transport = pair()
    transport.write(HEAD)
    transport.write(b"")
    transport.write(HEAD)
    transport.flush()
    transport.flush()
    assert calls.calls == [HEAD, HEAD]


def test_closing_loses_nothing() -> None:
    """What was held back goes first."""
    calls, transport = pair()
    transport.write(HEAD)
    assert not transport.is_closing()
    transport.close()
    assert calls.calls == [HEAD, "close"]
    assert transport.is_closing()


def test_a_large_body_is_not_copied() -> None:
    """It leaves by a write of its own."""
    calls, transport = pair()
    body = b"a" * 65_536
    transport.write(HEAD)
    transport.write(body)
    assert calls.calls == [HEAD, body]


def test_what_the_transport_knows_is_passed_on() -> None:
    """Addresses, above all."""
    assert pair()[1].get_extra_info("peername") == "peername"
