"""`recomesh import products` and `recomesh import events`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer
from recomesh.catalog.v1 import catalog_service_pb2
from recomesh.reco.v1 import reco_service_pb2
from rich.progress import Progress

from feeds import EVENT_TYPES, read_events, read_online_retail, read_products
from meshkit.errors import InvalidArgument
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.import_report import reported, tell_unknown
from recomesh_cli.mesh_client import MeshClient, ask, open_mesh
from recomesh_cli.options import AsJson
from recomesh_cli.sending import InteractionSender, ProductSender, RejectedFile

import_app = typer.Typer(name="import", no_args_is_help=True, help="Read products or events from a file.")
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="May be gzipped.")]
Rejected = Annotated[
    Path | None, typer.Option(help="Where rejected lines go; default: FILE.rejected.jsonl in this folder.")
]
Currency = Annotated[str, typer.Option(help="Used where a price names none, such as EUR.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", help="FIELD=COLUMN of a CSV, such as title=name; repeatable, or several with commas."),
]


class ProductFormat(StrEnum):
    """Layouts of product files."""

    AUTO = "auto"
    JSONL = "jsonl"
    CSV = "csv"
    GOOGLE_TSV = "google-tsv"
    GOOGLE_XML = "google-xml"


class EventFormat(StrEnum):
    """Layouts of event files."""

    AUTO = "auto"
    JSONL = "jsonl"
    CSV = "csv"
    ONLINE_RETAIL = "online-retail"


@import_app.command()
def products(
    file: File,
    format: Annotated[ProductFormat, typer.Option(help="auto: found out by content.")] = ProductFormat.AUTO,
    columns: Columns = None,
    rejected: Rejected = None,
    currency: Currency = "",
    as_json: AsJson = False,
) -> None:
    """Read products from JSON Lines, CSV or a Google Merchant feed into the catalog.

    Run it again at any time: what is stored already stays as it is.

    Example: `recomesh import products feed.xml.gz`

    Example: `recomesh import products feed.csv --map product_id=sku,title=name --currency EUR`
    """
    mapping, currency = _mapping(columns or []), _currency(currency)
    layout = {"google-tsv": "merchant-tsv", "google-xml": "merchant-xml"}.get(format, str(format))
    with _import(file, rejected, as_json) as (mesh, kept, bar):
        _check_reachable(mesh, "catalog")
        sender = ProductSender(mesh, kept)
        with _counted(file, bar) as stream, reported(as_json, kept, ("products", sender)):
            sender.send(read_products(stream, layout, mapping, currency=currency))


@import_app.command()
def events(
    file: File,
    format: Annotated[EventFormat, typer.Option(help="auto: JSON Lines or CSV, by content.")] = EventFormat.AUTO,
    columns: Columns = None,
    type: Annotated[str, typer.Option(help="Of every event of a CSV that tells none, such as purchase.")] = "view_item",
    rejected: Rejected = None,
    currency: Currency = "",
    as_json: AsJson = False,
) -> None:
    """Read events into the interaction log; with `--format online-retail` the products too.

    Run it again at any time: no event is stored twice.

    Example: `recomesh import events clicks.csv --map visitor_id=user,at=time`

    Example: `recomesh import events orders.csv --type purchase --map visitor_id=customer,order_id=invoice,at=date`

    Example: `recomesh import events online_retail.csv.gz --format online-retail`
    """
    mapping, currency = _mapping(columns or []), _currency(currency)
    if type not in EVENT_TYPES:
        raise InvalidArgument.of("--type", f"must be one of {', '.join(EVENT_TYPES)}, not {type!r}")
    with _import(file, rejected, as_json) as (mesh, kept, bar):
        if format is EventFormat.ONLINE_RETAIL:
            _online_retail(mesh, file, kept, bar, as_json)
            return
        _check_reachable(mesh, "reco")
        sender = InteractionSender(mesh, kept)
        with _counted(file, bar) as stream, reported(as_json, kept, ("events", sender)):
            sender.send(read_events(stream, str(format), mapping, default_type=type, currency=currency))
        tell_unknown(mesh, sender.products, quiet=as_json)


def _online_retail(mesh: MeshClient, file: Path, kept: RejectedFile, bar: Progress, as_json: bool) -> None:
    _check_reachable(mesh, "catalog", "reco")
    catalog, reco = ProductSender(mesh), InteractionSender(mesh, kept)
    with reported(as_json, kept, ("products", catalog), ("events", reco)):
        with _counted(file, bar) as stream:
            retail = read_online_retail(stream)
        task = bar.add_task("products", total=None)
        catalog.send(retail.products(), lambda n: bar.advance(task, n))
        task = bar.add_task("events", total=len(retail))
        reco.send(retail.rejected)
        reco.send(retail.interactions(), lambda n: bar.advance(task, n))


def _check_reachable(mesh: MeshClient, *parts: str) -> None:
    """Unavailable at once, before a large file is parsed for nothing."""
    if "catalog" in parts:
        ask(mesh.catalog.ListProducts, catalog_service_pb2.ListProductsRequest(page_size=1), "catalog")
    if "reco" in parts:
        ask(mesh.recommendations.GetFreshness, reco_service_pb2.GetFreshnessRequest(), "reco")


def _mapping(given: list[str]) -> dict[str, str]:
    """A comma parts two pairs only where FIELD= follows: columns may have commas in their names."""
    mapping: dict[str, str] = {}
    for text in (pair for told in given for pair in re.split(r",(?=\s*[\w.]+\s*=)", told)):
        field, equals, column = (part.strip() for part in text.partition("="))
        if not equals or not field or not column:
            raise InvalidArgument.of("--map", f"must be FIELD=COLUMN, not {text!r}")
        if mapping.setdefault(field, column) != column:
            raise InvalidArgument.of("--map", f"names two columns for {field}: {mapping[field]} and {column}")
    return mapping


def _currency(given: str) -> str:
    currency = given.strip().upper()
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        raise InvalidArgument.of("--currency", f"must be three letters such as EUR, not {given!r}")
    return currency


@contextmanager
def _import(file: Path, rejected: Path | None, as_json: bool) -> Iterator[tuple[MeshClient, RejectedFile, Progress]]:
    kept = RejectedFile(rejected or Path(f"{file.name}.rejected.jsonl"))
    try:
        with open_mesh(load(MeshSettings)) as mesh, console.progress(quiet=as_json) as bar:
            yield mesh, kept, bar
    finally:
        kept.close()


@contextmanager
def _counted(file: Path, bar: Progress) -> Iterator[BinaryIO]:
    """The file, its bytes counted on a bar as they are read."""
    task = bar.add_task(f"reading {file.name}", total=file.stat().st_size)
    with file.open("rb") as stream:
        yield cast(BinaryIO, _Counted(stream, lambda n: bar.advance(task, n)))


class _Counted:
    def __init__(self, stream: BinaryIO, read: Callable[[int], None]) -> None:
        self._stream = stream
        self._read = read

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._read(len(data))
        return data
