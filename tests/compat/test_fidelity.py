"""Hundreds of shapes of requests and answers pass to the byte, but for the value of the top-level `model`.

A raw client sends them and a raw provider answers them, so nothing is understood away on either side. The client
names a class; the provider must see its worker's model in that place, and else exactly what was sent.
"""

from __future__ import annotations

import pytest

from tests.compat.provider.plan import Field, Plan
from tests.compat.raw import Answer, RawClient
from tests.compat.shapes import replies, requests, streams
from tests.compat.shapes.shape import Shape
from tests.compat.sides import Sides

SHAPES = [*requests.shapes(), *replies.shapes(), *streams.shapes()]
HARMFUL = (
    "short escapes",
    "long escapes",
    "nul escaped",
    "delete raw",
    "high surrogate alone",
    "low surrogate alone",
    "surrogates in the wrong order",
    "right to left",
)
"""Texts that no human writes: refused where they are what the newest human asks, passed on everywhere else."""
REFUSED = [shape for shape in SHAPES if any(shape.name.endswith(f": {name} as content") for name in HARMFUL)]
PASSED = [shape for shape in SHAPES if shape not in REFUSED]
ASKED, REACHED = "strategic", {"openai": "gpt-mock", "anthropic": "claude-mock"}

OWN = frozenset(
    {
        "alt-svc",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "set-cookie",
        "strict-transport-security",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to one connection or one host, or that each server says for itself."""


def passing(fields: list[Field] | tuple[Field, ...]) -> list[Field]:
    """Return the header lines that must pass, sorted by name; lines of one name keep their order."""
    lower = [(name.lower(), value) for name, value in fields]
    kept = [field for field in lower if field[0] not in OWN and not field[0].startswith(("proxy-", "x-pointsman-"))]
    return sorted(kept, key=lambda field: field[0])


def must_be_as_planned(answer: Answer, plan: Plan) -> None:
    """Fail unless the client got the provider's answer: status, body, headers, and a whole one."""
    told = plan.body if plan.status not in {204, 304} else b""
    assert (answer.status, answer.body) == (plan.status, told)
    assert answer.ended in {"length", "chunked", "none"}
    named = {name.lower() for name, _ in plan.headers}
    fields = [
        field for field in answer.fields if field[0] in named or field[0] not in {"x-should-retry", "content-type"}
    ]
    assert passing(fields) == passing(plan.headers)


def test_there_are_enough_shapes_and_no_two_are_the_same() -> None:
    """At least 300, plain and streamed, of both protocols; each with a name and bytes of its own."""
    assert len(SHAPES) >= 300
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
    told = {(shape.path, shape.fields, shape.body, shape.plan.body, repr(shape.plan)) for shape in SHAPES}
    assert len(told) == len(SHAPES)
    for protocol in REACHED:
        kinds = [shape.plan.framing for shape in SHAPES if shape.protocol == protocol]
        assert min(kinds.count("chunked"), kinds.count("length")) >= 50


@pytest.mark.parametrize("shape", REFUSED, ids=lambda shape: shape.name)
def test_what_no_human_writes_is_refused_where_a_human_asks(sides: Sides, shape: Shape) -> None:
    """By name, and no worker sees it."""
    provider = sides.provider
    provider.reset()
    with RawClient(sides.router.url) as client:
        answer = client.ask(shape.path, shape.with_model(ASKED), *shape.fields)
    assert (answer.status, b'"harmful"' in answer.body, provider.seen) == (422, True, [])


@pytest.mark.parametrize("shape", PASSED, ids=lambda shape: shape.name)
def test_a_shape_passes_to_the_byte(sides: Sides, shape: Shape) -> None:
    """What the client wrote reaches the provider, and what the provider wrote reaches the client."""
    provider = sides.provider
    provider.reset()
    provider.play(shape.plan)
    with RawClient(sides.router.url) as client:
        answer = client.ask(shape.path, shape.with_model(ASKED), *shape.fields)
    assert len(provider.seen) == 1, (answer.status, answer.body[:300])
    seen = provider.seen[0]
    assert seen.body == shape.with_model(REACHED[shape.protocol])
    assert seen.target == shape.path
    sent = passing(shape.fields)
    names = {name for name, _ in sent}
    assert passing([field for field in seen.fields if field[0] in names]) == sent
    must_be_as_planned(answer, shape.plan)


def test_shapes_mean_the_same_without_a_router(sides: Sides) -> None:
    """The raw client and the provider alone agree on every shape, so that a difference is the router's."""
    for shape in SHAPES:
        sides.provider.reset()
        sides.provider.play(shape.plan)
        with RawClient(sides.provider.url) as client:
            answer = client.ask(shape.path, shape.with_model(ASKED), *shape.fields)
        if shape.plan.framing == "close":
            assert answer.ended == "fin"
            answer.ended = "length"
        must_be_as_planned(answer, shape.plan)
        assert sides.provider.seen[0].body == shape.with_model(ASKED)


def test_no_router_is_left_with_anything_in_hand(sides: Sides) -> None:
    """After all of them every slot is free."""
    sides.router.must_be_idle()
