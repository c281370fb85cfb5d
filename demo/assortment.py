"""The kinds of products of the invented shop, read from two tables.

A line without indent is a category path. Below it each kind has two lines: `name | price range | materials | colors |
sizes | kinds bought with it`, then `what it is for; a feature`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from demo import assortment_indoors, assortment_outdoors

BRANDS = {
    "Home": ("Norrland", "Casa Mira", "Oldfield & Rye", "Kettlewick"),
    "Electronics": ("Voltari", "Soundwell", "Nimbus Labs", "Kvint"),
    "Office": ("Paperbark", "Deskwise", "Inkling", "Nimbus Labs"),
    "Garden": ("Greenhollow", "Rootstock", "Fernweh", "Emberley"),
    "Outdoor": ("Fjellmark", "Cairnstone", "Fernweh", "Tarnwater"),
    "Sports": ("Strideon", "Pulsara", "Cairnstone", "Velaro"),
    "Fashion": ("Lindqvist & Co", "Maren", "Halden Row", "Alder"),
    "Toys": ("Little Lantern", "Brindle", "Puzzlewood", "Tumbledown"),
}
"""Invented brands by department."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of product: "Chef Knife". Prices in EUR; `companions` are kinds bought with it, strongest first."""

    name: str
    category: str
    price_low: int
    price_high: int
    materials: tuple[str, ...]
    colors: tuple[str, ...]
    sizes: tuple[str, ...]
    companions: tuple[str, ...]
    use: str
    feature: str

    @property
    def slug(self) -> str:
        """The beginning of its product ids: "chef-knife"."""
        return self.name.lower().replace(" ", "-")

    @property
    def department(self) -> str:
        """First part of the category."""
        return self.category.split(" > ")[0]


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds in the order of the tables."""
    return (*_read(assortment_indoors.TABLE), *_read(assortment_outdoors.TABLE))


def _read(table: str) -> list[Kind]:
    found: list[Kind] = []
    category, head = "", ""
    for line in table.strip().splitlines():
        if not line.startswith(" "):
            category = line
        elif not line.startswith("    "):
            head = line
        else:
            found.append(_kind(category, head, line))
    return found


def _kind(category: str, head: str, text: str) -> Kind:
    name, prices, materials, colors, sizes, companions = (cell.strip() for cell in head.split("|"))
    low, high = prices.split("-")
    use, feature = text.strip().split("; ")
    return Kind(
        name=name,
        category=category,
        price_low=int(low),
        price_high=int(high),
        materials=_list(materials),
        colors=_list(colors),
        sizes=_list(sizes),
        companions=_list(companions),
        use=use,
        feature=feature,
    )


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(",") if part.strip())
