"""What supervisors, scrapers and people look at first: alive, ready, metrics, the description, and an index."""

from __future__ import annotations

from pointsman.http import answers, wire
from pointsman.http.exchange import Answer, Request, Response, ok
from pointsman.http.problems import RequestError


async def livez(request: Request) -> Answer:
    """Say that the process lives."""
    return ok(answers.Health("live"))


async def readyz(request: Request) -> Answer:
    """Say whether process and engine take messages; workers are health, not readiness."""
    if not request.surface.is_ready():
        raise RequestError("unavailable", "not ready: the router is starting, draining, or its engine is closed")
    return ok(answers.Health("ready"))


async def metrics(request: Request) -> Answer:
    """Give the metrics in Prometheus' text format, or in OpenMetrics where it is asked for."""
    body, media = await request.surface.metrics(request.fields.get(b"accept", b"").decode("latin-1"))
    return Response(200, body, media.encode())


async def description(request: Request) -> Answer:
    """Describe the API as OpenAPI 3.1."""
    return Response(200, request.context.description())


async def index(request: Request) -> Answer:
    """Name the main paths."""
    return Response(
        200,
        wire.encode(
            {
                "name": "pointsman",
                "version": request.surface.version,
                "send": "POST /api/v1/messages",
                "dry_run": "POST /api/v1/decisions",
                "openai": "POST /v1/chat/completions",
                "status": "/api/v1/status",
                "metrics": "/metrics",
                "ready": "/readyz",
                "description": "/openapi.json",
            }
        ),
    )
