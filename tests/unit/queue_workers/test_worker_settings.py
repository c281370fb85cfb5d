"""Settings of the workers that Spark would stumble over."""

import pytest

from meshkit.settings import SettingsInvalid, load
from queue_workers.settings import WorkerSettings


@pytest.mark.parametrize(
    ("variable", "wrong", "told"),
    [
        ("RECOMESH_WORKER_SPARK_MASTER", "loca[2]", "must be such as local[2] or spark://host:7077, not 'loca[2]'"),
        ("RECOMESH_WORKER_SPARK_MEMORY", "2 GB", "must be such as 900m or 2g, not '2 GB'"),
    ],
)
def test_a_wrong_setting_is_told_with_one_that_is_right(
    monkeypatch: pytest.MonkeyPatch, variable: str, wrong: str, told: str
) -> None:
    monkeypatch.setenv(variable, wrong)
    with pytest.raises(SettingsInvalid) as caught:
        load(WorkerSettings)
    assert str(caught.value) == f"{variable}: {told}"


@pytest.mark.parametrize("master", ["local", "local[*]", "local[4,2]", "yarn", "k8s://https://host:443"])
def test_masters_that_spark_knows_are_taken(monkeypatch: pytest.MonkeyPatch, master: str) -> None:
    monkeypatch.setenv("RECOMESH_WORKER_SPARK_MASTER", master)
    assert load(WorkerSettings).worker_spark_master == master
