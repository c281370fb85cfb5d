"""The alert rules in deploy/ are valid, fire when they should, and name metrics that exist."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import meshkit.metrics  # noqa: F401  (registers the metrics)

FOLDER = Path(__file__).resolve().parents[2] / "deploy/prometheus"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None and not os.environ.get("TESTS_REQUIRE_SERVERS"), reason="promtool (Debian: prometheus) is missing"
)


def promtool(*arguments: str) -> None:
    assert PROMTOOL, "promtool is missing; `make system` installs it"
    done = subprocess.run([PROMTOOL, *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("test", sorted(FOLDER.glob("*.test.yml")), ids=lambda path: path.name)
def test_rules_fire_when_they_should(test: Path) -> None:
    assert PROMTOOL, "promtool is missing; `make system` installs it"
    done = subprocess.run(
        [PROMTOOL, "test", "rules", test.name], cwd=FOLDER, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("rules", sorted(FOLDER.glob("*.rules.yml")), ids=lambda path: path.name)
def test_every_rule_is_valid_and_has_a_test(rules: Path) -> None:
    assert PROMTOOL, "promtool is missing; `make system` installs it"
    done = subprocess.run(
        [PROMTOOL, "check", "rules", rules.name], cwd=FOLDER, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tried = rules.with_name(rules.name.replace(".rules.", ".test.")).read_text()
    assert [a for a in re.findall(r"alert: (\w+)", rules.read_text()) if f"alertname: {a}" not in tried] == []


def test_security_rules_name_metrics_that_exist() -> None:
    known = {name for metric in REGISTRY.collect() for name in (metric.name, f"{metric.name}_total")}
    named = set(re.findall(r"recomesh_\w+", (FOLDER / "security.rules.yml").read_text()))
    assert named - known == set()
