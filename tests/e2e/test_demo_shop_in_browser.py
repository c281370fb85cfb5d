"""A newcomer clicks through the demo shop and sees the recommendations follow, with the real mesh behind it."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support.chromium import SWITCHES, chromium

PRODUCT = "chef-knife-1"


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=SWITCHES)
        opened = browser.new_page(viewport={"width": 1200, "height": 900})
        opened.set_default_timeout(15_000)
        yield opened
        browser.close()


def _first_row(page: Page) -> list[str]:
    cards = page.locator("[data-list=home] .card")
    expect(cards).to_have_count(12)
    return [str(card.get_attribute("data-product")) for card in cards.all()]


def test_the_first_row_follows_the_clicks_and_forgets_on_request(page: Page, shop: httpx.Client) -> None:
    page.goto(str(shop.base_url))
    before = _first_row(page)

    page.goto(f"{shop.base_url}/#/product/{PRODUCT}")
    expect(page.locator("main h1")).to_contain_text("Chef Knife")
    for row in ("similar", "bought", "viewed"):
        expect(page.locator(f"[data-list={row}] .card").first).to_be_visible()
    title = page.locator("main h1").inner_text()
    page.locator(".brand").first.click()
    expect(page.locator("main h1")).to_contain_text("first click")

    assert _first_row(page) != before
    expect(page.locator("[data-list=home] .why", has_text=title).first).to_be_visible()

    page.get_by_role("button", name="About you").click()
    expect(page.locator("#steps")).to_contain_text(f"Viewed {title} accepted")
    page.locator("#forget").click()
    expect(page.locator("#receipt")).to_contain_text("session")
    expect(page.locator("[data-list=home] .card")).to_have_count(12)
    expect(page.locator("[data-list=home] .why", has_text=title)).to_have_count(0)


def test_a_purchase_in_the_shop_is_an_order_of_the_mesh(page: Page, shop: httpx.Client) -> None:
    page.goto(f"{shop.base_url}/#/product/{PRODUCT}")
    page.locator("#add").click()
    page.locator("#basket-link").click()
    expect(page.locator("[data-list=basket] .card").first).to_be_visible()
    page.locator("#checkout").click()
    page.get_by_role("button", name="About you").click()
    expect(page.locator("#steps li").first).to_contain_text("Bought")
    expect(page.locator("#steps li").first).to_contain_text("accepted")
