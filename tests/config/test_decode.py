from __future__ import annotations

import tomllib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.decode import decode
from pointsman.config.shape import walk
from pointsman.core.settings_check import check
from pointsman.model.settings import Secret, Settings


def mistakes(text: str) -> dict[str, str]:
    """Mistakes by key."""
    return {mistake.key: mistake.text for mistake in decode(tomllib.loads(text))[1]}


def decoded(text: str) -> Settings:
    """The settings of a text without mistakes."""
    settings, found = decode(tomllib.loads(text))
    assert found == []
    return settings


def test_nothing_decodes_to_the_defaults():
    """An empty file is a good file."""
    assert decoded("") == Settings()


def test_the_whole_tree_decodes_as_msgspec_decodes_it():
    """On good data the walk and `msgspec.convert` agree, to the last type."""
    data = {
        "limits": {"burst": 3, "flood_leak_s": 2},
        "pools": {
            "a": {
                "workers": [{"id": "w", "url": "http://x", "auth": {"env": "T"}, "weight": 2}],
                "retry": {"base_s": 1},
            },
            "b": {"timeout_s": 5},
        },
        "classes": {"strategic": {"pool": "a", "fallback": ["b"], "cost": 2}},
        "classifier": {"rules": [{"phrase": "x", "message_class": "strategic", "force": True}]},
    }
    settings, found = decode(data)
    assert found == []
    assert settings == msgspec.convert(data, Settings)
    assert repr(settings) == repr(msgspec.convert(data, Settings))


def test_a_file_that_names_classes_or_pools_has_only_those():
    """The default tables go; keys of other sections keep their defaults."""
    settings = decoded('[classes.strategic]\npool = "gpu"\n[pools.gpu]\n[limits]\nburst = 3\n')
    assert list(settings.classes) == ["strategic"]
    assert list(settings.pools) == ["gpu"]
    assert settings.limits.rate_per_min == Settings().limits.rate_per_min


def test_every_mistake_is_found_not_only_the_first():
    """Kinds, ranges, closed sets, unknown and missing keys, and references, in one go."""
    found = mistakes("""
        [limits]
        burst = 0
        rate_per_min = "ten"
        bust = 1
        [pools.coders]
        balancer = "fastest"
        [classes.tactical]
        fallback = ["nowhere"]
        [classifier]
        fallback_class = "tactical"
        pin_s = true
    """)
    assert found == {
        "limits.burst": "got 0, expected a whole number from 1 to 1,000,000,000",
        "limits.rate_per_min": 'got "ten", expected a whole number from 1 to 1,000,000,000',
        "limits.bust": "unknown key; did you mean burst?",
        "pools.coders.balancer": ('got "fastest", expected one of "adaptive", "p2c", "least_loaded", "round_robin"'),
        "classes.tactical.pool": (
            'missing, expected a name: a letter or digit, then at most 63 letters, digits, ".", "_" or "-"'
        ),
        "classes.tactical.fallback": "there is no pool 'nowhere'; known: coders",
        "classifier.pin_s": "got true, expected a number above 0 and at most 2,592,000",
    }


@pytest.mark.parametrize(
    ("text", "key", "end"),
    [
        ("[limits]\nrate-per-min = 1", "limits.rate-per-min", "did you mean rate_per_min?"),
        ("[limits]\nthreshold = 1", "limits.threshold", "did you mean classes.*.threshold or classifier.threshold?"),
        ("[limit]\nburst = 1", "limit", "did you mean limits?"),
        ("[breaker]\nfailures = 1", "breaker", "did you mean pools.*.breaker?"),
        ("[shed]\nxyz = 1", "shed.xyz", "known here: wait_share, per_slot"),
        ('[pools.a]\nbalancer = "p2"', "pools.a.balancer", 'did you mean "p2c"?'),
    ],
)
def test_a_key_or_word_that_is_nearly_right_gets_a_suggestion(text, key, end):
    """Spelt alike here first, the same key elsewhere second, the keys there are last."""
    assert mistakes(text)[key].endswith(end)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("limits = 3", "limits"),
        ("pools = []", "pools"),
        ("pools.a = 3", "pools.a"),
        ("pools.a.workers = {}", "pools.a.workers"),
        ("pools.a.workers = [3]", "pools.a.workers.0"),
        ("classes.a.pool = 'a'\nclasses.a.alias = ['ok', 3]", "classes.a.alias.1"),
        ("classes.a.pool = ['a']", "classes.a.pool"),
    ],
)
def test_a_wrong_kind_is_reported_at_its_own_key(text, key):
    """A table where a list belongs, and the like, at any depth."""
    assert "expected" in mistakes(text)[key]


def test_a_wrong_value_causes_no_second_mistake_elsewhere():
    """The pool with a wrong key still exists for the class that names it, and so on."""
    found = mistakes("""
        [pools.a]
        timeout_s = -1
        [[pools.a.workers]]
        id = 1
        [[pools.a.workers]]
        id = 2
        [classes.strategic]
        pool = "a"
        [classes.tactical]
        pool = 7
        [[classifier.rules]]
        phrase = "x"
        message_class = 3
    """)
    assert sorted(found) == [
        "classes.tactical.pool",
        "classifier.rules.0.message_class",
        "pools.a.timeout_s",
        "pools.a.workers.0.id",
        "pools.a.workers.0.url",
        "pools.a.workers.1.id",
        "pools.a.workers.1.url",
    ]


def test_a_key_that_is_wrong_is_reported_once():
    """Not a second time because its default names a class that this file does not have."""
    data = tomllib.loads("[classes.a]\npool = 'coders'\n[classifier]\nfallback_class = 5\n")
    assert [mistake.key for mistake in decode(data)[1]] == ["classifier.fallback_class"]


def test_names_of_pools_and_classes_have_a_form():
    """They become labels and parts of addresses."""
    assert 'got "two words"' in mistakes('[pools."two words"]')["pools.two words"]


@pytest.mark.parametrize(
    "auth",
    [
        '"sk-s3cret"',
        '["sk-s3cret"]',
        '{ env = "sk-s3cret" }',
        '{ env = ["sk-s3cret"] }',
        '{ value = "sk-s3cret" }',
        "{ file = { sk-s3cret = 1 } }",
        "{ env = 5333223 }",
        '"passthrough-s3cret"',
    ],
)
def test_what_stands_in_the_place_of_a_secret_is_never_shown(auth):
    """Whoever wrote the secret itself into the file must not find it in the log as well."""
    found = mistakes(f"[[pools.coders.workers]]\nid = 'a'\nurl = 'http://x'\nauth = {auth}\n")
    assert any(key.startswith("pools.coders.workers.0.auth") for key in found)
    assert "s3cret" not in " ".join(found.values())
    assert "5333223" not in " ".join(found.values())


def test_a_secret_by_variable_or_file_decodes():
    """Both forms, as table or with dotted keys."""
    settings = decoded(
        "[classes.strategic]\npool='a'\n[pools.a]\n[[pools.a.workers]]\nid='a'\nurl='http://x'\nauth.env='TOKEN'\n"
        "[[pools.a.workers]]\nid='b'\nurl='http://x'\nauth={file='t'}\n"
    )
    assert [worker.auth for worker in settings.pools["a"].workers] == [Secret(env="TOKEN"), Secret(file="t")]


def test_a_word_may_stand_in_the_place_of_a_secret():
    """`passthrough`, exactly so; whatever else stands there may be the secret itself."""
    worker = (
        "[classes.strategic]\npool='a'\n[pools.a]\n"
        "[[pools.a.workers]]\nid='a'\ntransport='openai'\nurl='http://x'\nmodel='m'\nauth="
    )
    assert decoded(worker + "'passthrough'\n").pools["a"].workers[0].auth == "passthrough"
    wrong = mistakes(worker + "'Passthrough'\n")["pools.a.workers.0.auth"]
    assert wrong.endswith('expected { env = "NAME" } or { file = "PATH" } or "passthrough"')


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)
PATHS = sorted({path for path, _ in walk()})


@given(st.lists(st.tuples(st.sampled_from(PATHS), JUNK), max_size=6))
def test_any_data_gives_settings_or_mistakes_and_never_an_exception(junk):
    """Junk anywhere in the tree: no mistake means that the settings are valid and pass the cross checks."""
    data: dict[str, Any] = {}
    for path, value in junk:
        place = data
        for step in path[:-1]:
            place = place.setdefault("x" if step == "*" else step, {})
            if not isinstance(place, dict):
                break
        else:
            place["x" if path[-1] == "*" else path[-1]] = value
    settings, found = decode(data)
    assert isinstance(settings, Settings)
    if not found:
        assert check(settings) == []
        assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings
