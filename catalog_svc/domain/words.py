"""The words of a product and of a query, brought to one form: no case, no accents, no English plural endings."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from catalog_svc.domain.model import Product

MAX_WORD_CHARACTERS = 40
MAX_QUERY_WORDS = 32
MAX_DESCRIPTION_WORDS = 1_000

# Scripts written without spaces are matched character by character.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class WordDocument:
    """The words of a product in order, from those that say most to those that say least."""

    title: tuple[str, ...]
    names: tuple[str, ...]
    description: tuple[str, ...]

    @property
    def words(self) -> frozenset[str]:
        """The different ones of all."""
        return frozenset((*self.title, *self.names, *self.description))


def words_of(text: str) -> list[str]:
    """The words of a text in order, repeats kept: "Blue Boxes, Café" -> ["blue", "box", "cafe"]."""
    if text.isascii():
        return [_stem(word) for word in _ASCII_WORD.findall(text.lower())]
    return [_stem(word) for word in _WORD.findall(_plain(text))]


def query_words(text: str) -> list[str]:
    """The first 32 different words of a query."""
    return list(dict.fromkeys(words_of(text)))[:MAX_QUERY_WORDS]


def document_of(product: Product) -> WordDocument:
    """What word search finds a product by. `names`: brand, categories, tags, id and codes."""
    names: list[str] = []
    for text in (product.brand, *product.categories, *product.tags):
        names += _cached_words(text)
    for text in (product.product_id, product.group_id, product.gtin):
        names += words_of(text)
    description = words_of(product.description)[:MAX_DESCRIPTION_WORDS]
    return WordDocument(tuple(words_of(product.title)), tuple(dict.fromkeys(names)), tuple(description))


def same_words(one: Product, other: Product) -> bool:
    """True if two states of a product have the same document."""
    return (one.title, one.description, one.brand, one.categories, one.tags, one.group_id, one.gtin) == (
        other.title,
        other.description,
        other.brand,
        other.categories,
        other.tags,
        other.group_id,
        other.gtin,
    )


@lru_cache(maxsize=20_000)
def _cached_words(text: str) -> tuple[str, ...]:
    return tuple(words_of(text))


def _plain(text: str) -> str:
    # Case folding may bring accents back ("İ"), so they are removed after it; hangul is put together again.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in folded if not unicodedata.combining(c)))


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    word = word[:MAX_WORD_CHARACTERS]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "zes", "sses")):
        return word[:-2]
    return word[:-1]
