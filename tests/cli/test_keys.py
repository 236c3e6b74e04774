from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from pointsman.cli import figures
from pointsman.runtime.clock import SystemClock
from tests.cli.conftest import prepare, serving

KEY = re.compile(r"pm_[a-z2-7]{8}_[a-z2-7]{56}")


def made(command, *arguments: str) -> dict:
    """Make a key."""
    return json.loads(command("keys", "create", *arguments, "-o", "json").out)


def listed(command) -> dict[str, dict]:
    """Return the keys by id."""
    return {one["id"]: one for one in json.loads(command("keys", "ls", "-o", "json").out)}


def test_a_key_is_shown_once_alone_and_with_what_to_do(command):
    """On standard output nothing but the key, so that it can be put into a variable; the rest is for people."""
    ran = command("keys", "create", "ci")
    assert ran.code == 0
    assert KEY.fullmatch(ran.out.rstrip("\n"))
    key_id = ran.out[3:11]
    assert ran.err.splitlines() == [
        "Copy it now: only its hash is kept, in var/keys.jsonl, and it cannot be shown again.",
        f"It is key {key_id}, for client ci, and good until it is revoked.",
        "Send it as `Authorization: Bearer KEY` or `x-api-key: KEY`; commands take it from POINTSMAN_KEY.",
        "It is the first one: from now on each request to a router with this file needs a key.",
    ]
    assert "It is the first one" not in command("keys", "create", "ci").err


def test_a_key_says_whose_it_is_and_until_when(command):
    """In words, in the local time of whoever made it."""
    ran = command(
        "keys", "create", "ci", "--client", "team-a", "--group", "research", "--expires", "2126-01-31T12:00:00Z"
    )
    until = figures.instant(4_925_534_400.0)
    assert f"for client team-a in group research, and good until {until}." in ran.err


def test_programs_get_the_key_and_its_facts(command):
    """As one JSON object."""
    before = SystemClock().wall()
    new = made(command, "ci", "--group", "research", "--expires", "90d")
    assert set(new) == {"id", "key", "client", "group", "created", "expires"}
    assert KEY.fullmatch(new["key"])
    assert new["key"].startswith(f"pm_{new['id']}_")
    assert (new["client"], new["group"]) == ("ci", "research")
    assert before - 0.001 <= new["created"] <= SystemClock().wall() + 0.001
    assert new["expires"] - new["created"] == pytest.approx(90 * 86_400.0, abs=0.002)
    forever = made(command, "ci")
    assert (forever["group"], forever["expires"]) == (None, None)


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1_800), ("12h", 43_200), ("36500d", 36_500 * 86_400)])
def test_a_key_ends_after_a_time(command, text, seconds):
    """In minutes, hours or days."""
    new = made(command, "ci", "--expires", text)
    assert new["expires"] - new["created"] == pytest.approx(seconds, abs=0.002)


@pytest.mark.parametrize(
    "text", ["", "0d", "90", "d", "-1d", "1.5d", "36501d", "9" * 400 + "d", "٣d", "2030-01-31", "1y"]
)
def test_what_is_no_end_is_refused(command, text):
    """Exit code 2, with examples; no key is made."""
    ran = command("keys", "create", "ci", "--expires", text)
    assert ran.code == 2
    assert "90d, 12h or 30m" in ran.err
    assert ran.out == ""
    assert listed(command) == {}


def test_an_end_in_the_past_is_refused(command):
    """A typing error in the year."""
    ran = command("keys", "create", "ci", "--expires", "2020-01-31T12:00:00Z")
    assert (ran.code, ran.out) == (2, "")
    assert "expired before it was made" in ran.err


def test_keys_are_listed_without_secrets(command):
    """With what is known of them; what does not count any more says why."""
    new = made(command, "ci", "--client", "team-a", "--group", "research", "--expires", "90d")
    old = made(command, "old")
    command("keys", "revoke", old["id"], "--yes")
    ran = command("keys", "ls")
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[0] == ["ID", "STATE", "NAME", "CLIENT", "GROUP", "CREATED", "EXPIRES"]
    assert rows[1][:5] == [new["id"], "usable", "ci", "team-a", "research"]
    assert rows[2][:5] == [old["id"], "revoked", "old", "old", "-"]
    assert rows[2][-1] == "-"
    as_json = command("keys", "ls", "-o", "json").out
    known = listed(command)
    assert set(known[new["id"]]) == {"id", "name", "client", "group", "created", "expires", "revoked", "state"}
    assert known[old["id"]]["state"] == "revoked"
    for shown in (ran.out, as_json, Path("var/keys.jsonl").read_text("utf-8")):
        assert new["key"][12:] not in shown


def test_without_a_file_there_are_no_keys(command):
    """And looking makes none."""
    assert command("keys", "ls", "-o", "json").out == "[]\n"
    assert command("keys", "ls").code == 0
    assert not Path("var").exists()


def test_revoking_asks_and_says_what_it_will_mean(command):
    """Even for one, as it cannot be undone."""
    one, two = made(command, "ci", "--client", "team-a"), made(command, "other")
    ran = command("keys", "revoke", one["id"])
    assert ran.code == 2
    assert f"Revoke key {one['id']} of client team-a? Nobody can be asked here" in ran.err
    ran = command("keys", "revoke", one["id"], two["id"])
    assert "Revoke 2 keys? No usable key is left then, and nobody is let in." in ran.err
    assert {key["state"] for key in listed(command).values()} == {"usable"}
    ran = command("keys", "revoke", one["id"], "--yes")
    assert (ran.code, ran.out) == (0, f"{one['id']} revoked\n")
    assert listed(command)[one["id"]]["state"] == "revoked"
    assert "No usable key is left then" in command("keys", "revoke", two["id"]).err


def test_a_key_is_revoked_by_itself_too(command):
    """As it is found where it leaked; nothing repeats it."""
    new = made(command, "ci")
    ran = command("keys", "revoke", new["key"], new["id"], "--yes")
    assert (ran.code, ran.out) == (0, f"{new['id']} revoked\n")
    assert new["key"][12:] not in ran.out + ran.err


def test_revoking_again_is_no_error_and_needs_no_answer(command):
    """It is so already."""
    new = made(command, "ci")
    command("keys", "revoke", new["id"], "--yes")
    ran = command("keys", "revoke", new["id"])
    assert (ran.code, ran.out, ran.err) == (0, f"{new['id']} revoked\n", "")


def test_one_unknown_key_does_not_keep_the_others(command):
    """It is said, and the exit code is 1."""
    new = made(command, "ci")
    ran = command("keys", "revoke", "nothing", new["id"], "--yes")
    assert (ran.code, ran.out) == (1, f"{new['id']} revoked\n")
    assert "error: there is no key 'nothing' in var/keys.jsonl" in ran.err


def test_half_a_key_is_no_id_and_is_not_repeated(command):
    """What was pasted may be most of a secret."""
    new = made(command, "ci")
    ran = command("keys", "revoke", new["key"][:-1], "--yes")
    assert ran.code == 1
    assert new["key"][16:-1] not in ran.err


def test_the_file_is_the_one_of_the_settings(command, tmp_path):
    """Beside the settings file that is named; a variable and a flag change it, as any setting."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "p.toml").write_text('[server]\nkeys_file = "k/keys"\n', "utf-8")
    made(command, "ci", "--config", "etc/p.toml")
    assert stat.S_IMODE((tmp_path / "etc" / "k" / "keys").stat().st_mode) == 0o600
    made(command, "ci", "--set", "server.keys_file=other")
    assert (tmp_path / "other").exists()
    assert listed(command) == {}


def test_a_damaged_file_is_said_by_every_command(command):
    """With its line; nothing is added to it."""
    made(command, "ci")
    with Path("var/keys.jsonl").open("a", encoding="utf-8") as file:
        file.write("what is this\n")
    for arguments in (["create", "x"], ["ls"], ["revoke", "x", "--yes"]):
        ran = command("keys", *arguments)
        assert ran.code == 5
        assert "server.keys_file: var/keys.jsonl: line 2: " in ran.err


def until(command, code: int, *arguments: str):
    """Repeat a command until it ends with this exit code; it must be soon."""
    for _ in range(5_000):
        ran = command(*arguments)
        if ran.code == code:
            return ran
    raise AssertionError(f"{arguments} never ended with {code}")


def test_a_running_router_asks_for_keys_once_there_are_some(command, tmp_path, monkeypatch):
    """Open, then locked but to the key, then to that one too; commands take it from --key or the environment."""
    prepare(tmp_path)
    with serving(tmp_path) as run:
        monkeypatch.setenv("POINTSMAN_URL", run.url)
        assert command("status").code == 0
        new = made(command, "alice")
        ran = until(command, 1, "status")
        assert "error: unauthorized: this router wants an API key" in ran.err
        assert "This command takes a key from POINTSMAN_KEY or --key" in ran.err
        assert command("status", "--key", new["key"]).code == 0
        monkeypatch.setenv("POINTSMAN_KEY", new["key"])
        for arguments in (["workers", "ls"], ["queues", "ls"], ["messages", "ls"], ["dlq", "ls"]):
            assert command(*arguments).code == 0
        assert "API keys  1 usable" in command("status").out
        sent = json.loads(command("send", "fix it", "--class", "fast", "--client", "bot", "-o", "json").out)
        assert f"alice/bot with key {new['id']} at" in command("explain", "--id", sent["id"]).out
        measured = command("bench", "--url", run.url, "--seconds", "0.2", "--yes", "-o", "json")
        assert json.loads(measured.out)["not_delivered"] == {}
        command("keys", "revoke", new["id"], "--yes")
        assert "error: unauthorized: this API key was revoked" in until(command, 1, "status").err
        log = run.log()
    assert f"new {new['id']}" in log
    assert f"revoked {new['id']}" in log
    assert new["key"][12:] not in log


def test_a_key_on_the_command_line_reaches_threads_too(command, tmp_path, monkeypatch):
    """The senders of a measurement run in some."""
    prepare(tmp_path)
    new = made(command, "ci")
    with serving(tmp_path) as run:
        ran = command("bench", "--url", run.url, "--key", new["key"], "--seconds", "0.2", "--yes", "-o", "json")
    assert json.loads(ran.out)["not_delivered"] == {}
    assert json.loads(ran.out)["delivered"] > 0


def test_others_are_listened_to_only_with_a_usable_key(command, tmp_path):
    """The refusal names the command; a revoked key is not enough."""
    prepare(tmp_path)
    ran = command("serve", "--listen", "0.0.0.0:0")
    assert ran.code == 5
    assert "make one with `pointsman keys create NAME`" in ran.err
    new = made(command, "ci")
    with serving(tmp_path, "--listen", "0.0.0.0:0") as run:
        url = run.url.replace("0.0.0.0", "127.0.0.1")
        assert command("status", "--url", url).code == 1
        assert command("status", "--url", url, "--key", new["key"]).code == 0
    command("keys", "revoke", new["id"], "--yes")
    assert command("serve", "--listen", "0.0.0.0:0").code == 5


def test_a_router_does_not_start_with_a_file_it_cannot_understand(command, tmp_path):
    """Exit code 5 and the line, as for every other setting."""
    prepare(tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "keys.jsonl").write_text('{"v":2}\n', "utf-8")
    ran = command("serve", "--listen", "127.0.0.1:0")
    assert ran.code == 5
    assert "server.keys_file: var/keys.jsonl: line 1: format 2" in ran.err


def test_a_file_that_others_may_open_is_warned_of(tmp_path, command):
    """In the log, at the start."""
    prepare(tmp_path)
    made(command, "ci")
    (tmp_path / "var" / "keys.jsonl").chmod(0o644)
    with serving(tmp_path) as run:
        assert "is open to others (mode 0644)" in run.wait_for("chmod 600")
