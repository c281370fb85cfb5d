"""`recomesh up` over one fake process, for tests of supervision. Run with -m; takes its port from FAKE_PORT."""

import os

import typer

from meshkit.settings import MeshSettings
from recomesh_cli.commands import up
from recomesh_cli.failures import TellingGroup
from recomesh_cli.mesh.processes import MeshProcess


class FakeSettings(MeshSettings):
    """The port of the fake stands where /readyz is asked."""

    fake_port: int = int(os.environ["FAKE_PORT"])


FAKE = MeshProcess("fake", "tests.support.fake_process", ("fake_port",), "fake_port", 0, "green", hang_s=2.0)


def main() -> None:
    up.check_settings = lambda: None  # type: ignore[assignment]
    up.MeshSettings = FakeSettings  # type: ignore[misc]
    up.PROCESSES = (FAKE,)  # type: ignore[assignment]
    app = typer.Typer(cls=TellingGroup)
    app.command()(up.up)
    app.callback()(lambda: None)
    app(["up", "--no-demo"])


if __name__ == "__main__":
    main()
