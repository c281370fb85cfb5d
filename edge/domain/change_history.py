"""Which products changed since when, as far as this process knows: what tells whether a shared copy is still true."""

from __future__ import annotations

from collections import OrderedDict


class ChangeHistory:
    """Products by the revision of their last change, at most `max_products`; the oldest leave.

    `position` is the revision up to which this process knows all changes. A copy made at a revision is true when no
    later change of its product is known; nothing is said for copies from before the history begins.
    """

    def __init__(self, *, max_products: int = 200_000) -> None:
        self._max_products = max_products
        self._begins = 0
        self._changed: OrderedDict[str, int] = OrderedDict()
        self.position = 0

    def begin(self, position: int) -> None:
        """Nothing is known of what happened before."""
        self._changed.clear()
        self._begins = self.position = position

    def add(self, product_id: str, revision: int) -> None:
        """A change, in the order of the feed."""
        self.position = max(self.position, revision)
        self._changed[product_id] = revision
        self._changed.move_to_end(product_id)
        if len(self._changed) > self._max_products:
            _, forgotten = self._changed.popitem(last=False)
            self._begins = max(self._begins, forgotten)

    def unchanged_since(self, product_id: str, revision: int) -> bool:
        """True if a copy of the product that was read when the feed stood at `revision` is known to be true still."""
        return revision >= self._begins and self._changed.get(product_id, 0) <= revision
