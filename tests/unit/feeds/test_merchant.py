from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from feeds import ParsedProduct, RejectedLine, read_products
from meshkit.errors import InvalidArgument
from meshkit.product_card import card_from_proto

NOW = datetime(2026, 6, 1, tzinfo=UTC)
COLUMNS = (
    "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tsale_price\tbrand\tgtin\tproduct_type"
    "\tgoogle_product_category\titem_group_id\texpiration_date\tcolor\tcustom label 0\tshipping"
)


def read(data: str | bytes, format: str = "auto") -> list[ParsedProduct | RejectedLine]:
    raw = data.encode() if isinstance(data, str) else data
    return list(read_products(io.BytesIO(raw), format, now=NOW))


def cards(data: str | bytes) -> list[dict[str, object]]:
    entries = read(data)
    assert all(isinstance(entry, ParsedProduct) for entry in entries), entries
    return [card_from_proto(entry.product) for entry in entries if isinstance(entry, ParsedProduct)]


def row(**cells: str) -> str:
    names = [name.replace(" ", "_") for name in COLUMNS.split("\t")]
    return f"{COLUMNS}\n" + "\t".join({"id": "1", "title": "T", **cells}.get(name, "") for name in names) + "\n"


def rss(items: str) -> str:
    return f'<?xml version="1.0"?>\n<rss xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>\n{items}\n</channel></rss>'


def test_a_tsv_row_is_read_by_its_merchant_names() -> None:
    [card] = cards(
        row(
            title='12" pan',
            description="A <b>good</b> pan &amp; lid",
            link="https://shop.example/1",
            image_link="https://shop.example/1.jpg",
            availability="In Stock",
            price="12.99 USD",
            sale_price="9.99 USD",
            brand="Acme",
            gtin="4006381 333931",
            product_type="Home>Kitchen > Pans",
            google_product_category="Home & Garden",
            item_group_id="g",
            expiration_date="2026-07-01T00:00+0100",
            color="red",
            custom_label_0="summer",
            shipping="US:::5 USD",
        )
    )
    assert card == {
        "product_id": "1",
        "title": '12" pan',
        "description": "A good pan & lid",
        "categories": ["Home > Kitchen > Pans"],
        "brand": "Acme",
        "price": 12.99,
        "sale_price": 9.99,
        "currency": "USD",
        "availability": "in_stock",
        "group_id": "g",
        "gtin": "4006381333931",
        "image_url": "https://shop.example/1.jpg",
        "url": "https://shop.example/1",
        "attributes": {"color": "red"},
        "tags": ["summer"],
        "expires_at": "2026-06-30T23:00:00Z",
        "hidden": False,
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [("in_stock", "in_stock"), ("out of stock", "out_of_stock"), ("Pre-Order", "preorder"), ("backorder", "backorder")],
)
def test_availability_is_known_in_its_spellings(written: str, meant: str) -> None:
    assert cards(row(availability=written))[0]["availability"] == meant


def test_the_google_category_stands_in_when_it_is_text() -> None:
    assert cards(row(google_product_category="Home > Kitchen"))[0]["categories"] == ["Home > Kitchen"]
    assert cards(row(google_product_category="499922"))[0]["categories"] == []


@pytest.mark.parametrize(
    ("dates", "on_sale"),
    [
        ("2026-05-01T00:00Z/2026-07-01T00:00Z", True),
        ("2026-05-01T00:00Z/2026-05-02T00:00Z", False),
        ("2026-07-01T00:00Z/2026-07-02T00:00Z", False),
    ],
)
def test_a_sale_counts_within_its_dates(dates: str, on_sale: bool) -> None:
    header = "id\ttitle\tprice\tsale_price\tsale_price_effective_date"
    [card] = cards(f"{header}\n1\tT\t5 EUR\t4 EUR\t{dates}\n")
    assert ("sale_price" in card) is on_sale


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"price": "12,99 EUR"}, "price: must be an amount"),
        ({"price": "5 EUR", "sale_price": "cheap"}, "sale_price: must be an amount"),
        ({"price": "5"}, "currency: must be given"),
        ({"availability": "maybe"}, "availability: must be one of"),
        ({"expiration_date": "soon"}, "expiration_date: must be"),
        ({"title": ""}, "title: is required"),
    ],
)
def test_a_wrong_item_is_rejected_with_its_merchant_field(cells: dict[str, str], reason: str) -> None:
    [entry] = read(row(**cells))
    assert isinstance(entry, RejectedLine)
    assert entry.line == 2
    assert entry.reason.startswith(reason)


def test_rss_items_are_read_with_their_lines() -> None:
    entries = read(
        rss(
            "<item><g:id>1</g:id><title>A &amp; B</title><link>https://s/1</link><g:price>5.00 EUR</g:price>"
            "<g:product_type>X &gt; Y</g:product_type><g:product_type>Z</g:product_type>"
            "<g:shipping><g:price>9 EUR</g:price></g:shipping></item>\n<item><g:id>2</g:id></item>"
        )
    )
    first, second = entries
    assert isinstance(first, ParsedProduct)
    card = card_from_proto(first.product)
    assert first.line == 3
    assert (card["title"], card["url"], card["price"]) == ("A & B", "https://s/1", 5.0)
    assert card["categories"] == ["X > Y", "Z"]
    assert second == RejectedLine(4, "id=2", "title: is required")


def test_atom_entries_prefer_google_fields_to_atom_fields() -> None:
    [card] = cards(
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><id>feed</id>'
        "<entry><id>tag:shop,1</id><g:id>1</g:id><title>A</title><summary>S</summary>"
        '<link rel="edit" href="https://s/e"/><link href="https://s/1"/></entry></feed>'
    )
    assert (card["product_id"], card["title"], card["description"], card["url"]) == ("1", "A", "S", "https://s/1")


def test_xml_that_breaks_keeps_the_items_before() -> None:
    whole = rss("<item><g:id>1</g:id><title>A</title></item>\n<item><g:id>2</g:id>")
    first, last = read(whole.removesuffix("</channel></rss>"))
    assert isinstance(first, ParsedProduct)
    assert isinstance(last, RejectedLine)
    assert last.reason.startswith("broken XML, nothing after it was read")


def test_an_item_over_one_mebibyte_is_rejected_and_the_next_is_read() -> None:
    big = f"<item><g:id>1</g:id><title>{'x' * 1_100_000}</title></item>"
    entries = read(rss(f"{big}<item><g:id>2</g:id><title>B</title></item>"))
    assert isinstance(entries[0], RejectedLine)
    assert entries[0].reason == "the item is longer than 1 MiB"
    assert isinstance(entries[1], ParsedProduct)


def test_a_billion_laughs_are_refused() -> None:
    bomb = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><rss><channel><item>&b;</item></channel></rss>'
    with pytest.raises(InvalidArgument, match="refused for safety"):
        read(bomb)


def test_a_feed_without_items_has_no_products() -> None:
    assert read(rss("")) == []
