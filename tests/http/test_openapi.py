"""The description: made from the table of routes, whole, and valid as far as its structure goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pointsman.http.openapi import describe
from pointsman.http.routes import ROUTES
from tests.http.service import service

DESCRIPTION = describe(ROUTES, "1.2.3")


def walk(value: Any) -> Iterator[Any]:
    """Every dict in a tree."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def test_every_route_is_described_and_nothing_else() -> None:
    """The table is the only source."""
    described = {(method.upper(), path) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert described == set(ROUTES)


def test_every_operation_is_complete() -> None:
    """Summary, its own id, parameters of the path, a success and a way to fail."""
    ids: set[str] = set()
    for path, methods in DESCRIPTION["paths"].items():
        for operation in methods.values():
            ids.add(operation["operationId"])
            assert operation["summary"]
            assert not operation["summary"].endswith(".")
            in_path = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
            assert in_path == re.findall(r"\{(\w+)\}", path)
            assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")
            assert "default" in operation["responses"]
            successes = [status for status in operation["responses"] if status.startswith("2")]
            assert successes
            for response in operation["responses"].values():
                assert response["description"]
                assert all("schema" in media for media in response["content"].values())
    assert len(ids) == len(ROUTES)


def test_a_body_that_may_lack_is_not_required() -> None:
    """The verbs of the rollout can be ordered in a hurry; a message needs its text."""
    optional = {
        path
        for path, methods in DESCRIPTION["paths"].items()
        for operation in methods.values()
        if "requestBody" in operation and not operation["requestBody"]["required"]
    }
    assert optional == {
        f"/api/v1/rollout/{verb}" for verb in ("start", "promote", "pause", "resume", "rollback", "ack")
    }


def test_every_reference_leads_somewhere() -> None:
    """No schema is missing."""
    schemas = DESCRIPTION["components"]["schemas"]
    references = {one["$ref"] for one in walk(DESCRIPTION) if "$ref" in one}
    assert references
    assert {f"#/components/schemas/{name}" for name in schemas} >= references


def test_properties_say_what_their_docstrings_say() -> None:
    """Under the names of the wire."""
    message = DESCRIPTION["components"]["schemas"]["Message"]
    assert message["additionalProperties"] is False
    assert "Attributes" not in message["description"]
    assert message["properties"]["class"]["description"].startswith("`class` on the wire")
    assert "seconds after acceptance" in message["properties"]["ttl_s"]["description"]


def test_queries_are_described() -> None:
    """With their bounds."""
    parameters = DESCRIPTION["paths"]["/api/v1/messages"]["get"]["parameters"]
    assert {one["name"] for one in parameters} == {"status", "client", "conversation_id", "since", "limit"}
    assert all(one["in"] == "query" for one in parameters)


async def test_it_is_served() -> None:
    """As JSON, and the same each time."""
    async with service() as run:
        answered = await run.client.get("/openapi.json")
        assert answered.headers["content-type"] == "application/json"
        assert answered.json()["openapi"] == "3.1.0"
        assert answered.json()["info"]["version"] == "1.2.3"
        assert set(answered.json()["paths"]) == {path for _, path in ROUTES}
        assert (await run.client.get("/openapi.json")).body == answered.body
