from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.cli import output
from pointsman.cli.client import Client
from pointsman.cli.rollout_looks import PATH
from tests.cli.conftest import Command, Service, prepare, serving
from tests.cli.test_client import answering, http

ROLLOUT = """
[rollout]
legacy = "http://127.0.0.1:9"
min_shadow_s = 3600
min_stage_s = 0
min_full_s = 0
exclude_clients = ["billing"]
"""
"""Nothing is sent to the old router here, so there is none."""


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A router that is rolled out beside another."""
    directory = tmp_path_factory.mktemp("beside")
    prepare(directory)
    with (directory / "pointsman.toml").open("a", encoding="utf-8") as settings:
        settings.write(ROLLOUT)
    with serving(directory) as one:
        yield one


@pytest.fixture
def fresh(command: Command, beside: Service, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command against that router, whose rollout has not begun."""
    monkeypatch.setenv("POINTSMAN_URL", beside.url)
    monkeypatch.setenv("USER", "alice")
    command("rollout", "rollback", "--reason", "a new test")
    command("rollout", "ack", "--reason", "a new test")
    assert status(command)["state"] == "disabled"
    return command


def status(run: Command) -> dict:
    """How the rollout stands."""
    return json.loads(run("rollout", "status", "-o", "json").out)


def test_the_status_for_programs_holds_what_they_rely_on(fresh):
    """A format that others read."""
    found = status(fresh)
    assert set(found) >= {"state", "stage", "share", "realised_share", "locked", "verdicts", "history_head"}
    assert (found["state"], found["share"], found["locked"]) == ("disabled", 0.0, False)


def test_a_rollout_goes_from_the_shadow_to_the_end_and_back(fresh):
    """Each verb shows where it led to, who did it and why."""
    ran = fresh("rollout", "start", "--ref", "PR #234", "--reason", "new classes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("rollout  shadow  since")
    assert "PR #234" in ran.out
    assert "start by alice" in ran.out
    assert ": new classes" in ran.out
    assert fresh("rollout", "promote", "--force", "--reason", "a test", "--yes").code == 0
    for stage, share in (("partial-50", 0.5), ("partial-75", 0.75), ("full", 1.0), ("completed", 1.0)):
        found = json.loads(fresh("rollout", "promote", "--yes", "-o", "json").out)
        assert (found["stage"], found["share"]) == (stage, share)
    ran = fresh("rollout", "rollback", "--reason", "enough")
    assert ran.code == 0
    assert "LOCKED" in ran.out
    assert status(fresh)["locked"] is True


def test_promote_asks_with_the_shares_before_anything_is_sent(fresh):
    """Without a terminal it wants --yes; the early time is part of the question."""
    fresh("rollout", "start")
    ran = fresh("rollout", "promote")
    assert ran.code == 2
    assert "Promote shadow -> partial-25: this router answers 0 % -> 25 % of the keys, but its minimum time" in ran.err
    assert status(fresh)["state"] == "shadow"
    fresh("rollout", "promote", "--force", "--reason", "r", "--yes")
    assert (
        "Promote partial-25 -> partial-50: this router answers 25 % -> 50 % of the keys?"
        in fresh("rollout", "promote").err
    )


def test_the_end_of_all_fallbacks_is_part_of_the_question(fresh):
    """`completed` takes the old router away."""
    fresh("rollout", "start")
    fresh("rollout", "promote", "--force", "--reason", "r", "--yes")
    for _ in range(3):
        fresh("rollout", "promote", "--yes")
    asked = fresh("rollout", "promote").err
    assert "Promote full -> completed: this router answers 100 % -> 100 % of the keys, and nothing falls back" in asked


def test_what_was_agreed_to_is_done_or_nothing(fresh, beside, monkeypatch):
    """Somebody else acts while the question is on the screen: the answer counts no more."""
    fresh("rollout", "start")

    def act(question: str, *, agreed: bool) -> None:
        assert agreed
        Client(beside.url).post(f"{PATH}/pause")
        Client(beside.url).post(f"{PATH}/resume")

    monkeypatch.setattr(output, "ask", act)
    ran = fresh("rollout", "promote", "--yes", "--force", "--reason", "r")
    assert ran.code == 1
    assert ran.err.startswith("error: conflict: ")
    assert status(fresh)["state"] == "shadow"


def test_too_early_is_refused_and_says_when(fresh):
    """Exit code 1; by force it is done, and the record says so."""
    fresh("rollout", "start")
    ran = fresh("rollout", "promote", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: rollout_too_early: ")
    assert "it may be promoted from 20" in ran.err
    assert fresh("rollout", "promote", "--yes", "--force", "--reason", "seen enough").code == 0
    assert "by force: seen enough" in fresh("rollout", "status").out


def test_force_without_a_reason_is_not_even_sent(command, free_port):
    """A usage error, with a router or without."""
    ran = command("rollout", "promote", "--force", "--yes", "--url", f"http://127.0.0.1:{free_port}")
    assert ran.code == 2
    assert "--force needs --reason" in ran.err
    assert command("rollout", "promote", "--force", "--reason", "  ").code == 2


def test_a_verb_that_is_not_legal_names_those_that_are(fresh):
    """Exit code 1, and nothing has changed."""
    for verb in ("promote", "pause", "resume"):
        ran = fresh("rollout", verb)
        assert (ran.code, ran.out) == (1, "")
        assert "conflict" in ran.err
        assert "start" in ran.err
    assert fresh("rollout", "ack", "--reason", "x").code == 1
    assert status(fresh)["state"] == "disabled"


def test_a_locked_rollout_is_only_opened_by_an_acknowledgement(fresh):
    """With a reason, or it is a usage error."""
    fresh("rollout", "start")
    fresh("rollout", "rollback")
    ran = fresh("rollout", "start")
    assert ran.code == 1
    assert ran.err.startswith("error: rollout_locked: ")
    assert fresh("rollout", "ack").code == 2
    ran = fresh("rollout", "ack", "--reason", "understood", "--actor", "bob")
    assert ran.code == 0
    assert "ack by bob" in ran.out
    assert fresh("rollout", "start").code == 0


def test_pause_and_resume_keep_the_share(fresh):
    """Nothing is asked."""
    fresh("rollout", "start")
    fresh("rollout", "promote", "--force", "--reason", "r", "--yes")
    assert fresh("rollout", "pause").out.startswith("rollout  paused in partial-25")
    assert status(fresh)["share"] == 0.25
    assert fresh("rollout", "promote", "--yes").code == 1
    assert fresh("rollout", "resume").out.startswith("rollout  partial-25")


def test_the_status_of_the_router_has_a_line_about_it(fresh):
    """Where one is configured."""
    fresh("rollout", "start")
    assert "\nrollout   shadow, 0 % of the keys here, for " in fresh("status").out


def test_a_router_without_an_old_one_has_no_rollout(router):
    """It says so; every verb is refused; its status has no line about it."""
    assert router("rollout", "status").out == "No rollout: the settings name no old router, `rollout.legacy`.\n"
    for verb in ("start", "promote", "pause", "resume", "rollback"):
        ran = router("rollout", verb)
        assert (ran.code, ran.out) == (1, "")
        assert "rollout.legacy" in ran.err
    assert "rollout" not in router("status").out
    assert json.loads(router("status", "-o", "json").out)["rollout"] is None


def test_a_rollback_without_a_router_writes_the_kill_file(command, free_port, monkeypatch, tmp_path):
    """Beside the settings; exit code 0, and a warning says what was done."""
    monkeypatch.setenv("USER", "alice")
    (tmp_path / "of").mkdir()
    prepare(tmp_path / "of")
    with (tmp_path / "of" / "pointsman.toml").open("a", encoding="utf-8") as settings:
        settings.write(ROLLOUT)
    url = f"http://127.0.0.1:{free_port}"
    ran = command("rollout", "rollback", "--reason", "wrong\nclass", "--config", "of/pointsman.toml", "--url", url)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith(f"warning: no router listens at {url}")
    assert str(Path("of/var/ROLLOUT_KILL")) in ran.err
    kill = tmp_path / "of" / "var" / "ROLLOUT_KILL"
    assert kill.read_text("utf-8") == "wrong class (pointsman rollout rollback by alice)\n"


def test_whose_process_it_is_says_who_acts_where_the_environment_does_not(command, free_port, monkeypatch, tmp_path):
    """In a container, or a cron job."""
    monkeypatch.delenv("USER", raising=False)
    monkeypatch.delenv("LOGNAME", raising=False)
    (tmp_path / "pointsman.toml").write_text(ROLLOUT, "utf-8")
    command("rollout", "rollback", "--reason", "x", "--url", f"http://127.0.0.1:{free_port}")
    owner = pwd.getpwuid(os.getuid()).pw_name
    assert (tmp_path / "var" / "ROLLOUT_KILL").read_text("utf-8") == f"x (pointsman rollout rollback by {owner})\n"


@pytest.mark.parametrize(("code", "writes"), [(500, True), (503, True), (401, False), (409, False)])
def test_a_router_that_fails_is_as_good_as_none_and_one_that_refuses_is_not(command, tmp_path, code, writes):
    """Its own fault must not stand in the way; what it will not do is said."""
    (tmp_path / "pointsman.toml").write_text(ROLLOUT, "utf-8")
    with answering(http(code, b'{"code": "x", "detail": "because"}', "application/problem+json")) as (url, _):
        ran = command("rollout", "rollback", "--url", url)
    assert ran.code == (0 if writes else 1)
    assert "because" in ran.err
    assert (tmp_path / "var" / "ROLLOUT_KILL").exists() == writes


def test_settings_on_the_command_line_count_for_the_kill_file_too(command, free_port, tmp_path):
    """As `serve` may have been given them."""
    url = f"http://127.0.0.1:{free_port}"
    kill = tmp_path / "there" / "STOP"
    assert command("rollout", "rollback", "--url", url, "--set", f"rollout.kill_file={kill}").code == 0
    assert (
        command("rollout", "rollback", "--url", url, "--set", f"rollout.kill_file={kill}", "--actor", "bob").code == 0
    )
    assert kill.read_text("utf-8").splitlines()[1] == "(pointsman rollout rollback by bob)"


def test_a_kill_file_that_cannot_be_written_is_an_error(command, free_port, tmp_path):
    """Exit code 1, with its name."""
    (tmp_path / "var").write_text("in the way", "utf-8")
    (tmp_path / "pointsman.toml").write_text(ROLLOUT, "utf-8")
    ran = command("rollout", "rollback", "--url", f"http://127.0.0.1:{free_port}")
    assert ran.code == 1
    assert "var" in ran.err


def test_a_running_router_obeys_the_kill_file(fresh, beside, free_port, monkeypatch):
    """Only its removal and an acknowledgement free it."""
    fresh("rollout", "start")
    kill = beside.directory / "var" / "ROLLOUT_KILL"
    monkeypatch.chdir(beside.directory)
    assert fresh("rollout", "rollback", "--reason", "why", "--url", f"http://127.0.0.1:{free_port}").code == 0
    try:
        seen = (status(fresh) for _ in range(100_000))
        killed = next(found for found in seen if found["history_head"]["actor"] == "kill_file")
        assert (killed["state"], killed["share"]) == ("rolled_back", 0.0)
        assert "KILLED" in fresh("rollout", "status").out
        assert fresh("rollout", "ack", "--reason", "understood").code == 1
    finally:
        kill.unlink()
    assert any(not status(fresh)["killed"] for _ in range(100_000))
    assert fresh("rollout", "ack", "--reason", "understood").code == 0


def test_without_settings_that_name_an_old_router_no_kill_file_is_written(command, free_port, tmp_path):
    """It would help nobody, so the router stays unreachable: exit code 4."""
    ran = command("rollout", "rollback", "--url", f"http://127.0.0.1:{free_port}")
    assert ran.code == 4
    assert "no router listens" in ran.err
    assert "--config" in ran.err
    (tmp_path / "pointsman.toml").write_text("x = 1\n", "utf-8")
    ran = command("rollout", "rollback", "--url", f"http://127.0.0.1:{free_port}")
    assert ran.code == 5
    assert "no router listens" in ran.err
    assert "pointsman.toml:1" in ran.err
    assert list(tmp_path.iterdir()) == [tmp_path / "pointsman.toml"]
