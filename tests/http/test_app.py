"""The application as a whole: its protocol, its methods, its one place for exceptions."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from pointsman.http.app import App
from pointsman.http.guard import allow_everybody
from pointsman.model.errors import EngineUnavailable
from tests.http.asgi import Client, certain
from tests.http.service import service


async def test_head_is_get_without_a_body() -> None:
    """Same headers, so that the length is the one that GET would have."""
    async with service() as run:
        got = await run.client.get("/livez")
        head = certain(await run.client.call("HEAD", "/livez"))
    assert got.body
    assert head.body == b""
    assert (head.status, head.headers) == (got.status, got.headers)


async def test_what_is_not_there_is_a_problem() -> None:
    """404 and 405, in the language of the path."""
    async with service() as run:
        assert (await run.client.get("/nope")).problem()["code"] == "not_found"
        wrong = certain(await run.client.call("PATCH", "/api/v1/messages"))
        assert wrong.headers["allow"] == "GET, HEAD, POST"
        assert wrong.problem()["code"] == "method_not_allowed"
        missing = await run.client.get("/v1/nope")
        assert (missing.status, missing.openai_error()["code"]) == (404, "not_found")


async def test_a_problem_names_path_and_trace() -> None:
    """So that both sides can find it in their logs."""
    trace = "ab" * 16
    async with service() as run:
        headers = {"traceparent": f"00-{trace}-{'cd' * 8}-01"}
        problem = (await run.client.get("/nope", headers)).problem()
        assert (problem["instance"], problem["trace_id"]) == ("/nope", trace)
        refused = await run.client.post("/api/v1/messages", {"priority": "x", "text": "a"}, headers)
        assert refused.problem()["trace_id"] == trace


async def test_a_fault_of_the_engine_is_a_problem() -> None:
    """Whatever we raise on purpose is turned into an answer."""

    async def broken(accept: str) -> tuple[bytes, str]:
        raise EngineUnavailable("the disk is on fire")

    async with service(parts={"metrics": broken}) as run:
        problem = (await run.client.get("/metrics")).problem()
    assert (problem["status"], problem["code"], problem["retry_after_s"]) == (503, "unavailable", 1.0)


async def test_a_foreign_page_is_kept_out() -> None:
    """Unless another application that this one is mounted in decides."""
    async with service() as run:
        foreign = {"host": "evil.example"}
        assert (await run.client.get("/livez", foreign)).problem()["code"] == "forbidden"
        assert (await run.client.get("/v1/models", foreign)).openai_error()["type"] == "permission_error"
        open_client = Client(App(run.surface, guard=allow_everybody))
        assert (await open_client.get("/livez", foreign)).status == 200


async def test_it_can_be_mounted_below_a_path() -> None:
    """`root_path` is not part of our paths."""
    async with service() as run:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.disconnect"}

        async def send(event: MutableMapping[str, Any]) -> None:
            sent.append(event)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/router/livez",
            "root_path": "/router",
            "query_string": b"",
            "headers": [],
        }
        await run.app(scope, receive, send)
        assert sent[0]["status"] == 200


async def test_lifespan_is_answered_and_starts_nothing() -> None:
    """The router is started by whoever made it."""
    async with service() as run:
        events = ["lifespan.startup", "lifespan.shutdown"]
        sent: list[str] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": events.pop(0)}

        async def send(event: MutableMapping[str, Any]) -> None:
            sent.append(event["type"])

        await run.app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_websocket_is_closed() -> None:
    """We speak HTTP only."""
    async with service() as run:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(event: MutableMapping[str, Any]) -> None:
            sent.append(event)

        await run.app({"type": "websocket"}, receive, send)
    assert [event["type"] for event in sent] == ["websocket.close"]
