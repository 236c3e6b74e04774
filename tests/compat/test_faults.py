"""Workers that break off, fall silent, refuse or fail: what the client sees, and that nothing is left in hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compat.asking import PROTOCOLS, body, error, flagged, good, path, plain, streamed, told_error
from tests.compat.fleet import faulty
from tests.compat.provider.plan import Cut, Gate, Plan, split_at
from tests.compat.raw import Answer, RawClient
from tests.compat.shapes.shape import Protocol
from tests.compat.sides import Sides

SETTINGS = faulty

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.fixture(autouse=True)
def _nothing_is_left(sides: Sides) -> Iterator[None]:
    """After each test every worker has all its slots back."""
    sides.provider.reset()
    yield
    sides.router.must_be_idle()


def ask(sides: Sides, protocol: Protocol, model: str, *plans: Plan, stream: bool = False, ttl_s: str = "8") -> Answer:
    """Send a request to a class while the provider answers so."""
    sides.provider.play(*plans)
    with RawClient(sides.router.url) as client:
        return client.ask(path(protocol), body(model, stream=stream), ("x-pointsman-ttl", ttl_s))


def models(sides: Sides) -> list[str]:
    """Return the models that the provider was asked for, in order."""
    return [seen.json["model"] for seen in sides.provider.seen]


# Cut in the middle.


@both_protocols
@pytest.mark.parametrize("how", [Cut.FIN, Cut.RST])
@pytest.mark.parametrize("where", ["after one event", "inside an event", "inside a character", "before the last event"])
def test_a_stream_that_is_cut_is_flagged(sides: Sides, protocol: Protocol, how: Cut, where: str) -> None:
    """Everything that came, then an error in the protocol's own shape; never a clean end."""
    plan = streamed(protocol)
    last = b"event: message_stop" if protocol == "anthropic" else b'"finish_reason":"stop"'
    size = {
        "after one event": plan.body.index(b"\n\n") + 2,
        "inside an event": plan.body.index(b"\n\n") + 20,
        "inside a character": plan.body.index("🚆".encode()) + 2,
        "before the last event": plan.body.index(last),
    }[where]
    gate = Gate()  # the cut waits until the client has all before it: a reset may overtake what was sent
    sides.provider.play(plan.with_pieces([*split_at(plan.pieces, size), gate, how]))
    with RawClient(sides.router.url) as client:
        client.send(client.request(path(protocol), body("solo", stream=True)))
        answer = client.answer(size, gate.open)
    flagged(protocol, plan.body[:size], answer)
    assert answer.ended == "chunked"


@both_protocols
@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_a_stream_that_ends_without_its_last_event_is_flagged(sides: Sides, protocol: Protocol, framing: str) -> None:
    """The connection ends in order, but the answer is not whole."""
    pieces = streamed(protocol).pieces[:2]
    plan = Plan(headers=streamed(protocol).headers, pieces=pieces, framing=framing)  # type: ignore[arg-type]
    flagged(protocol, plan.body, ask(sides, protocol, "solo", plan, stream=True))


def test_a_stream_in_which_only_one_of_two_choices_has_ended_is_flagged(sides: Sides) -> None:
    """OpenAI's `n`: the first has its reason to end, the second is cut."""
    media = streamed("openai").headers
    told = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s]}'
    ended = told % '{"index":0,"delta":{},"finish_reason":"stop"}'
    open_ = told % '{"index":1,"delta":{"content":"and so"},"finish_reason":null}'
    plan = Plan(headers=media, pieces=[f"data: {one}\n\n".encode() for one in (ended, open_)], framing="chunked")
    sides.provider.play(plan)
    with RawClient(sides.router.url) as client:
        answer = client.ask(path("openai"), body("solo", stream=True, n=2))
    flagged("openai", plan.body, answer)


@both_protocols
def test_a_stream_without_any_event_is_an_error(sides: Sides, protocol: Protocol) -> None:
    """Nothing had been given to the client yet, so it gets a status, or at least no clean stream."""
    answer = ask(sides, protocol, "solo", streamed(protocol).with_pieces([]), stream=True)
    if answer.status == 200:
        flagged(protocol, b"", answer)
    else:
        assert answer.status == 502
        told_error(protocol, answer)


@both_protocols
@pytest.mark.parametrize("how", [Cut.FIN, Cut.RST])
def test_a_plain_answer_that_is_cut_is_never_whole(sides: Sides, protocol: Protocol, how: Cut) -> None:
    """Either an error, or an answer whose end the client misses."""
    answer = ask(sides, protocol, "solo", plain(protocol).cut_after(100, how))
    if answer.status == 200:
        assert answer.ended in {"early", "reset"}
    else:
        assert answer.status == 502
        told_error(protocol, answer)


# Silence.


@both_protocols
@pytest.mark.parametrize("when", ["before the head", "after the head"])
def test_a_silent_worker_is_left_for_the_next(sides: Sides, protocol: Protocol, when: str) -> None:
    """At the first-token time-out; the silent one's connection is closed, and the client notices nothing."""
    silent = Plan(before=Gate()) if when == "before the head" else streamed(protocol).silent_after(0)
    answer = ask(sides, protocol, "pair", silent, streamed(protocol), stream=True)
    assert (answer.status, answer.body) == (200, streamed(protocol).body)
    first, second = models(sides)
    assert first != second
    assert sides.provider.seen[0].left_early()


@both_protocols
def test_a_client_learns_that_all_workers_are_silent(sides: Sides, protocol: Protocol) -> None:
    """After as many attempts as there may be, a time-out in the protocol's own shape."""
    answer = ask(sides, protocol, "pair", Plan(before=Gate()), Plan(before=Gate()), stream=True)
    assert answer.status in {502, 504}
    told_error(protocol, answer)
    assert [seen.left_early() for seen in sides.provider.seen] == [True, True]


@both_protocols
def test_a_stream_that_falls_silent_is_flagged(sides: Sides, protocol: Protocol) -> None:
    """At the idle time-out: what came, an error, and no other worker any more."""
    plan = streamed(protocol)
    first = plan.pieces[0]
    assert isinstance(first, bytes)
    answer = ask(sides, protocol, "pair", plan.silent_after(len(first)), streamed(protocol), stream=True)
    flagged(protocol, first, answer)
    assert len(sides.provider.seen) == 1
    assert sides.provider.seen[0].left_early()


# Before the first byte.


@both_protocols
@plain_and_streamed
@pytest.mark.parametrize("how", [Cut.FIN, Cut.RST])
def test_a_worker_that_hangs_up_is_left_for_the_next(sides: Sides, protocol: Protocol, stream: bool, how: Cut) -> None:
    """It had the request, but the client had nothing yet."""
    answer = ask(sides, protocol, "pair", Plan(before=how), good(protocol, stream), stream=stream)
    assert (answer.status, answer.body) == (200, good(protocol, stream).body)
    assert len({*models(sides)}) == 2


@both_protocols
@plain_and_streamed
def test_a_worker_that_fails_is_left_for_the_next(sides: Sides, protocol: Protocol, stream: bool) -> None:
    """A 500 is the worker's fault, not the message's."""
    answer = ask(sides, protocol, "pair", error(protocol, 500), good(protocol, stream), stream=stream)
    assert (answer.status, answer.body) == (200, good(protocol, stream).body)
    assert len(sides.provider.seen) == 2


@both_protocols
@plain_and_streamed
def test_the_last_failure_is_relayed(sides: Sides, protocol: Protocol, stream: bool) -> None:
    """When the attempts are used up the client gets the provider's own error, whole, and is told not to try again."""
    plan = error(protocol, 500)
    answer = ask(sides, protocol, "pair", plan, plan, stream=stream)
    assert (answer.status, answer.body) == (500, plan.body)
    assert answer.header("x-should-retry") == "false"
    assert {name: answer.header(name) for name, _ in plan.headers} == dict(plan.headers)
    assert len(sides.provider.seen) == 2


@both_protocols
def test_a_worker_that_cannot_be_reached_is_passed_over(sides: Sides, protocol: Protocol) -> None:
    """Whichever of the two is asked first."""
    for _ in range(2):
        answer = ask(sides, protocol, "dead-end", plain(protocol))
        assert (answer.status, answer.body) == (200, plain(protocol).body)


# Busy.


@both_protocols
def test_a_busy_worker_is_left_for_the_next(sides: Sides, protocol: Protocol) -> None:
    """A 429 says that nothing was begun."""
    answer = ask(sides, protocol, "throttled-next", error(protocol, 429), streamed(protocol), stream=True)
    assert (answer.status, answer.body) == (200, streamed(protocol).body)
    assert len({*models(sides)}) == 2


@both_protocols
@pytest.mark.parametrize(("case", "fields"), [("wish", (("retry-after", "1"),)), ("no-wish", ())])
def test_the_refusal_of_busy_workers_is_relayed(
    sides: Sides, protocol: Protocol, case: str, fields: tuple[tuple[str, str], ...]
) -> None:
    """When its time to live is over: with `retry-after` as the provider said it, or without."""
    known = error(protocol, 429, ("retry-after", "1"))
    headers = tuple(field for field in known.headers if field[0] != "retry-after")
    plan = Plan(status=429, headers=(*headers, *fields), pieces=known.pieces)
    sides.provider.always(plan)
    answer = ask(sides, protocol, f"throttled-{case}", ttl_s="0.3")
    assert (answer.status, answer.body) == (429, plan.body)
    assert answer.header("x-request-id" if protocol == "openai" else "request-id")
    if fields:
        assert answer.header("retry-after") == "1"
    assert len({*models(sides)}) == 2
