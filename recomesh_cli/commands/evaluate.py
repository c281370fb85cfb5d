"""`recomesh evaluate`: how good are the recommendations on data held out?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshkit import logs
from meshkit.errors import InvalidArgument
from meshkit.settings import load
from recomesh_cli import console
from recomesh_cli.failures import CommandFailed
from recomesh_cli.options import AsJson

if TYPE_CHECKING:
    from queue_workers.settings import WorkerSettings
    from reco_svc.domain.evaluation.splitting import Split
    from reco_svc.evaluation import Embedding
    from reco_svc.service.evaluate import Evaluated
    from reco_svc.service.evaluation_task import EvaluationTask

TaskDir = Annotated[
    Path | None,
    typer.Argument(
        metavar="TASKDIR",
        help="Has train.csv.gz, products.csv.gz, queries.jsonl, truth.jsonl; without it your own data is split.",
    ),
]


def evaluate(
    taskdir: TaskDir = None,
    split: Annotated[
        str, typer.Option(help="Of your own data: session (the rest of a visit) or next (the next visit).")
    ] = "session",
    share: Annotated[
        float, typer.Option(min=0.01, max=0.5, help="Of your own data: share of the newest sessions asked about.")
    ] = 0.1,
    limit: Annotated[int, typer.Option(min=0, help="Questions to ask at most; 0: all.")] = 0,
    predictions: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Also write the lists of the blend, as JSON Lines.")
    ] = None,
    report: Annotated[Path | None, typer.Option(dir_okay=False, help="Also write one HTML page with plots.")] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=VALUE", help="Exit with 1 if a figure is lower, like ndcg@10=0.2; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure every source, the blend and two textbook baselines on questions whose answers are known.

    A model is trained on the past alone, on this machine, and asked through the pipeline that serves shoppers; the
    mesh's own model is not touched. Without a task folder the newest sessions of your own log are the questions.

    Example: `recomesh evaluate tasks/my_shop --report report.html --fail-under ndcg@10=0.2`
    """
    from recomesh_cli.evaluation.tables import as_json as in_json
    from recomesh_cli.evaluation.tables import for_terminal
    from recomesh_cli.evaluation.thresholds import read_thresholds

    thresholds = read_thresholds(fail_under or ())
    for path in (predictions, report):
        _check_writable(path)
    found = _evaluated(taskdir, _split(split), share, limit, quiet=as_json)
    _write(found, predictions, report)
    if as_json:
        console.write_json(in_json(found.evaluation))
    else:
        for part in for_terminal(found.evaluation):
            console.out().print(part)
        for path in (predictions, report):
            if path is not None:
                console.out().print(f"written: {console.escaped(str(path))}")
    missed = [told for threshold in thresholds if (told := threshold.missed(found.evaluation))]
    if missed:
        raise CommandFailed("\n".join(missed))


def _evaluated(taskdir: Path | None, split: Split, share: float, limit: int, *, quiet: bool) -> Evaluated:
    from queue_workers.settings import WorkerSettings
    from reco_svc.evaluation import evaluate_task

    settings = load(WorkerSettings)
    logs.configure("evaluate", level="warning")
    with console.progress(quiet=quiet) as bar:
        task = bar.add_task("read", total=1_000)
        return evaluate_task(
            _task(settings, taskdir, split, share),
            limit=limit,
            embedding=_embedding(settings),
            progress=lambda stage, done: bar.update(task, completed=round(done * 1_000), description=stage),
        )


def _task(settings: WorkerSettings, taskdir: Path | None, split: Split, share: float) -> EvaluationTask:
    from reco_svc.evaluation import task_of_folder, task_of_own_data

    return task_of_folder(taskdir) if taskdir is not None else task_of_own_data(settings, split, share=share)


def _embedding(settings: WorkerSettings) -> Embedding:
    from reco_svc.evaluation import Embedding

    return Embedding(settings.worker_embedder, settings.worker_weights)


def _split(text: str) -> Split:
    from reco_svc.domain.evaluation.splitting import Split

    try:
        return Split(text)
    except ValueError:
        raise InvalidArgument.of("--split", f"{text!r} is none of {', '.join(Split)}") from None


def _check_writable(path: Path | None) -> None:
    """Before minutes of work, not after."""
    if path is not None and not path.resolve().parent.is_dir():
        raise InvalidArgument.of(str(path), f"the folder {path.resolve().parent} does not exist")


def _write(found: Evaluated, predictions: Path | None, report: Path | None) -> None:
    from reco_svc.service.evaluate import write_predictions
    from recomesh_cli.evaluation.page import report_page

    try:
        if predictions is not None:
            write_predictions(predictions, found.queries, found.lists)
        if report is not None:
            report.write_text(report_page(found.evaluation), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{error.filename}: can not be written: {error.strerror}") from None


def by_source(quality: Mapping[str, float]) -> Mapping[str, Mapping[str, float]]:
    """ "auto/ndcg@10" → value as source → metric → value."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name, value in quality.items():
        source, _, metric = name.partition("/")
        found[source][metric] = value
    return dict(found)
