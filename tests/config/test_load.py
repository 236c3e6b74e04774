from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.config.load import Loaded, leaves, load
from pointsman.model.errors import SettingsError
from pointsman.model.settings import Settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    """No settings file of whoever runs the tests gets in the way."""
    monkeypatch.chdir(tmp_path)


def write(text: str | bytes, name: str = "my.toml") -> Path:
    """Write a settings file into the current folder."""
    path = Path(name)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def lines(path: Path | None, environ: dict[str, str] | None = None, **flags: str) -> list[str]:
    """The mistakes that loading reports."""
    with pytest.raises(SettingsError) as caught:
        load(path, environ=environ or {}, overrides={key.replace("__", "."): text for key, text in flags.items()})
    return caught.value.mistakes


def test_without_a_file_everything_is_default():
    """`pointsman serve` in an empty folder works."""
    loaded = load(environ={})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.path is None


def test_the_file_in_the_current_folder_is_read_where_none_is_named():
    """`pointsman init` writes it, `pointsman serve` finds it."""
    write("[limits]\nburst = 3\n", "pointsman.toml")
    loaded = load(environ={})
    assert loaded.settings.limits.burst == 3
    assert loaded.origins["limits.burst"] == "pointsman.toml:2"
    assert loaded.path == Path("pointsman.toml")


def test_flag_wins_over_environment_over_file_over_default():
    """Each value comes from the strongest that names it, and says so."""
    path = write("[limits]\nburst = 1\nflood_copies = 1\nrate_per_min = 1\n")
    loaded = load(
        path,
        environ={"POINTSMAN__LIMITS__BURST": "2", "POINTSMAN__LIMITS__FLOOD_COPIES": "2"},
        overrides={"limits.burst": "3"},
    )
    limits = loaded.settings.limits
    assert (limits.burst, limits.flood_copies, limits.rate_per_min) == (3, 2, 1)
    assert {key: origin for key, origin in loaded.origins.items() if origin != "default"} == {
        "limits.burst": "flag --burst",
        "limits.flood_copies": "env POINTSMAN__LIMITS__FLOOD_COPIES",
        "limits.rate_per_min": "my.toml:4",
    }


def test_every_value_has_an_origin():
    """Entries of lists by position, secrets as one value."""
    path = write(
        "[pools.planners]\n[pools.coders]\n[[pools.coders.workers]]\nid = 'a'\nurl = 'http://x'\nauth = { env = 'T' }\n"
    )
    loaded = load(path, environ={})
    assert set(loaded.origins) == {".".join(key) for key, _ in leaves(loaded.settings)}
    assert loaded.origins["pools.coders.workers.0.url"] == "my.toml:5"
    assert loaded.origins["pools.coders.workers.0.auth"] == "my.toml:6"
    assert loaded.origins["pools.coders.workers.0.weight"] == "default"


def test_three_mistakes_are_three_lines_with_place_key_and_what_was_expected():
    """In the order of the file, references and values alike."""
    path = write("[classes.strategic]\npool = 'nowhere'\n\n[limits]\nburst = 0\n\n[pools.coders]\nbalancer = 'fast'\n")
    assert lines(path) == [
        "my.toml:2: classes.strategic.pool: there is no pool 'nowhere'; known: coders",
        "my.toml:5: limits.burst: got 0, expected a whole number from 1 to 1,000,000,000",
        "my.toml:8: pools.coders.balancer: "
        'got "fast", expected one of "adaptive", "p2c", "least_loaded", "round_robin"',
    ]


def test_mistakes_of_file_environment_and_flags_are_reported_together():
    """Each with where it came from; one of the environment does not move one of the file."""
    path = write("[limits]\nburst = 0\n[[pools.coders.workers]]\nid = 'a'\n[pools.planners]\n")
    environ = {"POINTSMAN__SHED__PER_SLOT": "none", "POINTSMAN__POOLS__CODERS__WORKERS__0__URL": "http://x"}
    assert lines(path, environ, telemetry__log_level="loud") == [
        "my.toml:2: limits.burst: got 0, expected a whole number from 1 to 1,000,000,000",
        "my.toml:3: pools.coders.workers.0.url: a worker of transport 'http' needs a url",
        "env POINTSMAN__POOLS__CODERS__WORKERS__0__URL: pools.coders.workers.0: "
        "a list is set as a whole: set pools.coders.workers to a TOML or JSON list",
        'env POINTSMAN__SHED__PER_SLOT: shed.per_slot: got "none", expected a whole number from 1 to 1,000,000,000',
        'flag --log-level: telemetry.log_level: got "loud", expected one of "debug", "info", "warning", "error"',
    ]


def test_a_missing_key_is_reported_at_the_table_it_is_missing_from():
    """The entry of the list has a line, the key has none."""
    path = write("[pools.planners]\n[pools.coders]\n\n[[pools.coders.workers]]\nurl = 'http://x'\n")
    assert lines(path)[0].startswith("my.toml:4: pools.coders.workers.0.id: missing, expected a name")


def test_a_mistake_about_a_default_says_so():
    """Nobody wrote the class that names a pool which the file's own pools have replaced."""
    path = write("[pools.gpu]\n")
    assert lines(path)[-1] == (
        "my.toml: classes.tactical.pool: there is no pool 'coders'; known: gpu "
        "(a default class: whoever names pools of their own names the classes too)"
    )
    path = write("[classifier]\nthreshold = 0.5\n[classes.only]\npool = 'coders'\n")
    assert lines(path) == [
        "my.toml:1: classifier.fallback_class: there is no class 'strategic'; known: only (the default)"
    ]


def test_a_mistake_in_the_environment_alone_needs_no_file():
    """The place is the variable."""
    assert lines(None, {"POINTSMAN__LIMITS__BURST": "x"}) == [
        'env POINTSMAN__LIMITS__BURST: limits.burst: got "x", expected a whole number from 1 to 1,000,000,000'
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[limits]\nburst 3\n", "my.toml:2:7: not TOML: Expected '=' after a key in a key/value pair"),
        ("a = [1,", "my.toml:end: not TOML: Invalid value"),
        ("a = 1\na = 2\n", "my.toml:2:6: not TOML: Cannot overwrite a value"),
        (b"a = 1\nb = '\xff'\n", "my.toml:2: not UTF-8, which TOML is written in"),
        ("a = " + "[" * 100_000, "my.toml: nested too deeply to be settings"),
    ],
)
def test_what_is_not_toml_is_reported_with_line_and_column(text, line):
    """One mistake: what comes after it cannot be read."""
    assert lines(write(text)) == [line]


def test_a_file_that_was_named_must_be_there():
    """Going on with defaults would be worse than not starting."""
    assert lines(Path("gone.toml")) == ["gone.toml: there is no such file; `pointsman init` writes one"]
    Path("folder").mkdir()
    assert lines(Path("folder")) == ["folder: cannot be read: Is a directory"]


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_mistake():
    """Editors write them unasked."""
    path = write(b"\xef\xbb\xbf[limits]\r\nburst = 3\r\n")
    assert load(path, environ={}).origins["limits.burst"] == "my.toml:2"


def test_no_key_of_a_file_can_forge_a_line_of_the_report():
    """A line break in a key is shown as an escape."""
    assert lines(write('[limits]\n"a\\n\\u001b[31mok" = 1\n'))[0].startswith(
        "my.toml:2: limits.a\\u000a\\u001b[31mok: unknown key"
    )


def test_loading_changes_nothing_outside_its_result():
    """The same call twice gives the same: defaults are never written to."""
    environ = {"POINTSMAN__POOLS__CODERS__BALANCER": "p2c", "POINTSMAN__CLASSES__TACTICAL__ALIAS": "['quick']"}

    def once() -> Loaded:
        return load(environ=environ)

    assert once() == once()
    assert load(environ={}).settings == Settings()
