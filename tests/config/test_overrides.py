from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.decode import decode
from pointsman.config.overrides import Origins, from_environment, from_flags, lay_over
from pointsman.config.shape import Leaf, find, walk
from pointsman.config.values import toml
from pointsman.model.settings import Settings


def overlay(
    environ: dict[str, str], data: dict[str, Any] | None = None, origins: Origins | None = None
) -> tuple[dict[str, Any], Origins, dict[str, str]]:
    """Data and origins after the environment is laid over them, and the mistakes by key."""
    data = {} if data is None else data
    origins = {} if origins is None else origins
    found = lay_over(data, origins, from_environment(environ))
    return data, origins, {mistake.key: mistake.text for mistake in found}


def test_a_variable_sets_the_key_it_names_whatever_the_case():
    """Section and field names are lower case in the tree; the shell's are not."""
    data, origins, _ = overlay({"POINTSMAN__LIMITS__BURST": "5", "pointsman__Shed__per_slot": "2"})
    assert data == {"limits": {"burst": 5}, "shed": {"per_slot": 2}}
    assert origins[("limits", "burst")] == "env POINTSMAN__LIMITS__BURST"


def test_variables_that_are_no_settings_are_left_alone():
    """`POINTSMAN_URL` belongs to the command line, and the rest of the environment to others."""
    assert from_environment({"POINTSMAN_URL": "x", "LIMITS__BURST": "5", "XPOINTSMAN__A": "1"}) == []


def test_a_pool_is_found_by_its_name_whatever_the_case_and_keeps_it():
    """`GPU_Big.1` in the file is `GPU_BIG_1` in a shell, which knows no dots."""
    data: dict[str, Any] = {"pools": {"GPU_Big.1": {}, "other": {}}}
    overlay({"POINTSMAN__POOLS__GPU_BIG_1__BALANCER": "p2c"}, data)
    assert data == {"pools": {"GPU_Big.1": {"balancer": "p2c"}, "other": {}}}


def test_the_nearest_spelling_of_a_name_wins_and_two_equally_near_are_a_mistake():
    """`a-b` is meant by `a-b`; `A_B` may mean `a-b` or `a.b`, and nobody guesses."""
    data: dict[str, Any] = {"pools": {"a-b": {}, "a.b": {}, "AB": {}, "ab": {}}}
    overlay({"POINTSMAN__POOLS__ab__BALANCER": "p2c", "POINTSMAN__POOLS__a-b__BALANCER": "p2c"}, data)
    assert [name for name, pool in data["pools"].items() if pool] == ["a-b", "ab"]
    _, _, found = overlay({"POINTSMAN__POOLS__A_B__BALANCER": "p2c"}, data)
    assert found == {"pools.A_B": "more than one is meant: a-b, a.b"}


def test_a_new_name_is_taken_in_lower_case():
    """A pool that only the environment knows."""
    data, origins, _ = overlay({"POINTSMAN__POOLS__GPU__BALANCER": "p2c"}, {"pools": {}})
    assert data == {"pools": {"gpu": {"balancer": "p2c"}}}
    assert origins[("pools", "gpu")] == "env POINTSMAN__POOLS__GPU__BALANCER"


def test_the_default_pools_can_be_changed_without_a_file():
    """They keep what the variable does not name, and the other default pool stays."""
    data, origins, _ = overlay({"POINTSMAN__POOLS__PLANNERS__BALANCER": "p2c"})
    settings, found = decode(data)
    assert found == []
    assert settings.pools["planners"].balancer == "p2c"
    assert settings.pools["coders"] == Settings().pools["coders"]
    assert list(origins) == [("pools", "planners", "balancer")]


def test_a_list_is_set_as_a_whole():
    """As TOML or JSON; what the file said of its entries is gone, origins too."""
    data: dict[str, Any] = {"pools": {"a": {"workers": [{"id": "old"}, {"id": "older"}]}}}
    origins = {("pools", "a", "workers", "1", "id"): "f:9", ("pools", "a"): "f:1"}
    overlay({"POINTSMAN__POOLS__A__WORKERS": '[{"id": "new", "url": "http://x"}]'}, data, origins)
    assert data["pools"]["a"]["workers"] == [{"id": "new", "url": "http://x"}]
    env = "env POINTSMAN__POOLS__A__WORKERS"
    assert origins == {
        ("pools", "a"): "f:1",
        ("pools", "a", "workers"): env,
        ("pools", "a", "workers", "0"): env,
        ("pools", "a", "workers", "0", "id"): env,
        ("pools", "a", "workers", "0", "url"): env,
    }


def test_a_word_in_the_place_of_a_table_comes_through_a_list_given_whole():
    """Workers are a list, so that `auth` is set with the worker it belongs to."""
    workers = '[{id = "a", transport = "anthropic", url = "http://x", model = "m", auth = "passthrough"}]'
    data, _, _ = overlay({"POINTSMAN__POOLS__CODERS__WORKERS": workers})
    settings, found = decode(data)
    assert found == []
    assert settings.pools["coders"].workers[0].auth == "passthrough"


def test_a_table_given_whole_is_laid_over_the_one_there():
    """Its keys win, the others stay; a longer name wins over a shorter one."""
    data: dict[str, Any] = {"limits": {"burst": 1, "rate_per_min": 2}}
    overlay({"POINTSMAN__LIMITS": "{ burst = 7, flood_copies = 3 }", "POINTSMAN__LIMITS__BURST": "9"}, data)
    assert data == {"limits": {"burst": 9, "rate_per_min": 2, "flood_copies": 3}}


def test_pools_given_whole_replace_the_pools():
    """As in the file: whoever names the pools names all of them."""
    data, _, _ = overlay({"POINTSMAN__POOLS": "{ gpu = {} }"}, {"pools": {"a": {}}})
    assert data == {"pools": {"gpu": {}}}


@pytest.mark.parametrize(
    ("name", "key", "text"),
    [
        ("LIMITS__BUST", "limits.bust", "unknown key; did you mean burst?"),
        ("LIMTS__BURST", "limts", "unknown key; did you mean limits?"),
        ("LIMITS____BURST", "limits.", "unknown key"),
        ("LIMITS__BURST__X", "limits.burst.X", "limits.burst is a single value, with nothing in it"),
        ("POOLS__CODERS__WORKERS__0__URL", "pools.coders.workers.0", "a list is set as a whole"),
        ("CLASSES__TACTICAL__ALIAS__0", "classes.tactical.alias.0", "a list is set as a whole"),
    ],
)
def test_a_variable_that_names_no_setting_is_a_mistake(name, key, text):
    """A typing error in a deployment must not pass for a setting."""
    data, _, found = overlay({f"POINTSMAN__{name}": "1"}, {"pools": {"coders": {}}, "classes": {}})
    assert found[key].startswith(text)
    assert data == {"pools": {"coders": {}}, "classes": {}}


def test_one_key_set_twice_by_the_environment_is_a_mistake():
    """Names that differ in case alone: neither may win by chance."""
    _, _, found = overlay({"POINTSMAN__LIMITS__BURST": "1", "pointsman__limits__burst": "2"})
    assert found["limits.burst"].startswith("set twice: by env POINTSMAN__LIMITS__BURST and by env pointsman")


def test_a_place_that_the_file_fills_with_something_else_stays_for_the_report():
    """`limits = 3` in the file is the mistake to show, not the variable that found no table there."""
    data, _, found = overlay({"POINTSMAN__LIMITS__BURST": "1"}, {"limits": 3})
    assert (data, found) == ({"limits": 3}, {})


def test_flags_are_known_by_the_last_part_of_their_key():
    """`engine.max_queued` is `--max-queued`."""
    flags = from_flags({"engine.max_queued": "5", "server.listen": "127.0.0.1:1"})
    assert {(flag.steps, flag.origin) for flag in flags} == {
        (("engine", "max_queued"), "flag --max-queued"),
        (("server", "listen"), "flag --listen"),
    }


SINGLE = sorted(
    path
    for path, entry in walk()
    if isinstance(entry.shape, Leaf) and "*" not in path and not (entry.default is None and entry.shape.optional)
)
"""Keys that stand for themselves and have a default; one without cannot be set to nothing."""
NAMES = {path: "POINTSMAN__" + "__".join(path).upper() for path in SINGLE}


@given(st.lists(st.sampled_from(SINGLE), unique=True))
def test_every_single_key_can_be_set_by_the_variable_that_bears_its_name(paths):
    """Setting each to its own default gives the defaults, with the variable as the origin of just those."""
    defaults = {path: find(path) for path in paths}
    environ = {NAMES[path]: toml(entry.default) for path, entry in defaults.items() if entry is not None}
    data, origins, found = overlay(environ)
    settings, wrong = decode(data)
    assert (found, wrong) == ({}, [])
    assert settings == Settings()
    assert {path for path in origins if path in NAMES} == set(paths)
