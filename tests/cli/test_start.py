from __future__ import annotations

import click
import pytest

from pointsman.cli.exits import MEANINGS, ExitCode
from pointsman.cli.start import COMMANDS, _report_fault, root, run
from pointsman.model.errors import NotFound, SettingsError, UsageError


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


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NotFound("no such thing"), 1, "error: no such thing"),
        (UsageError("not like this"), 2, "error: not like this"),
        (
            SettingsError(["a.toml:1: x: wrong"]),
            5,
            "error: the settings cannot be used: 1 mistake\n  a.toml:1: x: wrong",
        ),
        (PermissionError(13, "Permission denied", "a/b"), 1, "error: a/b: Permission denied"),
        (OSError("strange"), 1, "error: strange"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_what_goes_wrong_is_said_and_has_its_code(monkeypatch, capsys, error, code, said):
    """Whatever a command raises on purpose."""

    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(root, "get_command", lambda ctx, name: failing)
    assert run(["status"]) == code
    assert capsys.readouterr().err.strip() == said


def test_a_fault_of_ours_is_named_as_one(capsys):
    """With how to see where; no traceback."""
    _report_fault(ZeroDivisionError, ZeroDivisionError("by\nzero"), None)
    err = capsys.readouterr().err
    assert err.startswith("error: ZeroDivisionError: by\\nzero. This is a fault in Pointsman")
    assert "POINTSMAN_TRACEBACK=1" in err


def test_an_interrupt_during_the_start_is_no_fault(capsys):
    """One word."""
    _report_fault(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err == "Interrupted.\n"
