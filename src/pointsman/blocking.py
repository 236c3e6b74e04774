"""The same router for programs without an event loop: one loop in a thread of its own, for any number of threads."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Self, TypeVar

from pointsman.core.rollout.stages import VERBS
from pointsman.embedded import Router
from pointsman.model.errors import UsageError
from pointsman.model.feedback import FeedbackReceipt
from pointsman.model.message import LOCAL_CLIENT, Message
from pointsman.model.outcome import Refused, Reply
from pointsman.model.result import Result
from pointsman.model.rollout import Order, RolloutStatus
from pointsman.model.settings import Settings
from pointsman.model.views import Counts
from pointsman.runtime.beside import Legacy
from pointsman.transports.callable import Target

T = TypeVar("T")


class BlockingRouter:
    """A `Router` behind plain calls. Every method may be called from any thread, by many at once.

    Args:
        settings: as for `Router`.
        workers: as for `Router`.
        legacy: as for `Router`; it runs in the router's own loop, so it must not block.
        rng: as for `Router`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        workers: Mapping[str, Mapping[str, Target]] | None = None,
        legacy: Legacy | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._router = Router(settings, workers=workers, legacy=legacy, rng=rng)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pointsman", daemon=True)
        self._lock = threading.Lock()
        self._state = "new"

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drain and stop; after an error in the block what is in hand is cancelled at once."""
        self.stop(self._router.house.settings.server.drain_s if error is None else 0.0)

    def start(self) -> None:
        """Begin to work. Raises UsageError if it was started before: a stopped router cannot be started again."""
        with self._lock:
            if self._state != "new":
                raise UsageError(f"this router is {self._state}; make a new one to start again")
            self._state = "running"
        self._thread.start()
        try:
            self._call(self._router.start())
        except BaseException:
            self._end()
            raise

    def stop(self, drain_s: float = 30.0) -> bool:
        """Take nothing new, let what is in hand end for at most `drain_s` seconds, then cancel it.

        Returns:
            Whether everything ended by itself. Stopping twice does nothing the second time.

        Raises:
            UsageError: it was called in the router's own loop, by an async worker or an observer, and would wait for
                itself.
        """
        self._must_be_outside()
        with self._lock:
            if self._state != "running":
                return True
            self._state = "stopping"
        try:
            return self._call(self._router.stop(drain_s))
        finally:
            self._end()

    def _end(self) -> None:
        """End the loop. Nobody can hand it anything from here on, and whoever still waits for it is told."""
        with self._lock:
            self._state = "stopped"
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(_cancel_all())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def send(self, message: Message | str, *, client: str = LOCAL_CLIENT, **fields: Any) -> Result | Refused:
        """Send a message and wait for its end; see `Router.send`."""
        return self._call(self._router.send(message, client=client, **fields))

    def ask(self, message: Message | str, *, client: str = LOCAL_CLIENT, **fields: Any) -> Reply:
        """Send a message and return its reply; see `Router.ask`."""
        return self._call(self._router.ask(message, client=client, **fields))

    def begin(self, message: Message | str, *, client: str = LOCAL_CLIENT, **fields: Any) -> Future[Result | Refused]:
        """Send a message and return a future of its end at once; cancelling the future cancels the message."""
        return self._submit(self._router.send(message, client=client, **fields))

    def result(self, message_id: str) -> Result:
        """Return what is known of a message. Raises NotFound."""
        return self._call(self._router.result(message_id))

    def cancel(self, message_id: str) -> bool:
        """End a message as cancelled; whether there was anything to end."""
        return self._call(self._router.cancel(message_id))

    def feedback(
        self, message_id: str, *, label: str | None = None, outcome: str | None = None, client: str = LOCAL_CLIENT
    ) -> FeedbackReceipt:
        """Say of a message which class was right, or how it went; see `Router.feedback`."""
        return self._call(self._tell(message_id, label=label, outcome=outcome, client=client))

    async def _tell(self, message_id: str, **said: Any) -> FeedbackReceipt:
        return self._router.feedback(message_id, **said)

    def counts(self) -> Counts:
        """Return the accounting identity in numbers."""
        return self._call(self._router.counts())

    def reload(self, settings: Settings) -> dict[str, list[str]]:
        """Put new settings into force. Raises SettingsError, and then nothing has changed."""
        return self._call(self._router.reload(settings))

    def rollout(self, verb: str = "status", **order: Any) -> RolloutStatus:
        """Take a step of the rollout, or only say how it stands.

        Args:
            verb: `start`, `promote`, `pause`, `resume`, `rollback`, `ack` or `status`.
            **order: fields of `Order`, such as `actor` and `reason`.

        Raises:
            Conflict: the step is not legal now, see `Rollout`.
        """
        if verb not in {*VERBS, "status"}:
            raise UsageError(f"a rollout knows {', '.join(VERBS)} and status, got {verb!r:.40}")
        return self._call(self._steer(verb, order))

    async def _steer(self, verb: str, order: dict[str, Any]) -> RolloutStatus:
        rollout = self._router.rollout
        if verb == "status":
            return rollout.status()
        status: RolloutStatus = await getattr(rollout, verb)(Order(**order))
        return status

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Hand work to the loop, in one step with the look at the state: a loop that has ended would never do it."""
        handed_over = False
        try:
            self._must_be_outside()
            with self._lock:
                if self._state not in {"running", "stopping"}:
                    raise UsageError(
                        f"this router is {self._state}: use it inside `with BlockingRouter(...) as router:`"
                    )
                future = asyncio.run_coroutine_threadsafe(work, self._loop)
                handed_over = True
                return future
        finally:
            if not handed_over:
                work.close()

    def _must_be_outside(self) -> None:
        if threading.current_thread() is self._thread:
            raise UsageError("a worker must not call its own BlockingRouter: it would wait for itself")

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        future = self._submit(work)
        try:
            return future.result()
        except CancelledError:
            raise UsageError("the router was stopped while this call waited") from None
        except KeyboardInterrupt:
            future.cancel()
            raise


async def _cancel_all() -> None:
    """Cancel every other task of this loop and wait for it."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
