"""Beside an old router nobody can tell that we are there: requests and answers of every shape, byte for byte."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from pointsman.model.events import Admitted
from pointsman.model.rollout import State
from tests.http.brought_in import brought_in
from tests.http.odd_requests import answer, request
from tests.http.old_router import HOP_BY_HOP, old_router
from tests.http.raw_client import Got, RawClient

# POINTSMAN_HYPOTHESIS=thorough: 5,000 in all.
COUNT = 1_700 if (hypothesis.settings.default or hypothesis.settings()).max_examples >= 1_000 else 200


def passing(got: Got) -> tuple[int, list[tuple[bytes, bytes]], bytes, bool]:
    """What of an answer a proxy passes on."""
    named = {one.strip().lower() for value in got.all(b"connection") for one in value.split(b",")}
    return got.status, [field for field in got.headers if field[0] not in HOP_BY_HOP | named], got.body, got.is_whole


@pytest.mark.real_loop(timeout_s=600)
@pytest.mark.parametrize(
    ("state", "share", "first"),
    [(State.DISABLED, 0.0, 0), (State.SHADOW, 0.1, 10_000), (State.SHADOW, 1.0, 20_000)],
)
async def test_asking_through_us_is_asking_the_old_router(
    tmp_path: Path, state: State, share: float, first: int
) -> None:
    """What it receives and what it answers are the same as without us, in the legacy's lane and in the shadow."""
    async with old_router(answer) as old, brought_in(tmp_path, old.url, shadow_share=share) as both:
        if state is not State.DISABLED:
            await both.go_to(state)
        direct, through = RawClient(int(old.url.rpartition(":")[2])), RawClient(both.port)
        for number in range(first, first + COUNT):
            old.seen.clear()
            case = request(number, b"localhost")
            expected = passing(await direct.ask(case.parts, case.method))
            got = await through.ask(case.parts, case.method)
            assert passing(got) == expected, (number, case.parts[0][:200])
            assert not (got.all(b"content-length") and got.all(b"transfer-encoding"))
            there, here = old.seen
            assert (here.method, here.target, here.body) == (there.method, there.target, there.body), number
            assert here.passing == [
                field for field in there.passing if field[0] not in _named(there.all(b"connection"))
            ]
            assert here.all(b"host") == [old.authority], number
        direct.close()
        through.close()
        if share == 1.0:
            assert both.house.shadow.sampled > COUNT // 10
        assert not both.of(Admitted)


def _named(values: list[bytes]) -> set[bytes]:
    return {one.strip().lower() for value in values for one in value.split(b",")} | HOP_BY_HOP
