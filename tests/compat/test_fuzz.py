"""Schemathesis sends to every route of the service's own description what fits it and what does not.

No answer may be a 500, every 5xx must be one that the reference of errors knows, and each answer must have the media
type and shape that the description gives it. The examples are derived, not drawn, so every run is the same.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from pointsman.http.codes import CODES
from pointsman.model.settings import ServerSettings, Settings, ValidationSettings
from tests.compat.asking import plain
from tests.compat.fleet import both
from tests.compat.provider.plan import Plan
from tests.compat.provider.server import Provider, Seen
from tests.compat.router import Running, pool, running, settings

EXAMPLES = 4
"""Of each route, of each kind: what fits the description, and what does not."""

TURNS = [{"role": "user", "content": "hi"}]
BODIES: dict[str, list[dict[str, Any]]] = {
    "POST /api/v1/messages": [{"text": "hi"}, {"text": "hi", "wait": False}, {"messages": TURNS, "stream": True}],
    "POST /api/v1/decisions": [{"text": "hi"}, {"messages": TURNS, "class": "tactical"}],
    "POST /api/v1/messages/batch": [{"text": "hi"}],
    "POST /api/v1/workers": [{"id": "w", "pool": "coders", "transport": "http", "url": "http://127.0.0.1:9/x"}],
    "POST /v1/chat/completions": [
        {"model": "auto", "messages": TURNS},
        {"model": "planners", "messages": TURNS, "stream": True},
        {"model": "none", "messages": TURNS},
    ],
    "POST /v1/embeddings": [{"model": "fast", "input": "x"}, {"model": "planners-anthropic", "input": ["x"]}],
    "POST /v1/messages": [
        {"model": "strong", "max_tokens": 9, "messages": TURNS},
        {"model": "coders-openai", "max_tokens": 9, "messages": TURNS, "stream": True},
    ],
    "POST /v1/messages/count_tokens": [{"model": "auto", "messages": TURNS}],
}
"""Bodies that mean something, which are drawn too seldom; headers and queries are drawn for them."""

SHAPE_CHECKS = ("content_type_conformance", "response_schema_conformance", "status_code_conformance")
KEY = {"authorization": "Bearer client-key-1234567890"}
QUIET = [*hypothesis.HealthCheck]


@schemathesis.serializer("application/x-ndjson")
def write_lines(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Write a batch: the generated message, twice, a line each."""
    return (json.dumps(value) + "\n").encode() * 2


def answer(provider: Provider, seen: Seen) -> Plan:
    """Answer anything, so that what is refused is refused by the router."""
    return plain("anthropic" if seen.target.startswith("/v1/messages") else "openai")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service whose senders do not wait long, whatever they ask for."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    with Provider(answer) as provider:
        given: Settings = settings(
            {name: pool(*both(provider.url, name)) for name in ("planners", "coders")},
            folder,
            server=ServerSettings(listen="127.0.0.1:0", keys_file=str(folder / "keys.jsonl"), drain_s=0.1),
            validation=ValidationSettings(ttl_waiting_s=0.2, ttl_stored_s=0.2, wait_s=0.1, wait_max_s=0.2),
        )
        with running(given) as started:
            yield started


def wrong_error(status: int, media: str, text: bytes) -> str:
    """Return what is wrong with an answer of 500 and more, or nothing."""
    if status < 500:
        return ""
    if status == 500:
        return "an internal error"
    value = json.loads(text)
    if "health+json" in media:
        return "" if value["status"] == "fail" else "503, but the health it tells of does not fail"
    error = value.get("error", value)
    code = error.get("code")
    if code not in CODES:
        return f"code {code!r} is not in the reference of errors"
    expected = CODES[code].status
    return "" if expected in {0, status} else f"code {code!r} is documented as {expected}"


def probe(operation: Any, strategy: Any, url: str, found: Counter[str]) -> None:
    """Send some examples to one route and count what is wrong with the answers."""
    checks = [CHECKS.get_one(name) for name in SHAPE_CHECKS]

    @hypothesis.settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=QUIET
    )
    @hypothesis.given(case=strategy)
    def send(case: Any) -> None:
        response = case.call(base_url=url, headers=KEY, timeout=10, allow_redirects=False)
        found["requests"] += 1
        media = str(response.headers.get("content-type"))
        wrong = wrong_error(response.status_code, media, response.content)
        if wrong:
            found[f"{operation.label}: {response.status_code}: {wrong}"] += 1
        try:
            case.validate_response(response, checks=checks)
        except FailureGroup as group:
            for failure in group.exceptions:
                found[f"{operation.label}: {response.status_code}: {failure}"] += 1

    with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # a route that takes nothing can be sent nothing wrong
        send()


def test_no_route_answers_what_is_not_described(service: Running) -> None:
    """Of every route, with what fits its description and what does not."""
    load_all_checks()
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    found: Counter[str] = Counter()
    labels = []
    results: Any = schema.get_all_operations()
    for result in results:
        operation = result.ok()
        labels.append(operation.label)
        strategies = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
        strategies += [operation.as_strategy(body=body) for body in BODIES.get(operation.label, ())]
        for strategy in strategies:
            probe(operation, strategy, service.url, found)
    assert len(labels) >= 30
    assert BODIES.keys() <= set(labels)
    assert found.pop("requests") >= len(labels) * EXAMPLES // 2
    assert not found, "\n".join(f"{count} x {what}" for what, count in found.most_common())
