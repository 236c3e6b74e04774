"""The routes, all of them, in one literal table; the OpenAPI description is made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pointsman.http import (
    answers,
    batch,
    classifier,
    compat_anthropic,
    compat_openai,
    health,
    messages,
    operations,
    rollout,
    slo,
    spending,
    streams,
    system,
    workers,
)
from pointsman.http.exchange import Answer, Request
from pointsman.http.routing import Query, Route
from pointsman.model.decision import Decision
from pointsman.model.feedback import ClassifierStatus, FeedbackReceipt
from pointsman.model.message import Message
from pointsman.model.objectives import SloReport
from pointsman.model.rollout import DIFFERENCES, RolloutStatus
from pointsman.model.states import Status
from pointsman.runtime.fleet import WorkerView
from pointsman.runtime.preview import Preview

_LIMIT: Final = Query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "How many at most.")
_FIND: Final = (
    Query("status", {"type": "string", "enum": [status.value for status in Status]}, "Only these."),
    Query("client", {"type": "string"}, "Only those of this client."),
    Query("conversation_id", {"type": "string"}, "Only those of this conversation."),
    Query("since", {"type": "string"}, "Only those created since: RFC 3339, or Unix seconds."),
    _LIMIT,
)
_POOL: Final = Query("pool", {"type": "string"}, "Only those of this pool.")
_KEY: Final = (
    Query("key", {"type": "string", "minLength": 1}, "A conversation id, or the client of messages without one."),
    Query(
        "client",
        {"type": "string"},
        "Who sends it, as some may be excluded; by default whoever is called like the key.",
    ),
    Query("path", {"type": "string"}, "Path that it is sent to; some may be excluded."),
)
_BEFORE: Final = Query("before", {"type": "integer", "minimum": 1}, "Only steps before the one of this number.")
_KIND: Final = Query("kind", {"type": "string", "enum": list(DIFFERENCES)}, "Only differences of this kind.")
_WINDOW: Final = (
    Query("window_s", {"type": "number", "minimum": slo.SHORTEST_S}, "Over how long, up to now; by default as set."),
    Query("by", {"type": "string", "enum": list(slo.PERIODS)}, "Also the past of the window, in such steps."),
)
_COMPONENT: Final = Query("component", {"type": "string"}, "Only this one, or those of this kind, such as `worker`.")
_SINCE: Final = Query("since", {"type": "string"}, "Only since: RFC 3339, or Unix seconds.")
_MANY: Final = Query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": health.MOST_LISTED, "default": health.LISTED},
    "How many at most.",
)
_HEALTH: Final = {200: health.HealthReport, 503: health.HealthReport}
_JSON_LINES: Final = batch.MEDIA_TYPE.decode()


def _verb(answer: Callable[[Request], Awaitable[Answer]]) -> Route:
    """Return the route of a verb of the rollout."""
    return Route(answer, rollout.RolloutOrder, {200: RolloutStatus}, body_may_lack=True)


ROUTES: Final[dict[tuple[str, str], Route]] = {
    # Messages
    ("POST", "/api/v1/messages"): Route(
        messages.send,
        Message,
        {200: answers.MessageDelivered, 202: answers.MessageAccepted},
        sends=True,
        streams=True,
    ),
    ("GET", "/api/v1/messages"): Route(messages.find, None, {200: answers.MessageList}, _FIND),
    ("POST", "/api/v1/messages/batch"): Route(
        batch.send,
        Message,
        {200: answers.MessageDelivered},
        sends=True,
        body_media=_JSON_LINES,
        reply_media=_JSON_LINES,
    ),
    ("GET", "/api/v1/messages/{id}"): Route(messages.look_up, None, {200: answers.MessageState}),
    ("DELETE", "/api/v1/messages/{id}"): Route(messages.cancel, None, {200: answers.Gone}),
    ("GET", "/api/v1/messages/{id}/decision"): Route(messages.explain, None, {200: Decision}),
    ("POST", "/api/v1/messages/{id}/feedback"): Route(classifier.feedback, classifier.Feedback, {200: FeedbackReceipt}),
    ("GET", "/api/v1/messages/{id}/events"): Route(streams.follow, None, {200: None}, reply_media="text/event-stream"),
    ("POST", "/api/v1/decisions"): Route(messages.preview, Message, {200: Preview}, sends=True),
    # The classifier
    ("GET", "/api/v1/classifier"): Route(classifier.show, None, {200: ClassifierStatus}),
    ("POST", "/api/v1/classifier/rollback"): Route(classifier.rollback, None, {200: ClassifierStatus}),
    # Workers and pools
    ("GET", "/api/v1/workers"): Route(workers.list_workers, None, {200: answers.WorkerList}, (_POOL,)),
    ("POST", "/api/v1/workers"): Route(workers.join, workers.NewWorker, {201: WorkerView}),
    ("GET", "/api/v1/workers/{id}"): Route(workers.show, None, {200: WorkerView}),
    ("DELETE", "/api/v1/workers/{id}"): Route(workers.leave, None, {200: answers.Gone}),
    ("POST", "/api/v1/workers/{id}/drain"): Route(workers.drain, None, {200: WorkerView}),
    ("POST", "/api/v1/workers/{id}/resume"): Route(workers.resume, None, {200: WorkerView}),
    ("GET", "/api/v1/pools"): Route(workers.list_pools, None, {200: answers.PoolList}),
    # Queues and dead letters
    ("GET", "/api/v1/queues"): Route(operations.list_queues, None, {200: answers.QueueList}),
    ("POST", "/api/v1/queues/{name}/pause"): Route(operations.pause, None, {200: answers.QueueState}),
    ("POST", "/api/v1/queues/{name}/resume"): Route(operations.resume, None, {200: answers.QueueState}),
    ("DELETE", "/api/v1/queues/{name}/messages"): Route(operations.purge, None, {200: answers.Purged}),
    ("GET", "/api/v1/dead-letters"): Route(
        operations.list_dead_letters, None, {200: answers.DeadLetterList}, (_LIMIT,)
    ),
    ("GET", "/api/v1/dead-letters/{id}"): Route(operations.show_dead_letter, None, {200: answers.DeadLetterWhole}),
    ("DELETE", "/api/v1/dead-letters/{id}"): Route(operations.drop_dead_letter, None, {200: answers.Gone}),
    ("POST", "/api/v1/dead-letters/{id}/replay"): Route(
        operations.replay, None, {200: answers.Replayed, 202: answers.Replayed}
    ),
    # Cost
    ("GET", "/api/v1/budgets"): Route(spending.list_budgets, None, {200: spending.BudgetList}, (_LIMIT,)),
    ("GET", "/api/v1/costs"): Route(spending.show_costs, None, {200: spending.CostReport}, (_LIMIT,)),
    # Rollout
    ("GET", "/api/v1/rollout"): Route(rollout.show, None, {200: RolloutStatus}),
    ("POST", "/api/v1/rollout/start"): _verb(rollout.start),
    ("POST", "/api/v1/rollout/promote"): _verb(rollout.promote),
    ("POST", "/api/v1/rollout/pause"): _verb(rollout.pause),
    ("POST", "/api/v1/rollout/resume"): _verb(rollout.resume),
    ("POST", "/api/v1/rollout/rollback"): _verb(rollout.rollback),
    ("POST", "/api/v1/rollout/ack"): _verb(rollout.ack),
    ("GET", "/api/v1/rollout/history"): Route(rollout.history, None, {200: rollout.RolloutHistory}, (_LIMIT, _BEFORE)),
    ("GET", "/api/v1/rollout/differences"): Route(
        rollout.differences, None, {200: rollout.RolloutDifferences}, (_LIMIT, _KIND)
    ),
    ("GET", "/api/v1/rollout/assignment"): Route(rollout.assignment, None, {200: rollout.RolloutAssignment}, _KEY),
    # Health
    ("GET", "/api/v1/health"): Route(health.show, None, _HEALTH, (_COMPONENT,), reply_media=health.MEDIA_TYPE),
    ("POST", "/api/v1/health/check"): Route(health.check, None, _HEALTH, (_COMPONENT,), reply_media=health.MEDIA_TYPE),
    ("GET", "/api/v1/health/history"): Route(
        health.history, None, {200: health.HealthHistory}, (_COMPONENT, _SINCE, _MANY)
    ),
    # Service levels
    ("GET", "/api/v1/slo"): Route(slo.show, None, {200: SloReport}, _WINDOW),
    # The router itself
    ("GET", "/api/v1/status"): Route(operations.status, None, {200: answers.StatusReport}),
    ("POST", "/api/v1/config/reload"): Route(operations.reload, None, {200: dict[str, list[str]]}),
    # OpenAI-compatible
    ("POST", "/v1/chat/completions"): Route(
        compat_openai.complete, compat_openai.ChatRequest, {200: dict[str, Any]}, sends=True, streams=True
    ),
    ("POST", "/v1/embeddings"): Route(
        compat_openai.embed, compat_openai.EmbeddingsRequest, {200: dict[str, Any]}, sends=True
    ),
    # Anthropic-compatible
    ("POST", "/v1/messages"): Route(
        compat_anthropic.create,
        compat_anthropic.MessagesRequest,
        {200: dict[str, Any]},
        sends=True,
        streams=True,
    ),
    ("POST", "/v1/messages/count_tokens"): Route(
        compat_anthropic.count_tokens, compat_anthropic.MessagesRequest, {200: dict[str, Any]}, sends=True
    ),
    ("GET", "/v1/models"): Route(compat_openai.list_models, None, {200: dict[str, Any]}),
    ("GET", "/v1/models/{id}"): Route(compat_openai.show_model, None, {200: dict[str, Any]}),
    # For supervisors and scrapers
    ("GET", "/livez"): Route(system.livez, None, {200: answers.Health}),
    ("GET", "/readyz"): Route(system.readyz, None, {200: answers.Health}),
    ("GET", "/metrics"): Route(system.metrics, None, {200: None}, reply_media="text/plain"),
    ("GET", "/openapi.json"): Route(system.description, None, {200: dict[str, Any]}),
    ("GET", "/"): Route(system.index, None, {200: dict[str, str]}),
}
"""Method and pattern -> route."""
