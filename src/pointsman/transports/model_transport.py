"""Workers behind the API of a model provider. What the APIs differ in is told by a `ModelApi`; this is the rest.

A message that came in the worker's own protocol goes out in it: its body unchanged but for `model`, with the sender's
own headers, and the answer's bytes are passed on as they come, an error's too. A native message is put into a request
of its own, and the text of the answer is its reply.

Whose key the worker is given is decided here: the one its settings name, or with `passthrough` the sender's. A sender's
key goes nowhere else.
"""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple
from urllib.parse import urlsplit

from pointsman.core.answer_scan import AnswerScan
from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.model.usage import Usage
from pointsman.ports import Attempt
from pointsman.transports.failures import SEND_ERRORS, fail, fail_by_error, fail_by_status, read_error_body, show
from pointsman.transports.link import KEPT, Link, Shared
from pointsman.transports.model_api import ModelApi
from pointsman.transports.model_field import replace_model
from pointsman.transports.relay import Headers, input_guess, is_coded, is_events, passing, relay_events, relay_whole
from pointsman.transports.statuses import judge_model_api
from pointsman.transports.telling import tell_events, tell_whole
from pointsman.transports.wire.origin import parse_origin
from pointsman.transports.wire.response import Response
from pointsman.transports.work import encode_json, traceparent

_CREDENTIALS = frozenset({"authorization", "x-api-key", "api-key", "proxy-authorization", "cookie"})
_CONTENT = frozenset({"content-type", "accept-encoding"})
_JSON = (("content-type", "application/json"),)


class _Request(NamedTuple):
    endpoint: str
    shared: Shared
    headers: list[tuple[str, str]]
    body: bytes


class _Own(NamedTuple):
    """A sender's headers: those that go along as they are, those about the content, and whether they name a trace."""

    shared: Shared
    content: Shared
    traced: bool


class _NoKey(Exception):
    """The worker wants the sender's own key, and there is none."""


class Patience(NamedTuple):
    """How long a streamed answer may keep us waiting: until it begins, and within it; seconds, None is for ever."""

    first_s: float | None = None
    idle_s: float | None = None


class ModelTransport:
    """A worker that speaks a model API; each subclass only says which.

    Args:
        url: the base URL as clients of that API take it.
        model: the model to ask for.
        max_in_flight: messages at once, >= 1.
        token: returns the key the worker wants.
        passthrough: the worker gets the sender's key instead.
        patience: returns what holds for the next streamed answer.
        ssl: how to check an https worker; None means the certificates the operating system trusts.
        proxy: URL of an HTTP proxy to go through.

    Raises:
        UsageError: a URL cannot be used.
    """

    _api: ModelApi

    def __init__(
        self,
        url: str,
        *,
        model: str,
        max_in_flight: int,
        token: Callable[[], str] | None = None,
        passthrough: bool = False,
        patience: Callable[[], Patience] = Patience,
        ssl: tls.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        parse_origin(url)
        base, _, self._query = url.partition("?")
        self._prefix = self._api.prefix(urlsplit(base).path.rstrip("/"))
        style = self._api.token_style
        self._link = Link(base, max_in_flight=max_in_flight, token=token, token_style=style, ssl=ssl, proxy=proxy)
        self._model = model
        self._passthrough = passthrough
        self._patience = patience

    async def open(self) -> None:
        """See `ports.Transport`."""
        await self._link.open()

    async def probe(self) -> bool:
        """Whether the worker takes a new connection."""
        return await self._link.probe()

    async def close(self) -> None:
        """See `ports.Transport`."""
        await self._link.close()

    async def send(self, attempt: Attempt) -> Outcome:
        """Ask for an answer; pass it on where the sender speaks this protocol, else put its text into the reply."""
        attempt.usage = None
        attempt.first_token_at = None
        try:
            request = self._request(attempt)
        except ValueError as error:
            return fail(attempt, Failure.MESSAGE_FAULT, str(error), sent=False)
        except _NoKey:
            return await self._want_key(attempt)
        outcome: Outcome | None = None
        try:
            outcome = await self._exchange(attempt, request)
        except SEND_ERRORS as error:
            outcome = fail_by_error(attempt, error)
        finally:
            _charge(attempt, outcome)
        return outcome

    async def _exchange(self, attempt: Attempt, request: _Request) -> Outcome:
        endpoint, shared, headers, body = request
        path = self._prefix + endpoint
        if self._query:
            path += ("&" if "?" in path else "?") + self._query
        first_s, idle_s = self._patience() if attempt.envelope.message.stream else (None, None)
        post = self._link.post(path, headers, body, shared=shared, first_s=first_s, idle_s=idle_s)
        with await post as response:
            return await self._answer(attempt, endpoint, response)

    async def _answer(self, attempt: Attempt, endpoint: str, response: Response) -> Outcome:
        headers = response.headers
        attempt.heard(headers)
        refuse = partial(self._refuse, attempt, endpoint)
        if response.status >= 300:
            return await refuse(response.status, headers, await read_error_body(response))
        if attempt.envelope.body is None:
            if is_events(response):
                return await tell_events(attempt, response, headers, self._api, refuse)
            return await tell_whole(attempt, response, self._api)
        if not is_events(response):
            return await relay_whole(attempt, response, headers, self._api, endpoint)
        scan = None if is_coded(response) else AnswerScan(self._api.protocol)
        return await relay_events(attempt, response, headers, scan, refuse)

    async def _refuse(self, attempt: Attempt, endpoint: str, status: int, headers: Headers, body: bytes) -> Failed:
        """Return what a refusal means; a sender who speaks this protocol gets it as it is if the message ends so."""
        verdict = judge_model_api(
            status,
            body,
            model=self._model,
            senders_key=self._passthrough,
            is_main=endpoint.partition("?")[0] == self._api.main,
        )
        failed = fail_by_status(attempt, status, headers, body, verdict)
        speaks_it = attempt.envelope.body is not None and status >= 400 and not verdict.about_key
        if speaks_it or verdict.reason is Failure.MESSAGE_FAULT:
            await show(attempt, status, passing(headers), body)
        return failed

    def _request(self, attempt: Attempt) -> _Request:
        """Return what to send.

        Raises:
            ValueError: the message cannot be put into a request.
            _NoKey: see there.
        """
        envelope = attempt.envelope
        shared, content, traced = _own(envelope.headers, self._api.headers)
        headers = [*content]
        if not traced:
            headers.append(("traceparent", traceparent(attempt)))
        if self._passthrough:
            if envelope.credential is None:
                raise _NoKey
            headers.append(envelope.credential)
        if envelope.body is None:
            asked = self._api.ask(attempt)
            asked["model"] = self._model
            return _Request(self._api.main, shared, headers, encode_json(asked))
        if envelope.protocol not in {self._api.protocol, "native"}:
            raise ValueError(f"this worker speaks the {self._api.protocol} protocol, the message {envelope.protocol}")
        endpoint = envelope.endpoint or self._api.main
        return _Request(endpoint, shared, headers, replace_model(envelope.body, self._model))

    async def _want_key(self, attempt: Attempt) -> Failed:
        """Tell the sender which key is wanted, in words that clients of either protocol find."""
        detail = (
            f"worker {attempt.worker!r} is given the sender's own key, and the message came without one: send it as"
            " `authorization: Bearer ...` or `x-api-key`, to the API of the provider's protocol"
        )
        shown = {"type": "authentication_error", "message": detail, "code": "unauthorized", "param": None}
        error = {"type": "error", "error": shown}
        await show(attempt, 401, _JSON, encode_json(error))
        return fail(attempt, Failure.MESSAGE_FAULT, detail, sent=False)


@lru_cache(maxsize=KEPT)
def _own(headers: Shared, wanted: Shared) -> _Own:
    """Sort a sender's headers, and add those of `wanted` that are not among them."""
    named = {name for name, _ in headers}
    shared = [field for field in headers if field[0] not in _CREDENTIALS and field[0] not in _CONTENT]
    shared += [field for field in wanted if field[0] not in named]
    content = tuple(field for field in headers if field[0] in _CONTENT)
    return _Own(tuple(shared), content, "traceparent" in named)


def _charge(attempt: Attempt, outcome: Outcome | None) -> None:
    """Charge a guess where nothing has come of an answer that may cost: cancelled, silent, cut, unreadable."""
    may_cost = outcome is None or (isinstance(outcome, Failed) and outcome.sent and not outcome.status)
    if attempt.usage is None and may_cost:
        attempt.usage = Usage(input_guess(attempt), estimated=True)
