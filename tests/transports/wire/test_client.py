"""The client over real sockets: what reaches the server, what comes back, and what each trouble is called."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from pathlib import Path

import pytest

from pointsman.model.errors import UsageError
from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import ConnectFailed, ConnectionClosed, ProtocolBroken
from tests.transports.raw_server import Request, Talk, serve, turn_until
from tests.transports.wire.fake_transport import FakeTransport

pytestmark = pytest.mark.real_loop(timeout_s=20)

CERTIFICATE = Path(__file__).with_name("localhost.pem")


async def echo(talk: Talk) -> None:
    """Answer every request with its own body."""
    while True:
        talk.answer((await talk.request()).body)


async def ask(client: HttpClient, body: bytes = b"hi") -> bytes:
    """Post a body and return the reply's."""
    with await client.request("POST", "", [], body) as response:
        return await response.read(1 << 27)


async def test_a_request_reaches_the_server_as_it_was_meant() -> None:
    """Method, target, headers and body."""
    requests: list[Request] = []

    async def script(talk: Talk) -> None:
        requests.append(await talk.request())
        talk.answer(b"yes", "201 Created", "X-Trace:  a b ", "x-trace: c")

    async with serve(script) as server:
        client = HttpClient(server.url + "/v1?k=v", max_connections=1)
        with await client.request("PUT", "/run", [("content-type", "text/plain")], b"body") as response:
            assert response.status == 201
            assert response.header("x-trace") == "a b"
            assert response.header("x-none") is None
            assert response.headers == [("content-length", "3"), ("x-trace", "a b"), ("x-trace", "c")]
            assert await response.read(10) == b"yes"
        await client.close()
    assert requests[0].line == "PUT /v1/run?k=v HTTP/1.1"
    assert requests[0].body == b"body"
    assert requests[0].headers == [
        ("host", f"127.0.0.1:{server.port}"),
        ("content-type", "text/plain"),
        ("content-length", "4"),
    ]


async def test_the_operating_system_watches_over_a_silent_server() -> None:
    """A machine that vanished is noticed although it says nothing."""
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=1)
        assert await ask(client) == b"hi"
        (connection,) = client._pool._open
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        await client.close()


async def test_one_connection_carries_many_requests() -> None:
    """As long as each reply was read to its end."""
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=4)
        for number in range(20):
            assert await ask(client, b"%d" % number) == b"%d" % number
        assert (server.connections, client.open_connections, client.idle_connections) == (1, 1, 1)
        await client.close()
        assert client.open_connections == 0


async def test_32_requests_at_once_get_each_their_own_answer() -> None:
    """Over at most as many connections as allowed."""
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=8)
        answers = await asyncio.gather(*(ask(client, b"%d" % number) for number in range(32)))
        assert answers == [b"%d" % number for number in range(32)]
        assert server.connections <= 8
        await client.close()


async def test_a_large_body_passes_both_ways() -> None:
    """8 MiB, more than any buffer on the way holds."""
    body = bytes(range(256)) * 32_768
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=1)
        assert await ask(client, body) == body
        await client.close()


async def test_a_server_that_is_not_there_is_told_apart() -> None:
    """Nothing was sent; the text says where to."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        client = HttpClient(f"http://127.0.0.1:{port}", max_connections=1)
        with pytest.raises(
            ConnectFailed, match=f"cannot connect to 127.0.0.1 port {port}: .*refused|Connect call failed"
        ):
            await ask(client)
        assert not await client.reach()
        await client.close()


async def test_a_name_that_does_not_resolve_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver's answer is faked, so that no test asks the network."""

    async def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    client = HttpClient("http://worker.invalid", max_connections=1)
    with pytest.raises(ConnectFailed, match=r"cannot connect to worker\.invalid port 80: Name"):
        await ask(client)
    await client.close()


async def test_a_server_that_takes_no_connection_is_given_up_in_time() -> None:
    """Its queue of connections is full, so that connecting gets no answer at all."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        client = HttpClient(f"http://127.0.0.1:{full.getsockname()[1]}", max_connections=1, connect_timeout_s=0.05)
        with pytest.raises(ConnectFailed, match=r"no answer within 0\.05 s"):
            await ask(client)
        await client.close()
        for filler in fillers:
            filler.close()


async def test_a_kept_connection_that_the_server_closed_is_replaced_unseen() -> None:
    """Its end was noticed before the next request was written, so nothing was sent on it."""
    closed = asyncio.Event()

    async def script(talk: Talk) -> None:
        talk.answer((await talk.request()).body)
        talk.close()
        closed.set()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        assert await ask(client) == b"hi"
        await closed.wait()
        await turn_until(lambda: not client.open_connections)
        assert await ask(client) == b"hi"
        assert server.connections == 2
        await client.close()


async def test_a_kept_connection_that_closes_on_the_next_request_is_no_reason_to_repeat_it() -> None:
    """The server has read it: what it did is unknown."""
    requests: list[Request] = []

    async def script(talk: Talk) -> None:
        requests.append(await talk.request())
        talk.answer(b"first")
        requests.append(await talk.request())
        talk.close()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        assert await ask(client, b"1") == b"first"
        with pytest.raises(ConnectionClosed, match="without a reply") as caught:
            await ask(client, b"2")
        assert not caught.value.started
        await client.close()
    assert [request.body for request in requests] == [b"1", b"2"]
    assert server.connections == 1


async def test_a_kept_connection_whose_write_fails_is_replaced_unseen() -> None:
    """The server reset it, and the event loop has not had a turn to notice."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_once() -> socket.socket:
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        return connection

    client = HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}", max_connections=1)
    first = asyncio.create_task(asyncio.to_thread(answer_once))
    assert await ask(client) == b"ok"
    connection = await first
    assert client.idle_connections == 1
    second = asyncio.create_task(asyncio.to_thread(answer_once))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert await ask(client) == b"ok"
    (await second).close()
    listener.close()
    await client.close()


async def test_a_new_connection_that_is_closed_at_once_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not want us; nothing was sent."""
    client = HttpClient("http://worker", max_connections=1)
    made: list[FakeTransport] = []

    async def connect() -> Connection:
        connection = Connection(
            asyncio.get_running_loop(), client._pool._inbox, client._pool._open.add, client._pool._forget
        )
        made.append(FakeTransport(connection, write_fails=True))
        return connection

    monkeypatch.setattr(client._pool, "connect", connect)
    with pytest.raises(ConnectFailed, match="before the request was written"):
        await ask(client)
    assert len(made) == 1
    await client.close()


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_server_that_closes_in_the_middle_of_its_head_had_begun(how: str) -> None:
    """`started` tells it from silence."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-")
        await talk.drain()
        await ready.wait()
        getattr(talk, how)()

    ready = asyncio.Event()
    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        asking = asyncio.create_task(ask(client))
        await turn_until(lambda: any(connection.parser.started for connection in client._pool._open))
        ready.set()
        with pytest.raises(ConnectionClosed) as caught:
            await asking
        assert caught.value.started
        assert client.open_connections == 0
        await client.close()


async def test_garbage_is_called_garbage() -> None:
    """And its connection is not used again."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"220 mail.example.com ESMTP\r\n")

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        for _ in range(2):
            with pytest.raises(ProtocolBroken, match="begins with b'220 mail"):
                await ask(client)
        assert server.connections == 2
        await client.close()


@pytest.mark.parametrize("told", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"])
async def test_a_cancelled_request_closes_its_connection_at_once(told: bytes) -> None:
    """Before the head, and in the middle of the body; the slot is free again."""
    asked, closed = asyncio.Event(), asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(told)
        asked.set()
        await talk.closed()
        closed.set()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        for connections in (1, 2):
            asked.clear()
            closed.clear()
            asking = asyncio.create_task(ask(client))
            await asked.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await closed.wait()
            assert server.connections == connections
        await client.close()


async def test_a_request_cancelled_while_it_connects_leaves_nothing() -> None:
    """Nor does it keep its slot."""
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=1)
        asking = asyncio.create_task(ask(client))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await ask(client) == b"hi"
        assert client.open_connections == 1
        await client.close()


async def test_redirects_are_answers_like_any_other() -> None:
    """Nobody goes there."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.answer(b"", "302 Found", f"location: {server.url}/elsewhere")

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("GET", "", []) as response:
            assert response.status == 302
        assert server.connections == 1
        await client.close()


async def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request goes where the URL says."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=1)
        assert await ask(client) == b"hi"
        await client.close()


async def test_a_request_that_cannot_be_written_down_takes_no_connection() -> None:
    """It is the caller's mistake."""
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=1)
        with pytest.raises(UsageError):
            await client.request("POST", "", [("a", "b\r\nc")], b"")
        assert server.connections == 0
        await client.close()


async def test_reach_connects_and_keeps_the_connection() -> None:
    """The next request finds it warm."""
    async with serve(echo) as server:
        client = HttpClient(server.url, max_connections=1)
        assert await client.reach()
        assert client.idle_connections == 1
        assert await ask(client) == b"hi"
        assert server.connections == 1
        await client.close()


async def test_reach_does_not_wait_for_a_free_slot() -> None:
    """A busy worker can still be reached."""
    asked = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        asked.set()
        await talk.closed()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        asking = asyncio.create_task(ask(client))
        await asked.wait()
        assert await client.reach()
        await client.close()
        with pytest.raises(ConnectionClosed):
            await asking


async def test_close_ends_requests_on_their_way_and_those_that_wait() -> None:
    """Those that were sent have an unknown fate, the others were never sent."""
    asked = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        asked.set()
        await talk.closed()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        sent = asyncio.create_task(ask(client))
        await asked.wait()
        waiting = asyncio.create_task(ask(client))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ConnectionClosed):
            await sent
        with pytest.raises(ConnectFailed, match="closed"):
            await waiting
        assert server.connections == 1


async def test_https_works_with_a_certificate_that_is_trusted() -> None:
    """And is refused with one that is not, before anything is sent."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(CERTIFICATE)
    requests: list[Request] = []

    async def script(talk: Talk) -> None:
        while True:
            requests.append(await talk.request())
            talk.answer(b"secure")

    async with serve(script, serving) as server:
        trusting = HttpClient(server.url, max_connections=1, ssl=ssl.create_default_context(cafile=CERTIFICATE))
        assert await ask(trusting) == b"secure"
        assert await ask(trusting) == b"secure"
        assert server.connections == 1
        await trusting.close()
        strict = HttpClient(server.url, max_connections=1)
        with pytest.raises(ConnectFailed, match=r"(?i)certificate"):
            await ask(strict)
        await strict.close()
    assert len(requests) == 2


async def test_https_to_a_server_without_it_fails_before_anything_is_sent() -> None:
    """The handshake is part of connecting."""

    async def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        talk.close()

    async with serve(script) as server:
        client = HttpClient(server.url.replace("http:", "https:"), max_connections=1)
        with pytest.raises(ConnectFailed):
            await ask(client)
        assert client.open_connections == 0
        await client.close()
