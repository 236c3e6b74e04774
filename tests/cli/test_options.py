from __future__ import annotations

import click
import pytest

from pointsman.cli import options
from pointsman.cli.options import _instant
from pointsman.runtime.clock import SystemClock

CONTEXT = click.Context(click.Command("any"))
PARAMETER = click.Option(["--since"])


@pytest.mark.parametrize(("age", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7_200), ("1d", 86_400)])
def test_an_age_becomes_an_instant(age, seconds):
    """So long before now."""
    before = SystemClock().wall()
    found = _instant(CONTEXT, PARAMETER, age)
    assert found is not None
    assert before - seconds - 0.002 <= float(found) <= SystemClock().wall() - seconds + 0.002


@pytest.mark.parametrize("text", [None, "", "2030-01-31T12:00:00Z", "d", "xd", "-1d", "1800000000"])
def test_what_is_no_age_is_left_for_the_router(text):
    """It knows instants, and says what is wrong with others."""
    assert _instant(CONTEXT, PARAMETER, text) == text


def test_an_age_beyond_all_time_is_the_beginning_of_it():
    """Not an error, and nothing negative."""
    assert _instant(CONTEXT, PARAMETER, "999999999d") == "0.000"


@click.command()
@options.settings_values
def assigned(values):
    """Print the settings given."""
    click.echo(values)


def test_settings_are_split_at_the_first_equals_sign():
    """A value may hold more of them; the last of two for one key counts."""
    from click.testing import CliRunner

    ran = CliRunner().invoke(assigned, ["--set", "a.b=1=2", "--set", "c=1", "--set", "c="])
    assert ran.output == "{'a.b': '1=2', 'c': ''}\n"
