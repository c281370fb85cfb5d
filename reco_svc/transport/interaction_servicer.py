"""gRPC: what visitors do, and forgetting them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from recomesh.reco.v1 import reco_pb2 as pb
from recomesh.reco.v1 import reco_service_pb2 as svc
from recomesh.reco.v1 import reco_service_pb2_grpc as rpc

from meshkit.errors import InvalidArgument
from meshkit.process import blocking
from reco_svc.service.import_interactions import ImportReport
from reco_svc.service.record_interactions import EventVerdict
from reco_svc.service.reported_event import ReportedEvent
from reco_svc.transport.mapping import required_id

MAX_EVENTS = 1_000
MAX_IMPORT_BATCH = 5_000


class Import(Protocol):
    """One import under way."""

    def add(self, events: Sequence[ReportedEvent]) -> None:
        """Stores a chunk."""
        ...

    @property
    def report(self) -> ImportReport:
        """The sum so far."""
        ...


class InteractionServicer(rpc.InteractionServiceServicer):
    """See reco_service.proto. All three use cases may block."""

    def __init__(
        self,
        *,
        record: Callable[[Sequence[ReportedEvent]], Sequence[EventVerdict]],
        start_import: Callable[[], Import],
        erase: Callable[[str], Mapping[str, int]],
    ) -> None:
        self._record = record
        self._start_import = start_import
        self._erase = erase

    async def RecordInteractions(
        self, request: svc.RecordInteractionsRequest, context: Any
    ) -> svc.RecordInteractionsResponse:
        """See reco_service.proto."""
        if not 1 <= len(request.interactions) <= MAX_EVENTS:
            raise InvalidArgument.of("interactions", f"1 to {MAX_EVENTS:,}, not {len(request.interactions):,}")
        verdicts = await blocking(self._record, [reported(i) for i in request.interactions])
        return svc.RecordInteractionsResponse(
            verdicts=[pb.EventVerdict(event_id=v.event_id, verdict=_wire(v), reason=v.reason) for v in verdicts]
        )

    async def ImportInteractions(
        self, request_iterator: AsyncIterator[svc.ImportInteractionsRequest], context: Any
    ) -> svc.ImportInteractionsResponse:
        """See reco_service.proto."""
        running = self._start_import()
        async for request in request_iterator:
            if len(request.interactions) > MAX_IMPORT_BATCH:
                rule = f"at most {MAX_IMPORT_BATCH:,} a message, not {len(request.interactions):,}"
                raise InvalidArgument.of("interactions", rule)
            await blocking(running.add, [reported(i) for i in request.interactions])
        report = running.report
        return svc.ImportInteractionsResponse(
            read=report.read,
            written=report.written,
            duplicate=report.duplicate,
            rejected=[pb.EventVerdict(event_id=v.event_id, verdict=_wire(v), reason=v.reason) for v in report.rejected],
            rejected_count=report.rejected_count,
        )

    async def EraseVisitor(self, request: svc.EraseVisitorRequest, context: Any) -> svc.EraseVisitorResponse:
        """See reco_service.proto."""
        visitor_id = required_id(request.visitor_id, "visitor_id")
        return svc.EraseVisitorResponse(erased=await blocking(self._erase, visitor_id))


def reported(message: pb.Interaction) -> ReportedEvent:
    """An event as the shop reports it; nothing is checked here."""
    at, price = message.at, message.price
    return ReportedEvent(
        event_id=message.event_id,
        type=message.type,
        visitor_id=message.visitor_id,
        product_id=message.product_id,
        at_us=at.seconds * 1_000_000 + at.nanos // 1_000 if message.HasField("at") else None,
        quantity=message.quantity if message.HasField("quantity") else None,
        price=price.units + price.nanos / 1e9 if message.HasField("price") else None,
        currency=price.currency_code,
        order_id=message.order_id,
        recommendation_id=message.recommendation_id,
        position=message.position if message.HasField("position") else None,
        placement=message.placement,
        query=message.query,
        session_id=message.session_id,
    )


def _wire(verdict: EventVerdict) -> pb.Verdict.ValueType:
    return pb.Verdict.Value(f"VERDICT_{verdict.verdict.name}")
