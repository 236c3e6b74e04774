"""Beside the router that a program had before: what the old one gets, what its caller gets, and who answers."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman import BlockingRouter, LegacyAnswer
from pointsman.embedded import Router
from pointsman.model.errors import Conflict, DeliveryError, RefusedError, UsageError
from pointsman.model.events import Ended, Event, FellBackToLegacy, LegacyAnswered, MessageRefused, Mirrored
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Accepted, Receipt, Refusal, Refused, Reply
from pointsman.model.result import Result
from pointsman.model.rollout import Order, State
from pointsman.model.settings import LimitSettings, PoolSettings, RetrySettings, Settings
from pointsman.model.settings_operations import RolloutSettings, ShadowSettings
from pointsman.model.states import Status
from pointsman.sim import SimClock
from pointsman.transports.callable import MessageFault, WorkerBusy

CODE = "fix the typo in line 12"
SOMEBODY = Order(actor="test", reason="test", force=True)


class Old:
    """The router that was there before: keeps what it was given, and answers as told."""

    def __init__(self, answer: Any = "the old one", fault: BaseException | None = None, takes_s: float = 0.0) -> None:
        self.answer = answer
        self.fault = fault
        self.takes_s = takes_s
        self.seen: list[Message] = []

    async def __call__(self, message: Message) -> Any:
        self.seen.append(message)
        await asyncio.sleep(self.takes_s)
        if self.fault is not None:
            raise self.fault
        return self.answer


class Worker:
    """A worker of ours: counts, and answers or fails as told."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.fault = fault
        self.seen: list[str] = []

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.seen.append(work["id"])
        if self.fault is not None:
            raise self.fault
        return "the new one"


def settings(where: Path, **sections: Any) -> Settings:
    """Return settings whose record lies in a directory of the test."""
    rollout = RolloutSettings(
        record=str(where / "rollout.jsonl"),
        kill_file=str(where / "KILL"),
        shadow=ShadowSettings(share=1.0, core_share_max=1.0, timeout_s=5.0),
    )
    return Settings(**{"rollout": rollout, "limits": LimitSettings(flood_copies=10_000, burst=10_000), **sections})


class Both:
    """The two of them, what was told, and the stage."""

    def __init__(self, where: Path, old: Callable[[Message], Awaitable[Any]], worker: Any, **sections: Any) -> None:
        workers = {} if worker is None else {"coders": {"new": worker}}
        self.clock = SimClock()
        self.router = Router(settings(where, **sections), workers=workers, legacy=old, clock=self.clock)
        self.events: list[Event] = []
        self.router.observe(self.events.append)

    async def bring_to(self, state: State) -> None:
        """Promote up to a state."""
        rollout = self.router.rollout
        if state is not State.DISABLED:
            await rollout.start(SOMEBODY)
        while rollout.status().state is not state:
            await rollout.promote(SOMEBODY)

    def told(self) -> Counter[str]:
        """Return events by kind."""
        return Counter(type(event).__name__ for event in self.events)

    def reasons(self) -> list[str]:
        """Return why messages fell back."""
        return [event.reason for event in self.events if isinstance(event, FellBackToLegacy)]


@asynccontextmanager
async def both(where: Path, old: Any, worker: Any = None, state: State = State.DISABLED, **sections: Any) -> Any:
    """Run the two side by side, in a stage."""
    pair = Both(where, old, worker, **sections)
    async with pair.router:
        await pair.bring_to(state)
        yield pair


async def test_the_old_router_answers_until_somebody_says_otherwise(tmp_path: Path) -> None:
    """It gets the very message, its answer comes back, and no worker of ours sees anything."""
    old, worker = Old(), Worker()
    message = Message(text=CODE, metadata={"a": [1, 2]})
    async with both(tmp_path, old, worker) as pair:
        result = await pair.router.send(message)
        assert (await pair.router.ask(CODE)).text == "the old one"
        assert [piece async for piece in pair.router.stream(CODE)] == ["the old one"]
        assert pair.router.house.engine.envelope(result.id) is None
    assert isinstance(result, Result)
    assert (result.text, result.worker, result.status) == ("the old one", "legacy", Status.DELIVERED)
    assert old.seen[0] is message
    assert worker.seen == []
    assert pair.told()["LegacyAnswered"] == 3
    assert not pair.told().keys() & {"Admitted", "MessageRefused", "Mirrored"}


async def test_the_new_router_answers_in_the_last_stage(tmp_path: Path) -> None:
    """With everything given to it, the old one is not asked; events say whose lane it was."""
    old, worker = Old(), Worker()
    async with both(tmp_path, old, worker, State.FULL) as pair:
        assert (await pair.router.ask(CODE)).text == "the new one"
        assert [piece async for piece in pair.router.stream(CODE)] == ["the new one"]
        await pair.router.rollout.promote(SOMEBODY)
        assert (await pair.router.ask(CODE)).text == "the new one"
    assert old.seen == []
    assert [one.envelope.lane for one in pair.events if isinstance(one, Ended)] == ["candidate", "candidate", ""]


async def test_the_next_message_after_a_rollback_is_the_old_routers(tmp_path: Path) -> None:
    """By the verbs that the library has."""
    old, worker = Old(), Worker()
    async with both(tmp_path, old, worker, State.FULL) as pair:
        await pair.router.ask(CODE)
        pair.router.rollout.rollback_now(SOMEBODY)
        assert (await pair.router.ask(CODE)).text == "the old one"
        assert (len(old.seen), len(worker.seen)) == (1, 1)


async def test_conversations_stick_to_their_router(tmp_path: Path) -> None:
    """In a partial stage the conversation decides, and without one the client."""
    async with both(tmp_path, Old(), Worker(), State.PARTIAL) as pair:
        by_key: dict[tuple[str, str | None], set[str]] = {}
        for _ in range(3):
            for number in range(40):
                for client, conversation in (
                    (f"client-{number}", None),
                    ("one", f"talk-{number}"),
                    (f"c{number}", "x"),
                ):
                    result = await pair.router.send(CODE, client=client, conversation_id=conversation)
                    by_key.setdefault((client, conversation), set()).add(result.worker)
    assert all(len(workers) == 1 for workers in by_key.values())
    workers = Counter(worker for (_, talk), of in by_key.items() for worker in of if talk != "x")
    assert workers["legacy"] > workers["new"] > 5
    assert len(set().union(*(of for (_, talk), of in by_key.items() if talk == "x"))) == 1


@pytest.mark.parametrize("state", [State.DISABLED, State.SHADOW])
@pytest.mark.parametrize(
    ("answer", "value"),
    [
        pytest.param("text", {"text": "text"}, id="text"),
        pytest.param({"any": ["json", 1]}, {"any": ["json", 1]}, id="json"),
        pytest.param(None, None, id="nothing"),
        pytest.param(7, 7, id="number"),
        pytest.param(b"\xff\x00", b"\xff\x00", id="bytes"),
        pytest.param(LegacyAnswer("text", "tactical", "w"), {"text": "text"}, id="answer"),
        pytest.param(Reply(value={"x": 1}), {"x": 1}, id="reply"),
    ],
)
async def test_whatever_the_old_router_returns_comes_back(
    tmp_path: Path, state: State, answer: Any, value: Any
) -> None:
    """Odd values are its own affair, and nothing of ours refuses them."""
    async with both(tmp_path, Old(answer), Worker(), state) as pair:
        result = await pair.router.send(CODE)
        assert result.reply.value == value


async def test_an_object_that_is_no_json_is_the_very_same(tmp_path: Path) -> None:
    """In process there is no wire that it must fit."""
    odd = object()
    async with both(tmp_path, Old(odd), None, State.SHADOW) as pair:
        assert (await pair.router.send(CODE)).reply.value is odd
        assert isinstance(await pair.router.send(CODE), Result)


async def test_names_that_are_no_names_do_no_harm(tmp_path: Path) -> None:
    """A legacy that says its class or worker in some other way says nothing that can be compared."""
    answer = LegacyAnswer("x", message_class=["no"], worker={"no": 1})  # type: ignore[arg-type]
    async with both(tmp_path, Old(answer), Worker(), State.SHADOW) as pair:
        assert (await pair.router.send(CODE)).message_class == ""
        await asyncio.sleep(0.1)
        assert pair.router.shadow.counts()["uncompared"] == 1


@pytest.mark.parametrize("state", [State.DISABLED, State.SHADOW, State.PARTIAL, State.FULL])
@pytest.mark.parametrize("fault", [KeyError("own"), TimeoutError(), RefusedError(Refused(Refusal.INVALID, "own"))])
async def test_what_the_old_router_raises_is_the_very_same(tmp_path: Path, state: State, fault: Exception) -> None:
    """On each way, also where it steps in; never wrapped, never chained."""
    async with both(tmp_path, Old(fault=fault), None, state) as pair:
        for _ in range(2):
            with pytest.raises(type(fault)) as sent:
                await pair.router.send(CODE)
            assert sent.value is fault
            assert fault.__context__ is None
        with pytest.raises(type(fault)) as streamed:
            async for _ in pair.router.stream(CODE):
                pass
        assert streamed.value is fault
        with pytest.raises(type(fault)) as submitted:
            await pair.router.submit(Message(text=CODE, class_="strategic"))
        assert submitted.value is fault


@pytest.mark.parametrize(
    "message",
    [
        Message(text="x" * 2_000_000),
        Message(text="a\x00b\ud800"),
        Message(),
        Message(text="both", messages=[{"role": "nobody", "content": {1: object()}}]),
        Message(text=CODE, priority="urgent", ttl_s=-1.0, class_="no such class"),
        Message(text=CODE, conversation_id=7, metadata=[1]),  # type: ignore[arg-type]
        Message(text=["no", "text"]),  # type: ignore[arg-type]
    ],
    ids=["large", "characters", "empty", "both", "fields", "types", "list"],
)
async def test_what_we_would_refuse_reaches_the_old_router_untouched(tmp_path: Path, message: Message) -> None:
    """In its lane and in the shadow; there it is a difference, and no harm comes of it."""
    for state, where in ((State.DISABLED, tmp_path / "a"), (State.SHADOW, tmp_path / "b")):
        where.mkdir()
        old = Old()
        async with both(where, old, Worker(), state) as pair:
            result = await pair.router.send(message)
            assert result.text == "the old one"
            await asyncio.sleep(0.1)
        assert len(old.seen) == 1
        assert old.seen[0] is message
        if state is State.SHADOW:
            shadow = pair.router.shadow
            assert shadow.sampled == shadow.compared + shadow.dropped == 1
            assert {event.kind for event in pair.events if isinstance(event, Mirrored)} <= {
                "candidate_error_only",
                "too_large",
            }


async def test_a_message_that_contains_itself_is_too_large_to_mirror(tmp_path: Path) -> None:
    """Its size is counted no further than what may be mirrored."""
    endless: list[Any] = []
    endless.extend([endless, endless])
    async with both(tmp_path, Old(), Worker(), State.SHADOW) as pair:
        await pair.router.send(Message(text=CODE, metadata={"endless": endless}))
        await asyncio.sleep(0.1)
        assert [event.kind for event in pair.events if isinstance(event, Mirrored)] == ["too_large"]


async def test_the_shadow_looks_on_and_touches_nothing(tmp_path: Path) -> None:
    """Class and worker are compared; no worker works, nothing is spent of any limit, no live conversation is pinned."""
    old, worker = Old(LegacyAnswer("x", "fast", "new")), Worker()
    limits = LimitSettings(rate_per_min=1, burst=1, flood_copies=1)
    async with both(tmp_path, old, worker, State.SHADOW, limits=limits) as pair:
        house = pair.router.house
        for _ in range(50):
            await pair.router.send(CODE, conversation_id="talk")
        await asyncio.sleep(0.1)
        assert house.shadow.counts()["match"] == 50
        assert (len(house.pins), len(house.shadow_pins)) == (0, 1)
        assert pair.told() == {"LegacyAnswered": 50, "Mirrored": 50, "WorkerJoined": 1, "RolloutMoved": 1}
        old.answer = LegacyAnswer("x", "strategic")
        await pair.router.send(CODE, conversation_id="talk")
        await asyncio.sleep(0.1)
        (sample,) = house.shadow.samples()
        assert (sample.kind, sample.legacy_class, sample.candidate_class) == ("class_mismatch", "strategic", "tactical")
    assert worker.seen == []


class Odd:
    """A stack that looks on slowly, raises or hangs; implements `runtime.shadow.Stack`."""

    def __init__(self, how: str) -> None:
        self.how = how

    async def decide(self, envelope: Envelope) -> Receipt:
        """Do as told."""
        if self.how == "waits":
            await asyncio.sleep(0.010)
        elif self.how == "hangs":
            await asyncio.Event().wait()
        elif self.how == "raises":
            raise ValueError
        return Accepted(envelope.id)

    def might_choose(self, envelope: Envelope, worker: str) -> bool:
        """Any."""
        return True

    def resolve_class(self, name: str) -> str | None:
        """Know the classes."""
        return name


@pytest.mark.parametrize("how", ["real", "waits", "raises", "hangs"])
async def test_answers_and_their_times_are_the_same_with_a_shadow_and_without(tmp_path: Path, how: str) -> None:
    """To the last digit: ids, texts, instants, and what chance comes next."""
    runs = []
    for name, state in (("off", State.DISABLED), ("on", State.SHADOW)):
        (tmp_path / name).mkdir()
        rng, clock = random.Random(11), SimClock()
        old = Old(LegacyAnswer("x", "tactical", "new"), takes_s=0.002)
        router = Router(
            settings(tmp_path / name), workers={"coders": {"new": Worker()}}, legacy=old, rng=rng, clock=clock
        )
        async with router:
            if state is State.SHADOW:
                await router.rollout.start(SOMEBODY)
            shadow = router.shadow
            if how != "real":
                shadow.use(Odd(how), router.house.settings.rollout.shadow)
            began = clock.monotonic()
            seen: list[Any] = []

            async def send(number: int, router: Router = router, seen: list[Any] = seen, began: float = began) -> None:
                result = await router.send(f"{CODE} {number}", conversation_id=str(number % 7))
                assert isinstance(result, Result)
                seen.append((result.text, round(asyncio.get_running_loop().time() - began, 9)))

            sending = []
            for number in range(300):
                sending.append(asyncio.ensure_future(send(number)))
                await asyncio.sleep(0.001)
            await asyncio.gather(*sending)
            runs.append((seen, rng.getstate()))
        assert shadow.sampled == (300 if state is State.SHADOW else 0)
        assert shadow.sampled == shadow.compared + shadow.dropped + shadow.timed_out
    assert runs[0] == runs[1]


async def test_the_old_routers_errors_are_compared_too(tmp_path: Path) -> None:
    """One that raises where we would have accepted is its error only."""
    async with both(tmp_path, Old(fault=ValueError()), Worker(), State.SHADOW) as pair:
        with pytest.raises(ValueError):
            await pair.router.send(CODE)
        with pytest.raises(ValueError):
            await pair.router.send(Message())
        await asyncio.sleep(0.1)
        kinds = [event.kind for event in pair.events if isinstance(event, Mirrored)]
        assert kinds == ["legacy_error_only", "both_error"]
        assert [event.ok for event in pair.events if isinstance(event, LegacyAnswered)] == [False, False]


async def test_a_sender_that_goes_cancels_the_old_router(tmp_path: Path) -> None:
    """And nothing is said of an answer that nobody waited for."""
    old = Old(takes_s=100.0)
    async with both(tmp_path, old, Worker(), State.SHADOW) as pair:
        task = asyncio.ensure_future(pair.router.send(CODE))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(1.0)
        assert pair.told()["LegacyAnswered"] == pair.told()["Mirrored"] == 0


async def test_many_at_once_get_their_own_answers(tmp_path: Path) -> None:
    """Old and new, interleaved; each message is executed by exactly one of the two."""
    worker = Worker()
    seen: list[str | None] = []

    async def old(message: Message) -> str:
        seen.append(message.text)
        await asyncio.sleep(0.01)
        return f"old {message.text}"

    async with both(tmp_path, old, worker, State.PARTIAL) as pair:
        results = await asyncio.gather(
            *(pair.router.send(f"fix the typo in line {n}", conversation_id=str(n)) for n in range(200))
        )
    for number, result in enumerate(results):
        expected = f"old fix the typo in line {number}" if result.worker == "legacy" else "the new one"
        assert result.text == expected
    assert len(seen) + len(worker.seen) == 200
    assert min(len(seen), len(worker.seen)) > 10


async def test_a_refusal_of_our_own_fault_falls_back(tmp_path: Path) -> None:
    """There is no worker, so the old router answers, on each way; it counts against the candidate."""
    old = Old()
    async with both(tmp_path, old, None, State.FULL) as pair:
        assert (await pair.router.ask(CODE)).text == "the old one"
        assert [piece async for piece in pair.router.stream(CODE)] == ["the old one"]
        assert pair.reasons() == ["no_worker", "no_worker"]
        assert pair.told()["MessageRefused"] == 2
        assert pair.router.rollout.status().fallbacks == {"no_worker": 2}
    assert len(old.seen) == 2


async def test_a_refusal_by_policy_does_not_fall_back(tmp_path: Path) -> None:
    """What we refuse for what it is, or for whom it is from, is refused; the old router is not a way around."""
    old = Old()
    limits = LimitSettings(rate_per_min=1, burst=1)
    async with both(tmp_path, old, Worker(), State.FULL, limits=limits) as pair:
        refused = await pair.router.send(Message())
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.INVALID
        assert (await pair.router.ask(CODE)).text == "the new one"
        refused = await pair.router.send(CODE)
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.RATE_LIMITED
        with pytest.raises(RefusedError):
            async for _ in pair.router.stream(CODE):
                pass
    assert old.seen == []
    assert pair.reasons() == []


NO_RETRY = {"pools": {"planners": PoolSettings(), "coders": PoolSettings(retry=RetrySettings(max_attempts=1))}}


@pytest.mark.parametrize("fault", [ValueError("broken"), MessageFault("not for me"), SystemExit()])
async def test_what_a_worker_has_seen_is_never_executed_again(tmp_path: Path, fault: BaseException) -> None:
    """Dead or failed after a worker began: the caller is told, and the old router is not asked."""
    old, worker = Old(), Worker(fault)
    async with both(tmp_path, old, worker, State.FULL, **NO_RETRY) as pair:
        result = await pair.router.send(CODE)
        assert result.status in {Status.DEAD, Status.FAILED}
        with pytest.raises(DeliveryError):
            async for _ in pair.router.stream(CODE):
                pass
    assert old.seen == []
    assert len(worker.seen) == 2


async def test_a_message_that_no_worker_saw_falls_back_at_its_end(tmp_path: Path) -> None:
    """A worker that says it has not begun has not seen it: dead for us, and the old router answers."""
    old, worker = Old(), Worker(WorkerBusy(0.5))
    async with both(tmp_path, old, worker, State.FULL) as pair:
        house = pair.router.house
        house.fleet.pool("coders")
        endpoint = next(iter(house.pools["coders"]))
        await endpoint.transport.close()
        result = await pair.router.send(CODE, class_="tactical")
        assert (result.text, result.worker) == ("the old one", "legacy")
        assert pair.reasons() == ["worker_unreachable"]
        assert [piece async for piece in pair.router.stream(CODE, class_="tactical")] == ["the old one"]
    assert worker.seen == []
    assert len(old.seen) == 2


@pytest.mark.parametrize("wait_s", [None, 60.0])
async def test_a_message_that_waits_for_nobody_is_taken_over(tmp_path: Path, wait_s: float | None) -> None:
    """Its only worker goes while it waits in the queue: after 5 s the old router answers, and the guard hears of it."""
    old, worker = Old(), Worker()
    async with both(tmp_path, old, worker, State.FULL) as pair:
        pool = pair.router.house.pools["coders"]
        endpoint = next(iter(pool))
        while pool.free > 0:
            endpoint.load.start()
            pool.changed(endpoint)
        sending = [asyncio.ensure_future(pair.router.send(CODE, class_="tactical", wait_s=wait_s)) for _ in range(3)]
        await asyncio.sleep(0.0)
        endpoint.breaker.force_open()
        pool.refresh(endpoint)
        began = pair.router.house.clock.monotonic()
        results = await asyncio.gather(*sending)
        assert [(result.text, result.worker) for result in results] == [("the old one", "legacy")] * 3
        assert 5.0 <= pair.router.house.clock.monotonic() - began <= 6.0
        assert pair.reasons() == ["no_worker"] * 3
        assert pair.router.rollout.guard.verdicts()[0].bad == 3
        assert (await pair.router.counts()).waiting == 0
    assert (worker.seen, len(old.seen)) == ([], 3)


async def test_seen_once_and_then_unreachable_is_not_executed_again(tmp_path: Path) -> None:
    """The last attempt reached nobody, an earlier one did: that counts."""
    old, worker = Old(), Worker(ValueError("broken"))
    async with both(tmp_path, old, worker, State.FULL) as pair:
        endpoint = next(iter(pair.router.house.pools["coders"]))
        sending = asyncio.ensure_future(pair.router.send(CODE, class_="tactical"))
        await asyncio.sleep(0.001)
        await endpoint.transport.close()
        result = await sending
    assert result.status is Status.DEAD
    assert (len(worker.seen), old.seen) == (1, [])


async def test_what_expires_while_it_waits_is_worth_nothing_to_the_old_router_either(tmp_path: Path) -> None:
    """Its sender has said so."""
    old = Old()

    async def silent(work: Mapping[str, Any]) -> str:
        await asyncio.sleep(1e5)
        return ""

    async with both(tmp_path, old, silent, State.FULL) as pair:
        blockers = [asyncio.ensure_future(pair.router.send(CODE, client=f"b{n}")) for n in range(4)]
        await asyncio.sleep(1.0)
        result = await pair.router.send(CODE, ttl_s=2.0)
        assert result.status is Status.EXPIRED
        await pair.router.stop(0.0)
        await asyncio.gather(*blockers)
    assert old.seen == []


async def test_after_completion_there_is_no_way_back_for_a_message(tmp_path: Path) -> None:
    """The old router may be gone."""
    old = Old()
    async with both(tmp_path, old, None, State.COMPLETED) as pair:
        refused = await pair.router.send(CODE)
        assert isinstance(refused, Refused)
        with pytest.raises(RefusedError):
            async for _ in pair.router.stream(CODE):
                pass
        assert isinstance(await pair.router.submit(CODE), Refused)
    assert old.seen == []
    assert {one.envelope.lane for one in pair.events if isinstance(one, MessageRefused)} == {""}


async def test_a_message_handed_over_is_kept_for_whoever_asks(tmp_path: Path) -> None:
    """Without waiting for its end there is a receipt, and the answer by its id."""
    old = Old()
    async with both(tmp_path, old, Worker()) as pair:
        receipt = await pair.router.submit(CODE)
        assert isinstance(receipt, Accepted)
        result = await pair.router.result(receipt.id)
        assert (result.text, result.worker) == ("the old one", "legacy")
        assert old.seen[0].wait is False


async def test_a_router_that_stops_lets_the_old_one_answer(tmp_path: Path) -> None:
    """What comes after the end of ours is not lost."""
    old = Old()
    async with both(tmp_path, old, Worker(), State.FULL) as pair:
        pair.router.house.close_doors()
        assert (await pair.router.ask(CODE)).text == "the old one"
        assert pair.reasons() == ["draining"]


async def test_bounds_of_the_shadow_follow_a_reload(tmp_path: Path) -> None:
    """The next message is looked at within the new ones, by the new rules."""
    old = Old(LegacyAnswer("x", "tactical"))
    async with both(tmp_path, old, Worker(), State.SHADOW) as pair:
        await pair.router.send(CODE)
        before = pair.router.house.settings
        smaller = msgspec.structs.replace(before.rollout.shadow, max_body_bytes=100)
        rollout = msgspec.structs.replace(before.rollout, shadow=smaller)
        await pair.router.reload(msgspec.structs.replace(settings(tmp_path), rollout=rollout))
        await pair.router.send(CODE)
        await asyncio.sleep(0.1)
        kinds = [event.kind for event in pair.events if isinstance(event, Mirrored)]
        assert sorted(kinds) == ["match", "too_large"]


async def test_without_an_old_router_the_verbs_have_nothing_to_do(tmp_path: Path) -> None:
    """Everything is ours, and a rollout cannot begin."""
    async with Router(settings(tmp_path), workers={"coders": {"new": Worker()}}, clock=SimClock()) as router:
        assert (await router.ask(CODE)).text == "the new one"
        with pytest.raises(Conflict):
            await router.rollout.start(SOMEBODY)


def test_an_old_router_that_cannot_be_called_is_told_at_once() -> None:
    """Not at the first message."""
    with pytest.raises(UsageError, match="legacy must be an async function"):
        Router(legacy="http://localhost:8000")  # type: ignore[arg-type]


@pytest.mark.real_loop
def test_the_blocking_router_has_an_old_one_too(tmp_path: Path) -> None:
    """For programs without an event loop."""
    with BlockingRouter(settings(tmp_path), workers={"coders": {"new": Worker()}}, legacy=Old()) as router:
        assert router.ask(CODE).text == "the old one"
        assert router.rollout("start", actor="test").state is State.SHADOW
        for _ in range(4):
            router.rollout("promote", actor="test", reason="test", force=True)
        assert router.ask(CODE).text == "the new one"
        assert router.rollout("rollback", actor="test", reason="test").locked
        assert router.ask(CODE).text == "the old one"
        assert router.rollout().state is State.ROLLED_BACK
        with pytest.raises(Conflict):
            router.rollout("promote")
        with pytest.raises(UsageError):
            router.rollout("_flush")
