"""Feedback over HTTP: who may give it, what it must look like, and the classifier at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.model.settings import ClassifierSettings
from tests.http.service import Service, service
from tests.runtime.taught import model_file


def model(tmp_path: Path) -> dict[str, Any]:
    """Settings with a small model that knows what fixing and planning is."""
    return {"classifier": ClassifierSettings(model=str(model_file(tmp_path)))}


async def sent(run: Service, text: str = "fix the typo", client: str = "alice") -> str:
    """Send a message as a client and return its id."""
    answer = await run.client.post("/api/v1/messages", {"text": text}, headers={"x-pointsman-client": client})
    return str(answer.json()["id"])


async def tell(run: Service, message: str, said: Any, client: str = "alice") -> Any:
    """Give feedback as a client."""
    path = f"/api/v1/messages/{message}/feedback"
    return await run.client.post(path, said, headers={"x-pointsman-client": client})


async def test_feedback_is_answered_with_what_was_made_of_it(tmp_path: Path) -> None:
    """Given again, it takes the place of the first."""
    async with service(**model(tmp_path)) as run:
        message = await sent(run)
        first = await tell(run, message, {"label": "strategic"})
        assert first.status == 200
        assert first.json() == {
            "id": message,
            "class": "strategic",
            "weight": 1.0,
            "replaced": False,
            "note": "",
            "delta": "shadow",
        }
        second = (await tell(run, message, {"outcome": "ok"})).json()
        assert (second["class"], second["weight"], second["replaced"]) == ("tactical", 0.25, True)
        status = (await run.client.get("/api/v1/classifier")).json()
        assert status["feedback"] == {"label": 1, "ok": 1, "failed": 0}
        assert status["delta"]["feedbacks"] == 1


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"label": "nope"}, 422, "unknown_class"),
        ({}, 400, "invalid"),
        ({"label": "strategic", "outcome": "ok"}, 400, "invalid"),
        ({"outcome": "so so"}, 400, "invalid"),
        ({"label": ""}, 400, "invalid"),
        ({"label": 1}, 400, "invalid"),
        ({"label": "strategic", "more": 1}, 400, "invalid"),
        ([], 400, "invalid"),
    ],
)
async def test_what_cannot_be_understood_is_refused_and_changes_nothing(
    tmp_path: Path, said: Any, status: int, code: str
) -> None:
    """With its code."""
    async with service(**model(tmp_path)) as run:
        answer = await tell(run, await sent(run), said)
        assert (answer.status, answer.json()["code"]) == (status, code)
        assert (await run.client.get("/api/v1/classifier")).json()["delta"]["state"] == "none"


async def test_unknown_messages_and_those_of_others_are_refused(tmp_path: Path) -> None:
    """404, and 403."""
    async with service(**model(tmp_path)) as run:
        unknown = await tell(run, "f" * 32, {"outcome": "ok"})
        assert (unknown.status, unknown.json()["code"]) == (404, "not_found")
        foreign = await tell(run, await sent(run), {"outcome": "ok"}, "bob")
        assert (foreign.status, foreign.json()["code"]) == (403, "not_yours")


async def test_a_rollback_answers_with_how_things_stand_then(tmp_path: Path) -> None:
    """Nothing is left of what was learnt."""
    async with service(**model(tmp_path)) as run:
        await tell(run, await sent(run), {"label": "strategic"})
        answer = await run.client.post("/api/v1/classifier/rollback", None)
        assert answer.status == 200
        assert (answer.json()["delta"]["state"], answer.json()["delta"]["trial"]) == ("none", 2)


async def test_the_status_of_the_router_says_how_its_classifier_stands(tmp_path: Path) -> None:
    """The same as the page of its own."""
    async with service(**model(tmp_path)) as run:
        await sent(run)
        status = (await run.client.get("/api/v1/status")).json()["classifier"]
        assert status == (await run.client.get("/api/v1/classifier")).json()
        assert (status["model"], status["threshold"], status["looked_at"]) == ("small", 0.6, 1)
