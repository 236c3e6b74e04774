"""The router as a library: `async with Router(settings) as router: await router.send("...")`."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from pointsman.assembly import House
from pointsman.model.decision import Decision
from pointsman.model.errors import DeliveryError, RefusedError, UsageError
from pointsman.model.events import Emit
from pointsman.model.feedback import FeedbackReceipt
from pointsman.model.health import HealthResult
from pointsman.model.message import LOCAL_CLIENT, Envelope, Message
from pointsman.model.objectives import SloReport
from pointsman.model.outcome import Receipt, Refused, Reply
from pointsman.model.result import Result
from pointsman.model.settings import PoolSettings, Settings, WorkerSettings
from pointsman.model.views import Counts
from pointsman.ports import Clock
from pointsman.reload import reload
from pointsman.runtime.beside import Beside, Legacy, LegacyAnswer
from pointsman.runtime.decisions import record
from pointsman.runtime.envelopes import message_of
from pointsman.runtime.fleet import WorkerView
from pointsman.runtime.learning import Learning
from pointsman.runtime.pieces import words
from pointsman.runtime.preview import Preview
from pointsman.runtime.rollout.conductor import Rollout
from pointsman.runtime.second_opinion import Embedder
from pointsman.runtime.shadow import Shadow
from pointsman.telemetry import process
from pointsman.transports.callable import MessageFault, Target, WorkerBusy
from pointsman.transports.given import check_workers

__all__ = ["LegacyAnswer", "MessageFault", "Router", "WorkerBusy"]

LONGEST_CLIENT: Final = 256
"""Characters of a client's name."""


class Router:
    """Routes messages to workers, in this process. Use it as an async context manager.

    Args:
        settings: everything that can be set; the defaults if None.
        workers: functions that serve as workers: by pool, by worker id. A worker takes a dict (`id`, `attempt`,
            `class`, `priority`, `deadline_s`, `text` or `messages`, `metadata`, `params`) and returns a string or any
            JSON value; it may be plain (it then runs in a thread) or async.
        legacy: the router that the program had before, as an async function: it takes a `Message` and returns a text,
            a JSON value or a `LegacyAnswer`. With it the `rollout` says which of the two answers, and begins at the old
            one. What it raises reaches the sender as it is.
        embedder: an async function from what is asked to a probability by class, asked where the classifier is unsure.
        clock: time; the machine's by default.
        rng: the one source of chance; seeded by the operating system by default.

    Raises:
        SettingsError: the settings contradict themselves.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        workers: Mapping[str, Mapping[str, Target]] | None = None,
        legacy: Legacy | None = None,
        embedder: Embedder | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        check_workers({} if workers is None else workers)
        if legacy is not None and not callable(legacy):
            raise UsageError(f"legacy must be an async function that takes a Message, got {legacy!r:.40}")
        self._functions = {pool: dict(functions) for pool, functions in (workers or {}).items()}
        local = {name: target for functions in self._functions.values() for name, target in functions.items()}
        self.house = House(
            self._with_functions(settings or Settings()),
            clock=clock,
            rng=rng,
            local=local,
            has_legacy=legacy is not None,
            embedder=embedder,
        )
        of = self.house
        rest = (of.rollout, of.shadow, of.replies, of.clock, of.emit)
        self._beside = None if legacy is None else Beside(legacy, *rest)
        self._added: set[str] = set()
        self._state = "new"

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drain and stop; after an error in the block what is in hand is cancelled at once."""
        await self.stop(self.house.settings.server.drain_s if error is None else 0.0)

    async def start(self) -> None:
        """Begin to work. Raises UsageError if it was started before: a stopped router cannot be started again."""
        if self._state == "running":
            raise UsageError("this router runs already; a second start would dispatch everything twice")
        if self._state == "stopped":
            raise UsageError("this router was stopped; make a new one to start again")
        self._state = "running"
        try:
            await self.house.start()
        except BaseException:
            await self.stop(0.0)
            raise

    async def stop(self, drain_s: float = 30.0) -> bool:
        """Take nothing new, let what is in hand end for at most `drain_s` seconds, then cancel it.

        Returns:
            Whether everything ended by itself. Stopping a router that does not run does nothing.
        """
        if self._state != "running":
            return True
        self._state = "stopped"
        return await self.house.stop(drain_s)

    async def send(self, message: Message | str, *, client: str = LOCAL_CLIENT, **fields: Any) -> Result | Refused:
        """Send a message and wait for its end.

        Args:
            message: the message, or its text.
            client: whose limits and fairness it falls under.
            **fields: fields of `Message` (`priority`, `ttl_s`, ...) where `message` is a text.

        Returns:
            A `Result` with one of the five ends (or its state so far where `wait_s` was over first), or `Refused`.
        """
        self._must_have_begun()
        envelope = self._wrap(message, client, fields)
        return await self._send(envelope) if self._beside is None else await self._beside.send(envelope, self._send)

    async def ask(self, message: Message | str, *, client: str = LOCAL_CLIENT, **fields: Any) -> Reply:
        """Send a message and return its reply; the convenient form of `send`.

        Raises:
            RefusedError: it was not accepted.
            DeliveryError: it was accepted, but ended otherwise than delivered.
        """
        result = await self.send(message, client=client, **fields)
        if isinstance(result, Refused):
            raise RefusedError(result)
        if result.reply is None or not result.delivered:
            raise DeliveryError(result.id, result.status, result.detail)
        return result.reply

    def stream(self, message: str, *, client: str = LOCAL_CLIENT, **fields: Any) -> AsyncIterator[str]:
        """Send a message and iterate over its answer's text as it comes: `async for piece in router.stream("...")`.

        A worker that answers whole gives one piece. Stopping early cancels the message.

        Raises:
            RefusedError: it was not accepted.
            DeliveryError: it was accepted, but ended otherwise than delivered.
        """
        self._must_have_begun()
        envelope = self._wrap(message, client, {**fields, "stream": True})
        return self._stream(envelope) if self._beside is None else self._beside.stream(envelope, self._stream)

    async def submit(self, message: Message | str, *, client: str = LOCAL_CLIENT, **fields: Any) -> Receipt:
        """Hand over a message without waiting for its end; the memory engine refuses that, as it cannot keep it."""
        self._must_have_begun()
        if isinstance(message, str):
            fields["wait"] = False
        elif message.wait:
            message = msgspec.structs.replace(message, wait=False)
        envelope, submit = self._wrap(message, client, fields), self.house.core.submit
        return await submit(envelope) if self._beside is None else await self._beside.submit(envelope, submit)

    async def result(self, message_id: str) -> Result:
        """Return what is known of a message. Raises NotFound."""
        return await self.house.core.result(message_id)

    async def cancel(self, message_id: str) -> bool:
        """End a message as cancelled, wherever it is; whether there was anything to end."""
        return await self.house.core.cancel(message_id)

    def decision(self, message_id: str) -> Decision | None:
        """Return the decision record of a message, or None where it is unknown or no longer remembered."""
        return decision(self.house, message_id)

    def feedback(
        self, message_id: str, *, label: str | None = None, outcome: str | None = None, client: str = LOCAL_CLIENT
    ) -> FeedbackReceipt:
        """Say of a message which class was right (`label`), or how it went (`outcome`: `ok` or `failed`).

        `client` is who sent it. See `Learning.feedback`, also for what it raises.
        """
        return self.house.learning.feedback(message_id, client=client, label=label, outcome=outcome)

    @property
    def learning(self) -> Learning:
        """What is learnt from feedback, and how messages drift: `status()`, `rollback()`."""
        return self.house.learning

    def preview(self, message: Message | str, *, client: str = LOCAL_CLIENT, **fields: Any) -> Refused | Preview:
        """Return what would be decided for a message, without sending it."""
        return self.house.previewer.preview(self._wrap(message, client, fields))

    async def add_worker(
        self, pool: str, worker: Target | WorkerSettings, *, id: str = "", max_in_flight: int = 4
    ) -> WorkerView:
        """Add a worker to a running router: a function, or settings of a worker elsewhere.

        Raises:
            NotFound: no such pool.
            Conflict: the id is taken.
        """
        if not isinstance(worker, WorkerSettings):
            if not id:
                raise UsageError("a function needs an id to be a worker: add_worker(pool, function, id='...')")
            self.house.fleet.pool(pool)
            self.house.fleet.must_be_free(id)
            self.house.local[id] = worker
            self._added.add(id)
            worker = WorkerSettings(id=id, transport="callable", max_in_flight=max_in_flight)
        return await self.house.fleet.join(pool, worker, "code")

    def remove_worker(self, worker_id: str) -> None:
        """Take a worker out; it finishes what it has in hand. Raises NotFound."""
        self.house.fleet.leave(worker_id)
        if worker_id in self._added:
            self._added.discard(worker_id)
            del self.house.local[worker_id]

    def workers(self, pool: str | None = None) -> list[WorkerView]:
        """Return all workers, or those of one pool. Raises NotFound."""
        return self.house.fleet.workers(pool)

    async def counts(self) -> Counts:
        """Return the accounting identity in numbers."""
        return await self.house.engine.counts()

    async def health(self, component: str | None = None, *, check: bool = False) -> list[HealthResult]:
        """Return how every component stands, one (`pool:coders`), or those of a kind (`worker`).

        Args:
            component: which.
            check: look at them now; otherwise what the last looks found is returned at once.

        Raises:
            NotFound: there is no such component.
        """
        return await self.house.health.check(component) if check else self.house.health.latest(component)

    async def reload(self, settings: Settings) -> dict[str, list[str]]:
        """Put new settings into force; the functions this router was made with stay its workers.

        Returns:
            `changed`: keys that are in force now; `needs_restart`: keys that differ but stay as they were.

        Raises:
            SettingsError, Conflict: see `pointsman.reload`; nothing has changed then.
        """
        return await reload(self.house, self._with_functions(settings))

    async def replay(self, message_id: str) -> Result | Refused:
        """Send a dead letter again as a new message. Raises NotFound, or Conflict where it has not ended."""
        return await replay(self.house, message_id)

    def slo(self, window_s: float | None = None) -> SloReport:
        """Return the objectives and how they are kept, over so many seconds up to now; by default as set.

        Counted since the start: only the service keeps a journal of past hours.
        """
        return self.house.slo.report(window_s, resident_bytes=process.read().resident_bytes)

    @property
    def rollout(self) -> Rollout:
        """Which of the two routers answers, and the verbs that change it: `start`, `promote`, `rollback` and so on."""
        return self.house.rollout

    @property
    def shadow(self) -> Shadow:
        """What looking on has found: `counts()`, `agreement()`, and `samples()` of the differences."""
        return self.house.shadow

    def observe(self, listener: Emit) -> None:
        """Call `listener` with each event. It must be quick; if it raises, it is reported and hears nothing more."""
        self.house.observers.add(listener)

    async def _send(self, envelope: Envelope) -> Result | Refused:
        return await self.house.core.send(envelope, envelope.message.wait_s)

    def _stream(self, envelope: Envelope) -> AsyncGenerator[str, None]:
        return words(lambda sink: self.house.core.send(envelope, None, sink), self.house.tasks)

    def _must_have_begun(self) -> None:
        if self._state == "new":
            raise UsageError("this router has not been started: use it inside `async with Router(...) as router:`")

    def _with_functions(self, settings: Settings) -> Settings:
        """Return the settings with a worker for each function that they do not describe themselves."""
        described = {worker.id for of in settings.pools.values() for worker in of.workers}
        pools = dict(settings.pools)
        for pool, functions in self._functions.items():
            of = pools.get(pool, PoolSettings())
            new = [WorkerSettings(id=name, transport="callable") for name in functions if name not in described]
            pools[pool] = msgspec.structs.replace(of, workers=[*of.workers, *new])
        return msgspec.structs.replace(settings, pools=pools)

    def _wrap(self, message: Message | str, client: str, fields: dict[str, Any]) -> Envelope:
        _check_client(client)
        if isinstance(message, str):
            message = message_of(message, fields)
        elif not isinstance(message, Message):
            raise UsageError(f"a message is a text or a Message, got {type(message).__name__}")
        elif fields:
            raise UsageError(f"fields ({', '.join(fields)}) go with a text; here they belong into the Message")
        return self.house.envelopes.wrap(message, client=client)


def _check_client(client: object) -> None:
    if not isinstance(client, str) or not 1 <= len(client) <= LONGEST_CLIENT or not client.isprintable():
        raise UsageError(f"a client is 1 to {LONGEST_CLIENT} printable characters, got {str(client)[:40]!r}")


async def replay(house: House, message_id: str) -> Result | Refused:
    """Send a dead letter again under a new id and wait for its end; see `RouterCore.replay`."""
    return await house.core.replay(message_id, house.envelopes.again)


def decision(house: House, message_id: str) -> Decision | None:
    """Return the decision record of a message, ended or not."""
    known = house.decisions.get(message_id)
    if known is not None:
        return known
    envelope, status = house.engine.envelope(message_id), house.engine.status(message_id)
    if envelope is None or status is None:
        return None
    return record(envelope, status)
