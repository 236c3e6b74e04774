from __future__ import annotations

import re
import tomllib

from pointsman.config.decode import decode
from pointsman.config.shape import Leaf, walk
from pointsman.config.template import template
from pointsman.model.settings import Settings

COMMENTED = re.compile(r"^#(?=[\[a-z])", re.MULTILINE)


def test_the_template_loads_as_it_is_and_means_the_defaults():
    """Writing it changes nothing until somebody changes it."""
    settings, mistakes = decode(tomllib.loads(template()))
    assert mistakes == []
    assert settings == Settings()


def test_every_commented_setting_can_be_taken_in():
    """Without their `#` all of them together load; but for the examples they still mean the defaults."""
    settings, mistakes = decode(tomllib.loads(COMMENTED.sub("", template())))
    assert mistakes == []
    assert [worker.id for pool in settings.pools.values() for worker in pool.workers] == [
        "planner-1",
        "planner-2",
        "planner-3",
        "coder-1",
        "coder-2",
    ]
    assert settings.limits == Settings().limits
    assert [list(of) for of in (settings.prices, settings.budgets, settings.quotas)] == [
        ["large-model"],
        ["everything"],
        ["account"],
    ]
    assert settings.pools["planners"].breaker == Settings().pools["planners"].breaker


def test_every_setting_is_in_the_template():
    """A key that is not there is one that nobody finds."""
    names = set(re.findall(r"^(?:#|# )?([a-z0-9_]+)(?: = |:)", template(), re.MULTILINE))
    inside_a_secret = {"env", "file"}
    optional = {"force", "weight", "model"}
    wanted = {path[-1] for path, entry in walk() if isinstance(entry.shape, Leaf)}
    assert wanted - names - inside_a_secret - optional == set()


def test_lines_fit_a_terminal_of_some_width():
    """Nothing wraps at 120 columns."""
    assert [line for line in template().splitlines() if len(line) > 120] == []
