"""The check of the classifier beside the messages of today."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pointsman.core.classify.drift import LEAST
from pointsman.runtime.health.learning import LearningCheck
from tests.runtime.health.ward import Ward
from tests.runtime.taught import Desk


def check(desk: Desk) -> LearningCheck:
    """A check of this desk."""
    return LearningCheck(SimpleNamespace(learning=desk.learning))


async def test_few_messages_say_nothing_and_are_well(tmp_path):
    """So a router that has just started does not warn."""
    async with Desk(tmp_path) as desk:
        found = await check(desk).look()
        assert (found.status, found.output) == ("pass", "0 messages, too few to tell drift by")


async def test_messages_that_are_not_like_those_of_the_training_warn(tmp_path):
    """With what to do about it."""
    async with Desk(tmp_path) as desk:
        for _ in range(LEAST):
            desk.send("fix the typo")
        found = await check(desk).look()
        assert (found.status, found.limit) == ("warn", 0.25)
        assert found.observed is not None
        assert found.observed > 0.25
        assert "(by class): label some recent messages and run `pointsman train`" in found.output


async def test_messages_like_those_of_the_training_are_well(tmp_path):
    """Sure of both classes alike."""
    async with Desk(tmp_path) as desk:
        for at in range(2 * LEAST):
            desk.send("fix the typo" if at % 2 else "plan the design")
        assert (await check(desk).look()).status == "pass"


@pytest.mark.parametrize(("most", "status"), [(0.3, "warn"), (1.0, "pass")])
async def test_too_many_abstained_messages_warn(tmp_path, most, status):
    """By the setting; rules alone have no drift, so that nothing else is looked at."""
    async with Desk(tmp_path, rules=True, abstain_share_max=most) as desk:
        for _ in range(LEAST):
            desk.send("the garden")
        found = await check(desk).look()
        assert found.status == status
        if status == "warn":
            assert found.output.startswith(f"100% of {LEAST} messages abstained")


async def test_a_file_that_cannot_be_used_warns_at_once(tmp_path):
    """The cheap look sees it too."""
    async with Desk(tmp_path) as desk:
        assert check(desk).probe().status == "pass"
        desk.learning.keeping.alarm = "the file is damaged"
        for found in (check(desk).probe(), await check(desk).look()):
            assert (found.status, found.output) == ("warn", "the file is damaged")


async def test_every_router_has_this_component(tmp_path):
    """And is well."""
    async with Ward(tmp_path) as ward:
        assert [one.component for one in await ward.health.check("learning")] == ["learning"]
        assert "learning" not in ward.ill()
