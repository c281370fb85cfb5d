import pytest

from meshkit.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    RecomeshError,
    SettingsInvalid,
    Unavailable,
)
from recomesh_cli.failures import exit_code, told

COMMANDS = (
    ["up"],
    ["status"],
    ["config"],
    ["import", "products"],
    ["import", "events"],
    ["train"],
    ["recommend"],
    ["similar"],
    ["evaluate"],
    ["doctor"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_and_json(recomesh, command):
    answer = recomesh(*command, "--help")
    assert answer.exit_code == 0
    assert "Example" in answer.output
    assert "--json" in answer.output


def test_the_help_lists_every_command(recomesh):
    answer = recomesh("--help")
    assert answer.exit_code == 0
    assert all(command[0] in answer.output for command in COMMANDS)


def test_the_version_is_told(recomesh):
    assert recomesh("--version").output.startswith("recomesh 0.")


def test_an_unknown_command_or_option_is_a_misuse(recomesh):
    assert recomesh("dance").exit_code == 2
    assert recomesh("status", "--loud").exit_code == 2


def test_a_wrong_setting_is_a_misuse_and_names_its_variable(recomesh, monkeypatch):
    monkeypatch.setenv("RECOMESH_EDGE_PORT", "many")
    answer = recomesh("similar", "a")
    assert answer.exit_code == 2
    assert "RECOMESH_EDGE_PORT" in answer.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("catalog"), 1),
        (Unavailable("queue"), 1),
        (DeadlineExceeded("too late"), 1),
        (NotFound("model", "m9"), 1),
        (FailedPrecondition("not now"), 1),
        (RecomeshError("reco failed"), 1),
        (InvalidArgument.of("filter", "column 3: no"), 2),
        (SettingsInvalid("RECOMESH_X: unknown"), 2),
    ],
)
def test_every_error_is_one_line_with_an_exit_code(error, code):
    assert exit_code(error) == code
    assert told(error)
    assert "\n" not in told(error)
