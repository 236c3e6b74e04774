"""The native API for whoever operates the router: queues, dead letters, status, reload."""

from __future__ import annotations

from collections import Counter

from pointsman.http import answers, problems
from pointsman.http.exchange import Answer, Request, ok
from pointsman.http.messages import PATH, limit_of
from pointsman.model.errors import NotFound
from pointsman.model.outcome import Refused
from pointsman.model.rollout import RolloutStatus
from pointsman.runtime.costs import Costs


async def list_queues(request: Request) -> Answer:
    """List queues with their depth by priority."""
    request.query()
    return ok(answers.QueueList(await _queues(request)))


async def pause(request: Request) -> Answer:
    """Hand out nothing from a queue; it goes on accepting."""
    name = request.parameters["name"]
    await request.surface.engine.pause(name)
    return ok(await _queue(request, name))


async def resume(request: Request) -> Answer:
    """Hand out again from a queue that was paused."""
    name = request.parameters["name"]
    await request.surface.engine.resume(name)
    return ok(await _queue(request, name))


async def purge(request: Request) -> Answer:
    """Cancel every message that waits in a queue."""
    return ok(answers.Purged(await request.surface.core.purge(request.parameters["name"])))


async def list_dead_letters(request: Request) -> Answer:
    """List dead letters, the newest first, without their text."""
    letters = await request.surface.engine.dead_letters(limit=limit_of(request.query("limit")))
    return ok(answers.DeadLetterList([answers.dead_letter_brief(letter) for letter in letters]))


async def show_dead_letter(request: Request) -> Answer:
    """Show a dead letter with its text and what came of each attempt."""
    message_id = request.parameters["id"]
    letter = await request.surface.engine.dead_letter(message_id)
    if letter is None:
        raise _no_letter(message_id)
    return ok(answers.dead_letter_whole(letter))


async def drop_dead_letter(request: Request) -> Answer:
    """Forget a dead letter."""
    message_id = request.parameters["id"]
    if not await request.surface.engine.drop_dead_letter(message_id):
        raise _no_letter(message_id)
    return ok(answers.Gone(message_id, "dropped"))


async def replay(request: Request) -> Answer:
    """Send the message of a dead letter again, as a new message under a new id.

    Goes on when the caller hangs up: the dead letter may be gone by then, and the message must not be lost with it.
    """
    message_id = request.parameters["id"]
    result = await request.surface.replay(message_id)
    if isinstance(result, Refused):
        return problems.of_refused(result, trace_id=request.trace_id)
    where = (b"location", f"{PATH}/{result.id}".encode())
    replayed = answers.Replayed(result.id, result.status.value, message_id)
    return ok(replayed, 200 if result.ended else 202, (where,))


async def status(request: Request) -> Answer:
    """Show the router at a glance: accounting, pools, workers by state, queues."""
    surface = request.surface
    request.query()
    return ok(
        answers.StatusReport(
            version=surface.version,
            uptime_s=round(surface.clock.monotonic() - request.context.started_at, 3),
            ready=surface.is_ready(),
            counts=await surface.engine.counts(),
            pools=surface.fleet.pool_views(),
            workers=dict(Counter(worker.state for worker in surface.fleet.workers())),
            queues=await _queues(request),
            keys=surface.keys().counts(surface.clock.wall()),
            spending=_spending(surface.costs),
            rollout=_rollout(surface.rollout.status()),
            classifier=surface.learning.status(),
        )
    )


def _spending(costs: Costs) -> answers.SpendingBrief:
    today = costs.accounts.total_today()
    tokens = today.input_tokens + today.output_tokens
    return answers.SpendingBrief(costs.fares.currency, today.money, today.savings, tokens, today.cached_input_share)


def _rollout(of: RolloutStatus) -> answers.RolloutBrief | None:
    if not of.configured:
        return None
    return answers.RolloutBrief(
        of.state.value, of.stage, of.share, of.realised_share, of.since, of.locked, of.killed, of.alarm
    )


async def reload(request: Request) -> Answer:
    """Read the settings again and use them; a mistake changes nothing and all are listed."""
    return ok(await request.surface.reload())


async def _queues(request: Request) -> list[answers.QueueState]:
    return [answers.queue_state(view) for view in await request.surface.engine.queues()]


async def _queue(request: Request, name: str) -> answers.QueueState:
    return next(queue for queue in await _queues(request) if queue.name == name)


def _no_letter(message_id: str) -> NotFound:
    return NotFound(f"there is no dead letter {message_id!r}")
