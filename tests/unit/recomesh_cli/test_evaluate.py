import json

import pytest

from meshkit.errors import FailedPrecondition
from reco_svc.domain.evaluation.splitting import Split
from reco_svc.service.evaluate import Evaluated
from reco_svc.service.evaluation_task import TaskQuery
from recomesh_cli.commands import evaluate as module
from tests.support.evaluations import made_evaluation


@pytest.fixture
def asked(monkeypatch):
    """What the command asks of the composition root, which answers with a made evaluation."""
    seen = {}

    def evaluate_task(task, **how):
        seen.update(how, task=task)
        how["progress"]("ask auto", 0.5)
        return Evaluated(made_evaluation(), [TaskQuery("q1", ("a",), ())], [["b", "c"]])

    def own(settings, split, *, share):
        return split, share

    monkeypatch.setattr("reco_svc.evaluation.evaluate_task", evaluate_task)
    monkeypatch.setattr("reco_svc.evaluation.task_of_folder", lambda folder: folder.name)
    monkeypatch.setattr("reco_svc.evaluation.task_of_own_data", own)
    monkeypatch.setattr(module.logs, "configure", lambda *args, **how: None)
    return seen


def test_a_task_gives_a_table_and_says_what_it_means(recomesh, asked):
    answer = recomesh("evaluate", "my_task", "--limit", "50")
    assert answer.exit_code == 0, answer.output
    first_words = [line.split("  ")[0] for line in answer.stdout.splitlines()]
    assert [word for word in first_words if word in ("auto", "session", "baseline: item-kNN")] == [
        "auto",
        "session",
        "baseline: item-kNN",
    ]
    assert "auto is better than baseline: item-kNN by 50%" in answer.stdout
    assert (asked["task"], asked["limit"]) == ("my_task", 50)


def test_json_has_figures_with_their_intervals_and_verdicts(recomesh, asked):
    told = json.loads(recomesh("evaluate", "my_task", "--json").stdout)
    auto = told["systems"]["auto"]
    assert auto["metrics"]["ndcg@10"] == {"value": 0.3, "low": 0.28, "high": 0.32}
    assert auto["against_best_baseline"]["ndcg@10"]["verdict"] == "better"
    assert told["against_best_source"]["ndcg@10"]["verdict"] == "too small to tell"
    assert told["hits_by_source"] == {"session": 0.7, "popular": 0.3}


def test_predictions_and_report_are_written(recomesh, asked, tmp_path):
    answer = recomesh("evaluate", "my_task", "--predictions", "lists.jsonl", "--report", "report.html")
    assert answer.exit_code == 0, answer.output
    assert json.loads((tmp_path / "lists.jsonl").read_text()) == {"query_id": "q1", "items": ["b", "c"]}
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_without_a_task_the_own_data_is_split(recomesh, asked):
    assert recomesh("evaluate", "--split", "next", "--share", "0.2").exit_code == 0
    assert asked["task"] == (Split.NEXT, 0.2)


def test_a_figure_below_its_threshold_fails_the_command_with_one_line_each(recomesh, asked):
    answer = recomesh("evaluate", "my_task", "--fail-under", "ndcg@10=0.4", "--fail-under", "session/hr@10=0.9")
    assert answer.exit_code == 1
    assert answer.stderr.splitlines() == [
        "recomesh: auto/ndcg@10 is 0.3000, below 0.4",
        "recomesh: session/hr@10 is 0.2500, below 0.9",
    ]
    assert recomesh("evaluate", "my_task", "--fail-under", "ndcg@10=0.3").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--split", "weekly"), "is none of session, next"),
        (("--fail-under", "ndcg"), "must be like ndcg@10=0.2"),
        (("--fail-under", "map=0.2"), "there are recall@20"),
        (("--report", "nowhere/report.html"), "does not exist"),
        (("--share", "0.9"), "0.5"),
    ],
)
def test_a_misuse_is_told_before_any_work(recomesh, asked, arguments, told):
    answer = recomesh("evaluate", "my_task", *arguments)
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert not asked


def test_a_folder_that_is_not_there_is_told(recomesh, monkeypatch):
    monkeypatch.setattr(module.logs, "configure", lambda *args, **how: None)
    answer = recomesh("evaluate", "nowhere")
    assert answer.exit_code == 2
    assert "recomesh: nowhere: is no folder" in answer.stderr


def test_too_little_data_is_told(recomesh, asked, monkeypatch):
    def own(settings, split, *, share):
        raise FailedPrecondition("the newest sessions of 3 events give 0 questions")

    monkeypatch.setattr("reco_svc.evaluation.task_of_own_data", own)
    answer = recomesh("evaluate")
    assert answer.exit_code == 1
    assert "recomesh: the newest sessions of 3 events give 0 questions" in answer.stderr
