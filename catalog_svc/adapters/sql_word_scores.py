"""`domain.word_scores` in SQL: text, made once for a number of words; expressions would be made for each query."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from catalog_svc.domain.word_scores import (
    ANYWHERE_WEIGHT,
    BASE_LENGTH,
    NAMES_WEIGHT,
    RARITY_UNIT,
    TITLE_WEIGHT,
    WordQuery,
)


def points_sql(words: int, in_title: str, in_names: str, in_description: str) -> str:
    """The sum of rarity * weight; conditions have "{n}" for the number of the word, `rarities` has the parameters.

    Descriptions are long: they are looked at only if neither title nor names have the word.
    """
    title, both = TITLE_WEIGHT + ANYWHERE_WEIGHT, TITLE_WEIGHT + NAMES_WEIGHT + ANYWHERE_WEIGHT
    weight = (
        f"CASE WHEN {in_title} THEN CASE WHEN {in_names} THEN {both} ELSE {title} END"
        f" WHEN {in_names} THEN {NAMES_WEIGHT + ANYWHERE_WEIGHT}"
        f" WHEN {in_description} THEN {ANYWHERE_WEIGHT} ELSE 0 END"
    )
    return " + ".join(f":rarity{n} * {weight.format(n=n)}" for n in range(words))


def rarities(query: WordQuery) -> dict[str, int]:
    """The parameters of `points_sql`."""
    return {f"rarity{n}": rarity for n, rarity in enumerate(query.rarities.values())}


def score_sql(points: str, title_words: str) -> sa.ColumnElement[float]:
    """The score without the bonus; `title_words` are at most MAX_TITLE_WORDS."""
    score = f"CAST({points} AS DOUBLE PRECISION) / ({RARITY_UNIT} * ({BASE_LENGTH} + {title_words}))"
    return sa.type_coerce(sa.text(f"({score})"), sa.Double)


def counting(rows: Iterable[sa.Select[int]]) -> sa.Select[*tuple[int, ...]]:
    """One row of numbers: how many each of the selects has, none counted further than the parameter `most`."""
    most = sa.bindparam("most", type_=sa.BigInteger)
    ends = (some.limit(most).subquery() for some in rows)
    return sa.select(*(sa.select(sa.func.count()).select_from(end).scalar_subquery() for end in ends))
