"""Swapping snapshots under load: another model is activated again and again while every request is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import uvloop
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from bench.mesh import Mesh
from bench.open_loop import Request, load

SWAPS, BETWEEN_S, TIMEOUT_S = 5, 2.0, 30.0
TARGET = {"errors": 0, "p99_ms": 50.0}


def swap_under_load(mesh: Mesh, requests: Iterator[Request], rate: float, key: str) -> dict[str, Any]:
    """SWAPS activations, BETWEEN_S apart, at `rate` requests a second that no cache answers."""
    with grpc.insecure_channel(mesh.settings.target("reco")) as channel:
        models = reco_service_pb2_grpc.ModelServiceStub(channel)
        if len(_versions(models)) < 2:
            mesh.recomesh("train", "--force")
        one, other = _versions(models)
        seen: list[str] = []

        def activate() -> None:
            for turn in range(SWAPS):
                time.sleep(BETWEEN_S)
                version = reco_service_pb2.ActivateModelRequest(version=one if turn % 2 else other)
                seen.append(models.ActivateModel(version, timeout=TIMEOUT_S).model.version)

        thread = threading.Thread(target=activate)
        thread.start()
        seconds = SWAPS * BETWEEN_S + 2.0
        result = uvloop.run(load("127.0.0.1", mesh.port, requests, rate=rate, seconds=seconds))
        thread.join()
    answer = httpx.get(
        f"http://127.0.0.1:{mesh.port}/v1/popular?limit=1", headers={"X-API-Key": key}, timeout=TIMEOUT_S
    )
    return {
        "rate": rate,
        "swaps": len(seen),
        "errors": result.errors,
        "ms": {str(p): round(result.percentile_ms(p), 2) for p in (50, 90, 99, 99.9)},
        "active_at_the_end": answer.json().get("model_version") == seen[-1],
    }


def _versions(models: reco_service_pb2_grpc.ModelServiceStub) -> list[str]:
    """The two newest, newest first; the newest is the one that answers."""
    request = reco_service_pb2.ListModelsRequest(page_size=2)
    return [model.version for model in models.ListModels(request, timeout=TIMEOUT_S).models]
