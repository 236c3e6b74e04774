from __future__ import annotations

from pointsman.cli.exits import MEANINGS, ExitCode, described


def test_the_codes_that_scripts_rely_on_keep_their_numbers():
    """They are API."""
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "NOT_BETTER": 3,
        "UNREACHABLE": 4,
        "SETTINGS": 5,
        "WARNING": 6,
        "INTERRUPTED": 130,
    }


def test_every_code_is_described():
    """The end of the help names each with its meaning."""
    assert set(MEANINGS) == set(ExitCode)
    assert [line.split()[0] for line in described().splitlines()] == [str(int(code)) for code in ExitCode]
