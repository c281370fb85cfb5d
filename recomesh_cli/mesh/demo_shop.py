"""Filling an empty mesh with the demo shop: products, then what its visitors did, then a first model."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from recomesh.catalog.v1 import catalog_service_pb2

from feeds import ParsedEvent, ParsedProduct
from meshkit.settings import MeshSettings
from recomesh_cli import console
from recomesh_cli.commands.train import follow_training
from recomesh_cli.failures import CommandFailed
from recomesh_cli.mesh.log_lines import LogStream
from recomesh_cli.mesh_client import MeshClient, ask, open_mesh
from recomesh_cli.sending import InteractionSender, ProductSender

UNFINISHED = "demo-unfinished"  # stands in home while loading: a load that was cut off is taken up again


def load_demo_shop(settings: MeshSettings, log: LogStream) -> bool:
    """Loads the demo when the catalog is empty or a load was cut off; returns whether it did."""
    mark = settings.home / UNFINISHED
    with open_mesh(settings) as mesh:
        if not mark.exists() and not _is_empty(mesh):
            return False
        if not mark.exists():
            mark.touch()
        now = _begun_at(mark)
        _send(mesh, log, now)
        run = follow_training(mesh, note="demo shop", force=True, quiet=not log.console)
    if not run.model_version:
        raise CommandFailed(f"the demo shop is loaded but not trained: {run.message}; try `recomesh train`")
    mark.unlink()
    log.say("demo_shop_trained", model=run.model_version)
    return True


def _is_empty(mesh: MeshClient) -> bool:
    request = catalog_service_pb2.ListProductsRequest(page_size=1, include_hidden=True)
    return not ask(mesh.catalog.ListProducts, request, "catalog").products


def _begun_at(mark: Path) -> datetime:
    """The moment the load began, so that one taken up again makes the same events."""
    return datetime.fromtimestamp(mark.stat().st_mtime, UTC).replace(microsecond=0)


def _send(mesh: MeshClient, log: LogStream, now: datetime) -> None:
    from demo.shop import demo_interactions, demo_products

    products = demo_products(now)
    catalog, reco = ProductSender(mesh), InteractionSender(mesh)
    with console.progress(quiet=not log.console) as bar:
        task = bar.add_task("demo products", total=len(products))
        catalog.send((ParsedProduct(n, p) for n, p in enumerate(products, 1)), lambda n: bar.advance(task, n))
        events = list(demo_interactions(now))
        task = bar.add_task("demo visitors", total=len(events))
        reco.send((ParsedEvent(n, e) for n, e in enumerate(events, 1)), lambda n: bar.advance(task, n))
    refused = [*chain(catalog.report.rejected, reco.report.rejected)]
    if refused:
        log.say("demo_shop_refused", level="warning", reasons=refused[:5])
    log.say("demo_shop_loaded", products=catalog.report.read, events=reco.report.read)
