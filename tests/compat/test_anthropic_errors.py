"""What the official `anthropic` client makes of errors, retries, time-outs and cancellations: the same as without a
router, but for retries, of which there must never be more.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import anthropic
import pytest

from tests.compat.anthropic_cases import BASE, HELLO, MODEL
from tests.compat.provider import anthropic as speech
from tests.compat.provider.plan import Gate, Plan
from tests.compat.provider.prompt_cache import Tokens
from tests.compat.sides import Sides

PROTOCOLS = ("anthropic",)

RAISED = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    409: anthropic.ConflictError,
    413: anthropic.RequestTooLargeError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    503: anthropic.ServiceUnavailableError,
    529: anthropic.OverloadedError,
}
BUSY = (429, 503, 529)
SOON = {"x-pointsman-ttl": "0.3"}
"""A busy provider is waited for as long as the message lives; the provider itself does not know this header."""

AT_ONCE = ("retry-after-ms", "1")


@functools.cache
def client(url: str, retries: int = 0, timeout_s: float = 10.0) -> Any:
    """A client that retries so often. Untyped, as the cases are plain dicts."""
    return anthropic.Anthropic(base_url=url, api_key="sk-client", max_retries=retries, timeout=timeout_s)


def streamed() -> Plan:
    """A stream of a few events."""
    return speech.answer({"model": MODEL, "messages": HELLO, "stream": True, **BASE}, "k", Tokens(9, 0))


def raised_by(call: Any, headers: tuple[tuple[str, str], ...]) -> Any:
    """Return what an error tells an application: its type, body, request id, and the provider's headers."""
    with pytest.raises(anthropic.APIStatusError) as raised:
        call()
    error = raised.value
    told = [(name, error.response.headers.get(name)) for name, _ in headers]
    return (
        type(error),
        error.status_code,
        error.body,
        error.type,
        error.request_id,
        error.message,
        told,
        error.response.content,
    )


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("status", [status for status in RAISED if status not in BUSY])
def test_each_status_raises_its_exception(sides: Sides, status: int, stream: bool) -> None:
    """With the provider's body, request id and rate-limit headers, and with one request only."""
    plan = speech.error(status)

    def case(url: str) -> Any:
        ask = {"model": MODEL, "messages": HELLO, "stream": stream, **BASE}
        return raised_by(lambda: client(url).messages.create(**ask), plan.headers)

    found = sides.compare(case, always=plan)
    assert found[0] is RAISED[status]
    assert found[4] == f"req_error{status}"


@pytest.mark.parametrize("status", BUSY)
def test_a_busy_provider_is_told_to_the_client(sides: Sides, status: int) -> None:
    """When the time to live is over: the provider's own refusal, with `retry-after` where there is one."""
    plan = speech.error(status)

    def case(url: str) -> Any:
        ask = {"model": f"busy-{status}", "messages": HELLO, "extra_headers": SOON, **BASE}
        return raised_by(lambda: client(url).messages.create(**ask), plan.headers)

    assert sides.compare(case, always=plan, same=False)[0] is RAISED[status]


def test_an_error_of_count_tokens_is_relayed(sides: Sides) -> None:
    """It is a request like any other."""
    plan = speech.error(400)

    def case(url: str) -> Any:
        return raised_by(lambda: client(url).messages.count_tokens(model=MODEL, messages=HELLO), plan.headers)

    assert sides.compare(case, always=plan)[0] is anthropic.BadRequestError


def test_retries_of_client_and_router_do_not_multiply(sides: Sides) -> None:
    """A client that would try three times is told to stop once the router has used up its own attempts (one)."""
    counts = []
    for url in (sides.provider.url, sides.router.url):
        sides.provider.reset()
        sides.provider.always(speech.error(500, AT_ONCE))
        with pytest.raises(anthropic.InternalServerError):
            client(url, retries=2).messages.create(model=MODEL, messages=HELLO, **BASE)
        counts.append(len(sides.provider.seen))
    assert counts == [3, 1]


def test_a_client_told_to_come_again_does(sides: Sides) -> None:
    """A 429 with `retry-after-ms`: the next request succeeds, and no more than two reach the provider."""

    def case(url: str) -> Any:
        answer = client(url, retries=1).messages.create(model="busy-retry", messages=HELLO, **BASE)
        return answer.model_dump()

    sides.compare(case, speech.error(429, AT_ONCE), same=False)
    assert len(sides.provider.seen) == 2


@pytest.mark.parametrize(("status", "word", "requests"), [(500, "false", 1), (400, "true", 2)])
def test_the_providers_own_word_on_retries_is_obeyed(sides: Sides, status: int, word: str, requests: int) -> None:
    """`x-should-retry` is a header like any other: it passes, once, and rules."""
    plan = speech.error(status, AT_ONCE, ("x-should-retry", word))

    def case(url: str) -> Any:
        again = client(url, retries=1)
        error = raised_by(lambda: again.messages.create(model=MODEL, messages=HELLO, **BASE), plan.headers)
        return error, len(sides.provider.seen)

    assert sides.compare(case, always=plan)[1] == requests


def test_an_error_inside_a_stream_is_raised_as_it_came(sides: Sides) -> None:
    """The provider's own `event: error`, overloaded, and no other after it."""
    first, *rest = streamed().pieces

    def case(url: str) -> Any:
        gate = Gate()  # an error in the first piece would be taken for a refusal
        sides.provider.play(streamed().with_pieces([first, gate, *rest[:3], speech.error_event(529)]))
        stream = client(url).messages.create(model=MODEL, messages=HELLO, stream=True, **BASE)
        events: list[Any] = [next(stream).model_dump()]
        gate.open()
        with pytest.raises(anthropic.APIStatusError) as raised:
            events.extend(event.model_dump() for event in stream)
        return events, raised.value.body, raised.value.type

    assert sides.compare(case)[2] == "overloaded_error"
    sides.router.must_be_idle()


def test_a_stream_that_is_cut_raises(sides: Sides) -> None:
    """Also where the connection ended in order, which the client alone would take for a whole answer."""
    sides.provider.reset()
    sides.provider.play(streamed().with_pieces(streamed().pieces[:5]))
    opened = client(sides.router.url).messages.stream(model=MODEL, messages=HELLO, **BASE)
    with opened as stream, pytest.raises(anthropic.APIStatusError) as raised:
        stream.get_final_message()
    assert raised.value.type == "api_error"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_client_that_times_out_frees_the_provider(sides: Sides, stream: bool) -> None:
    """The client's own time-out raises its own exception, and the request to the provider is given up."""

    def case(url: str) -> Any:
        sides.provider.play(Plan(before=Gate()))
        with pytest.raises(anthropic.APITimeoutError):
            client(url, 0, 0.2).messages.create(model=MODEL, messages=HELLO, stream=stream, **BASE)
        return sides.provider.wait_for(1)[0].left_early()

    assert sides.compare(case) is True
    sides.router.must_be_idle()


@pytest.mark.real_loop(timeout_s=30)
async def test_a_cancelled_task_frees_the_provider(sides: Sides) -> None:
    """While the answer is awaited, and in the middle of a stream."""

    async def case(url: str) -> Any:
        sides.provider.play(Plan(before=Gate()), streamed().silent_after(900))
        made: Any = anthropic.AsyncAnthropic(base_url=url, api_key="sk-client", max_retries=0)
        async with made:
            waiting = asyncio.create_task(made.messages.create(model=MODEL, messages=HELLO, **BASE))
            first = (await asyncio.to_thread(sides.provider.wait_for, 1))[0]
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            stream = await made.messages.create(model=MODEL, messages=HELLO, stream=True, **BASE)
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
    """The router's own refusal raises what Anthropic's would, says what there is, and is not retried."""
    with pytest.raises(anthropic.NotFoundError) as raised:
        client(sides.router.url, retries=2).messages.create(model="claude-none", messages=HELLO, **BASE)
    assert raised.value.type == "not_found_error"
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert raised.value.request_id
    assert "claude-none" in raised.value.message
