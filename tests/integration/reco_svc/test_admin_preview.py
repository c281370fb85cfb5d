"""The preview page."""

import pytest
from django.utils.html import escape

from reco_svc.domain.model import Context, EventType, RecommendQuery, SessionStep, Strategy
from tests.support.reco_admin import Browser, FakeShop


def test_the_form_makes_the_whole_question(browser: Browser, shop: FakeShop) -> None:
    browser.get(
        "/preview/",
        params={
            "strategy": "session",
            "product": "p9",
            "basket": "a, b  c",
            "session": "p1\n\np2 add_to_cart",
            "visitor": "v1",
            "category": "Home > Kitchen",
            "query": "mug",
            "filter": "price < 20",
            "placement": "cart",
            "limit": "3",
            "diversity": "0.5",
            "include": "out_of_stock",
        },
    )

    assert shop.asked == [
        RecommendQuery(
            strategy=Strategy.SESSION,
            placement="cart",
            visitor_id="v1",
            session=(SessionStep("p1"), SessionStep("p2", EventType.ADD_TO_CART)),
            context=Context("p9", ("a", "b", "c"), "Home > Kitchen", "mug"),
            filter="price < 20",
            limit=3,
            diversity=0.5,
            include=frozenset({"out_of_stock"}),
            explain=True,
        )
    ]


def test_an_answer_shows_cards_reasons_and_where_it_came_from(browser: Browser) -> None:
    page = browser.get("/preview/", params={"product": "p9"}).text

    assert escape("<b>Mug p1</b>") in page
    assert "12.50 EUR" in page
    assert 'src="http://shop.example/img/p1.png"' in page
    assert "javascript:" not in page
    assert "similar_to:p9" in page
    assert "model v2" in page
    assert "unknown: gone" in page
    assert "preorder" in page
    assert page.count('<span class="position">') == 10


def test_a_product_that_left_the_catalog_and_an_absent_catalog_leave_ids(browser: Browser, shop: FakeShop) -> None:
    assert ">p3</p>" in browser.get("/preview/", params={"limit": "3"}).text

    shop.catalog_away = True
    page = browser.get("/preview/", params={"limit": "3"}).text
    assert "Titles and images are missing: catalog is away" in page
    assert ">p1</p>" in page


def test_why_and_why_not(browser: Browser) -> None:
    shown = browser.get("/preview/", params={"why": "p2"}).text
    missing = browser.get("/preview/", params={"why": "p77"}).text

    assert "At position 2." in shown
    assert "0.7500" in shown
    assert "Removed by <b>never_show:out_of_stock</b>" in missing


def test_the_rules_that_acted_are_named_and_linked(browser: Browser, shop: FakeShop) -> None:
    from reco_svc.orm.models import RuleRow

    row = RuleRow.objects.create(name="Garden week", kind="pin", target_kind="product", target_value="p1")
    shop.reasons = (f"pinned_by:{row.rule_id}", "boosted_by:rule-999999")

    page = browser.get("/preview/", params={"limit": "2"}).text

    assert f'<a href="/reco_store/rulerow/{row.pk}/change/">{row.rule_id}</a> Garden week: shows product p1' in page
    assert "rule-999999 deleted since" in page


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"filter": "price <"}, "column 8: a value is missing"),
        ({"limit": "0"}, "greater than or equal to 1"),
        ({"limit": "1000000000"}, "less than or equal to 100"),
        ({"strategy": "magic"}, "Select a valid choice"),
        ({"session": "p1 danced"}, "Line 1: a product id"),
        ({"session": "\n".join(["p"] * 101)}, "At most 100 steps."),
        ({"basket": "p " * 101}, "At most 100 products."),
        ({"product": "x" * 129}, "is no id"),
        ({"diversity": "nan"}, "Enter a number"),
        ({"visitor": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_a_wrong_field_is_named_beside_it(browser: Browser, params: dict[str, str], said: str) -> None:
    answer = browser.get("/preview/", params=params)

    assert answer.status_code == 200
    assert escape(said) in answer.text


def test_a_recommender_that_can_not_answer_says_so(browser: Browser) -> None:
    assert "reco is away" in browser.get("/preview/", params={"placement": "broken"}).text
