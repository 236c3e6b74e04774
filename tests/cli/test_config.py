from __future__ import annotations

import json
from pathlib import Path

import msgspec

from pointsman.config.models import default_stored
from pointsman.core.classify.model_file import write

BAD = """\
[limits]
burst = "many"
rate = 4

[classifier]
threshold = 7
"""


def test_check_names_every_mistake_with_its_line(command):
    """Three mistakes are three lines, and exit code 5."""
    Path("bad.toml").write_text(BAD, "utf-8")
    ran = command("config", "check", "bad.toml")
    assert ran.code == 5
    assert ran.err.splitlines()[0] == "error: the settings cannot be used: 3 mistakes"
    lines = ran.err.splitlines()[1:]
    assert [line.split(": ")[0].strip() for line in lines] == ["bad.toml:2", "bad.toml:3", "bad.toml:6"]
    assert 'limits.burst: got "many", expected a whole number' in lines[0]


def test_check_gives_programs_the_mistakes_as_json(command):
    """The document says which file, and each mistake as one text."""
    Path("bad.toml").write_text(BAD, "utf-8")
    ran = command("config", "check", "bad.toml", "-o", "json")
    assert ran.code == 5
    found = json.loads(ran.out)
    assert found["file"] == "bad.toml"
    assert len(found["mistakes"]) == 3


def test_check_of_a_good_file_says_what_is_in_it(command):
    """Exit code 0, and a line to see that the right file was read."""
    Path("pointsman.toml").write_text("[limits]\nburst = 7\n", "utf-8")
    ran = command("config", "check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "pointsman.toml: no mistakes. 2 classes, 2 pools, 0 workers, 0 usable API keys.\n"


def test_check_counts_the_keys_and_finds_what_is_wrong_with_their_file(command):
    """A router would not start with it either."""
    command("keys", "create", "a")
    assert command("config", "check").out.endswith(" 1 usable API key.\n")
    assert json.loads(command("config", "check", "-o", "json").out)["keys"] == 1
    Path("var/keys.jsonl").write_text("what is this\n", "utf-8")
    ran = command("config", "check")
    assert ran.code == 5
    assert "server.keys_file: var/keys.jsonl: line 1: " in ran.err


def test_check_without_a_file_checks_the_defaults(command):
    """Everything works with no settings file."""
    ran = command("config", "check")
    assert ran.code == 0
    assert ran.out.startswith("no file, only defaults: no mistakes.")


def test_check_of_a_missing_file_says_how_to_make_one(command):
    """A file that was named must be there."""
    ran = command("config", "check", "nowhere.toml")
    assert ran.code == 5
    assert "nowhere.toml: there is no such file; `pointsman init` writes one" in ran.err


def test_check_finds_what_no_single_value_shows(command):
    """A rule that cannot work is found too, though its phrase is a text and its class is there."""
    rule = '[[classifier.rules]]\nphrase = "one two three four five six"\nmessage_class = "tactical"\n'
    Path("pointsman.toml").write_text(rule, "utf-8")
    ran = command("config", "check")
    assert ran.code == 5
    assert "one two three" in ran.err


RESEARCH = """\
[classes.strategic]
pool = "planners"
[classes.tactical]
pool = "coders"
[classes.research]
pool = "planners"
"""


def test_check_says_which_classes_must_be_named(command):
    """No words lead to a class that the model does not know; a rule that weighs leads there, one that forces names."""
    Path("pointsman.toml").write_text(RESEARCH, "utf-8")
    ran = command("config", "check")
    assert ran.code == 0
    assert "The classifier knows nothing of research" in ran.out
    assert json.loads(command("config", "check", "-o", "json").out)["named_only"] == ["research"]
    rule = '[[classifier.rules]]\nphrase = "literature"\nmessage_class = "research"\n'
    Path("pointsman.toml").write_text(RESEARCH + rule, "utf-8")
    assert json.loads(command("config", "check", "-o", "json").out)["named_only"] == []


def test_check_refuses_a_model_that_does_not_fit(command):
    """Its classes are none of the settings, or there is no such file: exit code 5, and why."""
    stored = msgspec.structs.replace(default_stored(), classes=["billing", "tactical"])
    Path("other.json").write_bytes(write(stored))
    Path("pointsman.toml").write_text('[classifier]\nmodel = "other.json"\n', "utf-8")
    ran = command("config", "check")
    assert ran.code == 5
    assert "classifier.model: model default-1 knows billing, which no class is called" in ran.err
    Path("other.json").write_bytes(b"x")
    ran = command("config", "check")
    assert ran.code == 5
    assert "classifier.model: other.json is no model file" in ran.err


def test_explain_shows_value_origin_and_default(command, monkeypatch):
    """A single setting is explained in words, with the place it comes from."""
    Path("pointsman.toml").write_text("[limits]\nburst = 7\n", "utf-8")
    ran = command("config", "explain", "limits.burst")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "limits.burst = 7",
        "  messages at once per client",
        "  from pointsman.toml:2; the default is 20",
    ]


def test_explain_of_a_table_shows_each_of_its_keys(command, monkeypatch):
    """Flag wins over environment, environment over file."""
    monkeypatch.setenv("POINTSMAN__LIMITS__BURST", "8")
    ran = command("config", "explain", "limits", "--set", "limits.rate_per_min=9", "-o", "json")
    rows = {row["key"]: row for row in json.loads(ran.out)}
    assert (rows["limits.burst"]["value"], rows["limits.burst"]["origin"]) == ("8", "env POINTSMAN__LIMITS__BURST")
    assert rows["limits.rate_per_min"]["origin"] == "flag --rate-per-min"
    assert all(key.startswith("limits.") for key in rows)


def test_explain_of_an_unknown_key_suggests_one(command):
    """Exit code 1 and the name that was meant."""
    ran = command("config", "explain", "limits.bust")
    assert ran.code == 1
    assert "there is no setting 'limits.bust'; did you mean limits.burst" in ran.err


def test_a_flag_without_a_value_is_a_usage_error(command):
    """--set takes KEY=VALUE."""
    ran = command("config", "check", "--set", "limits.burst")
    assert ran.code == 2
    assert "expected KEY=VALUE" in ran.err


def test_schema_is_a_json_schema(command):
    """Editors can be given it as it is."""
    ran = command("config", "schema")
    assert json.loads(ran.out)["$schema"].startswith("https://json-schema.org/")
