"""How well a product fits the words of a query: one formula for every store, so that all give the same order.

    score = sum over the words of rarity * weight / (16 * (8 + words of the title)) + 1,000 if the product has all words
    weight = 8 if the title has the word + 4 if the names have it + 1 if title, names or description have it
    rarity = floor(16 * log2(1 + products / products that have the word)), 16 for a query of one word

Everything is an integer up to one division, so no store rounds otherwise. Words of a title count with repeats, up to
64. Products are those not deleted, hidden ones too, counted up to 5,001: a word of more is as common as can be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

TITLE_WEIGHT, NAMES_WEIGHT, ANYWHERE_WEIGHT = 8, 4, 1
RARITY_UNIT = 16
BASE_LENGTH = 8  # added to the words of every title, so that a short one does not win by its shortness alone
MAX_TITLE_WORDS = 64
ALL_WORDS_BONUS = 1_000.0  # puts products with every word before the others; above any sum of word scores
COMMON_PRODUCTS = 5_000  # a word of more products than this finds nothing beside a rarer word
RANKED_PRODUCTS = 20_000  # of more products than this that match, a store may rank some only


@dataclass(frozen=True, slots=True)
class WordQuery:
    """The words of a query with their rarity, and the telling ones: those that find a product by themselves."""

    rarities: Mapping[str, int]
    telling: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """In the order of the query."""
        return tuple(self.rarities)


class Counts(Protocol):
    """Counts products that are not deleted."""

    def __call__(self, words: Sequence[str], most: int) -> Sequence[int]:
        """Of all products, then of those having each word; counts no further than `most`."""
        ...


def word_query(words: Sequence[str], counts: Counts) -> WordQuery:
    """Weighs the different words of a query.

    A word that nearly every product has says nothing beside one that few have and costs the most: it is telling only
    if no word is.
    """
    if len(words) < 2:
        return WordQuery(dict.fromkeys(words, RARITY_UNIT), tuple(words))
    most = COMMON_PRODUCTS + 1
    products, *having = counts(words, most)
    telling = tuple(word for word, count in zip(words, having, strict=True) if 0 < count < most)
    rarities = {word: rarity(count, products) for word, count in zip(words, having, strict=True)}
    return WordQuery(rarities, telling or tuple(words))


def rarity(having: int, products: int) -> int:
    """floor(16 * log2(1 + products / having)), exactly; a word of no product is as rare as one of a single product."""
    having = max(having, 1)
    return int(((products + having) ** RARITY_UNIT // having**RARITY_UNIT).bit_length() - 1)


def word_score(
    query: WordQuery, title: Collection[str], names: Collection[str], anywhere: Collection[str], title_words: int
) -> float:
    """The score without the bonus. Collections of different words that answer `in` quickly; 0.0 if none is there."""
    points = sum(
        rarity
        * (TITLE_WEIGHT * (word in title) + NAMES_WEIGHT * (word in names) + ANYWHERE_WEIGHT * (word in anywhere))
        for word, rarity in query.rarities.items()
    )
    return points / (RARITY_UNIT * (BASE_LENGTH + min(title_words, MAX_TITLE_WORDS)))
