from __future__ import annotations


def test_the_options_of_the_demonstration_are_there(command):
    """The entry is here; the demonstration itself is `operations.demo`, with tests of its own."""
    ran = command("demo", "--help")
    assert ran.code == 0
    for option in ("--seconds", "--no-keep", "--prompts", "--listen", "--output"):
        assert option in ran.out


def test_options_that_cannot_work_are_usage_errors(command):
    """Before anything is started."""
    assert command("demo", "--seconds", "0").code == 2
    assert command("demo", "--prompts", "nowhere.jsonl").code == 2
