"""Use case: take what visitors did. Durable in the queue before it is answered, at once in the visitor's session.

An event id that was seen before is answered `duplicate`, yet goes to the queue again: the call that brought it first
may have died before the event was durable. The log keeps every id once, so a repeat costs only its way there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import groupby

import orjson
import structlog

from meshkit.broker.port import Broker, Message
from meshkit.errors import Unavailable
from meshkit.topics import INTERACTIONS
from reco_svc.domain.model import EventType, Interaction, SessionStep
from reco_svc.domain.ports import SeenEvents, SessionStore
from reco_svc.service.interaction_codec import to_dict
from reco_svc.service.reported_event import ReportedEvent, interaction_of, wrong_field

log = structlog.get_logger()
MESSAGE_EVENTS = 500
LATE_AFTER = timedelta(hours=24)
SESSION_TYPES = frozenset(
    {
        EventType.VIEW_ITEM,
        EventType.SELECT_ITEM,
        EventType.ADD_TO_CART,
        EventType.REMOVE_FROM_CART,
        EventType.ADD_TO_WISHLIST,
        EventType.PURCHASE,
    }
)


class Verdict(IntEnum):
    """What became of an event; numbers as on the wire."""

    ACCEPTED = 1
    DUPLICATE = 2
    LATE = 3
    UNKNOWN_PRODUCT = 4
    INVALID = 5


@dataclass(frozen=True, slots=True)
class EventVerdict:
    """The verdict on one event; `reason` only for INVALID."""

    event_id: str
    verdict: Verdict
    reason: str = ""


class RecordInteractions:
    """`knows_product` says whether the live product table holds a product; it may be called from any thread."""

    def __init__(
        self,
        broker: Broker,
        seen: SeenEvents,
        sessions: SessionStore,
        knows_product: Callable[[str], bool],
        *,
        late_after: timedelta = LATE_AFTER,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._broker = broker
        self._seen = seen
        self._sessions = sessions
        self._knows_product = knows_product
        self._late_after = late_after
        self._clock = clock

    def __call__(self, events: Sequence[ReportedEvent]) -> list[EventVerdict]:
        """A verdict per event, in order. Unavailable: the queue is away, nothing was taken, send the same ids again."""
        now = self._clock()
        reasons = [wrong_field(event, now) for event in events]
        valid: dict[str, Interaction] = {}
        for event, reason in zip(events, reasons, strict=True):
            if not reason and event.event_id not in valid:
                valid[event.event_id] = interaction_of(event, now)
        new = self._make_durable(valid)
        verdicts = {event_id: self._verdict(i, event_id in new, now) for event_id, i in valid.items()}
        fresh = [i for event_id, i in valid.items() if event_id in new and verdicts[event_id] is not Verdict.LATE]
        self._remember(fresh, now)
        return list(_answers(events, reasons, verdicts))

    def _make_durable(self, valid: dict[str, Interaction]) -> set[str]:
        """Publishes all; answers the ids that were not seen before."""
        if not valid:
            return set()
        ids = list(valid)
        new = {event_id for event_id, is_new in zip(ids, self._seen.add_new(ids), strict=True) if is_new}
        try:
            self._broker.publish(list(_messages(list(valid.values()))))
        except BaseException:
            self._seen.forget(list(new))
            raise
        return new

    def _verdict(self, interaction: Interaction, is_new: bool, now: datetime) -> Verdict:
        if not is_new:
            return Verdict.DUPLICATE
        if now - interaction.at > self._late_after:
            return Verdict.LATE
        if interaction.product_id and not self._knows_product(interaction.product_id):
            return Verdict.UNKNOWN_PRODUCT
        return Verdict.ACCEPTED

    def _remember(self, interactions: Iterable[Interaction], now: datetime) -> None:
        """Adds to the sessions. The events are durable already, so a session store that is away fails nothing."""
        try:
            self._sessions.append(sessions_of(interactions), now)
        except Unavailable as error:
            log.warning("sessions_not_updated", reason=error.reason, error=error.message)


def sessions_of(interactions: Iterable[Interaction]) -> dict[str, list[SessionStep]]:
    """Steps by visitor, in order of time."""
    steps = sorted((i for i in interactions if i.type in SESSION_TYPES), key=lambda i: (i.visitor_id, i.at))
    by_visitor = groupby(steps, key=lambda i: i.visitor_id)
    return {visitor: [SessionStep(i.product_id, i.type, i.at) for i in mine] for visitor, mine in by_visitor}


def _messages(interactions: Sequence[Interaction]) -> Iterable[Message]:
    for start in range(0, len(interactions), MESSAGE_EVENTS):
        batch = interactions[start : start + MESSAGE_EVENTS]
        body = orjson.dumps({"events": [to_dict(i) for i in batch]})
        yield Message(INTERACTIONS, body, key=batch[0].visitor_id)


def _answers(
    events: Sequence[ReportedEvent], reasons: Sequence[str], verdicts: dict[str, Verdict]
) -> Iterable[EventVerdict]:
    """The first valid event of an id gets the verdict, repeats within the batch are duplicates."""
    answered: set[str] = set()
    for event, reason in zip(events, reasons, strict=True):
        if reason:
            yield EventVerdict(event.event_id, Verdict.INVALID, reason)
        elif event.event_id in answered:
            yield EventVerdict(event.event_id, Verdict.DUPLICATE)
        else:
            answered.add(event.event_id)
            yield EventVerdict(event.event_id, verdicts[event.event_id])
