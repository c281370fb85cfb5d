"""Streaming parsed products and events into the mesh.

A file goes out as a row of streams of at most `STREAM_ITEMS` entries. While the mesh stores one stream the next is
parsed, so both sides are busy. An interruption loses at most what is under way; sending again changes nothing twice.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import grpc
import orjson
from google.protobuf.json_format import MessageToDict
from recomesh.catalog.v1 import catalog_service_pb2
from recomesh.reco.v1 import reco_service_pb2

from feeds import ImportReport, ParsedEvent, ParsedProduct, RejectedLine
from meshkit import context
from meshkit.errors import RecomeshError, Unavailable
from meshkit.product_card import card_from_proto
from meshkit.rpc.status import from_rpc_error
from recomesh_cli.mesh_client import MeshClient

STREAM_ITEMS = 20_000
STREAM_TIMEOUT_S = 600.0
RETRIES = 6
MOST_PRODUCTS = 50_000
RETRY_WAIT_S = 2.0
Parsed = TypeVar("Parsed", ParsedProduct, ParsedEvent)


class RejectedFile:
    """Rejected entries as JSON Lines `{line, reason, raw}`; the file is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: Any = None

    def add(self, line: int, reason: str, raw: object) -> None:
        """`raw`: the text as read, or the entry as JSON when the mesh refused it."""
        if self._file is None:
            self._file = self.path.open("wb")
        self._file.write(orjson.dumps({"line": line, "reason": reason, "raw": raw}) + b"\n")
        self.count += 1

    def close(self) -> None:
        """Ends the file."""
        if self._file is not None:
            self._file.close()


class Sender(ABC, Generic[Parsed]):
    """Sends entries of one kind; counts what became of them in `report`."""

    part: str
    batch_items: int

    def __init__(self, mesh: MeshClient, rejected: RejectedFile | None = None) -> None:
        self._mesh = mesh
        self._rejected = rejected
        self.report = ImportReport()
        self._some_sent = False

    def send(self, entries: Iterable[Parsed | RejectedLine], sent: Callable[[int], None] = lambda _: None) -> None:
        """Sends all; `sent(n)` is told after each stream. Raises an error of the tree when the mesh stays away."""
        taken = self._accepted(entries)
        waiting: tuple[list[Parsed], Any] | None = None
        try:
            while chunk := list(islice(taken, STREAM_ITEMS)):
                begun = (chunk, self._begin(chunk))
                if waiting:
                    self._end(*waiting)
                    sent(len(waiting[0]))
                waiting = begun
                if not self._some_sent:  # a mesh that is away is noticed before the whole file is parsed
                    self._end(*waiting)
                    sent(len(chunk))
                    waiting = None
            if waiting:
                self._end(*waiting)
                sent(len(waiting[0]))
        except BaseException:
            if waiting:
                waiting[1].cancel()
            raise

    @abstractmethod
    def _requests(self, chunk: Sequence[Parsed]) -> Iterator[Any]:
        """The batches of a stream."""

    @abstractmethod
    def _method(self) -> Any:
        """The rpc."""

    @abstractmethod
    def _count(self, chunk: Sequence[Parsed], answer: Any) -> None:
        """Adds an answer to the report."""

    def _refuse(self, line: int, reason: str, raw: object) -> None:
        self.report.reject(reason)
        if self._rejected is not None:
            self._rejected.add(line, reason, raw)

    def _accepted(self, entries: Iterable[Parsed | RejectedLine]) -> Iterator[Parsed]:
        for entry in entries:
            self.report.read += 1
            if isinstance(entry, RejectedLine):
                self._refuse(entry.line, entry.reason, entry.raw)
            else:
                yield entry

    def _begin(self, chunk: Sequence[Parsed]) -> Any:
        metadata = context.outgoing_metadata()
        return self._method().future(self._requests(chunk), timeout=STREAM_TIMEOUT_S, metadata=metadata)

    def _end(self, chunk: Sequence[Parsed], under_way: Any) -> None:
        for attempt in range(RETRIES + 1):
            try:
                self._count(chunk, under_way.result())
            except grpc.RpcError as error:
                trouble: RecomeshError = from_rpc_error(error, part=self.part)
                if not isinstance(trouble, Unavailable) or not self._some_sent or attempt == RETRIES:
                    raise trouble from None
                time.sleep(RETRY_WAIT_S)
                under_way = self._begin(chunk)
            else:
                self._some_sent = True
                return


class ProductSender(Sender[ParsedProduct]):
    """Products to the catalog."""

    part = "catalog"
    batch_items = 1_000

    def _method(self) -> Any:
        return self._mesh.catalog.ImportProducts

    def _requests(self, chunk: Sequence[ParsedProduct]) -> Iterator[catalog_service_pb2.ImportProductsRequest]:
        for start in range(0, len(chunk), self.batch_items):
            batch = [entry.product for entry in chunk[start : start + self.batch_items]]
            yield catalog_service_pb2.ImportProductsRequest(products=batch)

    def _count(self, chunk: Sequence[ParsedProduct], answer: catalog_service_pb2.ImportProductsResponse) -> None:
        self.report.written += answer.created + answer.updated
        self.report.unchanged += answer.unchanged
        for refused in answer.rejected:
            entry = chunk[refused.index]
            self._refuse(entry.line, f"{refused.field}: {refused.reason}", card_from_proto(entry.product))
        if unnamed := answer.rejected_count - len(answer.rejected):
            self.report.reject("refused by the catalog (only the first 1,000 of a stream are named)", unnamed)


class InteractionSender(Sender[ParsedEvent]):
    """History to the interaction log."""

    part = "reco"
    batch_items = 2_000

    def __init__(self, mesh: MeshClient, rejected: RejectedFile | None = None) -> None:
        super().__init__(mesh, rejected)
        self.products: set[str] = set()  # of the events sent, the first MOST_PRODUCTS

    def _method(self) -> Any:
        return self._mesh.interactions.ImportInteractions

    def _requests(self, chunk: Sequence[ParsedEvent]) -> Iterator[reco_service_pb2.ImportInteractionsRequest]:
        for start in range(0, len(chunk), self.batch_items):
            batch = [entry.interaction for entry in chunk[start : start + self.batch_items]]
            yield reco_service_pb2.ImportInteractionsRequest(interactions=batch)

    def _count(self, chunk: Sequence[ParsedEvent], answer: reco_service_pb2.ImportInteractionsResponse) -> None:
        self.report.written += answer.written
        self.report.unchanged += answer.duplicate
        if len(self.products) < MOST_PRODUCTS:
            self.products.update(id_ for entry in chunk if (id_ := entry.interaction.product_id))
        by_id = {entry.interaction.event_id: entry for entry in chunk} if answer.rejected else {}
        for refused in answer.rejected:
            entry = by_id[refused.event_id]
            raw = MessageToDict(entry.interaction, preserving_proto_field_name=True)
            self._refuse(entry.line, refused.reason, raw)
        if unnamed := answer.rejected_count - len(answer.rejected):
            self.report.reject("refused by reco (only the first 1,000 of a stream are named)", unnamed)
