"""What settings of a rollout cannot mean is said before anything starts, each with its key."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.consistency import contradictions
from pointsman.core.rollout_rules import check_rollout
from pointsman.model.settings import Secret, Settings, TlsSettings
from pointsman.model.settings_operations import GuardSettings, RolloutSettings


def mistakes(**fields: Any) -> dict[str, str]:
    """Return the mistakes in settings of a rollout, by key."""
    return dict(check_rollout(Settings(rollout=RolloutSettings(**fields))))


def test_the_defaults_and_a_rollout_with_everything_are_fine():
    """An address with a path and a port, a key and a certificate."""
    assert mistakes() == {}
    fields = {
        "legacy": "https://old.example:8443/base",
        "legacy_auth": Secret(env="OLD_KEY"),
        "legacy_tls": TlsSettings(),
        "stages": [0.0001, 0.5, 0.9999],
        "exclude_paths": ["/v1/embeddings", "/admin/*", "/*"],
        "guard": GuardSettings(window=5, min_messages=5, min_clients=5),
    }
    assert mistakes(**fields) == {}
    assert mistakes(legacy_tls=TlsSettings()) == mistakes(legacy="http://old", legacy_tls=TlsSettings()) == {}


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({"stages": []}, "rollout.stages", "is empty"),
        ({"stages": [0.5, 0.25]}, "rollout.stages.1", "got 0.25 after 0.5"),
        ({"stages": [0.5, 0.5]}, "rollout.stages.1", "more than the one before it"),
        ({"stages": [0.0, 0.5]}, "rollout.stages.0", "got 0"),
        ({"stages": [0.5, 1.0]}, "rollout.stages.1", "the stage `full`"),
        ({"stages": [0.00001]}, "rollout.stages.0", "expected at least 0.0001"),
        ({"guard": GuardSettings(window=299)}, "rollout.guard.window", "nothing is judged"),
        ({"guard": GuardSettings(min_messages=2)}, "rollout.guard.min_clients", "could never come from so many"),
        ({"legacy": "ftp://old"}, "rollout.legacy", "expected http:// or https://"),
        ({"legacy": "old:8080"}, "rollout.legacy", "expected http:// or https://"),
        ({"legacy": "https:///path"}, "rollout.legacy", "and a host"),
        ({"legacy": "http://old/?a=b"}, "rollout.legacy", "base URL"),
        ({"legacy": "http://old", "legacy_tls": TlsSettings(ca_file="ca.pem")}, "rollout.legacy_tls", "no certificate"),
        ({"legacy": "http://old", "legacy_auth": Secret()}, "rollout.legacy_auth", "exactly one"),
        ({"legacy_auth": Secret(env="A")}, "rollout.legacy_auth", "no rollout.legacy"),
        ({"legacy_tls": TlsSettings(ca_file="ca.pem")}, "rollout.legacy_tls", "no rollout.legacy"),
        ({"record": "a", "kill_file": "a"}, "rollout.kill_file", "always exists"),
        ({"exclude_paths": ["admin"]}, "rollout.exclude_paths.0", "begins with `/`"),
        ({"exclude_paths": ["/", "/a*b"]}, "rollout.exclude_paths.1", "at its end"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_key(fields, key, words):
    """Nothing else is said of it."""
    found = mistakes(**fields)
    assert list(found) == [key]
    assert words in found[key]


@pytest.mark.parametrize("url", ["https://lena:s3cret@old", "ftp://lena:s3cret@old"])
def test_a_password_in_an_address_is_refused_and_not_shown(url):
    """It would stand in logs and answers."""
    found = mistakes(legacy=url)
    assert list(found) == ["rollout.legacy"]
    assert "s3cret" not in found["rollout.legacy"]


def test_whoever_takes_settings_in_is_told():
    """With everything else that is wrong."""
    assert ("rollout.stages.1", mistakes(stages=[0.5, 0.5])["rollout.stages.1"]) in contradictions(
        Settings(rollout=RolloutSettings(stages=[0.5, 0.5]))
    )
