"""The text of a product that is embedded, and its content hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from reco_svc.domain.lexical import words
from reco_svc.domain.model import Product

MAX_DESCRIPTION = 600  # characters; MiniLM reads 256 word pieces
FIELDS = ("title", "categories", "brand", "attributes", "description")
"""In order: what says most first, because the model cuts long texts off; figures in docs/recommending.md."""


def product_text(product: Product, fields: Collection[str] = FIELDS) -> str:
    """Those of FIELDS that are in `fields` and that the product has, as sentences.

    Category paths are told whole, as parents say what belongs together. A brand, a category or an attribute whose words
    were told already is not told again: shops put them into titles, and twice is too much.
    """
    parts = {
        "title": [product.title.strip().capitalize() if product.title.isupper() else product.title.strip()],
        "categories": [part.strip() for path in product.categories for part in path.split(">")],
        "brand": [product.brand],
        "attributes": [value for _, value in sorted(product.attributes.items()) if len(value) <= 60],
        "description": [product.description[:MAX_DESCRIPTION].strip()],
    }
    told: list[str] = []
    known: set[str] = set()
    for name in FIELDS:
        for part in parts[name] if name in fields else ():
            said = set(words(part))
            if name == "description" or not said <= known:
                told.append(part)
                known |= said
    return ". ".join(part for part in told if part)


def text_hash(text: str) -> str:
    """32 hexadecimal digits that stand for the text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
