"""What a server said before it closed on us is still in the socket, and is read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pointsman.transports.wire.errors import ProtocolBroken
from pointsman.transports.wire.leftovers import read_leftovers
from pointsman.transports.wire.reply_parser import ReplyParser

TOO_LARGE = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"


class Dying(asyncio.Transport):
    """A transport that is being closed, over a real socket."""


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end, and ours."""
    server, ours = socket.socketpair()
    ours.setblocking(False)
    yield server, ours
    server.close()
    ours.close()


def read(ours: socket.socket | None, limit_bytes: int = 1_000_000, **extra: Any) -> ReplyParser:
    """Return a parser fed with what was left."""
    parser = ReplyParser()
    parser.expect("POST")
    read_leftovers(Dying({"socket": ours, **extra}), parser, limit_bytes)
    return parser


def test_an_answer_that_lies_there_is_read(pair: tuple[socket.socket, socket.socket]) -> None:
    """Whether the server has closed since or not."""
    server, ours = pair
    server.sendall(TOO_LARGE)
    assert read(ours).take() == b"no"
    server.sendall(TOO_LARGE)
    server.close()
    parser = read(ours)
    assert (parser.status, parser.complete, parser.take()) == (413, True, b"no")


def test_a_part_of_an_answer_is_read_too(pair: tuple[socket.socket, socket.socket]) -> None:
    """What it is worth is for the caller to say."""
    server, ours = pair
    server.sendall(TOO_LARGE[:-1])
    parser = read(ours)
    assert (parser.status, parser.complete, parser.take()) == (413, False, b"n")


def test_nothing_there_is_nothing_read(pair: tuple[socket.socket, socket.socket]) -> None:
    """Not an error; nor is a socket that is gone."""
    _, ours = pair
    assert not read(ours).started
    ours.close()
    assert not read(ours).started
    assert not read(None).started


def test_an_endless_answer_is_read_to_the_bound_only(pair: tuple[socket.socket, socket.socket]) -> None:
    """The rest goes with the socket."""
    server, ours = pair
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    server.setblocking(False)
    sent = server.send(b"HTTP/1.1 413 Too Large\r\n\r\n" + b"x" * 190_000)
    assert sent > 100_000
    parser = read(ours, limit_bytes=10_000)
    assert 10_000 <= parser.buffered_bytes <= 70_000


def test_what_lies_on_a_tls_connection_is_left_there(pair: tuple[socket.socket, socket.socket]) -> None:
    """It is no HTTP, but the cipher of it."""
    server, ours = pair
    server.sendall(TOO_LARGE)
    assert not read(ours, ssl_object=object()).started


def test_garbage_is_told(pair: tuple[socket.socket, socket.socket]) -> None:
    """As everywhere."""
    server, ours = pair
    server.sendall(b"SSH-2.0\r\n")
    with pytest.raises(ProtocolBroken):
        read(ours)
