"""The table of routes: every path answers, and none is found by chance."""

from __future__ import annotations

import inspect

import pytest

from pointsman.http.routes import ROUTES
from tests.http.asgi import certain
from tests.http.service import service


@pytest.mark.parametrize(("method", "path"), list(ROUTES))
async def test_every_route_answers(method: str, path: str) -> None:
    """With a success or a problem, whatever stands for its parameters; never with a traceback."""
    async with service() as run:
        target = path.replace("{id}", "x").replace("{name}", "coders")
        answered = certain(await run.client.call(method, target))
        assert answered.status in {200, 400, 404, 409, 415}
        if answered.status != 200 and not path.startswith("/v1/"):
            answered.problem()


def test_every_answer_has_a_summary() -> None:
    """The description shows it."""
    for route in ROUTES.values():
        assert inspect.getdoc(route.answer)
        assert route.replies


def test_only_bodies_that_are_messages_take_a_senders_headers() -> None:
    """Everything that sends, and nothing else."""
    assert {path for (_, path), route in ROUTES.items() if route.sends} == {
        "/api/v1/messages",
        "/api/v1/messages/batch",
        "/api/v1/decisions",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/messages",
        "/v1/messages/count_tokens",
    }
