"""Word search in MongoDB: an array of words with an index finds the products, this module ranks them.

MongoDB has no ranking that FerretDB shares, so the words of what was found are read, scored here
(`domain.word_scores`), and only the best products are fetched whole.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from catalog_svc.adapters.mongo_documents import product_of_document
from catalog_svc.adapters.mongo_filter import compile_filter
from catalog_svc.adapters.mongo_store import MongoDocument, MongoStore
from catalog_svc.domain import word_scores
from catalog_svc.domain.filter_record import record_of
from catalog_svc.domain.model import SearchHit
from catalog_svc.domain.words import words_of
from meshkit.filtering import Expression, predicate

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
            query = word_scores.word_query(words, self._counts)
            ranked = self._ranked(every, query, filter, alive, limit, bonus=word_scores.ALL_WORDS_BONUS)
            if len(words) > 1 and len(ranked) < limit:
                some = {"words": {"$in": list(query.telling)}, "$nor": [every]}
                ranked += self._ranked(some, query, filter, alive, limit - len(ranked), bonus=0.0)
            return self._fetched(ranked, alive)

    def _counts(self, words: Sequence[str], most: int) -> list[int]:
        queries: list[MongoDocument] = [{"deleted": False}, *({"words": word} for word in words)]
        return [self._products.count_documents(query, limit=most) for query in queries]

    def _ranked(
        self,
        found: MongoDocument,
        query: word_scores.WordQuery,
        filter: Expression | None,
        alive: Mapping[str, object],
        limit: int,
        *,
        bonus: float,
    ) -> list[tuple[float, str]]:
        """Score and id, best first; ties by id in byte order."""
        compiled = compile_filter(filter)
        fields = (*_WORDS, "content.title") if compiled.exact else (*_WORDS, *_PRODUCT)
        passes = None if compiled.exact else predicate(filter)
        whole = {"$and": [found, alive, compiled.query]}
        with self._products.find(whole, fields).limit(word_scores.RANKED_PRODUCTS) as documents:
            scored = (
                (bonus + _score(document, query), document["_id"])
                for document in documents
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


def _score(document: MongoDocument, query: word_scores.WordQuery) -> float:
    title, names, anywhere = (frozenset(document[name]) for name in ("title_words", "name_words", "words"))
    return word_scores.word_score(query, title, names, anywhere, len(words_of(document["content"]["title"])))
