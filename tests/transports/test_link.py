"""The way to one worker: its lifetime and its token."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from pointsman.model.errors import UsageError
from pointsman.transports.link import Link
from pointsman.transports.wire.errors import ConnectFailed
from tests.transports.raw_server import Talk, serve

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


@pytest.mark.parametrize(("token", "header"), [(None, b"none"), (lambda: "abc", b"Bearer abc")])
async def test_the_token_goes_into_the_request(token: object, header: bytes) -> None:
    """Where there is one."""
    async with serve(greet) as server:
        link = Link(server.url, max_in_flight=1, token=token)  # type: ignore[arg-type]
        await link.open()
        with await link.post("", (), b"{}") as response:
            assert await response.read(100) == header
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
