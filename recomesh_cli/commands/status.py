"""`recomesh status`: how the mesh is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import typer
from recomesh.reco.v1 import reco_service_pb2

from meshkit import logs
from meshkit.errors import RecomeshError, Unavailable
from meshkit.settings import MeshSettings, load
from meshkit.web.admin_login import PASSWORD_FILE, admin_password
from recomesh_cli import console
from recomesh_cli.checks.backends import ask_backends
from recomesh_cli.checks.model import Backend, Verdict
from recomesh_cli.failures import FAILED, told
from recomesh_cli.mesh.processes import PROCESSES
from recomesh_cli.mesh.readiness import ProcessState, ask_state, mesh_trust, state_client
from recomesh_cli.mesh_client import MeshClient, ask, open_mesh
from recomesh_cli.options import AsJson

PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class MeshStatus:
    """Everything the command shows. Facts that could not be had are None; `troubles` says why."""

    states: Sequence[ProcessState]
    catalog: Mapping[str, int] | None
    model: Mapping[str, Any] | None
    freshness: Sequence[Mapping[str, Any]]
    sources: Sequence[Mapping[str, Any]]
    queue: Mapping[str, Mapping[str, Any]]
    backends: Sequence[Backend]
    circuits: Sequence[Mapping[str, Any]]
    replicas: Sequence[Mapping[str, Any]]
    troubles: Sequence[str]

    @property
    def healthy(self) -> bool:
        """True when every process is ready."""
        return all(state.ready for state in self.states)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "healthy": self.healthy,
            "processes": [
                {"name": s.process.name, "answers": s.answers, "ready": s.ready, "parts": dict(s.parts)}
                for s in self.states
            ],
            "catalog": self.catalog,
            "model": self.model,
            "freshness": list(self.freshness),
            "sources": list(self.sources),
            "queue": dict(self.queue),
            "backends": [_facts(backend) for backend in self.backends],
            "circuits": [dict(circuit) for circuit in self.circuits],
            "replicas": [dict(replica) for replica in self.replicas],
            "troubles": list(self.troubles),
        }


def status(as_json: AsJson = False) -> None:
    """Show the processes, the stores behind them, what they hold, how fresh it is, and what waits in the queue.

    Exits with 1 when a process is not ready.

    Example: `recomesh status --json`
    """
    logs.configure("status", level="error")
    found = gather(load(MeshSettings))
    if as_json:
        console.write_json(found.as_dict())
    else:
        _show(found)
    if not found.healthy:
        raise typer.Exit(FAILED)


def gather(settings: MeshSettings) -> MeshStatus:
    """Asks every process and service; never raises for what is away."""
    states = asyncio.run(_states(settings))
    queue = _said(states, "workers", "topics")
    circuits, replicas = _said(states, "edge", "circuits"), _said(states, "edge", "replicas")
    backends = ask_backends(settings)
    troubles: list[str] = []
    if not any(state.answers for state in states):
        hint = "nothing answers; start the mesh with `recomesh up`"
        return MeshStatus(states, None, None, (), (), {}, backends, (), (), (hint,))
    with open_mesh(settings) as mesh:
        catalog = _told(troubles, lambda: _count_products(settings))
        model = _told(troubles, lambda: _active_model(mesh))
        freshness, sources = _told(troubles, lambda: _freshness(mesh)) or ((), ())
    return MeshStatus(
        states=states,
        catalog=catalog,
        model=model,
        freshness=freshness,
        sources=sources,
        queue=queue if isinstance(queue, dict) else {},
        backends=backends,
        circuits=circuits if isinstance(circuits, list) else (),
        replicas=replicas if isinstance(replicas, list) else (),
        troubles=tuple(dict.fromkeys(troubles)),
    )


def _said(states: Sequence[ProcessState], process: str, fact: str) -> object:
    return next((s.status.get(fact) for s in states if s.process.name == process), None)


async def _states(settings: MeshSettings) -> list[ProcessState]:
    async with state_client(settings, PATIENCE_S) as client:
        states = await asyncio.gather(*(ask_state(client, settings, process) for process in PROCESSES))
        return list(await asyncio.gather(*(_with_status(client, settings, state) for state in states)))


async def _with_status(client: httpx.AsyncClient, settings: MeshSettings, state: ProcessState) -> ProcessState:
    if state.process.name not in ("workers", "edge") or not state.answers:
        return state
    try:
        body = (await client.get(f"{state.process.state_url(settings)}/status")).json()
    except (httpx.HTTPError, ValueError):
        return state
    return replace(state, status=body if isinstance(body, dict) else {})


def _told(troubles: list[str], question: Any) -> Any:
    try:
        return question()
    except RecomeshError as error:
        troubles.append(told(error))
        return None


def _count_products(settings: MeshSettings) -> Mapping[str, int]:
    """Counts as the catalog's admin plane tells them; empty without its password (a mesh on another machine)."""
    given = settings.admin_password.get_secret_value()
    if not given and not (settings.home / PASSWORD_FILE).exists():
        return {}
    catalog = next(p for p in PROCESSES if p.name == "catalog")
    login = (settings.admin_user, admin_password(settings))
    try:
        answer = httpx.get(
            f"{catalog.state_url(settings)}/v1/overview",
            auth=login,
            timeout=PATIENCE_S,
            trust_env=False,
            verify=mesh_trust(settings),
        )
        body = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("catalog admin plane", f"the catalog's admin plane tells no counts: {error}") from None
    return {str(k): v for k, v in body.items() if isinstance(v, int)}


def _active_model(mesh: MeshClient) -> Mapping[str, Any] | None:
    request = reco_service_pb2.ListModelsRequest(page_size=100)
    models = ask(mesh.models.ListModels, request, "reco", PATIENCE_S).models
    active = next((m for m in models if m.active), None)
    if active is None:
        return None
    created = active.created_at.ToDatetime().isoformat(timespec="seconds") + "Z"
    return {"version": active.version, "created_at": created, "embedder": active.embedder}


def _freshness(mesh: MeshClient) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Ages of the data, and what each source has and needs."""
    answer = ask(mesh.recommendations.GetFreshness, reco_service_pb2.GetFreshnessRequest(), "reco", PATIENCE_S)
    ages = [
        {"name": e.name, "age_s": round(e.age_s, 1) if e.HasField("as_of") else None, "note": e.note}
        for e in answer.entries
    ]
    sources = [
        {
            "source": s.source,
            "ready": s.has >= s.needs,
            "has": s.has,
            "needs": s.needs,
            "unit": s.unit,
            "stand_in": s.stand_in,
        }
        for s in answer.sources
    ]
    return ages, sources


def _show(found: MeshStatus) -> None:
    out = console.out()
    rows = [(s.process.name, s.summary, ", ".join(f"{k}: {v}" for k, v in s.parts.items())) for s in found.states]
    out.print(console.table("", ("process", "state", "parts"), rows))
    model = found.model
    facts = {
        **{name.replace("_", " "): f"{count:,}" for name, count in (found.catalog or {}).items()},
        "model": f"{model['version']} ({model['embedder']}, {model['created_at']})" if model else "none active",
    }
    out.print(console.pairs("", facts))
    _show_backends(out, found.backends)
    if found.freshness:
        rows = [(e["name"], _age(e["age_s"]), str(e["note"])) for e in found.freshness]
        out.print(console.table("", ("freshness", "age", ""), rows, right=("age",)))
    if found.sources:
        rows = [(str(s["source"]), "ready" if s["ready"] else "learning", _readiness(s)) for s in found.sources]
        out.print(console.table("", ("source", "state", "has"), rows))
    if found.queue:
        cells = [
            (topic, _number(q.get("depth")), _age(q.get("oldest_s")), _number(q.get("dead_letters")), _error(q))
            for topic, q in found.queue.items()
        ]
        columns = ("queue", "waiting", "oldest", "dead letters", "last error")
        out.print(console.table("", columns, cells, right=columns[1:4]))
    _show_circuits(out, found)
    for trouble in found.troubles:
        out.print(f"[yellow]{console.escaped(trouble)}[/]")


def _readiness(source: Mapping[str, Any]) -> str:
    if source["ready"]:
        return f"{source['has']:,} {source['unit']}"
    return f"{source['has']:,} of {source['needs']:,} {source['unit']}; {source['stand_in']} stands in"


def _show_circuits(out: Any, found: MeshStatus) -> None:
    """Replicas where there are several, and every circuit that is not closed."""
    several = [r for r in found.replicas if sum(r["part"] == o["part"] for o in found.replicas) > 1]
    if several:
        rows = [(str(r["part"]), str(r["address"]), str(r["state"])) for r in several]
        out.print(console.table("", ("replicas of", "address", "state"), rows))
    broken = [(f"{c['part']} {c['method']}", str(c["circuit"])) for c in found.circuits if c["circuit"] != "closed"]
    if broken:
        out.print(console.table("", ("circuit to", "state"), broken))


def _facts(backend: Backend) -> dict[str, Any]:
    names = ("name", "kind", "version", "place", "latency_ms", "trouble", "fix")
    return {"healthy": backend.verdict is not Verdict.FAIL, **{name: getattr(backend, name) for name in names}}


def _show_backends(out: Any, backends: Sequence[Backend]) -> None:
    rows = [
        (b.name, f"{b.kind} {b.version}".strip(), _milliseconds(b.latency_ms), b.trouble or "ok", b.place)
        for b in backends
    ]
    columns = ("backend", "what", "answers in", "state", "where")
    out.print(console.table("", columns, rows, right=("answers in",)))


def _milliseconds(latency_ms: float | None) -> str:
    return "–" if latency_ms is None else f"{latency_ms:.1f} ms"


def _error(topic: Mapping[str, Any]) -> str:
    return str(topic.get("last_error") or "")


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _age(seconds: object) -> str:
    if not isinstance(seconds, int | float):
        return "–"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
