"""A whole router in virtual time: equal seeds give equal logs, and whatever happens the accounts are right at rest."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

import pytest

from pointsman.sim.scenario import Happened, Scenario, play


def rough(seed: int, messages: int) -> Scenario:
    """Return a scenario with every trouble there is."""
    return Scenario(seed=seed, messages=messages, cancel_share=0.1, hurried_share=0.1, lossy_share=0.5, churn=True)


def check_at_rest(happened: Happened, messages: int) -> None:
    """Assert the accounting identity from both sides, and that nothing is left anywhere."""
    counts = happened.counts
    ended = counts.delivered + counts.failed + counts.dead + counts.expired + counts.cancelled
    refused = sum(count for end, count in happened.ends.items() if end.startswith("refused"))
    assert counts.admitted == ended
    assert (counts.waiting, counts.in_flight) == (0, 0)
    assert (happened.in_flight, happened.running, happened.waiting) == (0, 0, 0)
    assert counts.admitted + refused == messages
    assert sum(happened.ends.values()) == messages
    assert counts.cancelled == happened.ends["gone"]


@pytest.mark.parametrize("seed", range(20))
def test_equal_seeds_give_equal_logs(seed: int) -> None:
    """Two runs of one seed, with every fault there is, agree to the last byte."""
    scenario = rough(seed, 250)
    first, second = play(scenario), play(scenario)
    assert first.log == second.log
    check_at_rest(first, scenario.messages)


def test_other_seeds_give_other_logs() -> None:
    """The seed is what makes the difference; otherwise the test above could not fail."""
    assert play(Scenario(seed=1, messages=50)).log != play(Scenario(seed=2, messages=50)).log


def test_the_log_does_not_depend_on_the_process() -> None:
    """Another process with another hash seed writes the same log."""
    program = (
        "from hashlib import sha256; from pointsman.sim.scenario import Scenario, play;"
        "print(sha256(play(Scenario(seed=7, messages=250, cancel_share=0.1, lossy_share=0.5)).log).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": "src", "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    log = play(Scenario(seed=7, messages=250, cancel_share=0.1, lossy_share=0.5)).log
    assert digests == {sha256(log).hexdigest()}


def test_each_message_ends_once_in_the_log() -> None:
    """The log has one end for each admission, however often it was tried, cancelled or lost."""
    lines = play(rough(3, 800)).log.decode().splitlines()
    admitted = [line.split()[2] for line in lines if " admitted " in line]
    ended = [line.split()[2] for line in lines if " ended " in line]
    assert len(admitted) > 700
    assert sorted(admitted) == sorted(ended)


def test_faults_are_felt_and_survived() -> None:
    """Bad workers trip their breakers, and nearly everything is delivered all the same."""
    happened = play(Scenario(seed=4, messages=1500, lossy_share=0.5))
    assert b"closed -> open" in happened.log
    assert b"-> closed" in happened.log
    assert happened.ends["delivered"] >= 0.97 * 1500
