"""The indexes of the catalog in MongoDB: every query of the API finds one (docs/stores.md lists which)."""

from __future__ import annotations

from pymongo import ASCENDING, DESCENDING

from catalog_svc.adapters.mongo_store import MongoStore

_Keys = list[tuple[str, int]]

# FerretDB indexes a whole array as one value and takes no more than 2,704 bytes, so it gets the first group only.
_SCALARS: list[tuple[str, _Keys, bool]] = [
    ("products", [("revision", ASCENDING)], True),
    ("import_jobs", [("started_at", DESCENDING), ("_id", DESCENDING)], False),
    ("import_jobs", [("state", ASCENDING)], False),
    ("import_rejections", [("job_id", ASCENDING), ("line", ASCENDING)], True),
]
_OTHERS: list[tuple[str, _Keys, bool]] = [
    ("products", [("words", ASCENDING)], False),
    ("products", [("keys.categories", ASCENDING), ("_id", ASCENDING)], False),
    ("products", [("keys.brand", ASCENDING), ("_id", ASCENDING)], False),
    ("products", [("keys.tags", ASCENDING), ("_id", ASCENDING)], False),
    # Counts and categories are read from this index alone.
    (
        "products",
        [(name, ASCENDING) for name in ("deleted", "hidden", "expires_at", "availability", "category_lines")],
        False,
    ),
]


def create_indexes(store: MongoStore) -> None:
    """Makes what is missing."""
    wanted = _SCALARS if store.is_ferretdb() else _SCALARS + _OTHERS
    with store.asking():
        for collection, keys, unique in wanted:
            store.collection(collection).create_index(keys, unique=unique)
