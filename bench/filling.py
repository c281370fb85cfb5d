"""Making a mesh a shop: products, history, model; and how long that takes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import grpc
import orjson
from recomesh.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from bench import shop
from bench.mesh import Mesh

BATCH, TIMEOUT_S = 500, 900.0
T = TypeVar("T")


def fill(mesh: Mesh, products: int, events: int) -> dict[str, float]:
    """Imports products and events over gRPC and trains; rates and seconds. Making them is not counted."""
    now, times = datetime.now(UTC), {}
    with grpc.insecure_channel(mesh.settings.target("catalog")) as channel:
        made = batched(shop.products(products, now))
        batches = [catalog_service_pb2.ImportProductsRequest(products=batch) for batch in made]
        began = time.perf_counter()
        catalog_service_pb2_grpc.CatalogServiceStub(channel).ImportProducts(iter(batches), timeout=TIMEOUT_S)
        times["products_upserted_per_s"] = products / (time.perf_counter() - began)
    with grpc.insecure_channel(mesh.settings.target("reco")) as channel:
        happened = batched(shop.interactions(events, products, now))
        history = [reco_service_pb2.ImportInteractionsRequest(interactions=batch) for batch in happened]
        began = time.perf_counter()
        reco_service_pb2_grpc.InteractionServiceStub(channel).ImportInteractions(iter(history), timeout=TIMEOUT_S)
        times["events_imported_per_s"] = events / (time.perf_counter() - began)
    home = mesh.settings.home
    times["catalog_bytes_per_product"] = _bytes(home, "catalog.db") / products
    times["log_bytes_per_event"] = _bytes(home, "reco.db") / events
    began = time.perf_counter()
    mesh.recomesh("train")
    times["training_s"] = time.perf_counter() - began
    return times


def import_online_retail(mesh: Mesh, file: Path) -> dict[str, float]:
    """`recomesh import events --format online-retail`, end to end: products and events, nothing embedded."""
    began = time.perf_counter()
    told = mesh.recomesh("import", "events", str(file.resolve()), "--format", "online-retail", "--json")
    seconds = time.perf_counter() - began
    report = orjson.loads(told.stdout)
    return {"online_retail_s": seconds} | {
        f"online_retail_{name}": value for name, value in report.items() if isinstance(value, int | float)
    }


def _bytes(home: Path, name: str) -> int:
    """Of an SQLite file and what is not merged into it yet."""
    return sum(path.stat().st_size for path in home.glob(f"{name}*"))


def batched(things: Iterator[T]) -> Iterator[list[T]]:
    """Lists of BATCH, the last one shorter."""
    while some := list(itertools.islice(things, BATCH)):
        yield some
