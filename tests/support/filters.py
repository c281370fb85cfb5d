"""Random shops and filters, for tests that every store lets through what `meshkit.filtering.predicate` lets through."""

from datetime import timedelta

from hypothesis import strategies as st

from catalog_svc.domain.model import Availability, Product
from meshkit.filtering import PRODUCT_FIELDS, And, Comparison, Expression, FieldKind, Not, Or
from tests.support.catalog import NOON

TEXTS = [
    "",
    "red",
    "RED",
    "Red Mug",
    "mug",
    "a%b",
    "a_b",
    "%",
    "_",
    "é",
    "É",
    "straße",
    "STRASSE",
    "ﬁt",
    "fit",
    "K",
    "k",
]
LINES = [*TEXTS, "a\nb", "b", "=", "red=", "日本 茶"]
PATHS = ["Home", "home > Kitchen", "Home > Kitchen > Mugs", "Kitchen", "Mugs > Home", "Straße > Ä"]
KEYS = ["color", "Color", "size", "a.b"]
PRICES = [0.0, 0.1, 9.99, 10.0, 1e12]
MOMENTS = [NOON + timedelta(hours=h, microseconds=h) for h in range(-2, 3)]

products = st.builds(
    Product,
    product_id=st.just("replaced"),
    title=st.sampled_from(["Red Mug", "red-mug, large", "mug red", "Straße", "É fit", "a%b", "x_b K"]),
    description=st.sampled_from(TEXTS),
    categories=st.lists(st.sampled_from(PATHS), max_size=3, unique=True).map(tuple),
    brand=st.sampled_from(TEXTS),
    price=st.sampled_from([None, *PRICES]),
    availability=st.sampled_from(list(Availability)),
    group_id=st.sampled_from(TEXTS),
    gtin=st.sampled_from(["", "4006381333931"]),
    tags=st.lists(st.sampled_from(TEXTS[1:]), max_size=3, unique=True).map(tuple),
    attributes=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(LINES), max_size=3),
    created_at=st.sampled_from(MOMENTS),
    expires_at=st.sampled_from([None, *MOMENTS]),
)

words = st.sampled_from([t for t in LINES if t])
wildcards = st.builds(
    lambda text, start, end: f"{'*' * start}{text}{'*' * end}", words, st.booleans(), st.booleans()
) | st.sampled_from(["*", "**", "a\x1fb", "red\nblue", "\n"])
phrases = st.sampled_from(["", "red", "mug", "red mug", "straße", "b", "fit", "k", "茶"])
ordered = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def _of(field: str) -> st.SearchStrategy[Comparison]:
    kind = PRODUCT_FIELDS[field]
    here = st.just(field), st.just(kind)
    text = st.builds(Comparison, *here, st.sampled_from(["=", "!="]), wildcards) | st.builds(
        Comparison, *here, st.just(":"), phrases
    )
    match kind:
        case FieldKind.TEXT:
            return text
        case FieldKind.NUMBER:
            return st.builds(Comparison, *here, ordered, st.sampled_from([*PRICES, -1.0, 5.0]))
        case FieldKind.TIME:
            return st.builds(Comparison, *here, ordered, st.sampled_from(MOMENTS))
        case FieldKind.BOOL:
            return st.builds(Comparison, *here, st.sampled_from(["=", "!="]), st.booleans())
        case FieldKind.PATH:
            return st.builds(Comparison, *here, st.just("="), st.sampled_from(PATHS)) | st.builds(
                Comparison, *here, st.just(":"), st.sampled_from(["", "nowhere", *PATHS])
            )
        case FieldKind.TEXTS:
            return st.builds(Comparison, *here, st.sampled_from(["=", ":"]), words | st.just("a\nb"))
        case FieldKind.MAP:
            keyed = st.tuples(text, st.sampled_from(KEYS))
            return keyed.map(lambda pair: Comparison(field, kind, pair[0].op, pair[0].value, pair[1]))


comparisons = st.one_of([_of(field) for field in PRODUCT_FIELDS])
expressions: st.SearchStrategy[Expression] = st.recursive(
    comparisons,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


def as_shop(drawn: list[Product]) -> list[Product]:
    """The drawn products with ids and currencies that fit."""
    return [Product(**{**_fields(p), "product_id": f"Red-{n}"}) for n, p in enumerate(drawn)]


def _fields(product: Product) -> dict[str, object]:
    fields = {name: getattr(product, name) for name in Product.__slots__}
    return {**fields, "currency": "EUR" if product.price is not None else ""}
