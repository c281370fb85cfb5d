"""The word index: FTS5 in SQLite, a tsvector with a GIN index in PostgreSQL.

Both hold the words of `domain.words` and nothing of their own grammar, so both find the same products; only the scores
differ (BM25 in SQLite, ts_rank in PostgreSQL). A word of the title weighs most, of the description least.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from catalog_svc.domain.words import WordDocument

TITLE_WEIGHT, NAMES_WEIGHT, DESCRIPTION_WEIGHT = 8.0, 4.0, 1.0
_POSTGRES_MAX_POSITION = 16_383


@dataclass(frozen=True, slots=True)
class Match:
    """A selectable with the columns `number` and `score` (greater is better)."""

    found: sa.Subquery
    number: sa.ColumnElement[int]
    score: sa.ColumnElement[float]


class WordIndex(Protocol):
    """Product numbers by words."""

    def create(self, connection: Connection) -> None:
        """Makes the index if it is missing."""
        ...

    def put(self, connection: Connection, documents: Iterable[tuple[int, WordDocument]]) -> None:
        """Indexes products; they must not be in the index."""
        ...

    def remove(self, connection: Connection, numbers: Sequence[int]) -> None:
        """Forgets products."""
        ...

    def count(self, connection: Connection, word: str, most: int) -> int:
        """How many products have a word; counts no further than `most`."""
        ...

    def match_all(self, words: Sequence[str], most: int | None) -> Match:
        """Products with every word; `most` looks at the oldest ones only."""
        ...

    def match_some(self, words: Sequence[str], telling: Sequence[str], most: int | None) -> Match:
        """Products with at least one of the telling words, but not all words."""
        ...


def word_index(dialect: str) -> WordIndex:
    """The index of a dialect."""
    return SqliteWordIndex() if dialect == "sqlite" else PostgresWordIndex()


class SqliteWordIndex:
    """FTS5. Words hold letters and digits only, so they need no escaping inside quotes."""

    _index = sa.table("product_words", sa.column("rowid"))
    _itself: sa.ColumnElement[str] = sa.literal_column("product_words")

    def create(self, connection: Connection) -> None:
        """See WordIndex. The ascii tokenizer splits at spaces only, given such words."""
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE IF NOT EXISTS product_words USING fts5(title, names, description, tokenize='ascii')"
        )

    def put(self, connection: Connection, documents: Iterable[tuple[int, WordDocument]]) -> None:
        """See WordIndex."""
        rows = [(n, " ".join(d.title), " ".join(d.names), " ".join(d.description)) for n, d in documents]
        if rows:
            connection.exec_driver_sql(
                "INSERT INTO product_words (rowid, title, names, description) VALUES (?, ?, ?, ?)", rows
            )

    def remove(self, connection: Connection, numbers: Sequence[int]) -> None:
        """See WordIndex."""
        if numbers:
            connection.exec_driver_sql("DELETE FROM product_words WHERE rowid = ?", [(n,) for n in numbers])

    def count(self, connection: Connection, word: str, most: int) -> int:
        """See WordIndex."""
        some = (
            sa.select(sa.literal(1)).select_from(self._index).where(self._itself.op("MATCH")(f'"{word}"')).limit(most)
        )
        return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())

    def match_all(self, words: Sequence[str], most: int | None) -> Match:
        """See WordIndex."""
        return self._match(" AND ".join(f'"{word}"' for word in words), most)

    def match_some(self, words: Sequence[str], telling: Sequence[str], most: int | None) -> Match:
        """See WordIndex."""
        some, every = (joint.join(f'"{w}"' for w in group) for joint, group in ((" OR ", telling), (" AND ", words)))
        return self._match(f"({some}) NOT ({every})", most)

    def _match(self, query: str, most: int | None) -> Match:
        score = -sa.func.bm25(self._itself, TITLE_WEIGHT, NAMES_WEIGHT, DESCRIPTION_WEIGHT)
        found = (
            sa.select(self._index.c.rowid.label("number"), score.label("score"))
            .where(self._itself.op("MATCH")(query))
            .limit(most)
            .subquery("found")
        )
        return Match(found, found.c.number, found.c.score)


class PostgresWordIndex:
    """A table beside the products. Vectors and queries are written literally, so no parser of PostgreSQL sees them."""

    _metadata = sa.MetaData()
    _table = sa.Table(
        "product_words",
        _metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("words", postgresql.TSVECTOR, nullable=False),
        sa.Index("product_words_words", "words", postgresql_using="gin"),
    )
    _weights: sa.ColumnElement[object] = sa.literal_column(
        f"'{{{0.0}, {DESCRIPTION_WEIGHT / 8}, {NAMES_WEIGHT / 8}, {TITLE_WEIGHT / 8}}}'::real[]"
    )

    def create(self, connection: Connection) -> None:
        """See WordIndex."""
        self._metadata.create_all(connection)

    def put(self, connection: Connection, documents: Iterable[tuple[int, WordDocument]]) -> None:
        """See WordIndex."""
        rows = [{"number": number, "words": self._vector(document)} for number, document in documents]
        if rows:
            value = sa.cast(sa.bindparam("words", type_=sa.Text), postgresql.TSVECTOR)
            connection.execute(sa.insert(self._table).values(number=sa.bindparam("number"), words=value), rows)

    def remove(self, connection: Connection, numbers: Sequence[int]) -> None:
        """See WordIndex."""
        if numbers:
            connection.execute(sa.delete(self._table).where(self._table.c.number.in_(numbers)))

    def count(self, connection: Connection, word: str, most: int) -> int:
        """See WordIndex."""
        query = sa.cast(sa.literal(f"'{word}'", sa.Text), postgresql.TSQUERY)
        some = sa.select(sa.literal(1)).select_from(self._table).where(self._table.c.words.op("@@")(query)).limit(most)
        return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())

    def match_all(self, words: Sequence[str], most: int | None) -> Match:
        """See WordIndex."""
        return self._match(" & ".join(f"'{word}'" for word in words), most)

    def match_some(self, words: Sequence[str], telling: Sequence[str], most: int | None) -> Match:
        """See WordIndex."""
        some, every = (joint.join(f"'{w}'" for w in group) for joint, group in ((" | ", telling), (" & ", words)))
        return self._match(f"({some}) & !({every})", most)

    @classmethod
    def _match(cls, text: str, most: int | None) -> Match:
        query = sa.cast(sa.literal(text, sa.Text), postgresql.TSQUERY)
        column = cls._table.c.words
        found = (
            sa.select(cls._table.c.number, sa.func.ts_rank(cls._weights, column, query, 1).label("score"))
            .where(column.op("@@")(query))
            .limit(most)
            .subquery("found")
        )
        return Match(found, found.c.number, found.c.score)

    @staticmethod
    def _vector(document: WordDocument) -> str:
        marked = [(w, "A") for w in document.title] + [(w, "B") for w in document.names]
        marked += [(w, "C") for w in document.description]
        return " ".join(
            f"'{word}':{place}{mark}" for place, (word, mark) in enumerate(marked[:_POSTGRES_MAX_POSITION], 1)
        )
