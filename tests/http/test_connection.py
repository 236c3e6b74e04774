"""One connection byte by byte, in virtual time: a transport of the test's own stands in for the socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from pointsman.http.connection import HEAD_S, KEEP_ALIVE_S
from pointsman.http.request_reader import MAX_HEAD_BYTES, MAX_HEADERS
from pointsman.http.site import Site
from pointsman.model.settings import ServerSettings
from tests.http.line import Answer, Line
from tests.http.service import Service, echo, service, silent


def site_of(run: Service, settings: ServerSettings | None = None) -> Site:
    """What the connections of one server share."""
    return Site(run.app, settings or ServerSettings(), run.surface.clock, asyncio.get_running_loop())


@contextlib.asynccontextmanager
async def line(workers: Mapping[str, Any] | None = None) -> AsyncIterator[tuple[Service, Line]]:
    """A service and one connection to it, which is hung up in the end."""
    async with service({"coders": {"w": echo}} if workers is None else workers) as run:
        one = Line(site=site_of(run))
        yield run, one
        await one.hang_up()


def post(body: bytes = b'{"text": "fix it", "class": "tactical"}', *headers: bytes) -> bytes:
    """Return a request."""
    lines = [
        b"POST /api/v1/messages HTTP/1.1",
        b"host: localhost",
        b"content-type: application/json",
        b"content-length: %d" % len(body),
        *headers,
    ]
    return b"\r\n".join([*lines, b"", body])


def code(answer: Answer) -> tuple[int, str]:
    """Return status and code of a problem."""
    status, headers, body = answer
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert problem["status"] == status
    return status, problem["code"]


async def test_a_connection_serves_one_request_after_the_other() -> None:
    """Kept alive, and closed after a rest."""
    async with line() as (_, one):
        for count in (1, 2, 3):
            answers = await one.send(post())
            assert [status for status, _, _ in answers] == [200] * count
        assert not one.wire.closed
        await asyncio.sleep(KEEP_ALIVE_S)
        assert one.wire.closed


@pytest.mark.parametrize(
    ("request_line", "ends"),
    [(b"GET /livez HTTP/1.1", b'{"status":"live"}'), (b"HEAD /livez HTTP/1.1", b"\r\n\r\n"), (b"GET / HTTP/1.0", b"}")],
)
async def test_an_answer_is_one_write(request_line: bytes, ends: bytes) -> None:
    """With a body and without one, on a connection that goes on and on one that ends."""
    async with line() as (_, one):
        one.feed(request_line + b"\r\nhost: localhost\r\n\r\n")
        await asyncio.sleep(0.001)
        assert len(one.wire.writes) == 1
        assert one.wire.written.endswith(ends)
        assert one.wire.closed == request_line.endswith(b"1.0")


async def test_a_request_may_come_in_pieces() -> None:
    """Cut anywhere, byte by byte."""
    async with line() as (_, one):
        request = post()
        answers = await one.send(*[request[at : at + 1] for at in range(len(request))])
        assert [status for status, _, _ in answers] == [200]


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Also when the first one takes longer."""

    async def by_text(work: Mapping[str, Any]) -> Any:
        await asyncio.sleep(float(work["text"]))
        return work["text"]

    async with line({"coders": {"w1": by_text, "w2": by_text}}) as (_, one):
        bodies = [b'{"text": "%s", "class": "tactical"}' % text for text in (b"3", b"1", b"2")]
        await one.send(b"".join(post(body) for body in bodies))
        await asyncio.sleep(10.0)
        assert [json.loads(body)["reply"]["text"] for _, _, body in one.answers()] == ["3", "1", "2"]


async def test_a_client_that_hangs_up_cancels_its_message() -> None:
    """At the worker, without a task that listens for it."""
    async with line({"coders": {"w": silent}}) as (run, one):
        await one.send(post())
        assert (await run.surface.engine.counts()).in_flight == 1
        assert len(run.app._context.tasks) == 0
        await one.hang_up()
        counts = await run.surface.engine.counts()
        assert (counts.in_flight, counts.cancelled) == (0, 1)
        assert one.wire.written == b""


async def test_a_client_that_hangs_up_cancels_the_first_of_its_pipelined_requests() -> None:
    """And the others never begin."""
    async with line({"coders": {"w": silent}}) as (run, one):
        await one.send(post() * 3)
        assert (await run.surface.engine.counts()).admitted == 1
        await one.hang_up()
        counts = await run.surface.engine.counts()
        assert (counts.admitted, counts.cancelled, counts.in_flight) == (1, 1, 0)


async def test_a_client_is_heard_while_it_waits() -> None:
    """Reading goes on after a large body, or nobody would learn that the client is gone."""
    async with line({"coders": {"w": silent}}) as (_, one):
        body = b'{"text": "%s", "class": "tactical"}' % (b"a" * 200_000)
        await one.send(post(body))
        assert not one.wire.paused


async def test_a_body_that_is_too_large_is_answered_and_the_connection_closed() -> None:
    """After it has been read."""
    async with line() as (run, one):
        request = post(b"a" * 10_000_000)
        answers = await one.send(*[request[at : at + 65_536] for at in range(0, len(request), 65_536)])
        assert [code(answer) for answer in answers] == [(413, "too_large")]
        assert answers[0][1]["connection"] == "close"
        assert one.wire.closed
        assert (await run.surface.engine.counts()).admitted == 0


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on() -> None:
    """Or that it need not."""
    async with line() as (_, one):
        head, _, body = post(b'{"text": "fix it"}', b"expect: 100-continue").partition(b"\r\n\r\n")
        await one.send(head + b"\r\n\r\n")
        assert one.wire.written == b"HTTP/1.1 100 Continue\r\n\r\n"
        one.wire.writes.clear()
        assert [status for status, _, _ in await one.send(body)] == [200]
    async with line() as (_, one):
        head, _, _ = post(b"a" * 2_000_000, b"expect: 100-continue").partition(b"\r\n\r\n")
        assert [code(answer) for answer in await one.send(head + b"\r\n\r\n")] == [(413, "too_large")]


@pytest.mark.parametrize(
    "raw",
    [
        b"hello there\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET /a\x00b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\n b\r\n\r\n",
        post(b"abc").replace(b"content-length: 3", b"content-length: 3\r\ncontent-length: 4"),
        post(b"abc").replace(b"content-length: 3", b"content-length: +3"),
        post(b"abc").replace(b"content-length: 3", b"content-length: 3\r\ntransfer-encoding: chunked"),
        post(b"zz\r\nabc").replace(b"content-length: 7", b"transfer-encoding: chunked"),
    ],
)
async def test_what_is_no_http_is_refused_and_the_connection_closed(raw: bytes) -> None:
    """With a problem; nothing that two parsers might read differently gets through."""
    async with line() as (run, one):
        answers = await one.send(raw)
        await asyncio.sleep(30.0)
        answers = one.answers()
        assert [answer[0] for answer in answers] == [400], answers
        assert code(answers[0]) == (400, "invalid")
        assert one.wire.closed
        assert (await run.surface.engine.counts()).admitted == 0


async def test_garbage_behind_a_request_does_not_spoil_its_answer() -> None:
    """The first answer comes whole; then the connection ends."""

    async def slow(work: Mapping[str, Any]) -> Any:
        await asyncio.sleep(1.0)
        return "slow"

    async with line({"coders": {"w": slow}}) as (_, one):
        await one.send(post() + b"garbage\r\n\r\n")
        assert one.wire.written == b""
        await asyncio.sleep(2.0)
        assert [status for status, _, _ in one.answers()] == [200]
        assert one.wire.closed


async def test_headers_are_bounded_in_bytes() -> None:
    """In one line without an end as in many."""
    async with line() as (_, one):
        answers = await one.send(b"GET / HTTP/1.1\r\nx: ", *[b"a" * 10_000] * (MAX_HEAD_BYTES // 10_000 + 1))
        assert [code(answer) for answer in answers] == [(431, "head_too_large")]
        assert one.wire.closed


async def test_headers_that_come_at_once_are_bounded_too() -> None:
    """A head that arrives whole is measured like one that trickles in, its target included."""
    for head in (b"GET /livez HTTP/1.1\r\nx: " + b"a" * 100_000, b"GET /" + b"a" * 100_000 + b" HTTP/1.1"):
        async with line() as (_, one):
            answers = await one.send(head + b"\r\nhost: localhost\r\n\r\n")
            assert [code(answer) for answer in answers] == [(431, "head_too_large")]


async def test_headers_are_bounded_in_number() -> None:
    """One more than that is one too many."""
    async with line() as (_, one):
        fields = b"".join(b"x-%d: a\r\n" % number for number in range(MAX_HEADERS - 1))
        assert [
            status for status, _, _ in await one.send(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n" + fields + b"\r\n")
        ] == [200]
        answers = await one.send(b"GET /livez HTTP/1.1\r\nhost: localhost\r\ny: b\r\n" + fields + b"\r\n")
        assert code(answers[1]) == (431, "head_too_large")
        assert one.wire.closed


@pytest.mark.parametrize(
    ("begun", "goes_on"),
    [
        (b"G", b"E"),
        (b"\r\n", b"\r\n"),
        (b"POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\n", b"x: y\r\n"),
        (post(b"{}")[:-2], b""),
    ],
)
@pytest.mark.parametrize("before", [b"", post()])
async def test_a_head_that_is_never_finished_is_cut_off(before: bytes, begun: bytes, goes_on: bytes) -> None:
    """On a new connection as on a used one; one that trickles too, and one whose body does not begin."""
    async with line() as (run, one):
        if before:
            await one.send(before)
        await one.send(begun)
        await asyncio.sleep(HEAD_S - 1.0)
        await one.send(goes_on)
        assert not one.wire.closed
        await asyncio.sleep(1.1)
        assert one.wire.closed
        answers = one.answers()
        assert code(answers.pop()) == (408, "receive_timeout")
        assert [status for status, _, _ in answers] == ([200] if before else [])
        assert (await run.surface.engine.counts()).admitted == len(answers)


async def test_a_body_that_stops_in_the_middle_is_cut_off() -> None:
    """By whoever reads it."""
    async with line() as (run, one):
        await one.send(post()[:-5])
        await asyncio.sleep(HEAD_S + 5.0)
        assert [code(answer) for answer in one.answers()] == [(408, "receive_timeout")]
        assert one.wire.closed
        assert (await run.surface.engine.counts()).admitted == 0


async def test_a_client_that_says_nothing_is_let_go() -> None:
    """After the time that a connection may rest."""
    async with line() as (_, one):
        await asyncio.sleep(KEEP_ALIVE_S - 1.0)
        assert not one.wire.closed
        await asyncio.sleep(1.1)
        assert (one.wire.closed, one.wire.written) == (True, b"")


async def test_an_upgrade_that_nobody_understands_is_ignored() -> None:
    """The request is answered as if it had not asked."""
    async with line() as (_, one):
        answers = await one.send(
            b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        )
        assert [status for status, _, _ in answers] == [200]


async def test_too_many_connections_are_told_to_come_again() -> None:
    """503 with Retry-After, and the older ones are served on."""
    async with service({"coders": {"w": echo}}) as run:
        site = site_of(run, ServerSettings(max_connections=2))
        lines = [Line(site=site) for _ in range(3)]
        answers = [(await one.send(post()))[0] for one in lines]
        assert [status for status, _, _ in answers] == [200, 200, 503]
        assert code(answers[2]) == (503, "overloaded")
        assert int(answers[2][1]["retry-after"]) >= 1
        assert lines[2].wire.closed
        for one in lines:
            await one.hang_up()
        fresh = Line(site=site)
        assert [status for status, _, _ in await fresh.send(post())] == [200]
        await fresh.hang_up()
