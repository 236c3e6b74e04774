"""Choosing where not any worker is as good as another: who is taken, who is waited for, how long, and by how many."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.core.parking import ROOM
from pointsman.model.message import Envelope
from pointsman.model.outcome import AttemptRecord, Delivered, Expired, Failed, Failure, Outcome
from pointsman.model.settings import BreakerSettings
from tests.runtime.fleet_of import Scripted
from tests.runtime.kerb import PATIENCE_S, Kerb


def failed_at(worker: str) -> AttemptRecord:
    """Return the record of an attempt that failed at a worker."""
    return AttemptRecord(1, "coders", worker, "worker_error", 0.0, 0.1)


def chat(kerb: Kerb, protocol: str = "openai", *, model: str = "", endpoint: str = "/chat/completions") -> Envelope:
    """Return a message of a compatible API that belongs to no conversation."""
    message = kerb.message(conversation=None)
    message.protocol, message.body, message.endpoint, message.model = protocol, b"{}", endpoint, model
    return message


async def test_the_worker_that_served_the_conversation_is_taken_while_it_has_a_slot() -> None:
    """Whatever the balancer thinks of it: a prompt cache is worth more than an empty worker."""
    kerb = Kerb()
    home = kerb.join("a", slots=2)
    for name in "bcd":
        kerb.join(name, slots=2)
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    out, work = kerb.start()
    assert await work == Delivered("a")
    assert (out.preferred, out.parked_s) == ("a", 0.0)
    hold.set()
    await kerb.end()


async def test_the_conversation_follows_the_worker_that_served_it_last() -> None:
    """A delivery is noted, and a failure is not; another client's conversation of the same name is another one."""
    kerb = Kerb()
    kerb.join("a", Failed(Failure.WORKER_ERROR, "no", worker="a", sent=True))
    _, work = kerb.start()
    assert isinstance(await work, Failed)
    assert kerb.preferred.get("coders", "someone", "talk", kerb.now) == ""
    kerb.join("b")
    message = kerb.message()
    message.trail.append(failed_at("a"))
    assert await kerb.start(message)[1] == Delivered("b")
    assert kerb.preferred.get("coders", "someone", "talk", kerb.now) == "b"
    assert kerb.preferred.get("coders", "other", "talk", kerb.now) == ""
    await kerb.end()


async def test_a_stream_that_had_begun_is_noted_too() -> None:
    """The worker has read the conversation, whether its answer was cut or its sender went away."""
    kerb = Kerb()
    endpoint = kerb.join("a", Failed(Failure.WORKER_CLOSED, "cut", worker="a", sent=True, started=True))
    out, work = kerb.start()
    out.reply.started = True  # type: ignore[misc]
    await work
    assert kerb.preferred.get("coders", "someone", "talk", kerb.now) == "a"
    transport = endpoint.transport
    assert isinstance(transport, Scripted)
    transport.hold = asyncio.Event()
    out, work = kerb.start(kerb.message("chat"))
    await asyncio.sleep(0)
    out.reply.started = True  # type: ignore[misc]
    work.cancel()
    await asyncio.wait([work])
    assert kerb.preferred.get("coders", "someone", "chat", kerb.now) == "a"
    await kerb.end()


@pytest.mark.parametrize("endpoint", ["/embeddings", "/messages/count_tokens?beta=true"])
async def test_what_is_no_chat_prefers_nobody_and_is_not_noted(endpoint: str) -> None:
    """Embeddings and counts have no prompt cache to keep."""
    kerb = Kerb()
    kerb.join("a")
    kerb.join("b")
    message = kerb.message()
    message.endpoint = endpoint
    out, work = kerb.start(message)
    await work
    assert (out.preferred, len(kerb.preferred)) == ("", 0)
    await kerb.end()


async def test_a_busy_worker_is_waited_for_while_others_are_free() -> None:
    """The attempt gives its slot back at once, and takes the worker's next one."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    kerb.pool.starve()
    out, work = kerb.start()
    wakes = kerb.yard.wakes
    await asyncio.sleep(0)
    assert (out.claimed, kerb.pool.free, work.done()) == (False, 1, False)
    assert kerb.yard.wakes > wakes
    await kerb.clock.sleep(1.0)
    hold.set()
    assert await work == Delivered("a")
    assert (out.parked_s, out.worker) == (1.0, "a")
    await kerb.end()


async def test_patience_ends_and_then_anybody_will_do() -> None:
    """After two seconds, to the instant."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    await kerb.occupy(home)
    kerb.prefer("a")
    began = kerb.now
    out, work = kerb.start()
    assert await work == Delivered("b")
    assert kerb.now - began == PATIENCE_S
    assert (out.parked_s, out.preferred) == (PATIENCE_S, "a")
    await kerb.end()


async def test_without_patience_nobody_waits() -> None:
    """A setting of 0 turns waiting off, not the preference."""
    kerb = Kerb()
    kerb.pool.patience_s = 0.0
    home = kerb.join("a")
    kerb.join("b")
    await kerb.occupy(home)
    kerb.prefer("a")
    out, work = kerb.start()
    assert await work == Delivered("b")
    assert (out.preferred, out.parked_s) == ("a", 0.0)
    await kerb.end()


async def test_whose_patience_has_ended_gets_the_first_slot_there_is() -> None:
    """Where nobody is free by then, it waits for the first who is, before the queue."""
    kerb = Kerb()
    home, other = kerb.join("a"), kerb.join("b")
    await kerb.occupy(home)
    kerb.prefer("a")
    out, work = kerb.start()
    await asyncio.sleep(0)
    hold = await kerb.occupy(other)
    await kerb.clock.sleep(10.0)
    assert not work.done()
    wakes = kerb.yard.wakes
    hold.set()
    await kerb.promised(other)
    assert kerb.yard.wakes == wakes, "the slot was promised: there was nothing for the queue"
    assert await work == Delivered("b")
    assert out.parked_s == 10.0
    await kerb.end()


async def test_the_one_that_has_waited_longest_is_first() -> None:
    """Of three that wait for one worker each gets its slot in turn, in the order of their coming."""
    kerb = Kerb()
    kerb.pool.patience_s = 100.0
    home = kerb.join("a", slots=2)
    kerb.join("b", slots=9)
    holds = [await kerb.occupy(home) for _ in range(2)]
    kerb.prefer("a")
    transport = home.transport
    assert isinstance(transport, Scripted)
    works = []
    for _ in range(3):
        works.append(kerb.start()[1])
        await kerb.clock.sleep(1.0)
    transport.hold = asyncio.Event()
    before = len(transport.sent)
    for hold in holds:
        hold.set()
    await kerb.clock.sleep(1.0)
    assert [out.envelope.ask for out in transport.sent[before:]] == ["text 1", "text 2"]
    transport.hold.set()
    assert [await work for work in works] == [Delivered("a")] * 3
    assert transport.sent[-1].envelope.ask == "text 3"
    await kerb.end()


async def test_a_promised_slot_is_nobody_elses() -> None:
    """Between the promise and the moment at which it is taken no other attempt is given that worker."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    _, work = kerb.start()
    await asyncio.sleep(0)
    hold.set()
    await kerb.promised(home)
    assert (home.load.in_flight, home.load.available, kerb.pool.free, kerb.pool.slots) == (0, 0, 1, 2)
    picks = [kerb.pool.pick(kerb.now) for _ in range(20)]
    assert {picked.id for picked in picks if picked} == {"b"}
    assert await work == Delivered("a")
    await kerb.end()


async def test_only_so_many_wait_for_one_worker() -> None:
    """Twice its slots; the next one takes anybody at once."""
    kerb = Kerb()
    kerb.pool.patience_s = 100.0
    home = kerb.join("a", slots=2)
    kerb.join("b", slots=50)
    for _ in range(2):
        await kerb.occupy(home)
    kerb.prefer("a")
    kerb.prefer("a", "other")
    works = [kerb.start(kerb.message("talk" if at % 2 else "other"))[1] for at in range(2 * ROOM + 3)]
    await kerb.clock.sleep(0.0)
    assert [work.done() for work in works] == [False] * 2 * ROOM + [True] * 3
    assert len(kerb.pool.parking.lot) == 2 * ROOM
    await kerb.end()


async def test_room_is_taken_until_the_wait_is_over_though_patience_is() -> None:
    """Those that wait for anybody still count: however long all are busy, memory holds no more of them."""
    kerb = Kerb()
    home, other = kerb.join("a"), kerb.join("b")
    await kerb.occupy(home)
    for round_ in range(3):
        kerb.prefer("a")
        for _ in range(ROOM + 1):
            kerb.start()
            await asyncio.sleep(0)
        if round_ == 0:
            await kerb.occupy(other)
        await kerb.clock.sleep(10.0)
    assert kerb.pool.parking.lot.counted == ROOM
    await kerb.end()


async def test_an_expired_message_is_never_handed_out() -> None:
    """Its time ends while it waits: it is over at that instant, and its slot was the pool's all along."""
    kerb = Kerb()
    home = kerb.join("a")
    other = kerb.join("b")
    await kerb.occupy(home)
    kerb.prefer("a")
    began = kerb.now
    _, work = kerb.start(kerb.message(ttl_s=0.5))
    assert await work == Expired()
    assert kerb.now - began == 0.5
    transport = other.transport
    assert isinstance(transport, Scripted)
    assert transport.sent == []
    await kerb.end()


async def test_a_slot_that_comes_at_the_very_end_of_its_time_goes_to_the_next() -> None:
    """The promise to an expired message is void, and somebody else keeps it."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    _, expiring = kerb.start(kerb.message(ttl_s=1.0))
    _, patient = kerb.start()
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(1.0, hold.set)
    assert await expiring in {Expired(), Delivered("a")}
    assert await patient == Delivered("a")
    await kerb.end()


async def cancelled(work: asyncio.Task[Outcome]) -> bool:
    """Cancel a delivery; whether that is how it ended."""
    work.cancel()
    await asyncio.wait([work])
    return work.cancelled()


async def test_a_cancelled_attempt_leaves_no_trace() -> None:
    """Neither a claim nor a place in line; the time it waited is known all the same."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    await kerb.occupy(home)
    kerb.prefer("a")
    out, work = kerb.start()
    await kerb.clock.sleep(0.5)
    assert await cancelled(work)
    assert (out.parked_s, kerb.pool.free) == (0.5, 1)
    await kerb.end()


async def test_a_slot_promised_to_a_cancelled_attempt_goes_to_the_next() -> None:
    """The promise and the cancellation come in one turn of the loop; the slot is not lost."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    _, first = kerb.start()
    _, second = kerb.start()
    await asyncio.sleep(0)
    hold.set()
    await kerb.promised(home)
    assert await cancelled(first)
    assert await second == Delivered("a")
    await kerb.end()


async def test_a_slot_that_nobody_wants_after_all_wakes_the_dispatcher() -> None:
    """Promised to an attempt that is cancelled, with nobody behind it: the queue may have it."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    kerb.pool.starve()
    _, work = kerb.start()
    await asyncio.sleep(0)
    hold.set()
    await kerb.promised(home)
    wakes = kerb.yard.wakes
    assert await cancelled(work)
    assert kerb.yard.wakes > wakes
    assert kerb.pool.free == 2
    await kerb.end()


async def test_nobody_waits_for_a_worker_that_is_not_well() -> None:
    """Drained, held back, broken, on trial, or gone: another one is taken at once."""
    for state in ("drained", "held", "open", "half_open", "gone"):
        kerb = Kerb(breaker=BreakerSettings(failures=1, open_s=5.0))
        home = kerb.join("a", Failed(Failure.WORKER_ERROR, "no", worker="a", sent=True))
        kerb.join("b")
        kerb.prefer("a")
        if state == "drained":
            kerb.pool.drain(home, draining=True)
        elif state == "held":
            kerb.pool.hold(home, kerb.now + 1.0)
        elif state == "gone":
            kerb.pool.remove(home)
        else:
            home.breaker.record(home.breaker.acquire(kerb.now), kerb.now, False)  # type: ignore[arg-type]
            kerb.pool.refresh(home)
            if state == "half_open":
                await kerb.clock.sleep(10.0)
                kerb.pool.advance(kerb.now)
                assert (home.load.open, home.up) == (True, False)
                home.load.start()
                kerb.pool.changed(home)
        out, work = kerb.start()
        assert await work == Delivered("b"), state
        assert out.parked_s == 0.0
        assert len(kerb.pool.parking.lot) == 0


@pytest.mark.parametrize("deed", ["drain", "hold", "break", "leave"])
async def test_who_waits_for_a_worker_that_falls_ill_looks_again_at_once(deed: str) -> None:
    """It takes another one in the same instant."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    await kerb.occupy(home)
    kerb.prefer("a")
    out, work = kerb.start()
    await kerb.clock.sleep(0.5)
    if deed == "drain":
        kerb.pool.drain(home, draining=True)
    elif deed == "hold":
        kerb.pool.hold(home, kerb.now + 60.0)
    elif deed == "break":
        home.breaker.force_open()
        kerb.pool.refresh(home)
    else:
        kerb.pool.remove(home)
    assert await work == Delivered("b")
    assert out.parked_s == 0.5
    for hold in kerb.holds:
        hold.set()
    await kerb.clock.sleep(1.0)
    assert kerb.pool.parking.lot.counted == 0


async def test_a_worker_that_falls_ill_after_its_promise_is_not_taken() -> None:
    """The attempt it was promised to looks again."""
    kerb = Kerb()
    home = kerb.join("a")
    kerb.join("b")
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    _, work = kerb.start()
    await asyncio.sleep(0)
    hold.set()
    await kerb.promised(home)
    kerb.pool.drain(home, draining=True)
    assert await work == Delivered("b")
    kerb.pool.drain(home, draining=False)
    await kerb.end()


async def test_a_worker_that_failed_the_message_is_not_preferred() -> None:
    """Its prompt cache is no comfort."""
    kerb = Kerb()
    kerb.join("a")
    kerb.join("b")
    kerb.prefer("a")
    message = kerb.message()
    message.trail.append(failed_at("a"))
    assert await kerb.start(message)[1] == Delivered("b")
    await kerb.end()


async def test_a_preferred_worker_that_cannot_be_reached_is_left_for_the_next() -> None:
    """Within the same attempt, as for any other."""
    kerb = Kerb()
    kerb.join("a", Failed(Failure.WORKER_UNREACHABLE, "refused", worker="a"))
    kerb.join("b")
    kerb.prefer("a")
    assert await kerb.start()[1] == Delivered("b")
    await kerb.end()


async def test_only_workers_that_can_serve_it_get_a_message() -> None:
    """An OpenAI chat goes to an OpenAI worker or to one of our own kind, and never to an Anthropic one."""
    for protocol, other in (("openai", "anthropic"), ("anthropic", "openai")):
        kerb = Kerb()
        kerb.join("same", transport=protocol, slots=4)
        kerb.join("own", transport="subprocess", slots=4)
        kerb.join("other", transport=other, slots=99)
        works = [kerb.start(chat(kerb, protocol))[1] for _ in range(20)]
        workers = {outcome.worker for work in works if isinstance(outcome := await work, Delivered)}
        assert workers == {"same", "own"}
        works = [kerb.start(chat(kerb, protocol, endpoint="/embeddings"))[1] for _ in range(20)]
        assert {await work for work in works} == {Delivered("same")}
        await kerb.end()


async def test_a_model_that_was_asked_for_is_the_model_that_answers() -> None:
    """By whichever worker has it."""
    kerb = Kerb()
    kerb.join("large", transport="openai", model="large")
    kerb.join("small", transport="openai", model="small", slots=50)
    for _ in range(10):
        assert await kerb.start(chat(kerb, model="large"))[1] == Delivered("large")
    await kerb.end()


async def test_a_message_waits_as_long_as_it_lives_for_the_only_workers_that_can_serve_it() -> None:
    """Others are free all the while, and serve what they can."""
    kerb = Kerb()
    only = kerb.join("only", transport="openai")
    kerb.join("other", transport="anthropic", slots=2)
    hold = await kerb.occupy(only)
    out, work = kerb.start(chat(kerb))
    await kerb.clock.sleep(100.0)
    assert (work.done(), kerb.pool.free) == (False, 2)
    assert await kerb.start(chat(kerb, "anthropic"))[1] == Delivered("other")
    hold.set()
    assert await work == Delivered("only")
    assert out.parked_s == 100.0
    await kerb.end()


async def test_a_message_that_only_busy_workers_can_serve_expires_in_time() -> None:
    """At the end of its time to live, and not before."""
    kerb = Kerb()
    only = kerb.join("only", transport="openai")
    kerb.join("other", transport="anthropic")
    await kerb.occupy(only)
    began = kerb.now
    message = chat(kerb)
    message.expires_at = kerb.now + 30.0
    assert await kerb.start(message)[1] == Expired()
    assert kerb.now - began == 30.0
    await kerb.end()


async def test_so_many_wait_for_a_kind_of_workers_and_the_next_goes_back() -> None:
    """Twice their slots; the next waits in the queue, behind a pause, and comes in no one's way."""
    kerb = Kerb()
    only = kerb.join("only", transport="openai", slots=2)
    kerb.join("other", transport="anthropic", slots=50)
    for _ in range(2):
        await kerb.occupy(only)
    works = [kerb.start(chat(kerb))[1] for _ in range(2 * ROOM + 1)]
    outcome = await works[-1]
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent, outcome.retry_after_s) == (Failure.NO_WORKER, False, 0.1)
    assert not any(work.done() for work in works[:-1])
    await kerb.end()


async def test_a_worker_that_joins_serves_those_that_waited_for_its_like() -> None:
    """At once, and as many as it has slots."""
    kerb = Kerb()
    only = kerb.join("only", transport="openai")
    kerb.join("other", transport="anthropic", slots=9)
    await kerb.occupy(only)
    works = [kerb.start(chat(kerb))[1] for _ in range(2)]
    await asyncio.sleep(0)
    new = kerb.join("new", transport="openai", slots=2)
    assert (new.reserved, kerb.pool.free) == (2, 9)
    assert [await work for work in works] == [Delivered("new")] * 2
    await kerb.end()


async def test_when_the_last_that_can_serve_it_leaves_the_message_goes_back() -> None:
    """Nobody is left to wait for: the queue, and whoever helps the pool, may have it."""
    kerb = Kerb()
    only = kerb.join("only", transport="openai")
    kerb.join("other", transport="anthropic")
    await kerb.occupy(only)
    _, work = kerb.start(chat(kerb))
    await asyncio.sleep(0)
    kerb.pool.remove(only)
    outcome = await work
    assert isinstance(outcome, Failed)
    assert outcome.reason is Failure.NO_WORKER
    for hold in kerb.holds:
        hold.set()
    await kerb.clock.sleep(1.0)


async def test_a_retry_that_only_avoided_workers_could_take_goes_back() -> None:
    """It does not wait in memory for a slot that might be that of the worker that failed it."""
    kerb = Kerb()
    kerb.join("bad", transport="openai")
    good = kerb.join("good", transport="openai")
    kerb.join("other", transport="anthropic", slots=9)
    await kerb.occupy(good)
    message = chat(kerb)
    message.trail.append(failed_at("bad"))
    outcome = await kerb.start(message)[1]
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.NO_WORKER, False)
    await kerb.end()


async def test_a_preferred_worker_that_cannot_serve_the_message_is_nobody() -> None:
    """The next turn insists on another model: the one it preferred does not count."""
    kerb = Kerb()
    kerb.join("a", transport="openai", model="large")
    kerb.join("b", transport="openai", model="small")
    kerb.prefer("a")
    message = chat(kerb, model="small")
    message.message = kerb.message().message
    assert await kerb.start(message)[1] == Delivered("b")
    await kerb.end()


async def test_one_that_waits_takes_nothing_that_is_promised_to_others() -> None:
    """Its patience ends while the only free slot is claimed: it waits for one that is nobody's."""
    kerb = Kerb()
    home = kerb.join("a")
    other = kerb.join("b")
    hold = await kerb.occupy(home)
    kerb.prefer("a")
    _, work = kerb.start()
    await asyncio.sleep(0)
    kerb.pool.claim()
    await kerb.clock.sleep(PATIENCE_S + 1.0)
    assert (work.done(), other.load.available) == (False, 1)
    kerb.pool.give_back()
    assert await work == Delivered("b")
    hold.set()
    await kerb.end()
