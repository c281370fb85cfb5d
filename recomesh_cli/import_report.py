"""What became of the entries of an import, and what to do about those that were rejected."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice

from recomesh.catalog.v1 import catalog_service_pb2

from feeds import ImportReport
from meshkit.errors import InvalidArgument, RecomeshError
from recomesh_cli import console
from recomesh_cli.failures import CommandFailed
from recomesh_cli.mesh_client import MeshClient, ask
from recomesh_cli.sending import RejectedFile, Sender

ASKED = 1_000  # products in one question
FIXES = {
    "currency: must be given": "--currency EUR gives every price of the file its currency",
    "visitor_id: is required": "guests may go by their order: fill the column with its id where it is empty",
    "quantity: must be": "what came back is an event of its own: type refund, with the quantity above 0",
}


@contextmanager
def reported(as_json: bool, kept: RejectedFile, *senders: tuple[str, Sender]) -> Iterator[None]:  # type: ignore[type-arg]
    """Shows what became of the entries, also when the import is cut off. A file that is refused as a whole has no more
    to tell than its error; one of which every entry was rejected is a CommandFailed."""
    started = time.monotonic()
    complete = False
    reports = {name: sender.report for name, sender in senders}
    try:
        yield
        complete = True
    except InvalidArgument:
        if not as_json and not any(report.read for report in reports.values()):
            reports = {}
        raise
    finally:
        kept.close()
        took_s = time.monotonic() - started
        if as_json:
            told = {name: report.as_dict() for name, report in reports.items()}
            where = str(kept.path) if kept.count else None
            console.write_json({**told, "complete": complete, "seconds": round(took_s, 2), "rejected_file": where})
        elif reports:
            _show(reports, kept, took_s, complete)
    if nothing := [name for name, r in reports.items() if r.rejected_total and not r.written + r.unchanged]:
        raise CommandFailed(f"none of the {' and '.join(nothing)} could be taken; the reasons are above")


def _show(reports: dict[str, ImportReport], kept: RejectedFile, took_s: float, complete: bool) -> None:
    out = console.out()
    columns = ("", "read", "written", "unchanged", "rejected")
    rows = [
        (name, f"{r.read:,}", f"{r.written:,}", f"{r.unchanged:,}", f"{r.rejected_total:,}")
        for name, r in reports.items()
    ]
    out.print(console.table("", columns, rows, right=columns[1:]))
    reasons = [(f"{n:,}", reason) for r in reports.values() for reason, n in r.rejected.most_common(20)]
    if reasons:
        out.print(console.table("\nRejected", ("count", "reason"), reasons, right=("count",)))
        for fix in (fix for begin, fix in FIXES.items() if any(reason.startswith(begin) for _, reason in reasons)):
            out.print(f"[yellow]{console.escaped(fix)}[/]")
        out.print(f"All rejected lines: {console.escaped(str(kept.path))}" if kept.count else "")
    if complete:
        out.print(f"[bold green]Done[/] in {took_s:.1f} s.")
    else:
        out.print("[bold yellow]Cut off.[/] What was written stays; run the command again to go on.")


def tell_unknown(mesh: MeshClient, product_ids: Collection[str], *, quiet: bool) -> None:
    """Warns of events whose product the catalog has not: they are kept, yet recommend nothing until it comes."""
    waiting, unknown = iter(sorted(product_ids)), list[str]()
    try:
        while batch := list(islice(waiting, ASKED)):
            request = catalog_service_pb2.BatchGetProductsRequest(product_ids=batch)
            unknown += ask(mesh.catalog.BatchGetProducts, request, "catalog").unknown_ids
    except RecomeshError:
        return  # a catalog that is away is no reason to doubt the events
    if unknown and not quiet:
        some = console.escaped(", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else ""))
        console.out().print(
            f"[yellow]{len(unknown):,} of {len(product_ids):,} products are not in the catalog:[/] {some}."
            " Their events are kept, and count in the first training after `recomesh import products` brings them."
        )
