"""`recomesh keys` against a store of its own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recomesh_cli.main import app

run = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECOMESH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(*arguments: str) -> dict[str, object]:
    answer = run.invoke(app, ["keys", *arguments, "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert isinstance(found, dict)
    return found


def listed() -> list[dict[str, object]]:
    keys = made("list")["keys"]
    assert isinstance(keys, list)
    return keys


def test_a_key_is_shown_once_and_listed_without_its_secret(home: Path) -> None:
    answer = run.invoke(app, ["keys", "create", "shop-front", "--expires", "90d"])
    text = answer.stdout.strip()
    assert text.startswith("rk_")
    assert "only now" in answer.stderr
    (key,) = listed()
    assert (key["name"], key["role"], key["state"]) == ("shop-front", "shop", "live")
    assert text[16:] not in json.dumps(key)
    for file in home.iterdir():
        assert text[16:52].encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0, file


def test_rotating_and_revoking(home: Path) -> None:
    first = made("create", "shop", "--role", "merchandiser", "--scope", "products:write")
    second = made("rotate", str(first["key_id"]), "--grace", "0s")
    assert (second["role"], second["scopes"]) == ("merchandiser", ["products:write"])
    made("revoke", str(second["key_id"]))
    assert [key["state"] for key in listed()] == ["expired", "revoked"]


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["create", "Shop One"], "name: must be", 2),
        (["create", "shop", "--expires", "soon"], "--expires: must be", 2),
        (["create", "shop", "--scope", "models:write"], "does not have models:write", 2),
        (["rotate", "nothing"], "does not exist", 1),
        (["revoke", "nothing"], "does not exist", 1),
    ],
)
def test_what_went_wrong_is_said_in_one_line(arguments: list[str], says: str, code: int) -> None:
    answer = run.invoke(app, ["keys", *arguments])
    assert says in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert answer.exit_code == code
