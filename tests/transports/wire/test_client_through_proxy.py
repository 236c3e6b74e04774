"""Requests through a real proxy: what it is asked, what the server then sees, and whose fault a failure is."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

import pytest

from pointsman.model.settings import TlsSettings
from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.errors import ConnectFailed, ConnectionClosed
from pointsman.transports.wire.proxy import parse_proxy
from pointsman.transports.wire.tls import context
from tests.transports.raw_server import Request, Talk, serve, turn_until
from tests.transports.wire.loops import in_both_loops
from tests.transports.wire.proxy_server import run_proxy
from tests.transports.wire.test_tls import CERTIFICATES, serving

pytestmark = pytest.mark.real_loop(timeout_s=20)

TRUSTING = TlsSettings(ca_file="authority.pem")


class Heard:
    """A server's script that keeps what it heard."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, talk: Talk) -> None:
        while True:
            request = await talk.request()
            self.requests.append(request)
            talk.answer(request.body)


def through(proxy: str, url: str, **options: object) -> HttpClient:
    """A client that goes through a proxy, and trusts our authority."""
    tls = context(TRUSTING, CERTIFICATES) if url.startswith("https") else None
    return HttpClient(url, max_connections=2, ssl=tls, proxy=parse_proxy(proxy), **options)  # type: ignore[arg-type]


async def ask(client: HttpClient, body: bytes = b"hi") -> bytes:
    """Post a body and return the answer's."""
    with await client.request("POST", "/run?x=1", [("a", "b")], body) as response:
        assert response.status == 200
        return await response.read(1 << 27)


@in_both_loops
async def test_a_plain_request_tells_the_proxy_the_whole_url() -> None:
    """The server sees a request like any other, and no word for the proxy."""
    heard = Heard()
    async with serve(heard) as server, run_proxy({"worker.test:9000": server.port}, "hans:geheim") as proxy:
        client = through(proxy.url.replace("//", "//hans:geheim@"), "http://worker.test:9000/v1?k=v")
        with await client.request("POST", "/run", [("a", "b")], b"hi") as response:
            assert await response.read(10) == b"hi"
        await client.close()
    assert proxy.asked[0].line == "POST http://worker.test:9000/v1/run?k=v HTTP/1.1"
    assert proxy.asked[0].headers["host"] == "worker.test:9000"
    assert heard.requests[0].line == "POST /v1/run?k=v HTTP/1.1"
    assert heard.requests[0].headers == [("host", "worker.test:9000"), ("a", "b"), ("content-length", "2")]


@in_both_loops
async def test_a_secure_request_goes_through_a_tunnel() -> None:
    """The proxy sees a place and nothing else; the certificate is the server's, by the name in the URL."""
    heard = Heard()
    large = bytes(range(256)) * 8192
    async with (
        serve(heard, serving("worker.pem")) as server,
        run_proxy({"worker.test:443": server.port}, "hans:geheim") as proxy,
    ):
        client = through(proxy.url.replace("//", "//hans:geheim@"), "https://worker.test")
        for body in (b"hi", large):
            assert await ask(client, body) == body
        assert client.open_connections == 1
        await client.close()
    assert client.open_connections == 0
    assert [asked.line for asked in proxy.asked] == ["CONNECT worker.test:443 HTTP/1.1"]
    assert proxy.asked[0].headers == {
        "host": "worker.test:443",
        "proxy-authorization": "Basic aGFuczpnZWhlaW0=",
    }
    assert heard.requests[0].line == "POST /run?x=1 HTTP/1.1"
    assert [name for name, _ in heard.requests[0].headers] == ["host", "a", "content-length"]


@pytest.mark.parametrize("url", ["http://worker.test", "https://worker.test"])
async def test_a_connection_through_a_proxy_is_kept_like_any(url: str) -> None:
    """One for many requests."""
    tls = serving("worker.pem") if url.startswith("https") else None
    async with (
        serve(Heard(), tls) as server,
        run_proxy({"worker.test:80": server.port, "worker.test:443": server.port}) as proxy,
    ):
        client = through(proxy.url, url)
        for number in range(5):
            assert await ask(client, b"%d" % number) == b"%d" % number
        assert (proxy.connections, client.idle_connections) == (1, 1)
        await client.close()


@pytest.mark.parametrize("url", ["http://worker.test", "https://worker.test"])
@pytest.mark.parametrize(
    ("user", "words"), [("", "wants a user and password .407.: put them into `proxy`"), ("hans:falsch@", "refuses")]
)
async def test_a_proxy_that_does_not_know_us_is_not_the_servers_failure(
    url: str, user: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing has reached the server. The text says what to do, and shows no secret; nor does the log."""
    caplog.set_level(logging.DEBUG)
    heard = Heard()
    async with serve(heard) as server:
        names = {"worker.test:80": server.port, "worker.test:443": server.port}
        async with run_proxy(names, "hans:geheim") as proxy:
            client = through(proxy.url.replace("//", f"//{user}"), url)
            for _ in range(2):
                with pytest.raises(ConnectFailed, match=rf"proxy 127\.0\.0\.1:{proxy.port} {words}") as caught:
                    await ask(client)
                assert "falsch" not in str(caught.value)
            assert "falsch" not in caplog.text
            assert "aGFuczpmYWxzY2g" not in caplog.text
            await client.close()
            assert client.open_connections == 0
    assert heard.requests == []


async def test_a_407_of_a_server_without_a_proxy_is_an_answer_like_any() -> None:
    """Nobody stands between."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.answer(b"", "407 Proxy Authentication Required")

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("POST", "", [], b"") as response:
            assert response.status == 407
        await client.close()


@in_both_loops
async def test_a_proxy_that_does_not_reach_the_server_is_named() -> None:
    """It answered itself, to CONNECT."""
    async with run_proxy({}) as proxy:
        client = through(proxy.url, "https://worker.test")
        with pytest.raises(ConnectFailed, match=rf"proxy 127\.0\.0\.1:{proxy.port} does not .* it answered 502"):
            await ask(client)
        assert not await client.reach()
        await client.close()


@pytest.mark.parametrize("url", ["http://worker.test", "https://worker.test"])
async def test_a_proxy_that_is_not_there_is_named(url: str) -> None:
    """With the server it should have led to."""
    async with run_proxy({}) as proxy:
        pass
    client = through(f"http://hans:geheim@127.0.0.1:{proxy.port}", url)
    port = 443 if url.startswith("https") else 80
    with pytest.raises(
        ConnectFailed, match=rf"to worker\.test port {port} through proxy 127\.0\.0\.1:{proxy.port}: "
    ) as caught:
        await ask(client)
    assert "geheim" not in str(caught.value)
    await client.close()


async def close(talk: Talk) -> None:
    """Read and hang up."""
    await talk.request()
    talk.close()


async def babble(talk: Talk) -> None:
    """No HTTP."""
    await talk.request()
    talk.send(b"SSH-2.0-x\r\n")


async def keep_silent(talk: Talk) -> None:
    """No answer."""
    await talk.closed()


async def promise(talk: Talk) -> None:
    """Open a tunnel that leads nowhere."""
    await talk.request()
    talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
    talk.close()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (close, "does not let us through: it closed the connection without an answer"),
        (babble, "does not let us through: no valid HTTP/1.1 reply"),
        (keep_silent, r"worker\.test port 443 through proxy .*: no answer within 0\.2 s"),
        (promise, r"worker\.test port 443 through proxy "),
    ],
)
async def test_a_proxy_out_of_order_is_a_connection_that_did_not_come_about(
    script: Callable[[Talk], object], words: str
) -> None:
    """And leaves no connection behind."""
    async with serve(script) as server:  # type: ignore[arg-type]
        client = through(server.url, "https://worker.test", connect_timeout_s=0.2)
        with pytest.raises(ConnectFailed, match=words):
            await ask(client)
        assert client.open_connections == 0
        await client.close()


@in_both_loops
async def test_a_proxy_that_says_no_is_left_at_once() -> None:
    """Also where it would keep the connection."""
    closed = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.answer(b"", "403 Forbidden")
        await talk.closed()
        closed.set()

    async with serve(script) as server:
        client = through(server.url, "https://worker.test")
        with pytest.raises(ConnectFailed, match="it answered 403"):
            await ask(client)
        await closed.wait()
        await client.close()


@in_both_loops
async def test_close_ends_what_is_being_secured() -> None:
    """Its tunnel is open, its server silent."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await talk.closed()

    async with serve(script) as server:
        client = through(server.url, "https://worker.test", connect_timeout_s=1000.0)
        asking = asyncio.create_task(ask(client))
        await turn_until(lambda: client.open_connections)
        await client.close()
        with pytest.raises(ConnectFailed):
            await asking


@in_both_loops
async def test_a_tunnel_to_the_wrong_server_is_noticed() -> None:
    """Its certificate bears another name: the proxy cannot put itself in the server's place."""
    async with (
        serve(Heard(), serving("../localhost.pem")) as server,
        run_proxy({"worker.test:443": server.port}) as proxy,
    ):
        client = through(proxy.url, "https://worker.test")
        with pytest.raises(ConnectFailed, match=r"worker\.test port 443 through proxy .*(?i:certificate)"):
            await ask(client)
        assert client.open_connections == 0
        await client.close()


@in_both_loops
async def test_a_cancelled_request_closes_its_tunnel_at_once() -> None:
    """The server sees it."""
    asked, closed = asyncio.Event(), asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        asked.set()
        await talk.closed()
        closed.set()

    async with serve(script, serving("worker.pem")) as server, run_proxy({"worker.test:443": server.port}) as proxy:
        client = through(proxy.url, "https://worker.test")
        asking = asyncio.create_task(ask(client))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await closed.wait()
        await client.close()


@in_both_loops
async def test_a_request_cancelled_while_the_proxy_thinks_leaves_nothing() -> None:
    """Neither a connection nor a taken turn."""
    met = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        met.set()
        await talk.closed()

    async with serve(script) as server:
        client = through(server.url, "https://worker.test")
        asking = asyncio.create_task(ask(client))
        await met.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert client.open_connections == 0
        await client.close()


@in_both_loops
async def test_close_ends_what_goes_through_a_tunnel() -> None:
    """And returns when it is gone."""
    asked = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        asked.set()
        await talk.closed()

    async with serve(script, serving("worker.pem")) as server, run_proxy({"worker.test:443": server.port}) as proxy:
        client = through(proxy.url, "https://worker.test")
        asking = asyncio.create_task(ask(client))
        await asked.wait()
        await client.close()
        with pytest.raises(ConnectionClosed):
            await asking
        assert client.open_connections == 0


async def test_the_certificates_of_the_system_count_behind_a_proxy_too() -> None:
    """No context of one's own, no trust in ours."""
    async with serve(Heard(), serving("worker.pem")) as server, run_proxy({"worker.test:443": server.port}) as proxy:
        client = HttpClient("https://worker.test", max_connections=1, proxy=parse_proxy(proxy.url))
        with pytest.raises(ConnectFailed, match=r"(?i)certificate"):
            await ask(client)
        await client.close()
    assert isinstance(client._pool._tls, ssl.SSLContext)
