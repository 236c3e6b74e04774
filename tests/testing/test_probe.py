"""The probe: what went in is remembered, what comes out is as told."""

from __future__ import annotations

import pytest

from pointsman.testing.probe import Probe


async def test_it_remembers_what_it_was_given_and_answers_as_told() -> None:
    """Each time the same answer, until it is told another one."""
    probe = Probe("yes")
    assert [await probe("first"), await probe("second")] == ["yes", "yes"]
    probe.answer = "no"
    assert await probe("third") == "no"
    assert probe.seen == ["first", "second", "third"]


async def test_an_exception_is_raised_and_not_returned() -> None:
    """The request is remembered all the same."""
    probe = Probe(ZeroDivisionError("as told"))
    with pytest.raises(ZeroDivisionError, match="as told"):
        await probe("first")
    assert probe.seen == ["first"]
