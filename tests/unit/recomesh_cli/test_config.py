import json
from pathlib import Path

from meshkit.settings import ROOT, MeshSettings
from recomesh_cli.all_settings import settings_classes
from recomesh_cli.commands.config import reference


def test_values_are_shown_with_their_source_and_secrets_are_masked(recomesh, monkeypatch, tmp_path):
    monkeypatch.setenv("RECOMESH_ADMIN_PASSWORD", "hunter2")
    monkeypatch.setenv("RECOMESH_DATABASE_URL", "postgresql://u:hunter3@h/db")
    Path(".env").write_text("RECOMESH_EDGE_PORT=9001\n")
    answer = recomesh("config", "--json")
    rows = {row["variable"]: row for row in json.loads(answer.stdout)}
    assert rows["RECOMESH_ADMIN_PASSWORD"] == {
        "variable": "RECOMESH_ADMIN_PASSWORD",
        "value": "***",
        "source": "environment",
    }
    assert rows["RECOMESH_DATABASE_URL"]["value"] == "postgresql://u:***@h/db"
    assert rows["RECOMESH_EDGE_PORT"]["source"] == ".env"
    assert rows["RECOMESH_DRAIN_S"]["source"] == "default"
    assert "hunter" not in answer.output
    assert "RECOMESH_EDGE_PORT" in recomesh("config").output


def test_settings_of_every_process_are_shown(recomesh):
    shown = {row["variable"] for row in json.loads(recomesh("config", "--json").stdout)}
    fields = {name for cls in settings_classes().values() for name in cls.model_fields}
    assert shown == {f"RECOMESH_{name.upper()}" for name in fields}


def test_an_unknown_or_malformed_variable_of_any_process_is_told_once(recomesh, monkeypatch):
    monkeypatch.setenv("RECOMESH_EDGE_PROT", "1")
    monkeypatch.setenv("RECOMESH_DRAIN_S", "long")
    answer = recomesh("config")
    assert answer.exit_code == 2
    assert answer.stderr.count("RECOMESH_EDGE_PROT") == 1
    assert answer.stderr.count("RECOMESH_DRAIN_S") == 1


def test_the_configuration_reference_in_docs_is_up_to_date(recomesh):
    page = (ROOT / "docs/configuration.md").read_text()
    assert page == reference(), "run `make docs`"
    assert recomesh("config", "--markdown").stdout == page


def test_the_reference_names_every_setting_and_no_path_of_this_machine():
    page = reference()
    assert all(f"`RECOMESH_{name.upper()}`" in page for name in MeshSettings.model_fields)
    assert str(ROOT) not in page
