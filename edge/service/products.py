"""Products by id, lists of products, categories."""

from __future__ import annotations

from collections.abc import Sequence

from edge.domain.card import Card
from edge.domain.listing import Category, ProductPage
from edge.domain.ports import Cache, CatalogGateway, upstream_failed
from edge.service.card_book import CardBook
from meshkit.errors import RecomeshError


class Products:
    """Reads of the catalog. Out-of-stock products are shown, hidden and expired ones never."""

    def __init__(self, catalog: CatalogGateway, cards: CardBook, categories: Cache[str, Sequence[Category]]) -> None:
        self._catalog = catalog
        self._cards = cards
        self._categories = categories

    async def product(self, product_id: str) -> tuple[Card, bool]:
        """See CardBook.card."""
        return await self._cards.card(product_id)

    async def page(self, filter_text: str, page_size: int, page_token: str) -> ProductPage:
        """Visible products by product_id. A page may be shorter than asked for and not be the last."""
        page = await self._catalog.page(filter_text, page_size, page_token)
        now_s = self._cards.now_s()
        shown = tuple(card for card in self._cards.learn(page.cards) if card.visible(now_s))
        return ProductPage(shown, page.next_page_token)

    async def categories(self, parent: str) -> tuple[Sequence[Category], bool]:
        """Categories by path, and whether they may be out of date because the catalog is away."""
        try:
            return await self._categories.get_or_load(parent, lambda: self._catalog.categories(parent)), False
        except RecomeshError as error:
            held = self._categories.last_good(parent)
            if held is None or not upstream_failed(error):
                raise
            return held[0], True
