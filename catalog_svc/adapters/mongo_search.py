"""Word search in MongoDB: an array of words with an index finds the products, this module ranks them.

MongoDB has no ranking that FerretDB shares, so the words of what was found are read, scored here (title 8, names 4,
description 1, over the length of the title), and only the best products are fetched whole.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from catalog_svc.adapters.mongo_documents import product_of_document
from catalog_svc.adapters.mongo_filter import compile_filter
from catalog_svc.adapters.mongo_store import MongoDocument, MongoStore
from catalog_svc.domain.filter_record import record_of
from catalog_svc.domain.model import SearchHit
from meshkit.filtering import Expression, predicate

COMMON_PRODUCTS = 5_000  # a word of more products than this finds nothing beside a rarer word
RANKED_PRODUCTS = 20_000  # most products ranked for one search
ALL_WORDS_BONUS = 1_000.0  # puts products with every word before the others; above any sum of word scores
_WORDS = ("words", "title_words", "name_words")
_PRODUCT = ("revision", "created_at", "updated_at", "content", "size", "deleted")


class MongoSearch:
    """Hits among the products of a store. Thread-safe."""

    def __init__(self, store: MongoStore, page_characters: int) -> None:
        self._store = store
        self._products = store.collection("products")
        self._page_characters = page_characters

    def hits(
        self, words: Sequence[str], filter: Expression | None, alive: Mapping[str, object], limit: int
    ) -> list[SearchHit]:
        """Products with every word, then those with a telling one, while there are fewer than `limit`."""
        every = {"$and": [{"words": word} for word in words]}
        with self._store.asking():
            ranked = self._ranked(every, words, filter, alive, limit, bonus=ALL_WORDS_BONUS)
            if len(words) > 1 and len(ranked) < limit:
                some = {"words": {"$in": self._telling(words)}, "$nor": [every]}
                ranked += self._ranked(some, words, filter, alive, limit - len(ranked), bonus=0.0)
            return self._fetched(ranked, alive)

    def _telling(self, words: Sequence[str]) -> list[str]:
        # A word that nearly every product has says nothing beside one that few have, and costs the most.
        most = COMMON_PRODUCTS + 1
        counts = {word: self._products.count_documents({"words": word}, limit=most) for word in words}
        return [word for word in words if 0 < counts[word] < most] or list(words)

    def _ranked(
        self,
        query: MongoDocument,
        words: Sequence[str],
        filter: Expression | None,
        alive: Mapping[str, object],
        limit: int,
        *,
        bonus: float,
    ) -> list[tuple[float, str]]:
        """Score and id, best first; ties by id in byte order."""
        compiled = compile_filter(filter)
        fields = _WORDS if compiled.exact else (*_WORDS, *_PRODUCT)
        passes = None if compiled.exact else predicate(filter)
        whole = {"$and": [query, alive, compiled.query]}
        with self._products.find(whole, fields).limit(RANKED_PRODUCTS) as found:
            scored = (
                (bonus + _score(document, words), document["_id"])
                for document in found
                if passes is None or passes(record_of(product_of_document(document)))
            )
            return heapq.nsmallest(limit, scored, key=lambda hit: (-hit[0], hit[1].encode()))

    def _fetched(self, ranked: Sequence[tuple[float, str]], alive: Mapping[str, object]) -> list[SearchHit]:
        if not ranked:
            return []
        query = {"$and": [{"_id": {"$in": [product_id for _, product_id in ranked]}}, alive]}
        stored = {document["_id"]: document for document in self._products.find(query, _PRODUCT)}
        hits: list[SearchHit] = []
        budget = self._page_characters
        for score, product_id in ranked:
            if (document := stored.get(product_id)) is None:
                continue
            budget -= document["size"]
            if hits and budget < 0:
                break
            hits.append(SearchHit(product_of_document(document), score))
        return hits


def _score(document: MongoDocument, words: Sequence[str]) -> float:
    title, names, every = (frozenset(document[name]) for name in ("title_words", "name_words", "words"))
    weights = (8.0 * (word in title) + 4.0 * (word in names) + 1.0 * (word in every) for word in words)
    return sum(weights) / (1 + len(title))
