"""The edge's copy of product cards: loaded when needed, kept true by the catalog's change feed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from edge.domain.card import Card
from edge.domain.change_history import ChangeHistory
from edge.domain.ports import Cache, CatalogGateway, SharedCache, upstream_failed
from meshkit.errors import NotFound, RecomeshError

log = structlog.get_logger()
UNKNOWN_TTL_S = 2.0


@dataclass(frozen=True, slots=True)
class FoundCards:
    """Cards by id, gone ones included. An id is missing only when `degraded`: the catalog is away, no copy is held."""

    cards: Mapping[str, Card]
    degraded: bool


class CardBook:
    """Cards by product id.

    A card is read from the catalog when it is first wanted, once for all who wait for it. When its time to live is over
    it is read anew while the old one still answers; a change of the product replaces it at once. While the catalog is
    away the last good card serves.
    """

    def __init__(
        self,
        catalog: CatalogGateway,
        held: Cache[str, Card],
        shared: SharedCache[str, Card],
        history: ChangeHistory,
        *,
        ttl_s: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._catalog = catalog
        self._held = held
        self._shared = shared
        self._history = history
        self._ttl_s = ttl_s
        self._clock = clock
        self._flights: dict[str, asyncio.Task[dict[str, Card]]] = {}
        self._changed_while_loading: set[str] = set()

    def now_s(self) -> float:
        """Unix time in seconds, as used for expiry."""
        return self._clock()

    def known(self, product_id: str) -> Card | None:
        """The card held, fresh or not; None: never read."""
        held = self._held.last_good(product_id)
        return None if held is None else held[0]

    def known_of(self, product_ids: Sequence[str]) -> Mapping[str, Card]:
        """The cards held of the products, fresh or not."""
        return self._held.held(product_ids)

    async def cards(self, product_ids: Sequence[str]) -> FoundCards:
        """Cards of many products; never fails because the catalog is away."""
        found: dict[str, Card] = {}
        over: list[str] = []
        missing: list[str] = []
        for product_id in product_ids:
            card = self._held.fresh(product_id)
            if card is None and (card := self._held.ended(product_id)) is not None:
                over.append(product_id)
            if card is None:
                missing.append(product_id)
            else:
                found[product_id] = card
        if over:
            self._start(over)
        if not missing:
            return FoundCards(found, degraded=False)
        try:
            found.update(await self._load(missing))
        except RecomeshError as error:
            if not upstream_failed(error):
                raise
            log.warning("cards_stale", reason=error.reason, products=len(missing))
            found.update((i, card) for i in missing if (card := self.known(i)) is not None)
            return FoundCards(found, degraded=True)
        return FoundCards(found, degraded=False)

    async def card(self, product_id: str) -> tuple[Card, bool]:
        """The card of a product a shopper may see, and whether it may be out of date (the catalog is away).

        NotFound if it does not exist or is not for shoppers; Unavailable if the catalog is away and none is held.
        """
        card = self._held.fresh(product_id)
        degraded = False
        if card is None and (card := self._held.ended(product_id)) is not None:
            self._start([product_id])
        if card is None:
            try:
                card = (await self._load([product_id]))[product_id]
            except RecomeshError as error:
                card = self.known(product_id)
                if card is None or not upstream_failed(error):
                    raise
                degraded = True
        if not card.visible(self._clock()):
            raise NotFound("product", product_id)
        return card, degraded

    def learn(self, cards: Iterable[Card]) -> list[Card]:
        """Takes in cards that came with another answer; gives back those that are now held for them, in order."""
        return [self._keep(card) for card in cards]

    def changed(self, card: Card) -> Card | None:
        """Takes in a change of the feed; the card held until now, None if there was none."""
        held = self.known(card.product_id)
        if card.product_id in self._flights:
            self._changed_while_loading.add(card.product_id)
        elif held is None:
            return None
        self._keep(card)
        return held

    def outdate(self) -> None:
        """Reads every card again when it is next wanted."""
        self._held.outdate()

    async def _load(self, product_ids: Sequence[str]) -> dict[str, Card]:
        self._start(product_ids)
        flights = {self._flights[i] for i in product_ids}
        read = [await asyncio.shield(flight) for flight in flights]
        return {i: card for cards in read for i, card in cards.items()}

    def _start(self, product_ids: Sequence[str]) -> None:
        """Each card is read by one flight at a time, whoever wants it; a flight goes on when those who wait give up."""
        missing = [i for i in dict.fromkeys(product_ids) if i not in self._flights]
        if missing:
            flight = asyncio.get_running_loop().create_task(self._read(missing))
            self._flights.update(dict.fromkeys(missing, flight))
            flight.add_done_callback(lambda done: self._landed(missing, done))

    async def _read(self, product_ids: Sequence[str]) -> dict[str, Card]:
        cards = await self._load_shared(product_ids)
        missing = [i for i in product_ids if i not in cards]
        if missing:
            as_of = self._history.position
            found = await self._catalog.cards(missing)
            self._shared.put(found, as_of)
            cards |= {i: self._keep(found[i]) if i in found else self._keep_unknown(i) for i in missing}
        return cards

    def _landed(self, product_ids: Sequence[str], flight: asyncio.Task[dict[str, Card]]) -> None:
        for product_id in product_ids:
            del self._flights[product_id]
            self._changed_while_loading.discard(product_id)
        if not flight.cancelled() and flight.exception() is not None:  # asking marks it as seen: nobody may wait
            for product_id in product_ids:
                self._held.spend(product_id)  # who asks next must hear of it

    async def _load_shared(self, product_ids: Sequence[str]) -> dict[str, Card]:
        """Cards that another edge shared and of which no later change is known. They live here what is left of their
        time."""
        shared = await self._shared.get(product_ids)
        return {
            i: self._keep(entry.value, ttl_s=max(0.0, self._ttl_s - entry.age_s))
            for i, entry in shared.items()
            if entry.value.product_id == i and self._history.unchanged_since(i, entry.as_of)
        }

    def _keep(self, card: Card, *, ttl_s: float | None = None) -> Card:
        held = self.known(card.product_id)
        if held is not None and held.revision > card.revision:
            return held  # an answer that a change overtook on the way
        if held == card:
            card = held  # the same object, so that answers made with it stay valid
        self._held.put(card.product_id, card, ttl_s=ttl_s)
        return card

    def _keep_unknown(self, product_id: str) -> Card:
        held = self.known(product_id)
        if held is not None and product_id in self._changed_while_loading:
            return held  # created while the catalog was being asked
        gone = Card.of_gone(product_id, 0 if held is None else held.revision)
        self._held.put(product_id, gone, ttl_s=UNKNOWN_TTL_S, revalidate=False)
        return gone
