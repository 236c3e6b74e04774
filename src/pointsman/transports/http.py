"""Workers that take a message as a JSON POST and answer with JSON: the plainest worker there is.

A 2xx answer that is JSON is the reply, whatever its shape; what the other statuses mean stands in `statuses`.
"""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable

from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.ports import Attempt
from pointsman.transports.failures import (
    SEND_ERRORS,
    fail,
    fail_by_error,
    fail_by_status,
    own_words,
    read_error_body,
    show,
)
from pointsman.transports.link import Link
from pointsman.transports.statuses import judge_webhook
from pointsman.transports.wire.response import Response
from pointsman.transports.work import decode_json, encode_work, traceparent, usage_in

REPLY_BYTES = 67_108_864
"""Longest reply taken, bytes."""


class HttpTransport:
    """A worker behind a URL.

    Args:
        url: where messages are posted, as it is.
        max_in_flight: messages at once, >= 1.
        token: returns the bearer token the worker wants.
        ssl: how to check an https worker; None means the certificates the operating system trusts.
        proxy: URL of an HTTP proxy to go through.

    Raises:
        UsageError: a URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        max_in_flight: int,
        token: Callable[[], str] | None = None,
        ssl: tls.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        self._link = Link(url, max_in_flight=max_in_flight, token=token, ssl=ssl, proxy=proxy)

    async def open(self) -> None:
        """See `ports.Transport`."""
        await self._link.open()

    async def send(self, attempt: Attempt) -> Outcome:
        """Post the message and put the JSON answer into the reply."""
        attempt.usage = None
        headers = (("accept", "application/json"), ("traceparent", traceparent(attempt)))
        try:
            with await self._link.post("", headers, encode_work(attempt)) as response:
                status = response.status
                attempt.heard(response.headers)
                if status >= 300:
                    return await _refuse(attempt, response)
                body = await response.read(REPLY_BYTES)
        except SEND_ERRORS as error:
            return fail_by_error(attempt, error)
        try:
            value = decode_json(body)
        except ValueError as error:
            detail = f"expected a JSON reply, got status {status} and {len(body)} bytes ({error}): {own_words(body)}"
            return fail(attempt, Failure.WORKER_GARBAGE, detail, sent=True, status=status)
        attempt.usage = usage_in(value)
        attempt.reply.put(value)
        return Delivered(attempt.worker)

    async def probe(self) -> bool:
        """Whether the worker takes a new connection."""
        return await self._link.probe()

    async def close(self) -> None:
        """See `ports.Transport`."""
        await self._link.close()


async def _refuse(attempt: Attempt, response: Response) -> Failed:
    """Return what a refusal means; its words are for senders of native messages, where the message ends with it."""
    body = await read_error_body(response)
    verdict = judge_webhook(response.status)
    if verdict.reason is Failure.MESSAGE_FAULT and attempt.envelope.protocol == "native":
        media = response.header("content-type")
        await show(attempt, response.status, (("content-type", media),) if media else (), body)
    return fail_by_status(attempt, response.status, response.headers, body, verdict)
