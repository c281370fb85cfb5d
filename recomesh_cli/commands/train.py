"""`recomesh train`: build and activate a model."""

from __future__ import annotations

import contextlib
import time
from typing import Annotated, Any

import typer
from recomesh.reco.v1 import reco_pb2, reco_service_pb2

from meshkit import logs
from meshkit.errors import FailedPrecondition, InvalidArgument, RecomeshError, Unavailable
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.commands.evaluate import by_source
from recomesh_cli.failures import CommandFailed
from recomesh_cli.mesh_client import MeshClient, ask, open_mesh
from recomesh_cli.options import AsJson

POLL_S = 0.25
SERVED_S = 30.0  # replicas look for a new model twice a second; a busy machine loads it in its own time
PATIENCE_S = 60.0  # reco may restart while a worker trains


def train(
    force: Annotated[bool, typer.Option(help="Activate the model even if its quality fell.")] = False,
    note: Annotated[str, typer.Option(help="For the log: who asks and why.")] = "recomesh train",
    engine: Annotated[
        str, typer.Option(help="Train in this process instead of a worker: local, or spark for logs past its memory.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Train a model from the catalog and the interactions, and activate it.

    Example: `recomesh train --note "after the spring import"`
    """
    with open_mesh(load(MeshSettings)) as mesh:
        if engine:
            run_id = train_here(engine, note=note[:200], force=force, quiet=as_json)
            run = _poll(mesh, run_id)
            if run.state == reco_pb2.TRAINING_STATE_SUCCEEDED:
                _wait_until_served(mesh, run.model_version)
        else:
            run = follow_training(mesh, note=note[:200], force=force, quiet=as_json)
        model = None
        if run.model_version:
            request = reco_service_pb2.GetModelRequest(version=run.model_version)
            model = ask(mesh.models.GetModel, request, "reco").model
    if as_json:
        console.write_json(_as_dict(run, model))
    elif run.state == reco_pb2.TRAINING_STATE_SUCCEEDED:
        _show(run, model)
    if run.state == reco_pb2.TRAINING_STATE_FAILED:
        raise CommandFailed(f"training failed: {run.message or 'the workers say no more'}")


def follow_training(mesh: MeshClient, *, note: str, force: bool, quiet: bool) -> reco_pb2.TrainingRun:
    """Asks for a run and waits for its end, with a progress bar; the run goes on in the workers if this is cut off."""
    request = reco_service_pb2.TrainModelRequest(note=note, force=force)
    run: reco_pb2.TrainingRun = ask(mesh.models.TrainModel, request, "reco").run
    with console.progress(quiet=quiet) as bar:
        task = bar.add_task("training", total=100)
        while run.state in (reco_pb2.TRAINING_STATE_QUEUED, reco_pb2.TRAINING_STATE_RUNNING):
            waiting = (
                "waits for a worker (`recomesh status` shows them)"
                if run.state == reco_pb2.TRAINING_STATE_QUEUED
                else run.stage
            )
            bar.update(task, completed=round(run.progress * 100), description=waiting or "training")
            time.sleep(POLL_S)
            run = _poll(mesh, run.run_id)
        if run.state == reco_pb2.TRAINING_STATE_SUCCEEDED:
            bar.update(task, completed=100, description="reco takes the model up")
            _wait_until_served(mesh, run.model_version)
    return run


def train_here(engine: str, *, note: str, force: bool, quiet: bool) -> str:
    """Carries out a run in this process; returns its id. FailedPrecondition: ENGINE_MISSING, or TRAINING_UNDER_WAY."""
    from queue_workers.settings import WorkerSettings
    from queue_workers.training import training_here

    if engine not in ("local", "spark"):
        raise InvalidArgument.of("--engine", f"{engine!r} is none of local, spark")
    logs.configure("train", level="warning")
    with console.progress(quiet=quiet) as bar:
        task = bar.add_task("training", total=100)

        def told(stage: str, share: float) -> None:
            bar.update(task, completed=round(share * 100), description=stage)

        with training_here(load(WorkerSettings), engine, told) as (registry, carry_out):  # type: ignore[arg-type]
            run, new = registry.start_run(note, force)
            if not new:
                raise FailedPrecondition(f"run {run.run_id} is under way", reason="TRAINING_UNDER_WAY")
            carry_out(run.run_id)
            return run.run_id


def _wait_until_served(mesh: MeshClient, version: str) -> None:
    """So that the next command meets the new model; a recommender that is busy or away gets it later."""
    give_up = time.monotonic() + SERVED_S
    request = reco_service_pb2.RecommendRequest(limit=1)
    while time.monotonic() < give_up:
        with contextlib.suppress(RecomeshError):
            if ask(mesh.recommendations.Recommend, request, "reco").model_version == version:
                return
        time.sleep(POLL_S)


def _poll(mesh: MeshClient, run_id: str) -> reco_pb2.TrainingRun:
    request = reco_service_pb2.GetTrainingRunRequest(run_id=run_id)
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            answer: reco_pb2.TrainingRun = ask(mesh.models.GetTrainingRun, request, "reco").run
            return answer
        except Unavailable:
            if time.monotonic() > give_up:
                raise
            time.sleep(1.0)


def _as_dict(run: reco_pb2.TrainingRun, model: reco_pb2.Model | None) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "state": reco_pb2.TrainingState.Name(run.state).removeprefix("TRAINING_STATE_").lower(),
        "model_version": run.model_version,
        "message": run.message,
        "facts": dict(run.facts),
        "model": dict(model.facts) if model else {},
        "quality": dict(model.quality) if model else {},
        "embedder": model.embedder if model else "",
    }


def _show(run: reco_pb2.TrainingRun, model: reco_pb2.Model | None) -> None:
    out = console.out()
    embedder = f", texts embedded by {model.embedder}" if model and model.embedder else ""
    out.print(f"[bold green]Trained[/] {console.escaped(run.model_version + embedder)}. {console.escaped(run.message)}")
    for title, facts in (("Seconds and peak memory", run.facts), ("Learned from", model.facts if model else {})):
        if facts:
            rows = [(name, console.number(value)) for name, value in sorted(facts.items())]
            out.print(console.table(f"\n{title}", ("name", "value"), rows, right=("value",)))
    if model and model.quality:
        out.print(console.quality_table("\nQuality on held-out sessions", by_source(model.quality)))
