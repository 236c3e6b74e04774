"""Settings: the defaults can be used, each key says what it is for, and every contradiction is found at once."""

from __future__ import annotations

import re

import msgspec
import pytest
from msgspec import inspect

from pointsman.model import settings as model
from pointsman.model.settings import (
    CHOICES,
    BudgetSettings,
    ClassSettings,
    PoolSettings,
    Settings,
    WorkerSettings,
)

SECTIONS = sorted(
    (
        found
        for found in vars(model).values()
        if isinstance(found, type) and issubclass(found, msgspec.Struct) and not found.__name__.startswith("_")
    ),
    key=lambda one: one.__name__,
)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_described(section: type[msgspec.Struct]) -> None:
    """The settings reference is made from these lines."""
    info = inspect.type_info(section)
    assert isinstance(info, inspect.StructType)
    for of in info.fields:
        assert isinstance(of.type, inspect.Metadata), of.name
        assert (of.type.extra_json_schema or {}).get("description"), of.name


@pytest.mark.parametrize("section", SECTIONS)
def test_units_are_in_the_names(section: type[msgspec.Struct]) -> None:
    """A number of seconds is called `_s`, and whatever is called so is a number of seconds."""
    info = inspect.type_info(section)
    assert isinstance(info, inspect.StructType)
    for of in info.fields:
        assert isinstance(of.type, inspect.Metadata)
        description = str((of.type.extra_json_schema or {})["description"])
        if re.search(r"\bseconds\b", description):
            assert of.name.endswith("_s"), of.name


def test_settings_never_change() -> None:
    """A reload replaces them as a whole."""
    with pytest.raises(AttributeError):
        Settings().limits.burst = 1  # type: ignore[misc]


def test_an_unknown_key_is_refused() -> None:
    """A misspelt key must not be ignored in silence."""
    with pytest.raises(msgspec.ValidationError, match="brust"):
        msgspec.convert({"limits": {"brust": 1}}, Settings)


@pytest.mark.parametrize(
    ("tree", "where"),
    [
        ({"limits": {"rate_per_min": 0}}, "rate_per_min"),
        ({"limits": {"rate_per_min": 1_000_000_001}}, "rate_per_min"),
        ({"limits": {"overall_rate_per_min": -1}}, "overall_rate_per_min"),
        ({"shed": {"wait_share": 1.01}}, "wait_share"),
        ({"engine": {"lease_s": 0.0}}, "lease_s"),
        ({"pools": {"a b": {}}}, "pools"),
        ({"pools": {"a": {"workers": [{"id": "-x"}]}}}, "workers"),
        ({"pools": {"a": {"retry": {"max_attempts": 101}}}}, "max_attempts"),
    ],
)
def test_a_value_out_of_its_range_is_found_while_decoding(tree: dict[str, object], where: str) -> None:
    """With the place at which it stands."""
    with pytest.raises(msgspec.ValidationError, match=where):
        msgspec.convert(tree, Settings)


@pytest.mark.parametrize("edge", [{"limits": {"overall_rate_per_min": 0}}, {"limits": {"rate_per_min": 10**9}}])
def test_the_edges_of_a_range_are_in_it(edge: dict[str, object]) -> None:
    """0 switches the overall limit off, and a billion is legal."""
    msgspec.convert(edge, Settings)


def test_closed_sets_hold_their_defaults() -> None:
    """What a key may be includes what it is where nobody says."""
    defaults = {
        "engine.kind": Settings().engine.kind,
        "pools.*.balancer": PoolSettings().balancer,
        "pools.*.workers.*.transport": WorkerSettings(id="w").transport,
        "classes.*.fallback_on.*": ClassSettings(pool="p").fallback_on[0],
        "budgets.*.scope": BudgetSettings().scope,
        "budgets.*.per": BudgetSettings().per,
        "telemetry.log_level": Settings().telemetry.log_level,
    }
    for key, default in defaults.items():
        assert default in CHOICES[key]
    assert set(CHOICES) - set(defaults) == {"pools.*.redeliver"}
