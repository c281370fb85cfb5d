"""Word search in SQL: `sql_words` finds and scores, this module asks for no more than is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import sqlalchemy as sa

from catalog_svc.adapters.sql_engine import Database
from catalog_svc.adapters.sql_filter import compile_filter
from catalog_svc.adapters.sql_rows import COLUMNS, product_of
from catalog_svc.adapters.sql_tables import product as t
from catalog_svc.adapters.sql_words import Match, WordIndex
from catalog_svc.domain import word_scores
from catalog_svc.domain.filter_record import record_of
from catalog_svc.domain.model import SearchHit
from meshkit.filtering import Expression, predicate

_Alive = Sequence[sa.ColumnElement[bool]]
_Sized = tuple[SearchHit, int]  # a hit and the characters of its document


class SqlSearch:
    """Hits among the products of a database. Thread-safe."""

    def __init__(self, database: Database, index: WordIndex, page_characters: int, scanned_rows: int) -> None:
        self._database = database
        self._index = index
        self._page_characters = page_characters
        self._scanned_rows = scanned_rows

    def hits(self, words: Sequence[str], filter: Expression | None, alive: _Alive, limit: int) -> list[SearchHit]:
        """Products with every word, then those with a telling one, while there are fewer than `limit`."""
        query = self._weighed(words)
        bonus = word_scores.ALL_WORDS_BONUS
        found = self._capped(lambda most: self._index.match_all(query, most), bonus, filter, alive, limit)
        if len(words) > 1 and len(found) < limit:
            rest = limit - len(found)
            found += self._capped(lambda most: self._index.match_some(query, most), 0.0, filter, alive, rest)
        return self._first(found)

    def _weighed(self, words: Sequence[str]) -> word_scores.WordQuery:
        with self._database.reading() as connection:
            return word_scores.word_query(words, partial(self._index.counts, connection))

    def _capped(
        self,
        match: Callable[[int | None], Match],
        bonus: float,
        filter: Expression | None,
        alive: _Alive,
        limit: int,
    ) -> list[_Sized]:
        """Without a filter ranks some of the products of a word that very many have, if those are enough."""
        found = []
        if filter is None:
            found = self._ranked(match(word_scores.RANKED_PRODUCTS), bonus, None, alive, limit)
        return found if len(found) >= limit else self._ranked(match(None), bonus, filter, alive, limit)

    def _ranked(self, match: Match, bonus: float, filter: Expression | None, alive: _Alive, limit: int) -> list[_Sized]:
        """Best first; ties by id in byte order."""
        compiled = compile_filter(filter)
        statement = (
            sa.select(*COLUMNS, match.score.label("score"))
            .join_from(match.found, t, t.c.number == match.found.c.number)
            .join(match.texts, match.belongs)
            .where(*alive, compiled.condition)
            .order_by(sa.desc("score"), t.c.product_id)
            .limit(limit if compiled.exact else self._scanned_rows)
        )
        found: list[_Sized] = []
        passes = None if compiled.exact else predicate(filter)
        with self._database.reading() as connection:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=500)
            for row in streaming.execute(statement, match.values):
                if len(found) == limit:
                    break
                product = product_of(row)
                if passes is None or passes(record_of(product)):
                    found.append((SearchHit(product, bonus + row[5]), len(row[4].encode())))
        return found

    def _first(self, found: Sequence[_Sized]) -> list[SearchHit]:
        """As many as an answer holds."""
        budget = self._page_characters
        hits: list[SearchHit] = []
        for hit, size in found:
            budget -= size
            if hits and budget < 0:
                break
            hits.append(hit)
        return hits
