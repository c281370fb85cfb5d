"""Which names a filter may use, and what each holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshkit.filtering.ast import FieldKind


class FieldSet(Mapping[str, FieldKind]):
    """Field name to kind, with aliases. Compared by identity, so that parsed filters can be cached per set."""

    __slots__ = ("_aliases", "_kinds")

    def __init__(self, kinds: Mapping[str, FieldKind], aliases: Mapping[str, str] | None = None) -> None:
        self._kinds = dict(kinds)
        self._aliases = dict(aliases or {})

    def __getitem__(self, name: str) -> FieldKind:
        return self._kinds[self.canonical(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def canonical(self, name: str) -> str:
        """The field an alias stands for; any other name is answered as it is."""
        return self._aliases.get(name, name)

    @property
    def map_field(self) -> str | None:
        """The first MAP field, for hints such as `attributes.color`; None without one."""
        return next((name for name, kind in self._kinds.items() if kind is FieldKind.MAP), None)


PRODUCT_FIELDS = FieldSet(
    {
        "product_id": FieldKind.TEXT,
        "title": FieldKind.TEXT,
        "description": FieldKind.TEXT,
        "categories": FieldKind.PATH,
        "brand": FieldKind.TEXT,
        "price": FieldKind.NUMBER,
        "currency": FieldKind.TEXT,
        "availability": FieldKind.TEXT,
        "in_stock": FieldKind.BOOL,
        "group_id": FieldKind.TEXT,
        "gtin": FieldKind.TEXT,
        "tags": FieldKind.TEXTS,
        "attributes": FieldKind.MAP,
        "created_at": FieldKind.TIME,
        "expires_at": FieldKind.TIME,
    },
    aliases={"category": "categories", "tag": "tags"},
)
"""Fields of a product. `price` is what the shopper pays now: sale_price where it is set."""

PREFERENCE_FIELDS = FieldSet(
    {
        "categories": FieldKind.PATH,
        "brands": FieldKind.TEXTS,
        "excluded_categories": FieldKind.PATH,
        "price_min": FieldKind.NUMBER,
        "price_max": FieldKind.NUMBER,
        "opted_out": FieldKind.BOOL,
    },
    aliases={"category": "categories", "brand": "brands", "excluded_category": "excluded_categories"},
)
"""Fields of a visitor's preferences, for segments."""
