from __future__ import annotations

import pytest

from pointsman.cli.exits import MEANINGS, ExitCode
from pointsman.cli.start import COMMANDS


def test_help_names_every_command_and_every_exit_code(command):
    """A newcomer and a script's author find there what they need."""
    ran = command("--help")
    assert (ran.code, ran.err) == (0, "")
    for section, commands in COMMANDS.items():
        assert f"{section}:" in ran.out
        for name, lazy in commands.items():
            assert f"  {name:<8}" in ran.out
            assert lazy.help in " ".join(ran.out.split())
    for code, meaning in MEANINGS.items():
        assert f"{int(code):>3}  {meaning}" in ran.out


def test_no_command_shows_the_help_and_is_a_usage_error(command):
    """Nothing was done."""
    ran = command()
    assert ran.code == 2
    assert "Usage: pointsman" in ran.err


def test_an_unknown_command_is_answered_with_those_spelt_alike(command):
    """Exit code 2 and a guess."""
    ran = command("statsu")
    assert ran.code == 2
    assert "There is no command 'statsu'. Did you mean status" in ran.err


def test_an_unknown_option_is_a_usage_error(command):
    """Exit code 2."""
    assert command("--frobnicate").code == 2
    assert command("status", "--frobnicate").code == 2


def test_the_version_is_shown(command):
    """Name and number on one line."""
    import pointsman

    assert command("--version").out == f"pointsman {pointsman.__version__}\n"


@pytest.mark.parametrize("arguments", [("status",), ("workers", "ls"), ("send", "x"), ("explain", "--id", "x")])
def test_an_unreachable_router_is_code_4_and_says_what_to_do(command, free_port, arguments):
    """One line, no traceback."""
    ran = command(*arguments, "--url", f"http://127.0.0.1:{free_port}")
    assert (ran.code, ran.out) == (ExitCode.UNREACHABLE, "")
    assert ran.err == (
        f"error: no router listens at http://127.0.0.1:{free_port}: start one with `pointsman serve`, or name its"
        " address with --url or POINTSMAN_URL\n"
    )
