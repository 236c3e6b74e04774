"""Each fault fails the check of what it harms, and of what depends on that; everything else stays well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.core.classify.pipeline import Classifier
from pointsman.model.errors import EngineUnavailable
from pointsman.model.events import SecurityIncident
from pointsman.model.rollout import Order
from pointsman.model.views import Counts
from pointsman.runtime.health.scheduler import STUCK_S
from tests.runtime.health.ward import Sleeper, Ward

Harm = Callable[[Ward], Awaitable[None]]


async def never(*_: Any) -> bool:
    """Reach nothing."""
    return False


async def worker_down(ward: Ward) -> None:
    """One of two coders is gone."""
    ward.metered["c1"].probe = never  # type: ignore[method-assign]


async def all_coders_down(ward: Ward) -> None:
    """Both are."""
    for name in ("c1", "c2"):
        ward.metered[name].probe = never  # type: ignore[method-assign]


async def ledger_unwritable(ward: Ward) -> None:
    """A file stands where the ledger's directory was."""
    where = ward._beside / "var"
    where.rename(ward._beside / "gone")
    where.write_text("a file where a directory was", "utf-8")


async def disk_full(ward: Ward) -> None:
    """There is less room than must be."""
    ward.health._checks["disk"]._min_free_bytes = 1 << 80  # type: ignore[attr-defined]


async def engine_writes_fail(ward: Ward) -> None:
    """The engine takes nothing."""

    async def fail(*_: Any) -> None:
        raise EngineUnavailable("the disk is gone")

    ward.engine.swap = fail  # type: ignore[assignment, method-assign]


async def engine_forgets(ward: Ward) -> None:
    """It takes, and gives nothing back."""
    read = ward.engine.read

    async def forget(key: str) -> tuple[bytes, int] | None:
        found = await read(key)
        return None if found is None else (b"something else", found[1])

    ward.engine.read = forget  # type: ignore[method-assign]


async def message_lost(ward: Ward) -> None:
    """Its counts do not add up."""
    counts = ward.engine.counts

    async def one_more() -> Counts:
        found = await counts()
        return msgspec.structs.replace(found, admitted=found.admitted + 1)

    ward.engine.counts = one_more  # type: ignore[method-assign]


async def dispatcher_dead(ward: Ward) -> None:
    """Its task has ended."""
    ward.tasks._loops["dispatcher coders"].cancel()


async def dispatcher_stuck(ward: Ward) -> None:
    """A message waits, and nobody looks."""
    envelope = ward.wrap()
    envelope.pool, envelope.expires_at = "coders", ward.clock.monotonic() + 1e6
    await ward.engine.put(envelope)  # and nobody is told


async def reaper_late(ward: Ward) -> None:
    """It should have been at work a minute ago."""
    ward.reaper._next = ward.clock.monotonic() - 60.0


async def classifier_wrong(ward: Ward) -> None:
    """It is never sure enough, and falls back."""
    shy = msgspec.structs.replace(ward.settings.classifier, threshold=1.0)
    ward.classifier = Classifier(shy, ward.settings.classes)


async def clock_stepped(ward: Ward) -> None:
    """Somebody sets the time back by an hour."""
    ward.clock.shift_wall(-3_600.0)  # type: ignore[attr-defined]


async def exposition_broken(ward: Ward) -> None:
    """It is cut short."""
    whole = ward.service.metrics.exposition
    ward.service.metrics.exposition = lambda *given: (whole(*given)[0][:-5], "")  # type: ignore[method-assign]


async def record_damaged(ward: Ward) -> None:
    """Somebody writes another name into it."""
    await ward.rollout.start(Order(actor="alice", reason="try it"))
    path = ward._beside / ward.settings.rollout.record
    path.write_bytes(path.read_bytes().replace(b"alice", b"mallory"))


async def record_gone(ward: Ward) -> None:
    """It is no longer there."""
    await ward.rollout.start(Order(actor="alice", reason="try it"))
    (ward._beside / ward.settings.rollout.record).unlink()


async def rolled_back(ward: Ward) -> None:
    """Somebody rolls back."""
    await ward.rollout.start(Order(actor="alice", reason="try it"))
    await ward.rollout.rollback(Order(actor="alice", reason="no"))


async def harmful_passes(ward: Ward) -> None:
    """The validator lets everything pass."""
    ward.validator.check = lambda envelope, now: None  # type: ignore[method-assign]


async def good_refused(ward: Ward) -> None:
    """The validator lets nothing pass."""
    ward.validator._settings = type("Narrow", (), {"max_text_bytes": 3})()


async def check_hangs(ward: Ward) -> None:
    """It never answers."""
    ward.health.add(Sleeper())


async def check_raises(ward: Ward) -> None:
    """It has a fault of its own."""
    broken = Sleeper()
    broken.raises = ZeroDivisionError("oops")
    ward.health.add(broken)


async def worker_gone(ward: Ward) -> None:
    """All workers leave a pool."""
    for name in ("c1", "c2"):
        ward.fleet.leave(name)


async def all_drained(ward: Ward) -> None:
    """The only worker drains."""
    ward.fleet.drain("p1")


FAULTS: dict[Harm, tuple[dict[str, str], str]] = {
    worker_down: ({"worker:c1": "fail", "pool:coders": "warn"}, "cannot be reached"),
    all_coders_down: ({"worker:c1": "fail", "worker:c2": "fail", "pool:coders": "fail"}, "cannot be reached"),
    ledger_unwritable: ({"disk": "fail"}, "cannot be written"),
    disk_full: ({"disk": "fail"}, "too little room"),
    engine_writes_fail: ({"engine": "fail", "scheduler": "fail"}, "the disk is gone"),
    engine_forgets: ({"engine": "fail", "scheduler": "fail"}, "does not give back"),
    message_lost: ({"engine": "fail", "scheduler": "fail"}, "0 are accounted for"),
    dispatcher_dead: ({"scheduler": "fail"}, "dispatcher coders runs no more"),
    dispatcher_stuck: ({"scheduler": "fail"}, "messages wait in coders"),
    reaper_late: ({"scheduler": "fail"}, "reaper is late"),
    classifier_wrong: ({"classifier": "fail"}, "in place of"),
    clock_stepped: ({"clock": "warn"}, "was set"),
    exposition_broken: ({"telemetry": "fail"}, "cannot be read"),
    record_damaged: ({"rollout": "fail"}, "damaged"),
    record_gone: ({"rollout": "fail"}, "gone"),
    rolled_back: ({"rollout": "warn"}, "locked"),
    harmful_passes: ({"admission": "fail"}, "accepted"),
    good_refused: ({"admission": "fail"}, "refused"),
    check_hangs: ({"sleeper": "fail"}, "did not answer within 5 s"),
    check_raises: ({"sleeper": "fail"}, "ZeroDivisionError: oops"),
    worker_gone: ({"pool:coders": "warn"}, "has no worker"),
    all_drained: ({"pool:planners": "warn"}, "has no worker"),
}


@pytest.mark.parametrize("harm", FAULTS, ids=lambda harm: harm.__name__)
async def test_a_fault_is_seen_where_it_is_and_nowhere_else(harm: Harm, tmp_path: Path) -> None:
    """Every component is checked before and after."""
    async with Ward(tmp_path) as ward:
        await ward.health.check()
        assert ward.ill() == {}
        await harm(ward)
        await ward.health.check()
        expected, words = FAULTS[harm]
        assert ward.ill() == expected
        assert words in ward.said(next(iter(expected)))


@pytest.mark.parametrize(
    ("harm", "kind"), [(harmful_passes, "blocked_message_passed"), (record_damaged, "record_tampered")]
)
async def test_what_must_never_happen_is_a_security_incident(harm: Harm, kind: str, tmp_path: Path) -> None:
    """Told by each deep check that sees it, and by a probe that sees it first."""
    async with Ward(tmp_path) as ward:
        await harm(ward)
        for times in (1, 2):
            await ward.health.check()
            incidents = [event.kind for event in ward.events if isinstance(event, SecurityIncident)]
            assert incidents == [kind] * times


async def test_a_stuck_queue_is_found_by_probes_alone(tmp_path: Path) -> None:
    """Within three of them; a paused queue is not stuck."""
    async with Ward(tmp_path) as ward:
        await ward.engine.pause("coders")
        await dispatcher_stuck(ward)
        await ward.clock.sleep(60.0)  # type: ignore[attr-defined]
        assert ward.ill() == {}
        ward.engine._queue("coders").paused = False
        await ward.clock.sleep(3 * ward.settings.health.probe_s)  # type: ignore[attr-defined]
        assert ward.ill() == {"scheduler": "fail"}
        assert ward.health.latest("scheduler")[0].observed >= STUCK_S  # type: ignore[operator]


async def test_what_is_mended_is_well_again(tmp_path: Path) -> None:
    """Those that depend on it too, once it has been looked at."""
    async with Ward(tmp_path) as ward:
        await all_coders_down(ward)
        await ward.health.check()
        assert "pool:coders" in ward.ill()
        for name in ("c1", "c2"):
            del ward.metered[name].probe
        await ward.health.check("worker")
        assert ward.ill() == {}
