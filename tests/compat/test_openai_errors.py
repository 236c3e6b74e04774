"""What the official `openai` client makes of errors, retries, time-outs and cancellations: the same as without a
router, but for retries, of which there must never be more.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import openai
import pytest

from tests.compat.openai_cases import HELLO, MODEL
from tests.compat.provider import openai as speech
from tests.compat.provider.plan import Gate, Plan
from tests.compat.provider.prompt_cache import Tokens
from tests.compat.sides import Sides

PROTOCOLS = ("openai",)

RAISED = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}
SOON = {"x-pointsman-ttl": "0.3"}
"""A busy provider is waited for as long as the message lives; the provider itself does not know this header."""

AT_ONCE = ("retry-after-ms", "1")


def silent() -> Plan:
    """A provider that never answers."""
    return Plan(before=Gate())


@functools.cache
def client(url: str, retries: int = 0, timeout_s: float = 10.0) -> Any:
    """A client that retries so often. Untyped, as the cases are plain dicts."""
    return openai.OpenAI(base_url=f"{url}/v1", api_key="sk-client", max_retries=retries, timeout=timeout_s)


def raised_by(call: Any, headers: tuple[tuple[str, str], ...]) -> Any:
    """Return what an error tells an application: its type, body, request id, and the provider's headers."""
    with pytest.raises(openai.APIStatusError) as raised:
        call()
    error = raised.value
    told = [(name, error.response.headers.get(name)) for name, _ in headers]
    return (
        type(error),
        error.status_code,
        error.body,
        error.code,
        error.request_id,
        error.message,
        told,
        error.response.content,
    )


def model_for(status: int) -> str:
    """A model of its own for statuses after which the router leaves a worker in peace for a while."""
    return f"busy-{status}" if status in {429, 503} else MODEL


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("status", [status for status in RAISED if status not in {429, 503}])
def test_each_status_raises_its_exception(sides: Sides, status: int, streamed: bool) -> None:
    """With the provider's body, request id and rate-limit headers, and with one request only."""
    plan = speech.error(status)

    def case(url: str) -> Any:
        ask = {"model": model_for(status), "messages": HELLO, "stream": streamed}
        return raised_by(lambda: client(url).chat.completions.create(**ask), plan.headers)

    found = sides.compare(case, always=plan)
    assert found[0] is RAISED[status]
    assert found[4] == f"req_error{status}"


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_provider_is_told_to_the_client(sides: Sides, status: int) -> None:
    """When the time to live is over: the provider's own refusal, with `retry-after` and `retry-after-ms`."""
    plan = speech.error(status)

    def case(url: str) -> Any:
        ask = {"model": model_for(status), "messages": HELLO, "extra_headers": SOON}
        return raised_by(lambda: client(url).chat.completions.create(**ask), plan.headers)

    found = sides.compare(case, always=plan, same=False)
    assert found[0] is RAISED[status]
    assert ("retry-after", "1") in found[6]


def test_an_error_that_is_no_json_is_relayed_too(sides: Sides) -> None:
    """A proxy's page of HTML, as it came."""
    page = b"<html>\r\n<head><title>400 Bad Request</title></head>\r\n<center>cloudflare</center>\r\n</html>\r\n"
    plan = Plan(status=400, headers=(("content-type", "text/html"), ("cf-ray", "1")), pieces=[page])

    def case(url: str) -> Any:
        return raised_by(lambda: client(url).chat.completions.create(model=MODEL, messages=HELLO), plan.headers)

    assert sides.compare(case, always=plan)[-1] == page


def test_retries_of_client_and_router_do_not_multiply(sides: Sides) -> None:
    """A client that would try three times is told to stop once the router has used up its own attempts (one)."""
    counts = []
    for url in (sides.provider.url, sides.router.url):
        sides.provider.reset()
        sides.provider.always(speech.error(500, AT_ONCE))
        with pytest.raises(openai.InternalServerError):
            client(url, retries=2).chat.completions.create(model=MODEL, messages=HELLO)
        counts.append(len(sides.provider.seen))
    assert counts == [3, 1]


def test_a_client_told_to_come_again_does(sides: Sides) -> None:
    """A 429 with `retry-after-ms`: the next request succeeds, and no more than two reach the provider."""

    def case(url: str) -> Any:
        answer = client(url, retries=1).chat.completions.create(model="busy-retry", messages=HELLO)
        return answer.model_dump()

    sides.compare(case, speech.error(429, AT_ONCE), same=False)
    assert len(sides.provider.seen) == 2


@pytest.mark.parametrize(("status", "word", "requests"), [(500, "false", 1), (400, "true", 2)])
def test_the_providers_own_word_on_retries_is_obeyed(sides: Sides, status: int, word: str, requests: int) -> None:
    """`x-should-retry` is a header like any other: it passes, once, and rules."""
    plan = speech.error(status, AT_ONCE, ("x-should-retry", word))

    def case(url: str) -> Any:
        error = raised_by(
            lambda: client(url, retries=1).chat.completions.create(model=MODEL, messages=HELLO), plan.headers
        )
        return error, len(sides.provider.seen)

    assert sides.compare(case, always=plan)[1] == requests


def test_an_error_inside_a_stream_is_raised_as_it_came(sides: Sides) -> None:
    """The provider's own error event, and no other after it."""
    whole = speech.complete({"model": MODEL, "messages": HELLO, "stream": True}, "k", Tokens(1, 0))
    told = speech.event_bytes(
        {"error": {"message": "It broke – truly", "type": "server_error", "param": None, "code": "x"}}
    )
    first, *rest = whole.pieces

    def case(url: str) -> Any:
        gate = Gate()  # an error in the first piece would be taken for a refusal
        sides.provider.play(whole.with_pieces([first, gate, *rest[:3], told]))
        stream = client(url).chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        chunks: list[Any] = [next(stream).model_dump()]
        gate.open()
        with pytest.raises(openai.APIError) as raised:
            chunks.extend(chunk.model_dump() for chunk in stream)
        return chunks, raised.value.message, raised.value.body

    assert sides.compare(case)[1] == "It broke – truly"
    sides.router.must_be_idle()


def test_a_stream_that_is_cut_raises(sides: Sides) -> None:
    """Also where the connection ended in order, which the client alone would take for a whole answer."""
    whole = speech.complete({"model": MODEL, "messages": HELLO, "stream": True}, "k", Tokens(1, 0))
    sides.provider.reset()
    sides.provider.play(whole.with_pieces(whole.pieces[:4]))
    chunks = []
    with pytest.raises(openai.APIError) as raised:
        chunks.extend(client(sides.router.url).chat.completions.create(model=MODEL, messages=HELLO, stream=True))
    assert not isinstance(raised.value, openai.APIConnectionError)
    assert raised.value.code
    assert not chunks or chunks[0].choices[0].delta.role == "assistant"


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_client_that_times_out_frees_the_provider(sides: Sides, streamed: bool) -> None:
    """The client's own time-out raises its own exception, and the request to the provider is given up."""

    def case(url: str) -> Any:
        sides.provider.play(silent())
        impatient = client(url, 0, 0.2)
        with pytest.raises(openai.APITimeoutError):
            impatient.chat.completions.create(model=MODEL, messages=HELLO, stream=streamed)
        return sides.provider.wait_for(1)[0].left_early()

    assert sides.compare(case) is True
    sides.router.must_be_idle()


@pytest.mark.real_loop(timeout_s=30)
async def test_a_cancelled_task_frees_the_provider(sides: Sides) -> None:
    """While the answer is awaited, and in the middle of a stream."""
    whole = speech.complete({"model": MODEL, "messages": HELLO, "stream": True}, "k", Tokens(1, 0))

    async def case(url: str) -> Any:
        sides.provider.play(silent(), whole.silent_after(900))
        made: Any = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-client", max_retries=0)
        async with made:
            waiting = asyncio.create_task(made.chat.completions.create(model=MODEL, messages=HELLO))
            first = (await asyncio.to_thread(sides.provider.wait_for, 1))[0]
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            stream = await made.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
            begun = asyncio.Event()

            async def read() -> None:
                async for _ in stream:
                    begun.set()

            reading = asyncio.create_task(read())
            await begun.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            second = (await asyncio.to_thread(sides.provider.wait_for, 2))[1]
            return [await asyncio.to_thread(seen.left_early) for seen in (first, second)]

    assert await sides.compare_async(case) == [True, True]
    await asyncio.to_thread(sides.router.must_be_idle)


def test_an_unknown_model_is_not_found(sides: Sides) -> None:
    """The router's own refusal raises what OpenAI's would, says what there is, and is not retried."""
    with pytest.raises(openai.NotFoundError) as raised:
        client(sides.router.url, retries=2).chat.completions.create(model="gpt-none", messages=HELLO)
    assert raised.value.code == "model_not_found"
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert "gpt-none" in raised.value.message
