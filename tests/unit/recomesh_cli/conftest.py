import pytest
from typer.testing import CliRunner

from meshkit.settings import ENV_PREFIX
from recomesh_cli.main import app
from tests.support.fake_mesh import FakeMesh


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch, tmp_path):
    """No setting of the developer leaks in; files land in a private folder."""
    import os

    for name in [n for n in os.environ if n.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECOMESH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recomesh():
    """Runs the command line in this process."""
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, list(arguments))


@pytest.fixture
def mesh(monkeypatch):
    fake = FakeMesh()
    for module in ("imports", "recommend", "train"):
        monkeypatch.setattr(f"recomesh_cli.commands.{module}.open_mesh", fake.open)
    monkeypatch.setattr("recomesh_cli.commands.train.POLL_S", 0.0)
    monkeypatch.setattr("recomesh_cli.commands.train.SERVED_S", 0.05)
    return fake
