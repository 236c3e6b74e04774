"""Service levels of a running router: what events count for, and what a restart remembers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.events import (
    Ended,
    FellBackToLegacy,
    HealthChecked,
    LegacyAnswered,
    MessageRefused,
    RequestFaulted,
    RolloutMoved,
    SecurityIncident,
    WorkerLeft,
)
from pointsman.model.objectives import MET, MISSED, NOT_MEASURED, Level, SloReport
from pointsman.model.outcome import AttemptRecord, Cause, Refusal, Refused
from pointsman.model.rollout import State
from pointsman.model.settings import ObjectiveSettings, Settings
from pointsman.model.states import Status
from pointsman.runtime.observers import Observers
from pointsman.runtime.slo import WRITE_EVERY_S, ServiceLevels
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock
from pointsman.testing.clock import FakeClock
from pointsman.testing.make import envelope

HOUR_S = 3_600.0
DAY_S = 86_400.0


class Watch:
    """Service levels that run; the journal is kept where there is a directory."""

    def __init__(self, beside: Path | None = None, clock: SimClock | None = None, **objectives: Any) -> None:
        self.clock = clock or SimClock()
        self.observers = Observers()
        self.tasks = Tasks(self.clock)
        settings = Settings(objectives=ObjectiveSettings(**objectives))
        self.slo = ServiceLevels(settings, self.clock, beside or Path(), self.observers)
        self.slo.keeps_journal = beside is not None
        self.slo.open(self.tasks)

    async def __aenter__(self) -> Watch:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.tasks.close()

    def end(
        self,
        status: Status = Status.DELIVERED,
        cause: Cause | None = None,
        *,
        overhead_s: float = 0.002,
        classify_s: float = 0.001,
        attempt: int = 1,
        lane: str = "",
        last: str = "",
    ) -> None:
        """Let a message end."""
        of = envelope(at=self.clock.monotonic())
        of.attempt, of.classify_s, of.lane = attempt, classify_s, lane
        if last:
            of.trail.append(AttemptRecord(1, "coders", "", last, 0.0, 0.0))
        self.observers.emit(Ended(self.clock.monotonic(), of, status, cause, "", overhead_s, 0.2))

    def refuse(self, reason: Refusal, lane: str = "") -> None:
        """Let a message be refused."""
        of = envelope(at=self.clock.monotonic())
        of.lane = lane
        self.observers.emit(MessageRefused(self.clock.monotonic(), of, Refused(reason, "")))

    def move(self, now: State) -> None:
        """Let the rollout take a step."""
        moved = RolloutMoved(self.clock.monotonic(), "x", State.PARTIAL, now, "x", 0.0, "alice")
        self.observers.emit(moved)

    def legacy(self, took_s: float = 0.1, ok: bool = True) -> None:
        """Let the old router answer."""
        self.observers.emit(LegacyAnswered(self.clock.monotonic(), "c", took_s, ok))

    def level(self, name: str, window_s: float | None = HOUR_S) -> Level:
        """Return an objective, by default over the last hour."""
        return next(one for one in self.slo.report(window_s).levels if one.name == name)


def levels(report: SloReport) -> dict[str, Level]:
    """Return objectives by name."""
    return {one.name: one for one in report.levels}


async def test_a_router_that_saw_nothing_says_so_of_every_objective() -> None:
    """Not one figure is green, and none is 0 that was not measured."""
    async with Watch() as watch:
        await watch.clock.sleep(HOUR_S)
        report = watch.slo.report()
        assert {level.verdict for level in report.levels} == {NOT_MEASURED}
        assert {level.observed for level in report.levels} == {None}
        assert report.verdict == NOT_MEASURED
        assert report.coverage_share == pytest.approx(1 / 720, rel=0.01)


async def test_good_messages_meet_the_objectives_of_the_hour_they_were_in() -> None:
    """Two good hours are no good month: over 30 days nothing is met, and the coverage says why."""
    async with Watch() as watch:
        for _ in range(2000):
            watch.end()
        await watch.clock.sleep(2 * HOUR_S)
        for _ in range(2000):
            watch.end()
        hour, month = levels(watch.slo.report(HOUR_S)), levels(watch.slo.report())
        for name in ("overhead", "classification", "routing", "success", "errors", "availability", "security"):
            assert (hour[name].verdict, hour[name].n) == (MET, 2000), name
            assert (month[name].verdict, month[name].n) == (NOT_MEASURED, 4000), name
            assert "0.2" in month[name].detail
        assert month["success"].coverage_share == pytest.approx(2 / 720, rel=0.01)
        assert hour["success"].coverage_share == pytest.approx(1.0)


async def test_times_are_shown_apart() -> None:
    """Of 46 ms that were added, 30 in the classifier, 16 are routing; means are exact."""
    async with Watch() as watch:
        for _ in range(100):
            watch.end(overhead_s=0.046, classify_s=0.030)
        await watch.clock.sleep(240.0)
        report = levels(watch.slo.report(HOUR_S))
        assert [report[name].bad for name in ("overhead", "classification", "routing")] == [100, 0, 0]
        assert [report[name].verdict for name in ("overhead", "classification")] == [MISSED, MET]
        found = report["classification"].times, report["routing"].times
        assert [round(one.mean_s or 0, 6) for one in found if one] == [0.030, 0.016]
        assert [round(one.live_mean_s or 0, 6) for one in found if one] == [0.030, 0.016]


async def test_a_message_at_the_bar_is_within_it() -> None:
    """45 ms are exactly a bound, whatever the bar is set to; the next number above is not within."""
    for bar_s in (0.045, 0.0333):
        async with Watch(overhead_p95_s=bar_s) as watch:
            for _ in range(90):
                watch.end(overhead_s=bar_s)
            for _ in range(10):
                watch.end(overhead_s=bar_s + 1e-9)
            found = watch.level("overhead")
            assert (found.n, found.bad, found.verdict) == (100, 10, MISSED)


async def test_a_message_that_no_worker_was_given_says_nothing_of_the_time_added() -> None:
    """It was only admitted; that would flatter. Its classification was done."""
    async with Watch() as watch:
        watch.end(Status.EXPIRED, Cause.TTL, attempt=0)
        report = levels(watch.slo.report(HOUR_S))
        assert [report[name].n for name in ("overhead", "routing", "classification", "success")] == [0, 0, 1, 1]


async def test_ends_count_for_success_or_against_it_or_not_at_all() -> None:
    """Each message once. What its sender did, or wrote, is not our failure."""
    async with Watch() as watch:
        for _ in range(6):
            watch.end()
        watch.end(Status.DEAD, Cause.ATTEMPTS_USED_UP)
        watch.end(Status.EXPIRED, Cause.TTL)
        watch.end(Status.CANCELLED, Cause.SENDER)
        watch.end(Status.FAILED, Cause.MESSAGE_FAULT)
        success, errors = watch.level("success"), watch.level("errors")
        assert (success.n, success.bad, success.observed) == (8, 2, 0.75)
        assert (errors.n, errors.bad, errors.observed) == (8, 2, 0.25)
        apart = watch.slo.report().apart
        assert (apart["cancelled"], apart["message_fault"]) == (1, 1)


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (Refusal.INVALID, "refused_as_wrong"),
        (Refusal.HARMFUL, "refused_as_wrong"),
        (Refusal.RATE_LIMITED, "refused_by_limits"),
        (Refusal.OVERLOADED, "refused_under_load"),
        (Refusal.NO_WORKER, "refused_under_load"),
        (Refusal.QUEUE_FULL, "refused_under_load"),
        (Refusal.DRAINING, "refused_while_draining"),
    ],
)
async def test_a_refusal_on_purpose_is_an_answer_and_counted_apart(reason: Refusal, name: str) -> None:
    """The router is there and says no."""
    async with Watch() as watch:
        watch.refuse(reason)
        found = watch.level("availability")
        assert (found.n, found.bad, found.observed) == (1, 0, 1.0)
        assert watch.slo.report().apart[name] == 1


async def test_our_own_errors_are_outages() -> None:
    """A refusal because our engine is not there, a bug in HTTP, and a bug after admission; not a worker's failure."""
    async with Watch() as watch:
        watch.refuse(Refusal.UNAVAILABLE)
        watch.observers.emit(RequestFaulted(watch.clock.monotonic()))
        watch.end(Status.DEAD, Cause.ATTEMPTS_USED_UP, last="router_error")
        watch.end(Status.DEAD, Cause.ATTEMPTS_USED_UP, last="worker_error")
        found = watch.level("availability")
        assert (found.n, found.bad) == (4, 3)


async def test_a_security_incident_is_missed_at_once_and_written_at_once(tmp_path: Path) -> None:
    """One is too many; a process that dies a moment later has told of it. An unknown kind is an other."""
    async with Watch(tmp_path) as watch:
        watch.end()
        watch.observers.emit(SecurityIncident(watch.clock.monotonic(), "blocked_message_passed"))
        watch.observers.emit(SecurityIncident(watch.clock.monotonic(), "news"))
        found = watch.level("security")
        assert (found.observed, found.verdict) == (2.0, MISSED)
        incidents = watch.slo.report().incidents
        assert (incidents["blocked_message_passed"], incidents["other_incident"]) == (1, 1)
        journal = (tmp_path / "var/slo.jsonl").read_text("utf-8")
        assert '"blocked_message_passed":1' in journal
        assert '"other_incident":1' in journal


async def test_a_rollback_lasts_from_the_order_to_the_first_message_of_the_old_router() -> None:
    """One that it had received before the order says nothing, even if it answers it later."""
    async with Watch() as watch:
        watch.legacy()
        assert watch.level("rollback").verdict == NOT_MEASURED
        await watch.clock.sleep(100.0)
        watch.move(State.ROLLED_BACK)
        await watch.clock.sleep(2.0)
        watch.legacy(took_s=5.0)
        assert watch.level("rollback").verdict == NOT_MEASURED
        await watch.clock.sleep(1.0)
        watch.legacy(took_s=0.5)
        watch.legacy(took_s=0.1)
        found = watch.level("rollback")
        assert (found.observed, found.n, found.verdict) == (pytest.approx(2.5), 1, MET)
        watch.move(State.ROLLED_BACK)
        await watch.clock.sleep(400.0)
        watch.legacy()
        assert (watch.level("rollback").observed, watch.level("rollback").verdict) == (pytest.approx(399.9), MISSED)


async def test_an_order_that_was_overtaken_by_another_step_is_no_rollback() -> None:
    """The old router may answer what it likes then."""
    async with Watch() as watch:
        watch.move(State.ROLLED_BACK)
        watch.move(State.DISABLED)
        await watch.clock.sleep(1.0)
        watch.legacy()
        assert watch.level("rollback").n == 0


async def test_health_is_the_share_of_minutes_in_which_every_check_was_recent() -> None:
    """One component that nobody looks at any more is enough; one whose worker has left is not looked at any more."""
    async with Watch() as watch:
        for _ in range(4):
            watch.observers.emit(HealthChecked(watch.clock.monotonic(), "engine", "pass", 0.1))
            watch.observers.emit(HealthChecked(watch.clock.monotonic(), "worker:w1", "pass", 0.1))
            await watch.clock.sleep(900.0)
        found = watch.level("health")
        assert (found.n, found.bad, found.verdict) == (60, 0, MET)
        for _ in range(2):
            watch.observers.emit(HealthChecked(watch.clock.monotonic(), "engine", "pass", 0.1))
            await watch.clock.sleep(900.0)
        assert watch.level("health").bad == 29
        assert watch.level("health").verdict == MISSED
        watch.observers.emit(WorkerLeft(watch.clock.monotonic(), "coders", "w1"))
        watch.observers.emit(HealthChecked(watch.clock.monotonic(), "engine", "pass", 0.1))
        await watch.clock.sleep(600.0)
        assert watch.level("health").bad == 29


async def test_both_routers_are_measured_alike() -> None:
    """From receipt to the end; what the candidate refused by its own fault is no answer, what it refused by right is
    nobody's, and a cancelled message says nothing.
    """
    async with Watch() as watch:
        watch.end()
        for _ in range(3):
            watch.end(lane="candidate")
        watch.end(Status.DEAD, Cause.ATTEMPTS_USED_UP, lane="candidate")
        watch.end(Status.CANCELLED, Cause.SENDER, lane="candidate")
        watch.refuse(Refusal.NO_WORKER, lane="candidate")
        watch.refuse(Refusal.RATE_LIMITED, lane="candidate")
        watch.observers.emit(FellBackToLegacy(watch.clock.monotonic(), "c", "no_worker"))
        watch.legacy(0.3)
        watch.legacy(0.5, ok=False)
        report = watch.slo.report()
        assert (report.candidate.n, report.candidate.ok, report.candidate.ok_share) == (5, 3, 0.6)
        assert report.candidate.mean_s == pytest.approx(0.2)
        assert (report.legacy.n, report.legacy.ok, report.legacy.mean_s) == (2, 1, pytest.approx(0.4))
        assert report.apart["fell_back"] == 1


async def test_an_hour_of_errors_burns_the_budget_of_days() -> None:
    """Ten times as many as may be: a tenth of the window at that rate is all of it."""
    async with Watch() as watch:
        for _ in range(850):
            watch.end()
        for _ in range(150):
            watch.end(Status.DEAD, Cause.ATTEMPTS_USED_UP)
        found = watch.level("errors")
        assert (found.burn_1h, found.burn_6h) == (pytest.approx(10.0), pytest.approx(10.0))
        assert found.budget is not None
        assert (found.budget.allowed, found.budget.used) == (pytest.approx(15.0), 150)
        assert found.budget.left_share == pytest.approx(-9.0)
        await watch.clock.sleep(2 * HOUR_S)
        assert (watch.level("errors").burn_1h, watch.level("errors").burn_6h) == (None, pytest.approx(10.0))


async def test_a_restart_forgets_nothing_and_covers_no_time_in_which_nobody_ran(tmp_path: Path) -> None:
    """Three runs of five hours with three hours between them: 15 hours of the day are covered, all messages known."""
    clock = SimClock()
    for _ in range(3):
        async with Watch(tmp_path, clock) as watch:
            for _ in range(5):
                watch.end()
                watch.end(Status.DEAD, Cause.ATTEMPTS_USED_UP)
                await clock.sleep(HOUR_S)
            watch.move(State.ROLLED_BACK)
            await clock.sleep(1.0)
            watch.legacy(0.5)
        await clock.sleep(3 * HOUR_S - 1.0)
    async with Watch(tmp_path, clock) as watch:
        report = watch.slo.report(DAY_S)
        found = levels(report)
        assert (report.step_s, found["success"].n, found["success"].bad) == (HOUR_S, 30, 15)
        assert report.coverage_share == pytest.approx(15 / 24, abs=0.002)
        assert (found["rollback"].n, found["rollback"].observed) == (3, pytest.approx(0.5))
        assert report.alarm == ""
        assert report.journal == str(tmp_path / "var/slo.jsonl")
        past = watch.slo.report(by="hour").periods
        assert [one.measured_share > 0.99 for one in past].count(True) == 15
        assert sum(one.messages for one in past) == 30
        assert sum(one.messages for one in watch.slo.report(by="day").periods) == 30


async def test_a_process_that_is_killed_forgets_a_quarter_of_an_hour_at_most(tmp_path: Path) -> None:
    """What it had written counts; what it had not is not covered."""
    clock = SimClock()
    async with Watch(tmp_path, clock) as watch:
        watch.end()
        await clock.sleep(WRITE_EVERY_S + 60.0)
        watch.end()
        await clock.sleep(300.0)
        killed = (tmp_path / "var/slo.jsonl").read_bytes()
    (tmp_path / "var/slo.jsonl").write_bytes(killed)
    async with Watch(tmp_path, clock) as watch:
        found = watch.level("success", DAY_S)
        assert found.n == 1
        assert found.coverage_share * DAY_S == pytest.approx(WRITE_EVERY_S, abs=61.0)


async def test_a_damaged_journal_costs_coverage_and_no_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The lines that can be read count; the others are named, and the file as it was is kept."""
    clock = SimClock()
    for _ in range(2):
        async with Watch(tmp_path, clock) as watch:
            watch.end()
            await clock.sleep(HOUR_S)
    journal = tmp_path / "var/slo.jsonl"
    lines = journal.read_bytes().split(b"\n")
    whole = next(at for at, line in enumerate(lines) if b'"delivered":1' in line)
    damaged = b"\n".join([*lines[:whole], b"\x00\xff", *lines[whole + 1 :]]) + b'{"do":"hour","at"'
    journal.write_bytes(damaged)
    async with Watch(tmp_path, clock) as watch:
        report = watch.slo.report(DAY_S)
        assert levels(report)["success"].n == 1
        assert report.coverage_share == pytest.approx(1 / 24, abs=0.01)
        assert f"1 lines cannot be read and their hours count as not measured: {whole + 1};" in report.alarm
        assert (tmp_path / "var/slo.jsonl.damaged").read_bytes() == damaged
        assert "cut off" in caplog.text
    async with Watch(tmp_path, clock) as watch:
        assert watch.slo.alarm == ""
        assert watch.level("success", DAY_S).n == 1


async def test_a_journal_that_cannot_be_used_is_said_and_nothing_more(tmp_path: Path) -> None:
    """A directory in its place, or another process at it: the router starts and counts in memory."""
    (tmp_path / "var/slo.jsonl").mkdir(parents=True)
    async with Watch(tmp_path) as watch:
        watch.end()
        assert "objectives.journal" in watch.slo.report().alarm
        assert (watch.slo.report().journal, watch.level("success").n) == ("", 1)
        await watch.clock.sleep(2 * HOUR_S)
    (tmp_path / "var/slo.jsonl").rmdir()
    async with Watch(tmp_path) as first, Watch(tmp_path) as second:
        assert first.slo.alarm == ""
        assert "another process has it" in second.slo.alarm


async def test_lines_that_could_not_be_written_are_written_later(tmp_path: Path) -> None:
    """A full disk for an hour costs nothing once there is room again."""
    async with Watch(tmp_path) as watch:
        watch.end()
        os_write, ledger = watch.slo._ledger.append, watch.slo._ledger

        def refuse(lines: bytes) -> None:
            raise ledger._unusable("cannot be written", OSError(28, "No space left on device"))

        ledger.append = refuse  # type: ignore[method-assign]
        await watch.clock.sleep(HOUR_S)
        assert "No space left" in watch.slo.report().alarm
        ledger.append = os_write  # type: ignore[method-assign]
        await watch.clock.sleep(HOUR_S)
    assert '"delivered":1' in (tmp_path / "var/slo.jsonl").read_text("utf-8")


async def test_a_router_that_keeps_no_journal_touches_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the service keeps one."""
    monkeypatch.chdir(tmp_path)
    async with Watch() as watch:
        watch.end()
        await watch.clock.sleep(HOUR_S)
    assert os.listdir(tmp_path) == []


async def test_a_clock_that_jumps_covers_nothing_twice_and_nothing_that_was_not_there() -> None:
    """Forward: a gap. Back: the hour is measured again and counts once; after years, everything begins anew."""
    async with Watch() as watch:
        await watch.clock.sleep(2 * HOUR_S)
        watch.clock.shift_wall(4 * HOUR_S)
        await watch.clock.sleep(HOUR_S)
        assert watch.slo.report(12 * HOUR_S).coverage_share * 12 == pytest.approx(3.0, abs=0.05)
        watch.clock.shift_wall(-HOUR_S)
        await watch.clock.sleep(HOUR_S)
        assert watch.slo.report(12 * HOUR_S).coverage_share * 12 == pytest.approx(3.0, abs=0.05)
        watch.clock.shift_wall(-1000 * DAY_S)
        await watch.clock.sleep(HOUR_S)
        watch.end()
        await watch.clock.sleep(HOUR_S)
        watch.end()
        assert watch.level("success", 12 * HOUR_S).n == 2


async def test_a_loop_that_was_busy_for_hours_still_counts_each_message_in_its_hour() -> None:
    """The event says when it happened; nobody has to have turned the page before."""
    clock, observers = FakeClock(), Observers()
    levels_of = ServiceLevels(Settings(), clock, Path(), observers)
    tasks = Tasks(clock)
    levels_of.open(tasks)
    for _ in range(3):
        of = envelope(at=clock.monotonic())
        observers.emit(Ended(clock.monotonic(), of, Status.DELIVERED, None, "", 0.0, 0.1))
        clock.advance(HOUR_S)
    assert [one.messages for one in levels_of.report(by="hour").periods] == [1, 1, 1]
    await tasks.close()
