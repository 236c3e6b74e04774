"""Messages that wait for a particular worker: the whole router around them goes on, and nothing is left of them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.embedded import Router
from pointsman.model.decision import Decision
from pointsman.model.events import AttemptEnded, AttemptStarted, Ended, Event
from pointsman.model.message import PRIORITIES, Message
from pointsman.model.outcome import Failed, Failure, Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import (
    BreakerSettings,
    ClassifierSettings,
    ClassSettings,
    ConversationSettings,
    EngineSettings,
    LimitSettings,
    PoolSettings,
    RetrySettings,
    Settings,
    WorkerSettings,
)
from pointsman.model.states import Status
from pointsman.sim import SimClock

BUSY_S = 1.0


class Worker:
    """Takes a second for each message, and fails as often as told."""

    def __init__(self, name: str, rng: random.Random | None = None, fails: float = 0.0) -> None:
        self.name = name
        self.rng = rng or random.Random(1)
        self.fails = fails
        self.in_hand = 0
        self.texts: list[str] = []

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.in_hand += 1
        self.texts.append(work["text"])
        try:
            await asyncio.sleep(BUSY_S * (0.1 + self.rng.random()) if self.fails else BUSY_S)
            if self.rng.random() < self.fails:
                raise ConnectionError("not today")
        finally:
            self.in_hand -= 1
        return self.name


def settings(patience_s: float = 2.0, slots: int = 1, *models: str, serial: bool = False) -> Settings:
    """Return one class with one pool of workers w0, w1, ... of these models."""
    workers = [
        WorkerSettings(id=f"w{at}", transport="callable", model=model or None, max_in_flight=slots)
        for at, model in enumerate(models)
    ]
    pool = PoolSettings(
        workers=workers,
        retry=RetrySettings(base_s=0.01, max_attempts=4),
        breaker=BreakerSettings(failures=3, open_s=1.0),
    )
    return Settings(
        classes={"work": ClassSettings(pool="pool", serial=serial)},
        classifier=ClassifierSettings(fallback_class="work"),
        pools={"pool": pool},
        limits=LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000, flood_copies=1_000_000_000),
        engine=EngineSettings(lease_s=3.0),
        conversations=ConversationSettings(patience_s=patience_s),
    )


def router_of(of: Settings, workers: list[Worker], seed: int = 1) -> Router:
    """Return a router around these workers."""
    functions = {"pool": {worker.name: worker for worker in workers}}
    return Router(of, workers=functions, clock=SimClock(), rng=random.Random(seed))


async def send(router: Router, text: str, talk: str | None = None, *, model: str = "", **fields: Any) -> Result:
    """Send a message; return the result."""
    client = fields.pop("client", "someone")
    envelope = router.house.envelopes.wrap(Message(text=text, conversation_id=talk, **fields), client=client)
    envelope.model = model
    result = await router.house.core.send(envelope, None)
    assert isinstance(result, Result), result
    return result


def decided(router: Router, result: Result) -> Decision:
    """Return the decision record of a message."""
    record = router.decision(result.id)
    assert record is not None
    return record


def now() -> float:
    """Return virtual time."""
    return asyncio.get_running_loop().time()


async def at_rest(router: Router) -> None:
    """Assert that everything that began has ended and nothing is held anywhere."""
    house = router.house
    counts = await router.counts()
    ended = counts.delivered + counts.failed + counts.dead + counts.expired + counts.cancelled
    assert (counts.waiting, counts.in_flight, counts.admitted) == (0, 0, ended), counts
    assert (house.running, len(house.replies), len(house.keeper), len(house.deadlines)) == ({}, 0, 0, 0)
    for pool in house.pools.values():
        assert (len(pool.parking.lot), pool.parking.lot.counted, pool._claimed) == (0, 0, 0)
        assert pool.free == pool.slots
        for one in pool:
            assert (one.load.in_flight, one.reserved, one.load.ceiling) == (0, 0, one.load.limit)


async def test_turns_of_a_conversation_keep_their_worker_and_the_record_says_so() -> None:
    """Three workers, three conversations, five turns at once each time: each stays where it began."""
    workers = [Worker(f"w{at}") for at in range(3)]
    async with router_of(settings(2.0, 1, "", "", ""), workers) as router:
        homes: dict[str, str] = {}
        for turn in range(5):
            results = await asyncio.gather(*(send(router, f"{talk} {turn}", talk) for talk in "abc"))
            for talk, result in zip("abc", results, strict=True):
                record = decided(router, result)
                assert record.worker == homes.setdefault(talk, result.worker)
                assert (record.preferred, record.got_preferred) == (
                    (None, None) if turn == 0 else (result.worker, True)
                )
        assert sorted(homes.values()) == ["w0", "w1", "w2"]
        await at_rest(router)


async def test_a_message_that_waits_for_its_worker_leaves_its_slot_to_the_next() -> None:
    """Two messages want w0, one does not mind: it is served in the meantime, though it came last."""
    workers = [Worker("w0"), Worker("w1")]
    async with router_of(settings(2.0, 1, "", ""), workers) as router:
        router.house.preferred.note("pool", "someone", "talk", "w0", now())
        began = now()
        ends: dict[str, float] = {}

        async def sent(text: str, talk: str | None) -> Result:
            result = await send(router, text, talk)
            ends[text] = now() - began
            return result

        first, second, other = await asyncio.gather(sent("1", "talk"), sent("2", "talk"), sent("3", None))
        assert [first.worker, second.worker, other.worker] == ["w0", "w0", "w1"]
        assert ends == {"1": 1.0, "2": 2.0, "3": 1.0}
        await at_rest(router)


async def test_the_wait_for_a_worker_is_no_overhead() -> None:
    """It shows as parked, in the record of the attempt and of the message, and nowhere else."""
    workers = [Worker("w0"), Worker("w1")]
    ended: list[Ended] = []
    async with router_of(settings(5.0, 1, "", ""), workers) as router:
        router.observe(lambda event: ended.append(event) if isinstance(event, Ended) else None)
        router.house.preferred.note("pool", "someone", "talk", "w0", now())
        results = await asyncio.gather(*(send(router, str(at), "talk") for at in range(3)))
        parked = sorted(decided(router, result).parked_s for result in results)
        assert parked == [0.0, 1.0, 2.0]
        assert sorted(one.parked_s for result in results for one in decided(router, result).attempts) == parked
        assert [event.overhead_s for event in ended] == [0.0] * 3
        assert sorted(event.total_s for event in ended) == [1.0, 2.0, 3.0]


async def test_a_wait_longer_than_a_lease_is_no_lost_lease() -> None:
    """The lease is renewed while the message waits: one attempt, and it is delivered."""
    workers = [Worker("w0"), Worker("w1")]
    of = settings(2.0, 1, "large", "small")
    async with router_of(of, workers) as router:
        results = await asyncio.gather(*(send(router, str(at), model="large", client=f"c{at}") for at in range(3)))
        longest = [asyncio.ensure_future(send(router, "x", model="large", client=f"d{at}")) for at in range(12)]
        results += [await one for one in longest]
        assert {result.worker for result in results} == {"w0"}
        assert {result.status for result in results} == {Status.DELIVERED}
        assert workers[1].texts == []
        assert max(decided(router, result).parked_s for result in results) > 1.0
        await at_rest(router)


async def test_a_router_that_stops_waits_for_those_that_wait() -> None:
    """And cancels what has not ended in time, wherever it waits."""
    for drain_s, status in ((30.0, Status.DELIVERED), (0.5, Status.CANCELLED)):
        workers = [Worker("w0"), Worker("w1")]
        router = router_of(settings(60.0, 1, "", ""), workers)
        await router.start()
        router.house.preferred.note("pool", "someone", "talk", "w0", now())
        works = [asyncio.ensure_future(send(router, str(at), "talk")) for at in range(2)]
        await asyncio.sleep(0.1)
        assert len(router.house.pools["pool"].parking.lot) == 1
        await router.stop(drain_s)
        results = [await work for work in works]
        assert {result.status for result in results} == {status}
        await at_rest(router)


async def test_a_sender_that_goes_takes_its_message_out_of_the_line() -> None:
    """And the next in line is not held up by it."""
    workers = [Worker("w0"), Worker("w1")]
    async with router_of(settings(60.0, 1, "", ""), workers) as router:
        router.house.preferred.note("pool", "someone", "talk", "w0", now())
        works = [asyncio.ensure_future(send(router, str(at), "talk")) for at in range(3)]
        await asyncio.sleep(0.5)
        works[1].cancel()
        await asyncio.wait([works[1]])
        assert [(await works[at]).worker for at in (0, 2)] == ["w0", "w0"]
        assert workers[0].texts == ["0", "2"]
        await at_rest(router)


async def test_a_reload_changes_the_patience() -> None:
    """For what is handed out from then on; what is remembered stays."""
    workers = [Worker("w0"), Worker("w1")]
    async with router_of(settings(60.0, 1, "", ""), workers) as router:
        router.house.preferred.note("pool", "someone", "talk", "w0", now())
        changed = await router.reload(settings(0.0, 1, "", ""))
        assert changed == {"changed": ["conversations.patience_s"], "needs_restart": []}
        results = await asyncio.gather(*(send(router, str(at), "talk") for at in range(2)))
        assert sorted(result.worker for result in results) == ["w0", "w1"]
        fixed = Settings(conversations=ConversationSettings(prefer_s=9.0, max_tracked=9, patience_s=1.0))
        merged = await router.reload(
            Settings(
                classes=router.house.settings.classes,
                classifier=router.house.settings.classifier,
                pools=router.house.settings.pools,
                limits=router.house.settings.limits,
                engine=router.house.settings.engine,
                conversations=fixed.conversations,
            )
        )
        assert merged["needs_restart"] == ["conversations.max_tracked", "conversations.prefer_s"]


async def test_turns_of_a_serial_conversation_are_worked_on_one_by_one() -> None:
    """In the order in which they came, though two workers are free; other conversations do not wait."""
    workers = [Worker("w0"), Worker("w1")]
    async with router_of(settings(2.0, 4, "", "", serial=True), workers) as router:
        began = now()
        talk = [asyncio.ensure_future(send(router, f"{at}", "talk", priority=PRIORITIES[4 - at])) for at in range(3)]
        other = asyncio.ensure_future(send(router, "other", "chat"))
        plain = asyncio.ensure_future(send(router, "plain"))
        await asyncio.wait([other, plain])
        assert now() - began == BUSY_S
        results = [await one for one in talk]
        assert now() - began == 3 * BUSY_S
        assert [text for text in workers[0].texts + workers[1].texts if text.isdigit()] == ["0", "1", "2"]
        assert {decided(router, result).overhead_s for result in results} == {0.0}
        await at_rest(router)


class Watch:
    """Counts what is told of each message."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.out: Counter[str] = Counter()
        self.overheads: list[float] = []
        self.crowded = 0

    def __call__(self, event: Event) -> None:
        match event:
            case Ended():
                self.ended[event.envelope.id] += 1
                self.overheads.append(event.overhead_s)
            case AttemptStarted():
                self.out[event.envelope.id] += 1
            case AttemptEnded():
                self.out[event.envelope.id] -= 1
                # What the layer `Limit` says where a worker has been given more than it has slots.
                self.crowded += isinstance(event.outcome, Failed) and event.outcome.reason is Failure.WORKER_BUSY


async def _leave(router: Router, rng: random.Random) -> None:
    pool = router.house.pools["pool"]
    if len(pool) > 1:
        endpoint = pool.endpoint(rng.choice([one.id for one in pool]))
        router.remove_worker(endpoint.id)
        await asyncio.sleep(rng.random())
        await router.add_worker("pool", endpoint.settings)


async def _drain(router: Router, rng: random.Random) -> None:
    pool = router.house.pools["pool"]
    endpoint = rng.choice(list(pool))
    pool.drain(endpoint, draining=True)
    await asyncio.sleep(rng.random())
    pool.drain(endpoint, draining=False)


async def _hold(router: Router, rng: random.Random) -> None:
    pool = router.house.pools["pool"]
    pool.hold(rng.choice(list(pool)), now() + rng.random())


async def _cancel(router: Router, rng: random.Random) -> None:
    views = await router.house.engine.find()
    live = [view.id for view in views if view.ended is None]
    if live:
        await router.cancel(rng.choice(live))


async def _revoke(router: Router, rng: random.Random) -> None:
    if router.house.running:
        rng.choice(list(router.house.running.values())).revoke()


async def _reload(router: Router, rng: random.Random) -> None:
    old = router.house.settings
    conversations = ConversationSettings(patience_s=rng.choice([0.0, 0.5, 3.0]))
    await router.reload(
        Settings(
            classes=old.classes,
            classifier=old.classifier,
            pools=old.pools,
            limits=old.limits,
            engine=old.engine,
            conversations=conversations,
        )
    )


DEEDS = (_leave, _drain, _hold, _cancel, _revoke, _reload)


@pytest.mark.parametrize("serial", [False, True])
@given(seed=st.integers(0, 10**9), slots=st.integers(1, 3), count=st.integers(5, 60))
async def test_nothing_is_left_after_any_mixture(serial: bool, seed: int, slots: int, count: int) -> None:
    """Conversations and models over four workers, some of them bad, and everything that can happen to both."""
    rng = random.Random(seed)
    workers = [Worker(f"w{at}", rng, rng.choice([0.0, 0.2])) for at in range(4)]
    watch = Watch()
    of = settings(rng.choice([0.0, 0.5, 2.0]), slots, "large", "large", "small", "", serial=serial)
    async with router_of(of, workers, seed) as router:
        router.observe(watch)
        senders: list[asyncio.Task[Any]] = []
        for number in range(count):
            talk = rng.choice(["a", "b", "c", None])
            model = rng.choice(["", "", "large", "small"])
            fields = {"ttl_s": rng.choice([0.5, 3.0, 100.0]), "priority": rng.choice(PRIORITIES)}
            senders.append(asyncio.ensure_future(_sent(router, f"{number}", talk, model, fields)))
            await asyncio.sleep(rng.choice([0.0, 0.0, 0.05, 0.3]))
            if rng.random() < 0.2:
                await rng.choice(DEEDS)(router, rng)
            if rng.random() < 0.1:
                rng.choice(senders).cancel()
        await asyncio.wait(senders)
        await asyncio.sleep(200.0)
        await at_rest(router)
        assert [worker.in_hand for worker in workers] == [0] * 4
        assert watch.crowded == 0
        assert max(watch.overheads, default=0.0) < 1e-6
        assert set(watch.ended.values()) <= {1}
        assert set(watch.out.values()) <= {0}


async def _sent(router: Router, text: str, talk: str | None, model: str, fields: dict[str, Any]) -> None:
    envelope = router.house.envelopes.wrap(Message(text=text, conversation_id=talk, **fields), client="someone")
    envelope.model = model
    outcome = await router.house.core.send(envelope, None)
    if isinstance(outcome, Refused):
        assert outcome.reason in {Refusal.NO_WORKER, Refusal.OVERLOADED}
