from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pointsman.cli.client import API, Client
from pointsman.core.classify.model_file import StoredModel, write
from tests.cli.conftest import prepare, serving

MODEL = StoredModel(
    name="mine",
    made="2030-01-01T00:00:00Z",
    made_by="1",
    classes=["strategic", "tactical"],
    vocabulary=["trumpet", "xylophone"],
    weights=[1.0, -9.0],
    bias=[4.0],
    data={"rows": 60},
    metrics={"accuracy": 0.9, "baselines": {"majority": {"accuracy": 0.5}}},
)


def put(name: str = "mine", **changed) -> str:
    """A model's file in the working directory."""
    path = Path(f"{name}.json")
    path.write_bytes(write(msgspec.structs.replace(MODEL, name=name, **changed)))
    return path.name


def test_models_are_listed_used_and_gone_back_from(command):
    """The default first; what is in use is marked."""
    assert command("model", "ls").out.splitlines()[1].split()[:3] == ["default", "in", "use"]
    used = command("model", "use", put())
    assert (used.code, used.out) == (0, "mine is in use\n")
    assert used.err == "a running router takes it with `pointsman config reload`\n"
    listed = json.loads(command("model", "ls", "-o", "json").out)
    assert [(one["name"], one["in_use"]) for one in listed] == [("default", False), ("mine", True)]
    assert "accuracy 0.900" in command("model", "ls").out
    assert command("model", "rollback").out == "default is in use\n"
    assert command("model", "rollback").code == 1


def test_the_chosen_model_classifies(command):
    """By default the settings take what was chosen."""
    command("model", "use", put())
    found = json.loads(command("classify", "xylophone", "-o", "json").out)
    assert (found["class"], found["cause"]) == ("strategic", "model")
    assert json.loads(command("classify", "trumpet", "-o", "json").out)["class"] == "tactical"


def test_a_model_is_shown_with_what_it_beat(command):
    """By name, by file, or the one in use."""
    file = put()
    assert json.loads(command("model", "show", file, "-o", "json").out)["version"] == "mine"
    command("model", "use", file)
    shown = command("model", "show").out
    assert "majority" in shown
    assert "strategic, tactical" in shown
    assert command("model", "show", "mine").out == shown
    assert "default" in command("model", "show", "default").out


def test_settings_that_name_another_model_are_pointed_at(command):
    """Else one would wonder why nothing changes."""
    Path("pointsman.toml").write_text('[classifier]\nmodel = "none"\n', "utf-8")
    ran = command("model", "use", put())
    assert ran.code == 0
    assert "but classifier.model is 'none' in the settings, which wins" in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "is no model file"),
        (write(MODEL)[:200], "is no model file"),
        (b'{"format": "pointsman classifier", "schema": 99}', "has schema 99"),
        (write(msgspec.structs.replace(MODEL, classes=["a", "b"])), "does not fit the settings"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_changes_nothing(command, text: bytes, words: str):
    """Cut off, newer, or of other classes: exit code 1."""
    command("model", "use", put())
    Path("bad.json").write_bytes(text)
    ran = command("model", "use", "bad.json")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert words in ran.err
    assert json.loads(command("model", "ls", "-o", "json").out)[1]["in_use"] is True


def test_a_running_router_takes_it_at_once(command, tmp_path: Path):
    """`use --reload` and `rollback --reload`: the next decision is the other model's, and nothing was restarted."""
    prepare(tmp_path)
    with serving(tmp_path) as one:

        def decided() -> str:
            return Client(one.url).post(f"{API}/decisions", {"text": "xylophone"})["class"]

        put("turned", weights=[-1.0, 9.0], bias=[-4.0])
        for name, found in (("mine", "strategic"), ("turned", "tactical")):
            ran = command("model", "use", put() if name == "mine" else "turned.json", "--reload", "--url", one.url)
            assert ran.out == f"{name} is in use\nthe running router has taken it\n", ran.err
            assert decided() == found
        assert command("model", "rollback", "--reload", "--url", one.url).code == 0
        assert decided() == "strategic"
