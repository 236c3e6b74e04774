"""The suite itself: an honest transport passes every case, and each lie fails the case that is about it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.model.usage import Usage
from pointsman.ports import Attempt
from pointsman.testing.attempts import WORKER, RecordingSink
from pointsman.testing.transport_suite import CASES, DEEDS, Case, run_case


class Model:
    """A transport with its worker inside, and the `Peer` of both. Tells one lie, or none."""

    cannot = frozenset[str]()

    def __init__(self, lie: str = "") -> None:
        self.lie = lie
        self.transport = self
        self.opened = False
        self.away = False
        self.came = 0
        self.held: set[asyncio.Future[Any]] = set()
        self.late: str | None = None
        self.changed = asyncio.Event()
        self.met = asyncio.Event()
        self.seen_words = asyncio.Semaphore(0)

    async def open(self) -> None:
        self.opened = True

    async def close(self) -> None:
        if self.lie != "stays open":
            self.opened = False
        for future in self.held:
            if not future.done() and self.lie != "forgets what is on its way":
                future.set_result(None)

    async def probe(self) -> bool:
        return (self.opened and not self.away) or self.lie == "is always there"

    def failed(self, reason: Failure, sent: bool, detail: str = "x", retry_after_s: float | None = None) -> Failed:
        worker = "" if self.lie == "hides its name" else WORKER
        detail = (
            "" if self.lie == "says nothing" else detail if self.lie == "rambles" else " ".join(detail.split())[:500]
        )
        return Failed(reason, detail, worker, retry_after_s, sent=sent is not (self.lie == "turns sent round"))

    async def send(self, attempt: Attempt) -> Outcome:
        if not self.opened or self.away:
            return self.failed(Failure.WORKER_UNREACHABLE, sent=False)
        self.came += 1
        self.changed.set()
        self.changed = asyncio.Event()
        params = attempt.envelope.message.params
        text = attempt.envelope.message.text or ""
        say = params.get("say", text)
        do = "text" if self.lie == f"delivers {params['do']}" else params["do"]
        match do:
            case "text" | "json" | "meet":
                if do == "meet":
                    await self.meet(params["count"])
                self.answer(attempt, params["value"] if do == "json" else {"text": say})
                return Delivered(WORKER)
            case "silent" | "late":
                return await self.hold(do, say)
            case "stream" | "stream_cut" | "stream_break" | "stream_error" | "stream_hang":
                return await self.stream(attempt, do, say)
            case "busy":
                wish_s = None if self.lie == "has no wish" else 7.0
                return self.failed(Failure.WORKER_BUSY, sent=False, retry_after_s=wish_s)
        reason = {
            "error": Failure.WORKER_ERROR,
            "fault": Failure.MESSAGE_FAULT,
            "garbage": Failure.WORKER_GARBAGE,
            "cut": Failure.WORKER_CLOSED,
        }[do]
        return self.failed(reason, sent=True, detail=say)

    async def stream(self, attempt: Attempt, do: str, say: str) -> Outcome:
        words = say.split()
        if self.lie == "holds words back":
            words = [say]
        attempt.reply.start(200, ())
        if self.lie != "forgets the first byte":
            attempt.first_token_at = 1.0
        for place, word in enumerate(words):
            shown = word if place == 0 else " " + word
            await attempt.reply.write(shown.encode())
            await self.seen_words.acquire()
        if do == "stream":
            attempt.usage = None if self.lie == "forgets the account" else Usage(3, 0, 0, 3)
            attempt.reply.put({"text": say if self.lie != "loses the end" else words[0]})
            return Delivered(WORKER)
        if do == "stream_hang":
            try:
                return await self.hold(do, say)
            finally:
                self.charge(attempt, "a cancelled")
        self.charge(attempt, "a cut")
        if self.lie == f"delivers {do}":
            attempt.reply.put({"text": say})
            return Delivered(WORKER)
        reason = Failure.WORKER_ERROR if do == "stream_error" else Failure.WORKER_CLOSED
        failed = self.failed(reason, sent=True)
        started = attempt.reply.started and self.lie != "hides that a part was shown"
        return msgspec.structs.replace(failed, started=started)

    def charge(self, attempt: Attempt, what: str) -> None:
        if self.lie != f"charges nothing for {what} stream":
            attempt.usage = Usage(3, 0, 0, 2, estimated=True)

    def shown(self, sink: RecordingSink) -> str:
        return sink.body.decode()

    async def go_on(self) -> None:
        self.seen_words.release()

    async def meet(self, count: int) -> None:
        if self.lie == "sends one at a time":
            await asyncio.Event().wait()
        if self.came == count:
            self.met.set()
        await self.met.wait()

    async def hold(self, do: str, say: str) -> Outcome:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.held.add(future)
        try:
            await future
        except asyncio.CancelledError:
            if do == "late" and self.lie == "takes late answers":
                self.late = say
            if self.lie == "swallows cancellation":
                return self.failed(Failure.WORKER_CLOSED, sent=True)
            if self.lie != "keeps what it held":
                self.held.discard(future)
            raise
        return self.failed(Failure.WORKER_CLOSED, sent=True)

    def answer(self, attempt: Attempt, value: Any) -> None:
        if self.late is not None:
            value, self.late = {"text": self.late}, None
        if self.lie == "mangles text" and "text" in value:
            value = {"text": value["text"].encode("ascii", "replace").decode()}
        if self.lie == "mixes up answers" and "message 7" in str(value):
            value = {"text": "message 8"}
        if self.lie == "wraps json" and "plan" in value:
            value = {"text": value}
        if "usage" in value and self.lie != "forgets what it took":
            attempt.usage = Usage(5, 0, 0, 2)
        attempt.reply.put(value)

    def dress(self, attempt: Attempt) -> None:
        pass

    def reply(self, sink: RecordingSink) -> Any:
        return sink.value

    async def seen(self, count: int) -> None:
        while self.came < count:
            await self.changed.wait()

    async def freed(self, count: int) -> None:
        while self.held:
            await asyncio.Event().wait()

    async def go_away(self) -> None:
        self.away = True

    async def come_back(self) -> None:
        self.away = self.lie == "never comes back"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_an_honest_transport_passes_every_case(case: Case) -> None:
    """The cases ask for nothing that cannot be had."""
    await run_case(case, Model())


LIES = {
    "mangles text": "any_text_passes_unchanged",
    "wraps json": "any_json_passes_as_the_reply",
    "forgets what it took": "what_a_worker_says_it_took_is_taken_down",
    "delivers error": "a_worker_that_fails_is_told_apart",
    "rambles": "a_worker_that_fails_is_told_apart",
    "says nothing": "a_worker_that_fails_is_told_apart",
    "hides its name": "a_worker_that_fails_is_told_apart",
    "turns sent round": "a_worker_that_fails_is_told_apart",
    "delivers fault": "a_message_that_is_wrong_is_told_apart",
    "delivers busy": "a_busy_worker_has_not_begun",
    "has no wish": "a_busy_worker_has_not_begun",
    "delivers garbage": "garbage_is_told_apart",
    "delivers cut": "an_answer_cut_short_has_an_unknown_outcome",
    "is always there": "an_unreachable_worker_was_sent_nothing",
    "never comes back": "an_unreachable_worker_was_sent_nothing",
    "swallows cancellation": "a_cancelled_message_frees_all_it_held",
    "keeps what it held": "a_cancelled_message_frees_all_it_held",
    "takes late answers": "a_late_answer_is_not_the_next_ones",
    "mixes up answers": "thirty_two_messages_travel_at_once",
    "sends one at a time": "thirty_two_messages_travel_at_once",
    "stays open": "a_closed_transport_can_be_opened_again",
    "forgets what is on its way": "closing_ends_what_is_on_its_way",
    "holds words back": "a_streamed_answer_is_shown_as_it_comes",
    "forgets the first byte": "a_streamed_answer_is_shown_as_it_comes",
    "forgets the account": "a_streamed_answer_is_shown_as_it_comes",
    "loses the end": "a_streamed_answer_is_shown_as_it_comes",
    "delivers stream_cut": "a_stream_without_its_last_event_was_cut",
    "charges nothing for a cut stream": "a_stream_without_its_last_event_was_cut",
    "delivers stream_break": "a_stream_whose_connection_breaks_was_cut",
    "hides that a part was shown": "a_stream_whose_connection_breaks_was_cut",
    "delivers stream_error": "an_error_within_a_stream_is_the_workers",
    "charges nothing for a cancelled stream": "a_cancelled_stream_frees_all_it_held",
}


@pytest.mark.parametrize(("lie", "name"), LIES.items(), ids=LIES.keys())
async def test_each_lie_is_caught_by_the_case_about_it(lie: str, name: str) -> None:
    """A case that no transport could fail would show nothing."""
    (case,) = [case for case in CASES if case.name == name]
    tasks = asyncio.all_tasks()
    with pytest.raises((AssertionError, TimeoutError)):
        await run_case(case, Model(lie))
    leftovers = asyncio.all_tasks() - tasks
    for task in leftovers:
        task.cancel()
    await asyncio.gather(*leftovers, return_exceptions=True)


def test_every_case_is_failed_by_some_lie() -> None:
    """Except the plainest, which the others stand on."""
    assert {case.name for case in CASES} - set(LIES.values()) == {"a_text_is_delivered"}


def test_every_need_is_a_deed_or_named() -> None:
    """So that a peer can say what it cannot do."""
    assert set().union(*(case.needs for case in CASES)) <= {*DEEDS, "away", "closing"}
