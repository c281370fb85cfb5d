"""Swapping snapshots under load: another model is activated again and again while every request is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import uvloop
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from bench.mesh import Mesh
from bench.open_loop import Request, load

SWAPS, BETWEEN_S, SETTLES_S, TIMEOUT_S = 5, 2.0, 5.0, 30.0
TARGET = {"errors": 0, "p99_ms": 50.0}


def swap_under_load(mesh: Mesh, requests: Iterator[Request], rate: float) -> dict[str, Any]:
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
        answers = _answers_of(channel, seen[-1])
    return {
        "rate": rate,
        "swaps": len(seen),
        "errors": result.errors,
        "ms": {str(p): round(result.percentile_ms(p), 2) for p in (50, 90, 99, 99.9)},
        "active_at_the_end": answers,
    }


def _answers_of(channel: grpc.Channel, version: str) -> bool:
    """Whether answers are of a model, or come to be within SETTLES_S."""
    stub = reco_service_pb2_grpc.RecommendationServiceStub(channel)
    deadline = time.monotonic() + SETTLES_S
    while time.monotonic() < deadline:
        if stub.Recommend(reco_service_pb2.RecommendRequest(limit=1), timeout=TIMEOUT_S).model_version == version:
            return True
        time.sleep(0.1)
    return False


def _versions(models: reco_service_pb2_grpc.ModelServiceStub) -> list[str]:
    """The two newest, newest first; the newest is the one that answers."""
    request = reco_service_pb2.ListModelsRequest(page_size=2)
    return [model.version for model in models.ListModels(request, timeout=TIMEOUT_S).models]
