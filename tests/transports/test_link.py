"""The way to one worker: its lifetime, its token, and which headers the worker gets."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.errors import SettingsError, UsageError
from pointsman.transports.link import Link
from pointsman.transports.wire.errors import ConnectFailed, Silent
from pointsman.transports.wire.request_head import Headers
from tests.transports.raw_server import Request, Talk, serve
from tests.transports.wire.proxy_server import run_proxy

pytestmark = pytest.mark.real_loop(timeout_s=20)

CERTIFICATE = Path(__file__).parent / "wire" / "localhost.pem"


async def greet(talk: Talk) -> None:
    """Answer every request with the token it carried."""
    while True:
        talk.answer(((await talk.request()).header("authorization") or "none").encode())


async def test_a_link_that_is_not_open_sends_nothing() -> None:
    """Before it is opened and after it is closed."""
    async with serve(greet) as server:
        link = Link(server.url, max_in_flight=1)
        for _ in range(2):
            with pytest.raises(ConnectFailed, match="has left, or was not opened"):
                await link.post("", (), b"{}")
            assert not await link.probe()
            await link.open()
            assert await link.probe()
            await link.open()
            with await link.post("", (), b"{}") as response:
                assert response.status == 200
            await link.close()
            await link.close()
        assert server.connections == 2


class Heard:
    """A worker's script that keeps what it heard."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, talk: Talk) -> None:
        while True:
            self.requests.append(await talk.request())
            talk.answer(b"")


async def headers_of(headers: Headers, **options: Any) -> list[tuple[str, str]]:
    """Which headers a worker gets, but for host and content-length."""
    heard = Heard()
    async with serve(heard) as server:
        link = Link(server.url, max_in_flight=1, **options)
        await link.open()
        with await link.post("/run", headers, b"{}"):
            pass
        await link.close()
    return [header for header in heard.requests[0].headers if header[0] not in ("host", "content-length")]


JSON = ("content-type", "application/json")
PLAIN = ("accept-encoding", "identity")


async def test_json_and_no_coding_are_asked_for_by_default() -> None:
    """The caller's headers follow, in their order."""
    mine = [("accept", "text/event-stream"), ("x-a", "1"), ("x-a", "2")]
    assert await headers_of(mine) == [JSON, PLAIN, *mine]


async def test_headers_that_many_requests_share_are_sent_with_each() -> None:
    """Checked once and kept, they stand beside those of each request; what cannot be sent is refused each time."""
    heard = Heard()
    shared = (("user-agent", "client/1"), ("x-a", "1"))
    async with serve(heard) as server:
        link = Link(server.url, max_in_flight=1, token=lambda: "abc")
        await link.open()
        for number in ("1", "2"):
            (await link.post("", [("x-n", number)], b"{}", shared=shared)).release()
        for _ in range(2):
            with pytest.raises(UsageError, match="does not allow"):
                await link.post("", (), b"{}", shared=(("x-a", "1\r\nx-b: 2"),))
        await link.close()
    for number, request in zip(("1", "2"), heard.requests, strict=True):
        wanted = {*shared, ("x-n", number), JSON, PLAIN, ("authorization", "Bearer abc")}
        assert wanted <= set(request.headers)
        assert len(request.headers) == len(wanted) + 2


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
async def test_what_the_caller_says_counts(name: str) -> None:
    """And is said once."""
    mine = [("user-agent", "client/1"), (name, "application/json; charset=utf-8")]
    lower = [(name.lower(), value) for name, value in mine]
    assert await headers_of(mine) == [PLAIN, *lower]
    assert await headers_of([("accept-encoding", "gzip")]) == [JSON, ("accept-encoding", "gzip")]


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({}, ("authorization", "Bearer abc")),
        ({"token_style": "bearer"}, ("authorization", "Bearer abc")),
        ({"token_style": "x-api-key"}, ("x-api-key", "abc")),
    ],
)
async def test_the_token_goes_into_the_request_as_the_worker_wants_it(
    options: dict[str, Any], header: tuple[str, str]
) -> None:
    """And no other credential with it: a client's own never reaches a worker that has ours."""
    theirs = [("authorization", "Bearer theirs"), ("X-Api-Key", "theirs"), ("accept", "a/b")]
    assert await headers_of([], token=lambda: "abc", **options) == [JSON, PLAIN, header]
    assert await headers_of(theirs, token=lambda: "abc", **options) == [JSON, PLAIN, ("accept", "a/b"), header]


@pytest.mark.parametrize("credential", [("authorization", "Bearer theirs"), ("x-api-key", "theirs")])
async def test_a_link_without_a_token_passes_on_what_it_is_given(credential: tuple[str, str]) -> None:
    """That is how a client's key reaches a worker that wants it."""
    assert await headers_of([credential]) == [JSON, PLAIN, credential]


async def test_the_token_is_asked_for_before_each_request() -> None:
    """One that has changed is used; one that is missing sends nothing."""
    tokens = ["one", "two"]

    def token() -> str:
        if not tokens:
            raise SettingsError(["auth of worker w: environment variable T is not set"])
        return tokens.pop(0)

    heard = Heard()
    async with serve(heard) as server:
        link = Link(server.url, max_in_flight=1, token=token)
        await link.open()
        for _ in range(2):
            with await link.post("", (), b"{}"):
                pass
        with pytest.raises(SettingsError):
            await link.post("", (), b"{}")
        await link.close()
    assert [request.header("authorization") for request in heard.requests] == ["Bearer one", "Bearer two"]


async def test_another_method_can_be_asked_for() -> None:
    """To look at a worker's models, say."""
    heard = Heard()
    async with serve(heard) as server:
        link = Link(server.url, max_in_flight=1)
        await link.open()
        with await link.post("/models", (), b"", method="GET"):
            pass
        await link.close()
    assert heard.requests[0].line == "GET /models HTTP/1.1"
    assert heard.requests[0].header("content-length") is None


async def test_a_silent_worker_is_given_up() -> None:
    """Before its first byte, and after it."""
    for told, bound in [(b"", {"first_s": 0.05}), (b"HTTP/1.1 200 OK\r\n\r\na", {"idle_s": 0.05})]:

        async def script(talk: Talk, told: bytes = told) -> None:
            await talk.request()
            talk.send(told)
            await talk.closed()

        async with serve(script) as server:
            link = Link(server.url, max_in_flight=1)
            await link.open()
            with pytest.raises(Silent):
                await read(link, bound)
            await link.close()


async def read(link: Link, bounds: dict[str, float]) -> bytes:
    """Post and read the whole answer."""
    with await link.post("", (), b"{}", **bounds) as response:  # type: ignore[arg-type]
        return await response.read(100)


async def test_a_worker_can_be_reached_through_a_proxy() -> None:
    """The probe goes that way too."""
    async with serve(greet) as server, run_proxy({"worker.test:80": server.port}, "hans:geheim") as proxy:
        link = Link(
            "http://worker.test", max_in_flight=1, token=lambda: "abc", proxy=proxy.url.replace("//", "//hans:geheim@")
        )
        await link.open()
        assert await link.probe()
        with await link.post("", (), b"{}") as response:
            assert await response.read(100) == b"Bearer abc"
        assert (server.connections, proxy.connections) == (1, 1)
        await link.close()


async def test_an_https_worker_is_checked_as_told() -> None:
    """By our own authority, or by the operating system's."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(CERTIFICATE)
    async with serve(greet, serving) as server:
        for context, reached in [(ssl.create_default_context(cafile=CERTIFICATE), True), (None, False)]:
            link = Link(server.url, max_in_flight=1, ssl=context)
            await link.open()
            assert await link.probe() is reached
            await link.close()


async def test_a_url_is_checked_when_it_is_given() -> None:
    """Not when the link is opened."""
    with pytest.raises(UsageError):
        Link("http://user:password@worker", max_in_flight=1)
    with pytest.raises(UsageError, match="expected http://") as caught:
        Link("http://worker", max_in_flight=1, proxy="socks5://hans:geheim@proxy")
    assert "geheim" not in str(caught.value)
