"""Compose, container, unit and settings below deploy/: every path they name is there, and their own tools agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml  # type: ignore[import-untyped]

from pointsman.config.load import load
from pointsman.model.settings import Settings
from tests.deploy.instruments import needs_instruments, promtool

DEPLOY = Path(__file__).parents[2] / "deploy"
STATE = "/var/lib/pointsman/"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def settings_that_name_files(values: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Keys whose default is a file below `var`."""
    if isinstance(values, dict):
        return {found for key, inner in values.items() for found in settings_that_name_files(inner, (*path, key))}
    return {path} if isinstance(values, str) and values.startswith("var/") else set()


def look_up(values: Any, path: tuple[str, ...]) -> Any:
    """The value of a key, or None."""
    for key in path:
        values = values.get(key, {})
    return values or None


@pytest.mark.parametrize("path", sorted([*DEPLOY.rglob("*.yml"), *DEPLOY.rglob("*.yaml")]), ids=lambda path: path.name)
def test_every_yaml_file_parses(path):
    """By a parser that is not ours."""
    assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)


def test_compose_mounts_files_that_are_there():
    """Each bind mount and build file, from the directory of compose.yaml."""
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"
        if build := service.get("build"):
            assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()


def test_what_is_configured_is_what_is_mounted():
    """Each file that a command line or a configuration names inside a container is mounted there."""
    inside = {
        name: [volume.split(":")[1] for volume in service.get("volumes", [])]
        for name, service in COMPOSE["services"].items()
    }
    for name in ("prometheus", "alertmanager"):
        named = re.search(r"--config\.file=(\S+)", " ".join(COMPOSE["services"][name]["command"]))
        assert named is not None
        assert named[1].strip(",]") in inside[name]
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    assert set(config["rule_files"]) <= set(inside["prometheus"])
    (scrape,) = config["scrape_configs"]
    assert Path(scrape["authorization"]["credentials_file"]).parent.as_posix() in inside["prometheus"]
    assert scrape["static_configs"] == [{"targets": ["router:8080"]}]
    assert scrape["authorization"]["credentials_file"] in COMPOSE["services"]["keys"]["command"][0]
    boards = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/pointsman.yml").read_text("utf-8"))
    assert boards["providers"][0]["options"]["path"] in inside["grafana"]


def test_services_name_each_other_rightly():
    """Addresses in configurations are names of services, and ports stay on this machine."""
    services = COMPOSE["services"]
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    targets = [source["datasources"][0]["url"].removeprefix("http://")]
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    targets += config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    targets += config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert {target.split(":")[0] for target in targets} <= set(services)
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_job_has_the_name_that_alerts_and_boards_know():
    """`PointsmanDown` asks for it by name."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    assert [job["job_name"] for job in config["scrape_configs"]] == ["pointsman"]
    assert 'up{job=\\"pointsman\\"}' in (DEPLOY / "prometheus/rules.yml").read_text("utf-8")


def test_the_settings_are_valid_and_write_only_to_the_state_directory():
    """Everything else is read-only to the router, in the container and under systemd."""
    file = DEPLOY / "pointsman.toml"
    given = tomllib.loads(file.read_text("utf-8"))
    files = settings_that_name_files(msgspec.to_builtins(Settings()))
    assert len(files) >= 6
    for key in files:
        assert str(look_up(given, key)).startswith(STATE), f"{'.'.join(key)} is not below {STATE}"
    assert load(file, environ={}).settings.server.listen.startswith("127.0.0.1:")


def test_the_image_copies_what_is_there_and_runs_without_rights():
    """Two stages, no root, a health check on /readyz, and nothing hidden from its build that it copies."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()
    copied = [words[1:-1] for words in map(str.split, text.splitlines()) if words[:1] == ["COPY"]]
    sources = {source for words in copied if not words[0].startswith("--from") for source in words}
    for source in sources:
        assert (DEPLOY.parent / source).exists(), source
        assert f"!{source}" in ignored, source
    assert text.count("\nFROM ") + text.startswith("FROM ") == 2
    assert int(re.findall(r"^USER (\d+)$", text, re.MULTILINE)[-1]) > 0
    assert "/readyz" in text
    assert "--require-hashes" in text
    command = json.loads(re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)[-1])
    done = subprocess.run(
        [sys.executable, "-m", "pointsman", *command, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there on this machine."""
    text = (DEPLOY / "pointsman.service").read_text("utf-8")
    there = tmp_path / "pointsman.service"
    there.write_text(text.replace("/opt/pointsman/bin/pointsman", sys.executable), "utf-8")
    return there


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze not present")
def test_systemd_understands_the_unit_and_finds_it_tight(unit):
    """No complaint, and an exposure of 2 of 10 at most."""
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)], capture_output=True, check=False
    )
    assert judged.returncode == 0


def test_the_unit_reloads_stops_in_time_and_is_not_root():
    """SIGHUP reloads; what is in hand may end before it is killed."""
    text = (DEPLOY / "pointsman.service").read_text("utf-8")
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert values["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert values["KillSignal"] == "SIGTERM"
    assert values["User"] == "pointsman"
    assert int(values["TimeoutStopSec"]) > Settings().server.drain_s
    assert f"/var/lib/{values['StateDirectory']}/" == STATE


@needs_instruments
def test_prometheus_and_alertmanager_take_their_configurations(tmp_path: Path):
    """By their own checkers, with the paths of this machine in the place of those inside the containers."""
    key = tmp_path / "key"
    key.write_text("k", "utf-8")
    text = (DEPLOY / "prometheus/prometheus.yml").read_text("utf-8")
    text = text.replace("/etc/prometheus/rules.yml", str(DEPLOY / "prometheus/rules.yml"))
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace("/run/scrape-key/prometheus", str(key)), "utf-8")
    code, said = promtool("check", "config", str(config))
    assert code == 0, said
    done = subprocess.run(
        ["amtool", "check-config", str(DEPLOY / "alertmanager/alertmanager.yml")], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
