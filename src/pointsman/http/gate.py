"""Who answers a request while there is an old router: we, or it, or it while we look on. Outermost, so that nothing of
ours refuses what the old router would answer.

Ours in every state is what only we know: probes, metrics, the console, and the native API but for its messages. Only
the old router's is what we know nothing of. The messages in between are shared out by `runtime.rollout`, one key one
way. While it leaves them all to the old router, nothing of a body is read.

A request that we would not let in, or whose body is none that we could answer (too large, not of the type, not to be
read), is the old router's too: it knows its own clients. A message of ours that fails before a worker can have seen it
is answered by the old router as well, once and unchanged; see `core.rollout.fallback`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pointsman.core.rollout.compare import Heard
from pointsman.http import batch, compat_anthropic, compat_openai, hints, legacy, messages
from pointsman.http.auth import recognize
from pointsman.http.channel import Channel
from pointsman.http.exchange import JSON_BODY, Answer, Context, Request
from pointsman.http.guard import Guard
from pointsman.http.legacy import Legacy, More, Passed
from pointsman.http.problems import Problem
from pointsman.http.routing import RouteTable
from pointsman.http.sticky import conversation
from pointsman.model.errors import LegacyUnreachable, PointsmanError
from pointsman.model.events import FellBackToLegacy, LegacyAnswered
from pointsman.model.message import LOCAL_CLIENT, Envelope, Message
from pointsman.model.rollout import Lane, State
from pointsman.runtime.rollout.conductor import Rollout
from pointsman.runtime.shadow import Shadow

_OURS: Final = frozenset({"/livez", "/readyz", "/metrics", "/openapi.json", "/console"})
_OUR_FOLDERS: Final = ("/api/v1/", "/console/")
_BATCH: Final = f"{messages.PATH}/batch"
_NATIVE: Final = frozenset({messages.PATH, _BATCH})
_SHARED: Final = "/v1/"

_PATIENCE_S: Final = 10.0
"""Seconds that a body may take before it is passed on as it comes."""

_MAKERS: Final[dict[str, Callable[[Request, bytes], Envelope]]] = {
    messages.PATH: messages.envelope_of,
    "/v1/chat/completions": compat_openai.chat_envelope,
    "/v1/embeddings": compat_openai.embeddings_envelope,
    "/v1/messages": partial(compat_anthropic.messages_envelope, endpoint="/messages"),
    "/v1/messages/count_tokens": partial(compat_anthropic.messages_envelope, endpoint="/messages/count_tokens"),
}
"""What makes an envelope of a message, by the path it was sent to; of a batch nothing makes one."""


@dataclass(slots=True, frozen=True)
class Beside:
    """What there is beside this router while it is brought in.

    Attributes:
        rollout: says who answers.
        legacy: the old router.
        shadow: looks on.
    """

    rollout: Rollout
    legacy: Legacy
    shadow: Shadow


class Gate:
    """Lets each request be answered by whom it belongs to.

    Args:
        beside: the other router.
        context: what requests share.
        guard: see `App`.
        routes: what we answer.
        carry: lets us answer a request.
    """

    def __init__(
        self,
        beside: Beside,
        context: Context,
        guard: Guard,
        routes: RouteTable,
        carry: Callable[[Request], Coroutine[Any, Any, Answer]],
    ) -> None:
        self._rollout = beside.rollout
        self._legacy = beside.legacy
        self._shadow = beside.shadow
        self._context = context
        self._surface = context.surface
        self._guard = guard
        self._routes = routes
        self._carry = carry

    def is_ours(self, channel: Channel) -> bool:
        """Whether a request is ours in the state that things are in, whoever sent it."""
        path = channel.path
        if path in _OURS or path.startswith(_OUR_FOLDERS):
            return path not in _NATIVE or channel.method != "POST" or self._is_done()
        return self._is_done()

    async def answer(self, channel: Channel) -> Answer:
        """Answer a request that is not ours alone; returns None where the answer has been written.

        Raises:
            ClientGone: nobody waits for it any more.
        """
        if not self._is_shared(channel):
            return (await self._pass_on(channel)).problem
        if self._rollout.serves_legacy_only:
            client = _named(channel)
            self._rollout.assign(client, client=client, path=channel.path)
            return await self._by_legacy(channel, client)
        request = self._recognized(channel)
        if request is None:
            return await self._by_legacy(channel, _named(channel))
        if channel.method == "POST":
            return await self._share(request)
        client = request.identity.client
        if self._rollout.look_up(client, client=client, path=channel.path).lane is Lane.CANDIDATE:
            return await self._carry(request)
        return (await self._pass_on(channel)).problem

    def _is_done(self) -> bool:
        """Nothing is left to the old router."""
        rollout = self._rollout
        return rollout.course.position.state is State.COMPLETED and not rollout.serves_legacy_only

    def _is_shared(self, channel: Channel) -> bool:
        """Whether both routers could answer a request."""
        path = channel.path
        if path in _NATIVE:
            return True
        if not path.startswith(_SHARED):
            return False
        try:
            self._routes.match(channel.method, path)
        except PointsmanError:
            return False
        return True

    def _recognized(self, channel: Channel) -> Request | None:
        """Return a request that we would let in."""
        try:
            request = Request(channel, self._context)
            request.identity = recognize(request, self._guard)
        except PointsmanError:
            return None
        return request

    async def _share(self, request: Request) -> Answer:
        """Answer a message by whom its key belongs to."""
        channel, client, rollout = request.channel, request.identity.client, self._rollout
        path = channel.path
        media = batch.LINES if path == _BATCH else JSON_BODY
        try:
            said = hints.read(request.fields).get("conversation_id")
        except PointsmanError:
            return await self._by_legacy(channel, client)
        if said is not None and rollout.look_up(said, client=client, path=path).lane is Lane.LEGACY:
            rollout.assign(said, client=client, path=path)
            return await self._by_legacy(channel, client)
        server = self._surface.settings().server
        cap_bytes = server.native_body_bytes if path == messages.PATH else server.compatible_body_bytes
        body, more = await legacy.gather(channel, cap_bytes, _PATIENCE_S)
        if more is not None or len(body) > cap_bytes:
            return await self._by_legacy(channel, client, body, more)
        is_fit, key = media.is_plain(request.fields), client
        if is_fit:
            try:
                key = said or conversation(path, body, client) or client
            except ValueError:
                is_fit = False
        if not is_fit and rollout.look_up(key, client=client, path=path).lane is not Lane.BOTH:
            return await self._by_legacy(channel, client, body)
        match rollout.assign(key, client=client, path=path).lane:
            case Lane.CANDIDATE:
                return await self._by_us(request, body)
            case Lane.BOTH:
                return await self._by_both(request, body, is_fit=is_fit)
            case _:
                return await self._by_legacy(channel, client, body)

    async def _by_us(self, request: Request, body: bytes) -> Answer:
        """Answer by ourselves, or, where we fail before a worker can have seen the message, by the old router."""
        channel = request.channel
        request.lane = Lane.CANDIDATE.value
        if channel.arrived() is None:
            channel.put_back(body)
        answer = await self._carry(request)
        if not isinstance(answer, Problem) or not answer.fallback:
            return answer
        surface = self._surface
        surface.emit(FellBackToLegacy(surface.clock.monotonic(), request.identity.client, answer.fallback))
        unreached = False
        try:
            instead = (await self._pass_on(channel, body)).problem
            # Unreached, the old router has not seen it either; what we said first says more.
            unreached = instead is not None and instead.code == LegacyUnreachable.code
        finally:
            if not unreached and "id" in answer.more:
                # Nobody is to replay what has been answered.
                await surface.engine.drop_dead_letter(answer.more["id"])
        return answer if unreached else instead

    async def _by_both(self, request: Request, body: bytes, *, is_fit: bool) -> Answer:
        """Answer by the old router, and look at what we would have done."""
        surface, rules = self._surface, self._rollout.settings
        client = request.identity.client
        passed = await self._timed(request.channel, client, body)
        maker = _MAKERS.get(request.channel.path)
        if not passed.is_whole or maker is None:
            return passed.problem

        def make() -> Envelope:
            # What we could not even read, our own admission refuses: as a message that says nothing.
            try:
                if is_fit:
                    return maker(request, body)
            except PointsmanError:
                pass
            return surface.envelopes.wrap(Message(), client=client)

        heard = Heard(
            passed.status < 400,
            _said(passed, rules.legacy_class_header),
            _said(passed, rules.legacy_worker_header),
        )
        self._shadow.offer(make, heard, len(body))
        return passed.problem

    async def _by_legacy(
        self, channel: Channel, client: str, body: bytes | None = None, more: More | None = None
    ) -> Answer:
        """Answer a message by the old router."""
        return (await self._timed(channel, client, body, more)).problem

    async def _timed(
        self, channel: Channel, client: str, body: bytes | None = None, more: More | None = None
    ) -> Passed:
        clock = self._surface.clock
        began = clock.monotonic()
        passed = await self._pass_on(channel, body, more)
        now = clock.monotonic()
        self._surface.emit(LegacyAnswered(now, client, now - began, passed.is_whole and passed.status < 500))
        return passed

    async def _pass_on(self, channel: Channel, body: bytes | None = None, more: More | None = None) -> Passed:
        return await legacy.pass_on(channel, self._legacy, self._context.tasks, body, more)


def _named(channel: Channel) -> str:
    """Return what a request says of its client, where nobody asks for more."""
    if b"x-pointsman-client" in channel.fields:
        try:
            return hints.client(channel.fields)
        except PointsmanError:
            pass
    return LOCAL_CLIENT


def _said(passed: Passed, header: str) -> str | None:
    value = passed.fields.get(header.lower().encode("latin-1", "replace"))
    return None if value is None else value.decode("latin-1")
