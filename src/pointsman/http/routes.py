"""The routes, all of them, in one literal table; the OpenAPI description is made from it."""

from __future__ import annotations

from typing import Any, Final

from pointsman.http import (
    answers,
    batch,
    compat_anthropic,
    compat_openai,
    messages,
    operations,
    spending,
    streams,
    system,
    workers,
)
from pointsman.http.routing import Query, Route
from pointsman.model.decision import Decision
from pointsman.model.message import Message
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
_JSON_LINES: Final = batch.MEDIA_TYPE.decode()

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
    ("GET", "/api/v1/messages/{id}/events"): Route(streams.follow, None, {200: None}, reply_media="text/event-stream"),
    ("POST", "/api/v1/decisions"): Route(messages.preview, Message, {200: Preview}, sends=True),
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
