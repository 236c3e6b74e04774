"""Workers that are Python callables in this process.

An async callable runs in the router's event loop, any other in one of this worker's own threads, so that one that
hangs takes neither the loop nor other workers' threads with it. Whatever it raises is its failure and not ours: this is
one of the four files with a broad except.

    async def answer(work: dict) -> str: ...
    transport = CallableTransport(answer, max_in_flight=4)
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pointsman.model.errors import PointsmanError
from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.ports import Attempt
from pointsman.transports.failures import fail
from pointsman.transports.work import decode_json, encode_json, to_work, usage_in

Target = Callable[[dict[str, Any]], Any]
"""What a user gives us: takes the object of `work.to_work`, returns text or any JSON value, or an awaitable of it."""


class WorkerBusy(PointsmanError):
    """For users to raise: the worker has not begun and cannot take this message now.

    Args:
        retry_after_s: seconds to leave it alone, or None.
    """

    code = "worker_busy"
    retryable = True
    http_status = 503

    def __init__(self, retry_after_s: float | None = None) -> None:
        self.retry_after_s = None if retry_after_s is None else float(retry_after_s)
        super().__init__("the worker says that it is busy")


class MessageFault(PointsmanError):
    """For users to raise: the message itself is wrong, no worker could answer it. It is never tried again."""

    code = "message_fault"
    http_status = 422


class CallableTransport:
    """A worker in this process.

    A cancelled attempt is cancelled inside an async callable. A thread cannot be stopped: its answer is thrown away,
    and the thread stays taken until the function returns.

    Args:
        target: the callable. It may change the object it is given; that is its own copy.
        max_in_flight: threads it may use, >= 1, if it is not async.
    """

    def __init__(self, target: Target, *, max_in_flight: int) -> None:
        self._target = target
        self._max_in_flight = max_in_flight
        self._is_async = _is_async(target)
        self._threads: ThreadPoolExecutor | None = None
        self._is_open = False

    async def open(self) -> None:
        """Be ready. Threads start when needed. Idempotent."""
        self._is_open = True

    async def send(self, attempt: Attempt) -> Outcome:
        """Call the target and put what it returns into the reply; a text becomes `{"text": ...}`."""
        if not self._is_open:
            return fail(attempt, Failure.WORKER_UNREACHABLE, "this worker has left, or was not opened", sent=False)
        work = _own_copy(to_work(attempt))
        try:
            value = await self._call(work)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return fail(attempt, Failure.WORKER_ERROR, "the call was cancelled by the worker, or as it left", sent=True)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the user's code may raise anything
            return _failed(attempt, error)
        if isinstance(value, str):
            value = {"text": value}
        try:
            encode_json(value)
        except ValueError as error:
            detail = f"expected text or a JSON value, got {type(value).__name__}: {error}"
            return fail(attempt, Failure.WORKER_GARBAGE, detail, sent=True)
        attempt.usage = usage_in(value)
        attempt.reply.put(value)
        return Delivered(attempt.worker)

    async def probe(self) -> bool:
        """Whether it is open: a callable is always there."""
        return self._is_open

    async def close(self) -> None:
        """Let the threads go; one that is still at work ends by itself. Idempotent; `open` may follow."""
        self._is_open = False
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, work: dict[str, Any]) -> Any:
        if self._is_async:
            return await self._target(work)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._max_in_flight, "pointsman-callable")
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        value, error = await loop.run_in_executor(self._threads, context.run, _call_in_thread, self._target, work)
        if error is not None:
            raise error
        return await value if inspect.isawaitable(value) else value


def _call_in_thread(target: Target, work: dict[str, Any]) -> tuple[Any, BaseException | None]:
    """Call, and carry what is raised as a value: a future that is given a StopIteration is never done."""
    try:
        return target(work), None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the user's code may raise anything
        return None, error


def _is_async(target: Target) -> bool:
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(getattr(target, "__call__", None))  # noqa: B004


def _own_copy(work: dict[str, Any]) -> dict[str, Any]:
    """Copy what belongs to the message, so that a target that changes it does not change the next attempt."""
    for name in ("messages", "metadata", "params"):
        if work.get(name):
            work[name] = decode_json(encode_json(work[name]))
        elif name in work:
            work[name] = type(work[name])()
    return work


def _failed(attempt: Attempt, error: BaseException) -> Failed:
    if isinstance(error, WorkerBusy):
        return fail(attempt, Failure.WORKER_BUSY, str(error), sent=False, retry_after_s=error.retry_after_s)
    if isinstance(error, MessageFault):
        return fail(attempt, Failure.MESSAGE_FAULT, str(error) or "the worker refused the message", sent=True)
    return fail(attempt, Failure.WORKER_ERROR, "".join(traceback.format_exception_only(error)), sent=True)
