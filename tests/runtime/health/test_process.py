from __future__ import annotations

from pointsman.model.health import HealthStatus
from pointsman.runtime.health.process import DescriptorsCheck, MemoryCheck
from pointsman.telemetry.process import ProcessFacts

MIB = 1 << 20


async def test_memory_that_has_grown_much_is_a_warning() -> None:
    """Held against the second look, when caches have filled; twice as much and 256 MiB more."""
    sizes = iter([50, 100, 350, 357, 50])
    check = MemoryCheck(lambda: ProcessFacts(resident_bytes=next(sizes) * MIB))
    found = [await check.look() for _ in range(5)]
    assert [one.status.value for one in found] == ["pass", "pass", "pass", "warn", "pass"]
    assert found[3].limit == 356 * MIB


async def test_a_large_router_may_grow_to_twice_its_size() -> None:
    """Where that is more than 256 MiB."""
    sizes = iter([1000, 1000, 2000, 2001])
    check = MemoryCheck(lambda: ProcessFacts(resident_bytes=next(sizes) * MIB))
    assert [(await check.look()).status.value for _ in range(4)] == ["pass", "pass", "pass", "warn"]


async def test_file_descriptors_run_out_by_and_by() -> None:
    """From four fifths on somebody should look, and at 95 of 100 it fails."""
    for opened, status in ((800, "pass"), (801, "warn"), (950, "warn"), (951, "fail")):
        check = DescriptorsCheck(lambda opened=opened: ProcessFacts(open_fds=opened, max_fds=1000))  # type: ignore[misc]
        assert (await check.look()).status.value == status


async def test_a_system_that_tells_nothing_is_no_fault() -> None:
    """Of either."""
    for check in (MemoryCheck(ProcessFacts), DescriptorsCheck(ProcessFacts)):
        assert (await check.look()).status is HealthStatus.PASS
        assert check.probe().status is HealthStatus.PASS
