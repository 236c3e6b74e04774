"""What is asked of a worker behind a model API, with whose key, and what its refusals come to; for both protocols."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pointsman.model.errors import UsageError
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.usage import Usage
from pointsman.ports import Attempt
from pointsman.testing.attempts import WORKER, make_attempt
from pointsman.transports.model_transport import Patience
from tests.answer_streams import whole
from tests.transports.model_worker import (
    BODIES,
    ENDPOINTS,
    KINDS,
    PATHS,
    STREAM_HEAD,
    Answered,
    as_json,
    compatible,
    guess,
    send,
    worker,
)
from tests.transports.raw_server import Talk, turn_until

pytestmark = pytest.mark.real_loop(timeout_s=20)

both = pytest.mark.parametrize("protocol", ["openai", "anthropic"])
USAGE = {
    "openai": {"prompt_tokens": 5, "completion_tokens": 2},
    "anthropic": {"input_tokens": 5, "output_tokens": 2},
}


def good(protocol: str) -> bytes:
    """A plain answer."""
    return as_json(whole(protocol, "Paris", USAGE[protocol]))


async def hang(talk: Talk) -> None:
    """Say nothing."""
    await talk.closed()


@both
async def test_a_compatible_request_passes_unchanged_but_for_its_model(protocol: str) -> None:
    """To the worker's place for it, and its answer comes back as it is."""
    sent = await send(protocol, compatible(protocol), good(protocol))
    assert sent.outcome == Delivered(WORKER)
    assert sent.requests[0].line == f"POST {PATHS[protocol]} HTTP/1.1"
    assert sent.requests[0].body == BODIES[protocol].replace(b'"auto"', b'"gpt-x"')
    assert sent.sink.body == whole(protocol, "Paris", USAGE[protocol])
    assert sent.attempt.usage == Usage(5, 0, 0, 2)
    assert sent.attempt.first_token_at is None


@both
async def test_the_senders_own_headers_go_along_and_win(protocol: str) -> None:
    """What they leave out is ours to say."""
    headers = (
        ("anthropic-version", "2024-01-01"),
        ("openai-beta", "x=1"),
        ("traceparent", "theirs"),
        ("accept", "*/*"),
    )
    sent = await send(protocol, compatible(protocol, headers=headers), good(protocol))
    got = dict(sent.requests[0].headers)
    assert headers == tuple((name, got[name]) for name, _ in headers)
    assert len(got) == len(sent.requests[0].headers)
    sent = await send(protocol, compatible(protocol), good(protocol))
    assert sent.requests[0].header("traceparent") == f"00-{1:032x}-{1 ^ 1 or 1:016x}-01"
    assert sent.requests[0].header("anthropic-version") == ("2023-06-01" if protocol == "anthropic" else None)


SECRETS = (
    ("authorization", "Bearer sender-key"),
    ("x-api-key", "sender-key"),
    ("api-key", "sender-key"),
    ("cookie", "session=sender-key"),
    ("proxy-authorization", "Basic sender-key"),
)


@both
@pytest.mark.parametrize("token", [None, lambda: "w0rker-key"])
@pytest.mark.parametrize("native", [False, True])
async def test_the_senders_key_never_reaches_a_worker(protocol: str, token: Any, native: bool) -> None:
    """The worker gets its own, or none; also where something before us has left the sender's in the headers."""
    attempt = make_attempt() if native else compatible(protocol)
    attempt.envelope.headers = SECRETS
    attempt.envelope.credential = SECRETS[0]
    sent = await send(protocol, attempt, good(protocol), token=token)
    assert sent.outcome == Delivered(WORKER)
    shown = str(sent.requests[0])
    assert "sender-key" not in shown
    ours = {"openai": ("authorization", "Bearer w0rker-key"), "anthropic": ("x-api-key", "w0rker-key")}[protocol]
    assert (ours in sent.requests[0].headers) is (token is not None)
    assert shown.count("w0rker-key") == (token is not None)


@both
@pytest.mark.parametrize("credential", SECRETS[:2])
async def test_with_passthrough_the_worker_gets_the_senders_key_once(
    protocol: str, credential: tuple[str, str]
) -> None:
    """In the very header in which it came."""
    attempt = compatible(protocol, headers=SECRETS, credential=credential)
    sent = await send(protocol, attempt, good(protocol), passthrough=True)
    assert sent.outcome == Delivered(WORKER)
    assert [field for field in sent.requests[0].headers if "sender-key" in field[1]] == [credential]


@both
@pytest.mark.parametrize("native", [False, True])
async def test_with_passthrough_a_message_without_a_key_is_told_what_to_send(protocol: str, native: bool) -> None:
    """No worker is troubled; clients of both protocols find the words where they look for them."""
    attempt = make_attempt() if native else compatible(protocol)
    sent = await send(protocol, attempt, good(protocol), passthrough=True)
    assert (sent.outcome.reason, sent.outcome.sent, sent.requests) == (Failure.MESSAGE_FAULT, False, [])
    assert "`authorization: Bearer ...` or `x-api-key`" in sent.outcome.detail
    assert sent.sink.status == 401
    error = json.loads(sent.sink.body)["error"]
    assert (error["message"], error["code"]) == (sent.outcome.detail, "unauthorized")
    assert sent.attempt.usage is None


@pytest.mark.parametrize(
    ("protocol", "path", "endpoint", "target"),
    [
        ("openai", "", "", "/v1/chat/completions"),
        ("openai", "/", "/embeddings", "/v1/embeddings"),
        ("openai", "/v1/", "", "/v1/chat/completions"),
        ("openai", "/api/v2?api-version=7", "", "/api/v2/chat/completions?api-version=7"),
        ("openai", "/v1?api-version=7", "/chat/completions?a=b", "/v1/chat/completions?a=b&api-version=7"),
        ("anthropic", "", "", "/v1/messages"),
        ("anthropic", "/", "/messages?beta=true", "/v1/messages?beta=true"),
        ("anthropic", "/v1", "", "/v1/messages"),
        ("anthropic", "/v1/", "/messages/count_tokens", "/v1/messages/count_tokens"),
        ("anthropic", "/proxy", "/messages/count_tokens?beta=true", "/proxy/v1/messages/count_tokens?beta=true"),
        ("anthropic", "/proxy?k=1", "/messages?beta=true", "/proxy/v1/messages?beta=true&k=1"),
    ],
)
async def test_the_url_is_what_clients_call_the_base_url(protocol: str, path: str, endpoint: str, target: str) -> None:
    """It is completed as their clients do it; queries of both are kept."""
    sent = await send(protocol, compatible(protocol, endpoint=endpoint), good(protocol), path=path)
    assert sent.requests[0].line == f"POST {target} HTTP/1.1"


@both
async def test_a_url_that_cannot_be_used_is_refused_when_it_is_given(protocol: str) -> None:
    """Not with the first message."""
    for url in ("ftp://worker", "http://user:pw@worker", "http://worker/?a#b"):
        with pytest.raises(UsageError):
            KINDS[protocol](url, model="m", max_in_flight=1)


@pytest.mark.parametrize(("protocol", "other"), [("openai", "anthropic"), ("anthropic", "openai")])
async def test_a_message_in_the_other_protocol_troubles_no_worker(protocol: str, other: str) -> None:
    """It should never come here; if it does, it is not sent where nobody understands it."""
    sent = await send(protocol, compatible(other), good(protocol))
    assert (sent.outcome.reason, sent.outcome.sent, sent.requests) == (Failure.MESSAGE_FAULT, False, [])
    assert f"speaks the {protocol} protocol, the message {other}" in sent.outcome.detail


@both
@pytest.mark.parametrize("body", [b"", b"[]", b'{"model": ', b"hello"])
async def test_a_body_that_is_no_request_troubles_no_worker(protocol: str, body: bytes) -> None:
    """It is the message's fault."""
    sent = await send(protocol, compatible(protocol, body=body), good(protocol))
    assert (sent.outcome.reason, sent.outcome.sent, sent.requests) == (Failure.MESSAGE_FAULT, False, [])


async def refused(protocol: str, status: str, body: bytes, *headers: str, **options: Any) -> Answered:
    """What comes of a compatible message that the worker refuses."""
    attempt = compatible(protocol, credential=("x-api-key", "k"))
    return await send(protocol, attempt, as_json(body, *headers, status=status), **options)


@both
@pytest.mark.parametrize(
    ("status", "reason", "sent"),
    [
        ("400 Bad", Failure.MESSAGE_FAULT, True),
        ("404 Not Found", Failure.MESSAGE_FAULT, True),
        ("409 Conflict", Failure.WORKER_ERROR, True),
        ("413 Large", Failure.MESSAGE_FAULT, True),
        ("429 Slow", Failure.WORKER_BUSY, False),
        ("500 Oops", Failure.WORKER_ERROR, True),
        ("503 Away", Failure.WORKER_BUSY, False),
        ("529 Overloaded", Failure.WORKER_BUSY, False),
    ],
)
async def test_a_refusal_is_kept_as_it_is_for_whom_the_message_ends_with(
    protocol: str, status: str, reason: Failure, sent: bool
) -> None:
    """Status, words, request id and wish; and whoever decides on another attempt gets its meaning."""
    error = b'{"type": "error", "error": {"type": "x", "message": "my words"}}'
    got = await refused(
        protocol, status, error, "request-id: req_1", "retry-after: 7", "connection: keep-alive, x-hop", "x-hop: 1"
    )
    outcome = got.outcome
    assert (outcome.reason, outcome.sent, outcome.status, outcome.started) == (reason, sent, int(status[:3]), False)
    assert "my words" in outcome.detail
    assert outcome.retry_after_s == (7.0 if reason is Failure.WORKER_BUSY else None)
    assert (got.sink.status, got.sink.body) == (int(status[:3]), error)
    assert set(got.sink.headers) == {
        ("content-type", "application/json"),
        ("request-id", "req_1"),
        ("retry-after", "7"),
    }
    assert got.attempt.usage is None
    assert got.heard[0]["connection"] == "keep-alive, x-hop"


@both
@pytest.mark.parametrize("status", ["401 No", "402 Pay", "403 No"])
async def test_what_a_worker_says_of_our_key_is_for_nobody(protocol: str, status: str) -> None:
    """It may quote the key; the worker's settings are at fault, and another worker may do."""
    error = b'{"error": {"message": "Incorrect API key provided: sk-ab***yz"}}'
    got = await refused(protocol, status, error)
    assert (got.outcome.reason, got.outcome.sent) == (Failure.WORKER_ERROR, False)
    assert "sk-ab" not in got.outcome.detail
    assert (got.sink.status, got.sink.body) == (0, b"")
    got = await refused(protocol, status, error, passthrough=True)
    assert got.outcome.reason is Failure.MESSAGE_FAULT
    assert (got.sink.status, got.sink.body) == (int(status[:3]), error)


@both
async def test_a_model_that_the_worker_lacks_is_a_fault_of_its_settings(protocol: str) -> None:
    """Not for what only some workers can do."""
    got = await refused(protocol, "404 Not Found", b'{"error": {"message": "no such model: gpt-x"}}')
    assert (got.outcome.reason, got.outcome.sent, got.sink.status) == (Failure.WORKER_ERROR, False, 404)
    attempt = compatible(protocol, endpoint="/elsewhere?beta=true")
    got = await send(protocol, attempt, as_json(b'{"detail": "Not Found"}', status="404 Not Found"))
    assert got.outcome.reason is Failure.MESSAGE_FAULT
    attempt = compatible(protocol, endpoint=ENDPOINTS[protocol] + "?beta=true")
    got = await send(protocol, attempt, as_json(b'{"detail": "Not Found"}', status="404 Not Found"))
    assert got.outcome.reason is Failure.WORKER_ERROR


@both
async def test_a_redirect_is_not_followed_and_not_shown(protocol: str) -> None:
    """A client would follow it past us."""
    got = await refused(protocol, "302 Found", b"", "location: http://elsewhere/")
    assert (got.outcome.reason, got.sink.status) == (Failure.WORKER_ERROR, 0)
    assert "elsewhere" in got.outcome.detail


@both
async def test_the_last_refusal_is_the_one_that_is_kept(protocol: str) -> None:
    """Each attempt leaves its own."""
    attempt = compatible(protocol)
    replies = iter([as_json(b"one", status="500 A"), as_json(b"two", status="429 B")])

    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            talk.send(next(replies))

    async with worker(protocol, script) as transport:
        for _ in range(2):
            await transport.send(attempt)
    assert (attempt.reply.status, attempt.reply.body) == (429, b"two")  # type: ignore[attr-defined]


@both
async def test_a_native_sender_sees_only_what_is_about_its_message(protocol: str) -> None:
    """The rest is told in our own words."""
    for status, seen in (("400 Bad", 400), ("429 Slow", 0), ("500 Oops", 0)):
        got = await send(protocol, make_attempt(), as_json(b'{"error": {"message": "too long"}}', status=status))
        assert (got.sink.status, got.sink.body) == (seen, b'{"error": {"message": "too long"}}' if seen else b"")


@both
async def test_every_answer_is_heard_before_its_body(protocol: str) -> None:
    """Rate limits are learnt from its headers, whatever comes behind them."""
    heard = asyncio.Event()

    async def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-ratelimit-remaining-requests: 5\r\n")
        body = whole(protocol, "x", None)
        talk.send(b"content-length: %d\r\n\r\n" % len(body))
        await heard.wait()
        talk.send(body)

    attempt = compatible(protocol)
    task = asyncio.get_running_loop().create_task(send(protocol, attempt, script))
    await turn_until(lambda: attempt.provider_headers)
    assert ("x-ratelimit-remaining-requests", "5") in attempt.provider_headers
    heard.set()
    assert (await task).outcome == Delivered(WORKER)


@both
@pytest.mark.parametrize("native", [False, True])
async def test_what_came_to_nothing_is_charged_for_what_was_asked(protocol: str, native: bool) -> None:
    """Cut before its first byte, or cancelled: a provider may have read it all. Never sent is never charged."""

    async def cut(talk: Talk) -> None:
        talk.close()

    def attempt() -> Attempt:
        return make_attempt("x" * 400) if native else compatible(protocol)

    got = await send(protocol, attempt(), cut)
    assert got.outcome.reason is Failure.WORKER_CLOSED
    assert got.attempt.usage == Usage(guess(got.attempt), 0, 0, 0, estimated=True)
    came = asyncio.Event()

    async def silent(talk: Talk) -> None:
        await talk.request()
        came.set()
        await talk.closed()

    async with worker(protocol, silent) as transport:
        cancelled = attempt()
        task = asyncio.get_running_loop().create_task(transport.send(cancelled))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cancelled.usage == Usage(guess(cancelled), 0, 0, 0, estimated=True)
        await transport.close()
        closed = attempt()
        assert isinstance(await transport.send(closed), Failed)
        assert closed.usage is None


@both
async def test_a_silent_worker_is_given_up_in_time(protocol: str) -> None:
    """Before its answer begins by one time-out, within it by the other."""
    patience = [Patience(0.05, 30.0), Patience(30.0, 0.05)]

    async def begin(talk: Talk) -> None:
        talk.send(STREAM_HEAD)
        talk.send(b"5\r\ndata:\r\n")
        await talk.closed()

    for script, started in ((hang, False), (begin, True)):
        of = patience.pop(0)
        got = await send(protocol, compatible(protocol, stream=True), script, patience=lambda of=of: of)
        outcome = got.outcome
        assert (outcome.reason, outcome.sent, outcome.started) == (Failure.WORKER_TIMEOUT, True, started)
        assert got.attempt.usage is not None


@both
async def test_the_patience_is_asked_for_with_each_message(protocol: str) -> None:
    """That wants a stream: a reload changes it for workers that stay."""
    asked: list[Patience] = []

    def patience() -> Patience:
        asked.append(Patience(5.0, 5.0))
        return asked[-1]

    for stream in (True, True, False):
        await send(protocol, compatible(protocol, stream=stream), good(protocol), patience=patience)
    assert len(asked) == 2
