"""The relay's cursor, in the database of the products."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from catalog_svc.adapters.mongo_store import MongoStore

_NAME = "product_changed"


class MongoRelayCursor:
    """See `domain.ports.RelayCursor`. Where updates are not exclusive (FerretDB) it may go back, never too far on."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._cursors = store.collection("relay_cursors")

    def read(self) -> int:
        """See the port."""
        with self._store.asking():
            found = self._cursors.find_one({"_id": _NAME})
        return 0 if found is None else int(found["revision"])

    def advance(self, seen: int, revision: int) -> bool:
        """See the port."""
        with self._store.asking():
            moved = self._cursors.update_one({"_id": _NAME, "revision": seen}, {"$set": {"revision": revision}})
            if moved.matched_count:
                return True
            if seen:
                return False
            try:
                self._cursors.insert_one({"_id": _NAME, "revision": revision})
            except DuplicateKeyError:
                return False
            return True
