"""A client that goes: the worker's connection is closed at once, whatever was under way. And one that is slow, or
waits.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.model.settings import ServerSettings, Settings
from tests.compat.asking import PROTOCOLS, body, path, plain, streamed
from tests.compat.fleet import faulty
from tests.compat.provider.plan import Gate, Plan
from tests.compat.raw import RawClient
from tests.compat.shapes.shape import Protocol
from tests.compat.sides import Sides

ROUND_TRIPS = 100
"""Requests that pass through the router while another answer must not move."""


def SETTINGS(url: str, folder: Path) -> Settings:  # noqa: N802 - the fixture's name for it
    """The faulty fleet, with pings that a test can wait for."""
    server = ServerSettings(listen="127.0.0.1:0", keys_file=str(folder / "keys.jsonl"), drain_s=0.5, ping_s=0.1)
    return faulty(url, folder, server=server)


both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.fixture(autouse=True)
def _nothing_is_left(sides: Sides) -> Iterator[None]:
    """After each test every worker has all its slots back."""
    sides.provider.reset()
    yield
    sides.router.must_be_idle()


def begin(sides: Sides, protocol: Protocol, model: str, *, stream: bool) -> RawClient:
    """Send a request and do not wait for its answer."""
    client = RawClient(sides.router.url)
    client.send(client.request(path(protocol), body(model, stream=stream)))
    return client


def reset(client: RawClient) -> None:
    """Hang up without a word."""
    client._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@both_protocols
@plain_and_streamed
@pytest.mark.parametrize("leave", [RawClient.close, reset], ids=["in order", "by a reset"])
def test_going_before_the_first_byte_frees_the_worker(
    sides: Sides, protocol: Protocol, stream: bool, leave: object
) -> None:
    """While the worker thinks."""
    sides.provider.play(Plan(before=Gate()))
    client = begin(sides, protocol, "solo", stream=stream)
    seen = sides.provider.wait_for(1)[0]
    assert callable(leave)
    leave(client)
    assert seen.left_early()


@both_protocols
@pytest.mark.parametrize("leave", [RawClient.close, reset], ids=["in order", "by a reset"])
def test_going_in_the_middle_of_a_stream_frees_the_worker(sides: Sides, protocol: Protocol, leave: object) -> None:
    """After the first event."""
    first, *rest = streamed(protocol).pieces
    sides.provider.play(streamed(protocol).with_pieces([first, Gate(), *rest]))
    client = begin(sides, protocol, "solo", stream=True)
    client.head()
    while b"data: " not in client.chunk():
        pass
    assert callable(leave)
    leave(client)
    assert sides.provider.seen[0].left_early()


@both_protocols
def test_going_in_the_middle_of_a_plain_answer_frees_the_worker(sides: Sides, protocol: Protocol) -> None:
    """Whether or not the first part had been passed on."""
    sides.provider.play(plain(protocol).silent_after(50))
    client = begin(sides, protocol, "solo", stream=False)
    seen = sides.provider.wait_for(1)[0]
    client.close()
    assert seen.left_early()


@both_protocols
@plain_and_streamed
def test_going_while_the_message_waits_takes_it_out_of_the_queue(
    sides: Sides, protocol: Protocol, stream: bool
) -> None:
    """No worker ever sees it."""
    gate = Gate()
    sides.provider.play(Plan(before=gate, pieces=plain(protocol).pieces))
    holding = begin(sides, protocol, f"queue-{protocol}", stream=False)
    sides.provider.wait_for(1)
    waiting = begin(sides, protocol, f"queue-{protocol}", stream=stream)
    sides.router.wait_for_counts(lambda counts: counts["waiting"] == 1)
    waiting.close()
    sides.router.wait_for_counts(lambda counts: counts["waiting"] == 0)
    gate.open()
    assert holding.answer().body == plain(protocol).body
    holding.close()
    assert len(sides.provider.seen) == 1


@both_protocols
def test_a_stream_that_waits_is_kept_open_by_pings(sides: Sides, protocol: Protocol) -> None:
    """While no worker is free: comments, or pings, that clients skip; then the stream as it is."""
    gate = Gate()
    sides.provider.play(Plan(before=gate, pieces=plain(protocol).pieces), streamed(protocol))
    holding = begin(sides, protocol, "narrow", stream=False)
    sides.provider.wait_for(1)
    waiting = begin(sides, protocol, "narrow", stream=True)
    head = waiting.head()
    assert (head.status, head.header("content-type")) == (200, "text/event-stream; charset=utf-8")
    ping = waiting.chunk()
    assert ping.startswith((b":", b"event: ping\n"))
    gate.open()
    pieces = iter(waiting.chunk, b"")
    rest = b"".join(piece for piece in pieces if piece != ping)
    assert rest == streamed(protocol).body
    assert holding.answer().status == 200
    for client in (holding, waiting):
        client.close()


@both_protocols
def test_who_waits_for_one_protocol_does_not_hold_up_the_other(sides: Sides, protocol: Protocol) -> None:
    """In a pool of both, the one worker being busy, the other serves its own."""
    other = next(name for name in PROTOCOLS if name != protocol)
    gate = Gate()
    sides.provider.play(Plan(before=gate, pieces=plain(protocol).pieces), plain(other))
    sides.provider.always(plain(protocol))
    waiting = [begin(sides, protocol, "narrow", stream=False) for _ in range(3)]
    sides.provider.wait_for(1)
    free = begin(sides, other, "narrow", stream=False)
    assert free.answer().body == plain(other).body
    gate.open()
    assert [client.answer().body for client in waiting] == [plain(protocol).body] * 3
    for client in (free, *waiting):
        client.close()


@both_protocols
def test_a_slow_client_holds_the_worker_up_and_nobody_else(sides: Sides, protocol: Protocol) -> None:
    """Back-pressure: of 128 MiB that nobody reads most stay with the worker, while others are served."""
    first, *rest = streamed(protocol).pieces
    block = b": " + b"x" * 1_048_576 + b"\n\n"
    sides.provider.play(streamed(protocol).with_pieces([first, *[block] * 128, *rest]))
    slow = begin(sides, protocol, "solo", stream=True)
    seen = sides.provider.wait_for(1)[0]
    for _ in range(ROUND_TRIPS):
        sides.provider.play(plain(protocol))
        with RawClient(sides.router.url) as client:
            assert client.ask(path(protocol), body("solo")).status == 200
    slow.close()
    assert seen.left_early()
