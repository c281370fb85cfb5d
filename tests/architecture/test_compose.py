"""The compose files in deploy/ are whole: pinned images, health checks, settings that exist and are valid."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from meshkit.settings import ENV_PREFIX, load
from recomesh_cli.all_settings import known_names, settings_classes

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = ("compose.yaml", "compose.servers.yaml")
PINNED = re.compile(r"\S+:\d+\.\d+(\.\d+)?(-[a-z]+)*")
SCHEMES = {"CATALOG": "mongodb", "DATABASE": "postgresql", "KEYS": "postgresql", "CACHE": "redis", "BROKER": "amqp"}


def _services(*names: str) -> dict[str, dict[str, Any]]:
    """The services of files laid over each other, with a password for every variable that has none."""
    merged: dict[str, dict[str, Any]] = {}
    for name in names:
        text = re.sub(r"\$\{\w+:\?[^}]*\}", "pa55word", (DEPLOY / name).read_text())
        for service, given in yaml.safe_load(text)["services"].items():
            before = merged.setdefault(service, {})
            environment = {**before.get("environment", {}), **given.get("environment", {})}
            before.update(given, environment=environment)
    return merged


def _dockerfile_environment() -> Mapping[str, str]:
    words = re.findall(r"(RECOMESH_\w+)=(\S+)", (DEPLOY / "Dockerfile").read_text())
    return dict(words)


SERVICES = _services(*FILES)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_pinned_image_and_a_health_check(name: str) -> None:
    service = SERVICES[name]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    image = service.get("image") or re.findall(r"^FROM (\S+)$", dockerfile, re.M)[0]
    assert PINNED.fullmatch(image), f"{image} may be another one tomorrow"
    assert service["healthcheck"]["test"] if "image" in service else "\nHEALTHCHECK " in dockerfile
    for other, how in service.get("depends_on", {}).items():
        assert SERVICES[other]["healthcheck"]
        assert how == {"condition": "service_healthy"}


def test_every_setting_of_the_mesh_exists_and_is_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    given = {**_dockerfile_environment(), **SERVICES["recomesh"]["environment"]}
    assert {name.removeprefix(ENV_PREFIX).lower() for name in given} <= known_names()
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    for cls in settings_classes().values():
        load(cls, known=known_names())


def test_the_mesh_finds_each_server_where_compose_puts_it() -> None:
    environment = SERVICES["recomesh"]["environment"]
    for name, scheme in SCHEMES.items():
        url = urlsplit(environment[f"{ENV_PREFIX}{name}_URL"])
        assert url.scheme == scheme
        assert url.hostname in SERVICES["recomesh"]["depends_on"]
        assert url.password == "pa55word"


def test_no_server_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "image" in service and service.get("ports")] == []
    outside = [port for port in SERVICES["recomesh"]["ports"] if not port.startswith("127.0.0.1:")]
    assert outside == ["8080:8080"]


def test_every_volume_that_is_used_is_declared() -> None:
    declared = {v for name in FILES for v in yaml.safe_load((DEPLOY / name).read_text())["volumes"]}
    used = {v.partition(":")[0] for service in SERVICES.values() for v in service.get("volumes", ())}
    assert used == declared
