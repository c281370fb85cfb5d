"""The word index: FTS5 in SQLite, a tsvector with a GIN index in PostgreSQL.

Both hold the words of `domain.words` and nothing of their own grammar, and score by `domain.word_scores` instead of
BM25 and ts_rank, so both find the same products in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from catalog_svc.adapters.sql_word_scores import counting, points_sql, rarities, score_sql
from catalog_svc.domain.word_scores import MAX_TITLE_WORDS, WordQuery
from catalog_svc.domain.words import WordDocument

_POSTGRES_MAX_POSITION = 16_383


@dataclass(frozen=True, slots=True)
class Match:
    """Products found by words, and how to score those of them that a search keeps.

    `found` has the column `number`; `texts` is joined to it where `belongs`, and `score` (without the bonus) is meant
    in their rows. `values` are the parameters of all of them.
    """

    found: sa.Subquery
    texts: sa.FromClause
    belongs: sa.ColumnElement[bool]
    score: sa.ColumnElement[float]
    values: Mapping[str, object]


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

    def counts(self, connection: Connection, words: Sequence[str], most: int) -> Sequence[int]:
        """See `domain.word_scores.Counts`."""
        ...

    def match_all(self, query: WordQuery, most: int | None) -> Match:
        """Products with every word; of no more than `most`, those the index comes to first."""
        ...

    def match_some(self, query: WordQuery, most: int | None) -> Match:
        """Products with at least one of the telling words, but not all words; `most` as above."""
        ...


def word_index(dialect: str) -> WordIndex:
    """The index of a dialect."""
    return SqliteWordIndex() if dialect == "sqlite" else PostgresWordIndex()


class SqliteWordIndex:
    """FTS5. Words hold letters and digits only, so they need no escaping inside quotes."""

    # FTS5 keeps title, names and description here, and reading them costs a third of asking for its own columns.
    _texts = sa.table("product_words_content", sa.column("id", sa.BigInteger))
    _found = (
        sa.select(sa.column("rowid", sa.BigInteger).label("number"))
        .select_from(sa.table("product_words"))
        .where(sa.literal_column("product_words").op("MATCH")(sa.bindparam("query")))
        .limit(sa.bindparam("most", type_=sa.BigInteger))
        .subquery("found")
    )

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

    def counts(self, connection: Connection, words: Sequence[str], most: int) -> Sequence[int]:
        """See WordIndex."""
        quoted = {f"w{n}": f'"{word}"' for n, word in enumerate(words)}
        return list(connection.execute(self._counting(len(words)), {"most": most, **quoted}).one())

    def match_all(self, query: WordQuery, most: int | None) -> Match:
        """See WordIndex."""
        return self._match(query, " AND ".join(f'"{word}"' for word in query.words), most, every=True)

    def match_some(self, query: WordQuery, most: int | None) -> Match:
        """See WordIndex."""
        some, every = " OR ".join(f'"{w}"' for w in query.telling), " AND ".join(f'"{w}"' for w in query.words)
        return self._match(query, f"({some}) NOT ({every})", most, every=False)

    def _match(self, query: WordQuery, text: str, most: int | None, *, every: bool) -> Match:
        spaced = {f"w{n}": f" {word} " for n, word in enumerate(query.words)}
        values = {"query": text, "most": -1 if most is None else most, **rarities(query), **spaced}
        belongs = self._texts.c.id == self._found.c.number
        return Match(self._found, self._texts, belongs, self._score(len(query.words), every), values)

    @staticmethod
    @lru_cache
    def _counting(words: int) -> sa.Select[*tuple[int, ...]]:
        one = sa.select(sa.literal_column("1", sa.Integer))
        itself: sa.ColumnElement[str] = sa.literal_column("product_words")
        every = one.select_from(sa.table("product_words_docsize"))  # where FTS5 keeps a short row for each product
        index = one.select_from(sa.table("product_words"))
        return counting([every, *(index.where(itself.op("MATCH")(sa.bindparam(f"w{n}"))) for n in range(words))])

    @staticmethod
    @lru_cache
    def _score(words: int, every: bool) -> sa.ColumnElement[float]:
        title, names, description = (f"instr(' ' || c{n} || ' ', :w{{n}}) > 0" for n in range(3))
        return score_sql(
            points_sql(words, title, names, "1" if every else description),
            f"min((c0 <> '') + length(c0) - length(replace(c0, ' ', '')), {MAX_TITLE_WORDS})",
        )


def _tsquery(name: str) -> sa.ColumnElement[object]:
    return sa.cast(sa.bindparam(name, type_=sa.Text), postgresql.TSQUERY)


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

    _found = (
        sa.select(_table.c.number, _table.c.words)
        .where(_table.c.words.op("@@")(_tsquery("query")))
        .limit(sa.bindparam("most", type_=sa.BigInteger))
        .subquery("found")
    )
    # What is left of a vector without its description. An offset, even of none, keeps it from being made for each word.
    _marked = (
        sa.select(sa.func.ts_filter(_found.c.words, sa.literal_column("'{a,b}'")).label("marked"))
        .correlate(_found)
        .offset(0)
        .subquery("short")
    )
    _texts = sa.select(_marked.c.marked, sa.cast(_marked.c.marked, sa.Text).label("written")).offset(0).lateral("texts")

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

    def counts(self, connection: Connection, words: Sequence[str], most: int) -> Sequence[int]:
        """See WordIndex."""
        quoted = {f"w{n}": f"'{word}'" for n, word in enumerate(words)}
        return list(connection.execute(self._counting(len(words)), {"most": most, **quoted}).one())

    def match_all(self, query: WordQuery, most: int | None) -> Match:
        """See WordIndex."""
        return self._match(query, " & ".join(f"'{word}'" for word in query.words), most, every=True)

    def match_some(self, query: WordQuery, most: int | None) -> Match:
        """See WordIndex."""
        some, every = " | ".join(f"'{w}'" for w in query.telling), " & ".join(f"'{w}'" for w in query.words)
        return self._match(query, f"({some}) & !({every})", most, every=False)

    def _match(self, query: WordQuery, text: str, most: int | None, *, every: bool) -> Match:
        marks = {"a": ":A", "b": ":B"} if every else {"a": ":A", "b": ":B", "c": ""}
        marked = {f"{m}{n}": f"'{word}'{mark}" for n, word in enumerate(query.words) for m, mark in marks.items()}
        values = {"query": text, "most": most, **rarities(query), **marked}
        return Match(self._found, self._texts, sa.true(), self._score(len(query.words), every), values)

    @classmethod
    @lru_cache
    def _counting(cls, words: int) -> sa.Select[*tuple[int, ...]]:
        every = sa.select(sa.literal_column("1", sa.Integer)).select_from(cls._table)
        queries = (_tsquery(f"w{n}") for n in range(words))
        return counting([every, *(every.where(cls._table.c.words.op("@@")(query)) for query in queries)])

    @staticmethod
    @lru_cache
    def _score(words: int, every: bool) -> sa.ColumnElement[float]:
        title, names = (f"texts.marked @@ CAST(:{mark}{{n}} AS tsquery)" for mark in "ab")
        description = "true" if every else "found.words @@ CAST(:c{n} AS tsquery)"
        # Written out, each place of a word in the title ends with the mark "A", a letter that no word has.
        title_words = "octet_length(texts.written) - octet_length(replace(texts.written, 'A', ''))"
        return score_sql(points_sql(words, title, names, description), f"least({title_words}, {MAX_TITLE_WORDS})")

    @staticmethod
    def _vector(document: WordDocument) -> str:
        marked = [(w, "A") for w in document.title] + [(w, "B") for w in document.names]
        marked += [(w, "C") for w in document.description]
        return " ".join(
            f"'{word}':{place}{mark}" for place, (word, mark) in enumerate(marked[:_POSTGRES_MAX_POSITION], 1)
        )
