"""Orders to finish an erasure, on the durable queue."""

from __future__ import annotations

from datetime import datetime

import orjson

from meshkit.broker.port import Broker, Message
from meshkit.topics import VISITOR_ERASED


class BrokerErasureQueue:
    """ErasureQueue over the broker: `{"visitor_id", "receipt_id", "at"}` on topic `visitor_erased`.

    The message key is the receipt, not the visitor: keys are shown to people.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def finish_later(self, visitor_id: str, receipt_id: str, at: datetime) -> None:
        """See port."""
        body = orjson.dumps({"visitor_id": visitor_id, "receipt_id": receipt_id, "at": at.isoformat()})
        self._broker.publish([Message(VISITOR_ERASED, body, key=receipt_id)])
