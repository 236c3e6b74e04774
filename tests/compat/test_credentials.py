"""Whose key reaches a worker, which headers do, and who may answer which protocol."""

from __future__ import annotations

import json

import pytest

from tests.compat.asking import PROTOCOLS, body, path, plain, told_error
from tests.compat.fleet import SECRETS, faulty
from tests.compat.provider.plan import Plan
from tests.compat.provider.server import Seen
from tests.compat.raw import Answer, RawClient
from tests.compat.shapes.shape import Protocol
from tests.compat.sides import Sides

SETTINGS = faulty

BEARER = ("authorization", "Bearer client-key-1234567890")
API_KEY = ("x-api-key", "client-key-1234567890")
PRIVATE = (("cookie", "session=client-key"), ("proxy-authorization", "Basic x"), ("x-pointsman-client", "someone"))

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
both_keys = pytest.mark.parametrize("key", [BEARER, API_KEY], ids=["bearer", "x-api-key"])


def ask(sides: Sides, protocol: Protocol, model: str, *fields: tuple[str, str]) -> tuple[Answer, list[Seen]]:
    """Send a request with these headers."""
    sides.provider.reset()
    sides.provider.play(plain(protocol))
    with RawClient(sides.router.url) as client:
        answer = client.ask(path(protocol), body(model), *fields)
    return answer, list(sides.provider.seen)


@both_protocols
@both_keys
def test_the_clients_key_reaches_a_worker_only_by_passthrough(
    sides: Sides, protocol: Protocol, key: tuple[str, str]
) -> None:
    """As the client sent it; a worker without `auth` gets no key at all."""
    _, (seen,) = ask(sides, protocol, "solo", key, *PRIVATE)
    assert seen.header(key[0]) == key[1]
    _, (seen,) = ask(sides, protocol, "open", key, *PRIVATE)
    assert b"client-key" not in seen.head
    assert seen.header("authorization") is None
    assert seen.header("x-api-key") is None


@both_protocols
@both_keys
def test_a_workers_own_key_takes_the_place_of_the_clients(
    sides: Sides, protocol: Protocol, key: tuple[str, str]
) -> None:
    """In the header that its protocol has for it."""
    _, (seen,) = ask(sides, protocol, "secret", key, *PRIVATE)
    secret = SECRETS[f"{protocol.upper()}_SECRET"]
    name, value = ("authorization", f"Bearer {secret}") if protocol == "openai" else ("x-api-key", secret)
    assert [field for field in seen.fields if field[0] in {"authorization", "x-api-key"}] == [(name, value)]
    assert b"client-key" not in seen.head


@both_protocols
def test_what_is_between_client_and_router_stays_there(sides: Sides, protocol: Protocol) -> None:
    """Hop-by-hop headers, cookies and the router's own are not passed on; an origin's cookie is not passed back."""
    hops = (("connection", "keep-alive, x-hop"), ("x-hop", "1"), ("te", "trailers"), ("keep-alive", "timeout=5"))
    sides.provider.reset()
    sides.provider.play(
        plain(protocol).with_headers(("set-cookie", "a=b"), ("alt-svc", 'h3=":443"'), ("x-pointsman-class", "forged"))
    )
    with RawClient(sides.router.url) as client:
        answer = client.ask(path(protocol), body("solo"), *PRIVATE, *hops)
    seen = sides.provider.seen[0]
    names = {name for name, _ in seen.fields}
    private = {"cookie", "proxy-authorization", "x-hop", "te", "keep-alive", "x-pointsman-client"}
    assert names & private == set()
    assert seen.header("host") == f"127.0.0.1:{sides.provider.port}"
    assert answer.header("set-cookie") is None
    assert answer.header("alt-svc") is None
    assert [value for name, value in answer.fields if name == "x-pointsman-class"] == ["strategic"]


@both_protocols
def test_a_class_that_speaks_only_the_other_protocol_is_refused_by_name(sides: Sides, protocol: Protocol) -> None:
    """The client learns which class, and which protocol it speaks; it does not wait for a worker."""
    other = "anthropic" if protocol == "openai" else "openai"
    answer, seen = ask(sides, protocol, f"only-{other}")
    assert 400 <= answer.status < 500
    error = told_error(protocol, answer)
    assert f"only-{other}" in error["message"]
    assert answer.header("x-should-retry") == "false"
    assert not seen


@both_protocols
@pytest.mark.parametrize("model", ["solo", "pair", "auto"])
def test_each_protocol_finds_its_own_workers_in_a_mixed_pool(sides: Sides, protocol: Protocol, model: str) -> None:
    """Whoever balances, an answer never comes from a worker of the other protocol."""
    for _ in range(4):
        answer, seen = ask(sides, protocol, model)
        assert answer.status == 200
        assert [one.json["model"].rpartition("-")[2] for one in seen] == [protocol]


@both_protocols
def test_a_model_of_the_other_protocol_is_refused_by_name(sides: Sides, protocol: Protocol) -> None:
    """A worker's model that only the other protocol reaches."""
    other = "anthropic" if protocol == "openai" else "openai"
    answer, seen = ask(sides, protocol, f"solo-{other}")
    assert 400 <= answer.status < 500
    assert f"solo-{other}" in told_error(protocol, answer)["message"]
    assert not seen


def test_the_routers_own_hints_rule(sides: Sides) -> None:
    """`x-pointsman-class` chooses as `model` does, and a contradiction is refused."""
    _, (seen,) = ask(sides, "openai", "auto", ("x-pointsman-class", "narrow"))
    assert seen.json["model"] == "narrow-openai"
    answer, refused = ask(sides, "openai", "solo", ("x-pointsman-class", "narrow"))
    assert (answer.status, refused) == (400, [])


def test_a_worker_that_is_no_provider_is_asked_for_the_same_turns(sides: Sides) -> None:
    """Content of several parts reaches the worker as it was written."""
    parts = [{"type": "text", "text": "é"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    sent = json.dumps({"model": "solo", "messages": [{"role": "user", "content": parts}]}).encode()
    sides.provider.reset()
    sides.provider.play(Plan(pieces=plain("openai").pieces))
    with RawClient(sides.router.url) as client:
        client.ask(path("openai"), sent)
    assert sides.provider.seen[0].json["messages"][0]["content"] == parts
