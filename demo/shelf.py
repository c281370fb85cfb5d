"""The invented products: every kind in several models, some in variants. Synthetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product as pairs
from random import Random

from recomesh.catalog.v1 import catalog_pb2

from demo.assortment import BRANDS, Kind, kinds
from meshkit.product_card import money_from_float

CURRENCY = "EUR"
DAYS_OF_SALES = 90
_OLDEST_DAYS = 420
_MODELS = ((2, 1, 2, 1), (2, 1, 2, 1), (2, 1, 2, 1), (2, 2, 1))  # variants of each model, by turns of kinds
_SERIES = (
    "Alba Arden Bryn Cirrus Dune Ember Fauna Grove Harbor Isla Juniper Kestrel "
    "Lumen Meadow Nova Onyx Prairie Quill Ridge Solis Tide Umbra Vale Willow"
)
_CARE = (
    "Made to be repaired: spare parts are available for ten years.",
    "Ships in plastic-free packaging.",
    "Comes with a three-year warranty.",
    "Designed and tested in our own workshop.",
    "A favourite of our customers, and an easy gift.",
)


@dataclass(frozen=True, slots=True)
class ShelfItem:
    """One product with what the visits need to know: its kind, place in it, age before `now`, and price paid now."""

    kind: Kind
    product: catalog_pb2.Product
    price: float
    age_days: float


@dataclass(frozen=True, slots=True)
class _Model:
    kind: Kind
    brand: str
    series: str
    material: str
    price: float
    age_days: float
    is_group: bool


def build_shelf(now: datetime, seed: int = 7) -> list[ShelfItem]:
    """All products, by kind. The same seed gives the same products; only created_at moves with `now`."""
    items: list[ShelfItem] = []
    for number, kind in enumerate(kinds()):
        random = Random(f"{seed}:{kind.slug}")
        items.extend(_models_of(kind, _MODELS[number % len(_MODELS)], now, random))
    return items


def _models_of(kind: Kind, variants: tuple[int, ...], now: datetime, random: Random) -> list[ShelfItem]:
    items: list[ShelfItem] = []
    series = random.sample(_SERIES.split(), len(variants))
    for number, count in enumerate(variants):
        model = _Model(
            kind=kind,
            brand=random.choice(BRANDS[kind.department]),
            series=series[number],
            material=kind.materials[number % len(kind.materials)],
            price=kind.price_low + (kind.price_high - kind.price_low) * (number + random.random()) / len(variants),
            age_days=_age_days(number, random),
            is_group=count > 1,
        )
        options = random.sample(list(pairs(kind.colors or ("",), kind.sizes or ("",))), count)
        for step, (color, size) in enumerate(options):
            product_id = f"{kind.slug}-{len(items) + 1}"
            dearer = 1 + 0.15 * step * bool(size)
            items.append(_item(product_id, model, color, size, model.price * dearer, now, random))
    return items


def _age_days(model: int, random: Random) -> float:
    if model == 0:  # every kind was there before the first visit
        return random.uniform(DAYS_OF_SALES + 10, _OLDEST_DAYS)
    # One of the other models in ten is younger than two weeks, so that "new" has something to show.
    return random.uniform(0.2, 14) if random.random() < 0.1 else random.uniform(20, _OLDEST_DAYS)


def _item(
    product_id: str, model: _Model, color: str, size: str, price: float, now: datetime, random: Random
) -> ShelfItem:
    kind = model.kind
    product = catalog_pb2.Product(
        product_id=product_id,
        title=", ".join(filter(None, (f"{model.brand} {model.series} {kind.name}", color, size))),
        description=_description(model, random),
        categories=[kind.category],
        brand=model.brand,
        group_id=f"{kind.slug}-{model.series.lower()}" if model.is_group else "",
        attributes=_attributes(model, color, size),
        url=f"/#/product/{product_id}",
        image_url=f"/shop/images/{product_id}.svg",
    )
    product.created_at.FromDatetime(now - timedelta(days=model.age_days))
    paid = _set_price(product, price, random)
    _set_stock(product, random)
    _set_tags(product, model.age_days, random)
    return ShelfItem(kind, product, paid, model.age_days)


def _description(model: _Model, random: Random) -> str:
    kind = model.kind
    name = " ".join(word if word.isupper() or "-" in word else word.lower() for word in kind.name.split())
    article = "" if name.endswith("s") else "an " if name[0] in "aeio" else "a "
    opening = f"{article}{name}"
    feature = kind.feature[0].upper() + kind.feature[1:]
    ending = f"Part of the {model.series} series by {model.brand}. {random.choice(_CARE)}"
    return f"{opening[0].upper()}{opening[1:]} made of {model.material}, for {kind.use}. {feature}. {ending}"


def _attributes(model: _Model, color: str, size: str) -> dict[str, str]:
    found = {"material": model.material, "color": color, "size": size, "series": model.series}
    return {name: value for name, value in found.items() if value}


def _set_price(item: catalog_pb2.Product, base: float, random: Random) -> float:
    price = max(round(base), 3) - 0.05
    item.price.CopyFrom(money_from_float(round(price, 2), CURRENCY))
    if random.random() >= 0.14:
        return price
    sale = round(max(price * random.choice((0.7, 0.8, 0.85)), 1) * 10) / 10
    item.sale_price.CopyFrom(money_from_float(sale, CURRENCY))
    return sale


def _set_stock(item: catalog_pb2.Product, random: Random) -> None:
    draw = random.random()
    item.availability = (
        catalog_pb2.AVAILABILITY_OUT_OF_STOCK
        if draw < 0.05
        else catalog_pb2.AVAILABILITY_PREORDER
        if draw < 0.06
        else catalog_pb2.AVAILABILITY_BACKORDER
        if draw < 0.08
        else catalog_pb2.AVAILABILITY_IN_STOCK
    )


def _set_tags(item: catalog_pb2.Product, age_days: float, random: Random) -> None:
    material = item.attributes["material"]
    if age_days < 14:
        item.tags.append("new")
    if item.HasField("sale_price"):
        item.tags.append("sale")
    if any(word in material for word in ("recycled", "organic", "bamboo", "cork", "oak", "linen")):
        item.tags.append("eco")
    if random.random() < 0.15:
        item.tags.append("gift")
