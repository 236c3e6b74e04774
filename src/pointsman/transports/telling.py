"""From the answer of a model API to a native reply: whole, or its text as it comes.

The text goes to the sender in whole characters; at the end the reply is put as a value, as without a stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

from pointsman.core.answer_scan import AnswerScan, text_tokens
from pointsman.core.usage import usage_of
from pointsman.model.outcome import Delivered, Failure, Outcome
from pointsman.ports import Attempt
from pointsman.transports.events import EventReader
from pointsman.transports.failures import fail, own_words
from pointsman.transports.http import REPLY_BYTES
from pointsman.transports.model_api import ModelApi
from pointsman.transports.relay import Headers, Refuse, end_of_events, input_guess, refuse_first, take_account
from pointsman.transports.wire.errors import WireError
from pointsman.transports.wire.response import Response

TEXT = (("content-type", "text/plain; charset=utf-8"),)


async def tell_whole(attempt: Attempt, response: Response, api: ModelApi) -> Outcome:
    """Put the text of an answer into the reply.

    Raises:
        WireError: the answer did not come whole, or is longer than anybody reads.
    """
    body = await response.read(REPLY_BYTES)
    try:
        value = api.tell_whole(body)
        figures = api.read_whole(api.main, body)
    except ValueError as error:
        return fail(attempt, Failure.WORKER_GARBAGE, f"{error}: {own_words(body)}", sent=True)
    attempt.usage = usage_of(figures, lambda: input_guess(attempt), lambda: text_tokens(body))
    attempt.reply.put(value)
    return Delivered(attempt.worker)


async def tell_events(attempt: Attempt, response: Response, headers: Headers, api: ModelApi, refuse: Refuse) -> Outcome:
    """Write the text of an answer as it comes, and put it into the reply at the end."""
    scan = AnswerScan(api.protocol)
    story = _Story(attempt, api)
    chunks = cast("AsyncGenerator[bytes]", response.chunks())
    broken: WireError | None = None
    try:
        async for chunk in chunks:
            scan.feed(chunk)
            if not story.parts and (error := scan.error) is not None:
                return await refuse_first(error, headers, refuse)
            await story.go_on(chunk)
        await story.end()
    except WireError as error:
        broken = error
    except ValueError as error:
        return fail(attempt, Failure.WORKER_GARBAGE, str(error), sent=True)
    finally:
        await chunks.aclose()
        if story.heard:
            attempt.usage = take_account(attempt, scan)
    outcome = end_of_events(attempt, scan, broken)
    if isinstance(outcome, Delivered):
        attempt.reply.put({"text": "".join(story.parts), "usage": scan.said, "model": story.model})
    return outcome


class _Story:
    """The text of one answer so far."""

    def __init__(self, attempt: Attempt, api: ModelApi) -> None:
        self.parts: list[str] = []
        self.model: str | None = None
        self.heard = False
        self._size = 0
        self._attempt = attempt
        self._api = api
        self._reader = EventReader()

    async def go_on(self, chunk: bytes) -> None:
        """Take the next bytes. Raises ValueError where they are no events, or too many."""
        self.heard = True
        for data in self._reader.feed(chunk):
            await self._take(data)

    async def end(self) -> None:
        """Take what a worker has left open."""
        for data in self._reader.end():
            await self._take(data)

    async def _take(self, data: bytes) -> None:
        text, model = self._api.tell_event(data)
        self.model = model or self.model
        if not text:
            return
        attempt = self._attempt
        if not self.parts:
            attempt.reply.start(200, TEXT)
            attempt.first_token_at = asyncio.get_running_loop().time()
        self.parts.append(text)
        written = text.encode()
        self._size += len(written)
        if self._size > REPLY_BYTES:
            raise ValueError(f"the reply is longer than {REPLY_BYTES} bytes")
        await attempt.reply.write(written)
