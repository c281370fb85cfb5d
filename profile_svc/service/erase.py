"""Forget a visitor everywhere, and say what was forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from meshkit.errors import InvalidArgument, RecomeshError
from profile_svc.domain.model import ErasedPart, ErasureOrder, ErasureReceipt, ErasureState
from profile_svc.domain.ports import ErasureQueue, PreferenceRepository, VisitorEraser
from profile_svc.domain.rules import checked_visitor_id

log = structlog.get_logger()
RECO_PARTS = ("interactions", "session")
CALL_LASTS = timedelta(seconds=5)  # younger orders belong to calls that are still at it
RELAYED_AT_ONCE = 100


class EraseProfile:
    """Erases preferences here, then asks the other owner; what it can not do now is queued durably.

    The order to erase elsewhere is stored in the transaction that erases here, and crossed out in the one that stores
    the receipt, once the other owner is done or the order stands in the queue. Whatever dies in between leaves an open
    order, which `RelayErasures` brings to the queue. So a receipt is never answered for what might be forgotten.
    """

    def __init__(
        self,
        repository: PreferenceRepository,
        eraser: VisitorEraser,
        queue: ErasureQueue,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._repository = repository
        self._eraser = eraser
        self._queue = queue
        self._clock = clock
        self._new_id = new_id

    def __call__(self, visitor_id: str) -> ErasureReceipt:
        """Repeating it is harmless and gives a new receipt."""
        checked_visitor_id(visitor_id)
        at, receipt_id = self._clock(), self._new_id()
        count = self._repository.erase(visitor_id, at, receipt_id)
        parts = [ErasedPart("profile", "preferences", count, ErasureState.ERASED)]
        elsewhere, settled = self._erase_elsewhere(visitor_id, receipt_id, at)
        parts += elsewhere
        receipt = ErasureReceipt(receipt_id, at, tuple(sorted(parts, key=lambda p: (p.store, p.what))))
        self._repository.add_receipt(visitor_id, receipt, settled=settled)
        return receipt

    def _erase_elsewhere(self, visitor_id: str, receipt_id: str, at: datetime) -> tuple[Sequence[ErasedPart], bool]:
        store = self._eraser.store
        try:
            erased = self._eraser.erase(visitor_id)
        except InvalidArgument:
            self._repository.settle(receipt_id)
            raise
        except RecomeshError as error:
            log.warning("erasure_pending", store=store, receipt_id=receipt_id, reason=error.reason)
            pending = [ErasedPart(store, what, 0, ErasureState.PENDING) for what in RECO_PARTS]
            return pending, self._queued(ErasureOrder(receipt_id, visitor_id, at))
        return [ErasedPart(store, what, count, ErasureState.ERASED) for what, count in erased.items()], True

    def _queued(self, order: ErasureOrder) -> bool:
        try:
            self._queue.finish_later(order.visitor_id, order.receipt_id, order.at)
        except RecomeshError as error:
            log.warning("erasure_not_queued", receipt_id=order.receipt_id, reason=error.reason)
            return False
        return True


class RelayErasures:
    """Brings to the queue what calls left open because they died, or because the queue was away."""

    def __init__(self, repository: PreferenceRepository, queue: ErasureQueue, clock: Callable[[], datetime]) -> None:
        self._repository = repository
        self._queue = queue
        self._clock = clock

    def __call__(self) -> int:
        """Orders relayed. One may reach the queue twice after a crash, which is harmless. Unavailable when the queue
        or the store is away: what is left stays open."""
        orders = self._repository.open_orders(self._clock() - CALL_LASTS, limit=RELAYED_AT_ONCE)
        for order in orders:
            self._queue.finish_later(order.visitor_id, order.receipt_id, order.at)
            self._repository.settle(order.receipt_id)
        return len(orders)


class Receipts:
    """Receipts of earlier erasures of a visitor, newest first."""

    def __init__(self, repository: PreferenceRepository) -> None:
        self._repository = repository

    def __call__(self, visitor_id: str) -> Sequence[ErasureReceipt]:
        """Empty for a visitor who was never erased."""
        return self._repository.receipts(checked_visitor_id(visitor_id))
