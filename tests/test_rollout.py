"""A whole router beside an old one, under load, in virtual time: rolled back in the middle, started again."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import House
from pointsman.core.rollout.record import read
from pointsman.embedded import Router
from pointsman.model.errors import Conflict, SettingsError
from pointsman.model.events import FellBackToLegacy, RolloutMoved
from pointsman.model.message import Message
from pointsman.model.result import Result
from pointsman.model.rollout import Order, State
from pointsman.model.settings import LimitSettings, PoolSettings, Settings
from pointsman.model.settings_operations import GuardSettings, RolloutSettings
from pointsman.reload import reload
from pointsman.sim import SimClock

LENA = Order(actor="lena", reason="because")
MESSAGES = 10_000
PLENTY = LimitSettings(rate_per_min=1_000_000, burst=100_000, flood_copies=100_000)


def settings(where: Path, **fields: Any) -> Settings:
    """Return settings of a router with a rollout whose files are in `where`."""
    rollout = RolloutSettings(
        record=str(where / "rollout.jsonl"),
        kill_file=str(where / "KILL"),
        min_shadow_s=0.0,
        min_stage_s=0.0,
        min_full_s=0.0,
        **fields,
    )
    return Settings(limits=PLENTY, rollout=rollout, pools={"planners": PoolSettings(), "coders": PoolSettings()})


class Town:
    """A router and an old one, the senders of both, and what was done for whom."""

    def __init__(self, where: Path, seed: int) -> None:
        self.where = where
        self.rng = random.Random(seed)
        self.clock = SimClock()
        self.ill = False
        self.done: Counter[str] = Counter()
        self.by_candidate: set[str] = set()
        self.rolled_back_at: float | None = None
        self.late = 0
        workers = {pool: {f"{pool}-{number}": self.work for number in range(2)} for pool in ("planners", "coders")}
        self.router = Router(
            settings(where), workers=workers, legacy=self.legacy, clock=self.clock, rng=random.Random(seed)
        )
        self.router.observe(self.hear)

    def hear(self, event: object) -> None:
        """Note when it was rolled back."""
        if isinstance(event, RolloutMoved) and event.now is State.ROLLED_BACK:
            self.rolled_back_at = event.at

    async def work(self, work: Mapping[str, Any]) -> str:
        """Serve a message, as a worker of the candidate."""
        self.done[work["text"]] += 1
        self.by_candidate.add(work["text"])
        await self.clock.sleep_until(self.clock.monotonic() + self.rng.expovariate(1 / 0.02))
        if self.ill and self.rng.random() < 0.1:
            raise RuntimeError("ill")
        return "ours"

    async def legacy(self, message: Message) -> str:
        """Serve a message, as the old router."""
        self.done[str(message.text)] += 1
        await self.clock.sleep_until(self.clock.monotonic() + self.rng.expovariate(1 / 0.02))
        return "theirs"

    async def send(self, number: int) -> Result:
        """Send one message, and see that the old router answers it if the rollout was rolled back before."""
        is_late = self.rolled_back_at is not None
        result = await self.router.send(
            f"message {number}",
            client=f"client-{self.rng.randrange(40)}",
            conversation_id=f"conversation-{self.rng.randrange(2000)}",
            redeliver="never",
        )
        assert isinstance(result, Result)
        if is_late:
            self.late += 1
            assert (result.worker, result.reply and result.reply.text) == ("legacy", "theirs")
        return result

    async def run(self, middle: Any) -> list[Result]:
        """Send ten thousand messages at 150 a second; do `middle` when half of them are out."""
        sending = []
        for number in range(MESSAGES):
            await self.clock.sleep_until(self.clock.monotonic() + self.rng.expovariate(150.0))
            sending.append(asyncio.get_running_loop().create_task(self.send(number)))
            if number == MESSAGES // 2:
                await middle(self)
        return await asyncio.gather(*sending)


async def by_command(town: Town) -> None:
    """Roll back, as a person would."""
    status = await town.router.rollout.rollback(LENA)
    assert status.state is State.ROLLED_BACK


async def by_kill_file(town: Town) -> None:
    """Put the file there and wait for it, a second at most; messages go on being sent all the while."""
    began = town.clock.monotonic()
    (town.where / "KILL").write_text("smoke")

    async def watch() -> None:
        while town.rolled_back_at is None:
            await town.clock.sleep_until(town.clock.monotonic() + 0.001)
        assert town.rolled_back_at - began <= 1.0

    town.router.house.tasks.spawn(watch(), "watch")


async def by_guard(town: Town) -> None:
    """From now on one in ten of the candidate's messages fails."""
    town.ill = True


WAYS = {"command": by_command, "kill_file": by_kill_file, "guard": by_guard}
ACTORS = {"command": "lena", "kill_file": "kill_file", "guard": "guard"}


@pytest.mark.parametrize("way", WAYS)
async def test_ten_thousand_messages_and_a_rollback_in_the_middle(tmp_path, way):
    """The next decision is the legacy's, none is lost, none is executed twice, and a restart keeps the stage."""
    town = Town(tmp_path, seed=len(way))
    async with town.router as router:
        await router.rollout.start(LENA)
        await router.rollout.promote(LENA)
        await router.rollout.promote(LENA)
        results = await town.run(WAYS[way])
        status = router.rollout.status()
    assert len(results) == MESSAGES
    assert town.done == Counter(f"message {number}" for number in range(MESSAGES))
    failed = sum(result.status != "delivered" for result in results)
    assert (failed > 0) == (way == "guard")
    assert failed < 100
    assert 2000 < len(town.by_candidate) < 3600
    assert town.late > 3000
    assert (status.state, status.share) == (State.ROLLED_BACK, 0.0)
    assert status.history_head is not None
    assert status.history_head.actor == ACTORS[way]
    assert status.history_head.event == ("trip" if way == "guard" else "rollback")
    again = Town(tmp_path, seed=1)
    async with again.router as router:
        assert router.rollout.status().stage == "rolled_back"
        assert (await again.send(0)).worker == "legacy"


async def test_a_restart_goes_on_at_its_stage(tmp_path):
    """The same conversations have the same router; a paused rollout is paused."""
    town = Town(tmp_path, seed=3)
    async with town.router as router:
        await router.rollout.start(LENA)
        await router.rollout.promote(LENA)
        before = {key: router.rollout.look_up(key, client="a") for key in map(str, range(300))}
        await router.rollout.pause(LENA)
    async with Town(tmp_path, seed=4).router as router:
        status = router.rollout.status()
        assert (status.state, status.stage, status.share) == (State.PAUSED, "partial-25", 0.25)
        assert {key: router.rollout.look_up(key, client="a") for key in map(str, range(300))} == before


async def test_a_router_without_workers_falls_back_and_is_rolled_back(tmp_path):
    """Every message is answered by the old router; each counts against the candidate once, and the guard ends it."""
    town = Town(tmp_path, seed=5)
    fell_back: list[str] = []
    town.router.observe(lambda event: fell_back.append(event.reason) if isinstance(event, FellBackToLegacy) else None)
    async with town.router as router:
        for worker in router.workers():
            router.house.fleet.leave(worker.id)
        await router.rollout.start(LENA)
        for _ in range(4):
            await router.rollout.promote(LENA)
        assert router.rollout.status().stage == "full"
        for number in range(400):
            result = await town.send(number)
            assert result.worker == "legacy"
        status = router.rollout.status()
        assert status.state is State.ROLLED_BACK
        assert len(fell_back) == 300 == status.verdicts[0].bad
    assert town.done == Counter(f"message {number}" for number in range(400))


async def test_without_a_legacy_nothing_is_different(tmp_path):
    """No record, no lane, and the verbs say that there is nothing to roll out from."""
    router = Router(settings(tmp_path), workers={"coders": {"w": _echo}}, clock=SimClock())
    async with router:
        with pytest.raises(Conflict, match="there is no old router"):
            await router.rollout.start(LENA)
        assert not router.rollout.is_configured
    assert list(tmp_path.iterdir()) == []


async def _echo(work: Mapping[str, Any]) -> str:
    return str(work["text"])


async def test_a_reload_changes_the_rules_and_says_what_needs_a_restart(tmp_path):
    """Exclusions and the guard at once; stages and files only with a restart."""
    house = House(settings(tmp_path), clock=SimClock(), has_legacy=True)
    await house.start()
    await house.rollout.start(LENA)
    await house.rollout.promote(LENA)
    changed = settings(tmp_path, exclude_clients=["bank"], stages=[0.1, 0.9], guard=GuardSettings(window=500))
    answer = await reload(house, changed)
    assert answer["changed"] == ["rollout.exclude_clients", "rollout.guard.window"]
    assert answer["needs_restart"] == ["rollout.stages"]
    assert house.rollout.assign("key", client="bank", path="/").why == "excluded"
    assert (await house.rollout.promote(LENA)).stage == "partial-50"
    with pytest.raises(SettingsError, match=r"rollout\.stages\.1"):
        await reload(house, settings(tmp_path, stages=[0.5, 0.2]))
    await house.stop(0.0)
    entries = read((tmp_path / "rollout.jsonl").read_bytes()).entries
    assert [entry.stage for entry in entries] == ["shadow", "partial-25", "partial-50"]


async def test_a_house_that_cannot_read_its_record_serves_all_the_same(tmp_path):
    """The old router answers, and the status says why; starting does not fail."""
    (tmp_path / "rollout.jsonl").write_text("hello\n")
    town = Town(tmp_path, seed=6)
    async with town.router as router:
        assert "line 1 is none of ours" in router.rollout.status().alarm
        assert (await town.send(0)).worker == "legacy"
