"""The demo shop in a real browser: recommendations, basket, events, the panel, the keyboard."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, expect
from recomesh.reco.v1 import reco_pb2

from tests.support.edge_client import RunningEdge, eventually
from tests.support.fake_services import FakeMesh

ROWS = ("home", "popular", "trending", "new")


async def arrived(mesh: FakeMesh, wanted: Callable[[Any], bool]) -> Any:
    async def found() -> Any:
        return next((event for event in mesh.reco.events.values() if wanted(event)), None)

    return await eventually(found, what="the event")


async def open_first_product(page: Page, shop: RunningEdge) -> None:
    await page.goto(shop.url)
    await page.locator("[data-list=home] .card a").first.click()
    await expect(page.locator("main h1")).to_have_text("Chef Knife 0")


async def test_the_home_page_shows_rows_with_reasons_and_the_catalog(page: Page, shop: RunningEdge) -> None:
    await page.goto(shop.url)
    for row in ROWS:
        await expect(page.locator(f"[data-list={row}] .card")).to_have_count(12)
    first = page.locator("[data-list=popular] .card").first
    await expect(first.locator("h3")).to_have_text("Chef Knife 0")
    await expect(first.locator(".price")).to_have_text("€5.50")
    await expect(first.locator(".badge")).to_have_text("popular")
    await expect(first.locator("img")).to_have_js_property("complete", True)
    assert await first.locator("img").evaluate("image => image.naturalWidth") > 0
    await expect(page.locator("#categories a")).to_have_text(["Home 15", "Toys 15"])
    grid = page.locator("main > section").last.locator(".card")
    await expect(grid).to_have_count(24)
    await page.get_by_role("button", name="Show more").click()
    await expect(grid).to_have_count(30)


async def test_titles_are_text_never_markup(page: Page, shop: RunningEdge) -> None:
    await page.goto(shop.url)
    await expect(page.locator("[data-list=home] h3").nth(3)).to_have_text("<b>Bold</b> & Co Lamp 3")
    assert await page.locator("main b").count() == 0


async def test_a_click_is_told_with_the_answer_it_came_from(page: Page, shop: RunningEdge, mesh: FakeMesh) -> None:
    await page.goto(shop.url)
    shown = await arrived(mesh, lambda e: (e.type, e.placement) == (reco_pb2.EVENT_TYPE_IMPRESSION, "home"))
    await page.locator("[data-list=home] .card a").first.click()
    selected = await arrived(mesh, lambda e: e.type == reco_pb2.EVENT_TYPE_SELECT_ITEM)
    assert (selected.product_id, selected.position, selected.placement) == ("p/0 ü", 1, "home")
    assert selected.recommendation_id.startswith("rec-")
    viewed = await arrived(mesh, lambda e: e.type == reco_pb2.EVENT_TYPE_VIEW_ITEM)
    assert viewed.visitor_id == selected.visitor_id
    assert shown.recommendation_id == selected.recommendation_id
    assert await page.evaluate("document.cookie") == ""


async def test_a_product_page_has_its_rows_and_asks_after_the_view_was_sent(
    page: Page, shop: RunningEdge, mesh: FakeMesh
) -> None:
    await open_first_product(page, shop)
    for row in ("similar", "bought", "viewed"):
        await expect(page.locator(f"[data-list={row}] .card")).to_have_count(12)
    await expect(page.locator("[data-list=similar] [data-product='p/0 ü']")).to_have_count(0)
    asked = next(q for q in mesh.reco.questions if q.visitor_id and q.context.product_id == "p/0 ü")
    viewed = await arrived(mesh, lambda e: e.type == reco_pb2.EVENT_TYPE_VIEW_ITEM)
    assert asked.visitor_id == viewed.visitor_id


async def test_a_basket_is_filled_fits_and_is_bought(page: Page, shop: RunningEdge, mesh: FakeMesh) -> None:
    await open_first_product(page, shop)
    await page.locator("#add").click()
    await page.locator("[data-list=similar] .card button").first.click()
    await expect(page.locator("#basket-count")).to_have_text("2")
    await page.locator("#basket-link").click()
    await expect(page.locator(".lines li")).to_have_count(2)
    await expect(page.locator("[data-list=basket] .card").first).to_be_visible()
    basket = [list(q.context.basket) for q in mesh.reco.questions if q.context.basket]
    assert basket[-1] == ["p/0 ü", "p/1 ü"]
    await page.get_by_role("button", name="Remove Oak Board 1").click()
    await expect(page.locator(".lines li")).to_have_count(1)
    await page.locator("#checkout").click()
    await expect(page.locator("#basket-count")).to_have_text("0")
    bought = await arrived(mesh, lambda e: e.type == reco_pb2.EVENT_TYPE_PURCHASE)
    assert (bought.product_id, bought.quantity, bought.price.units) == ("p/0 ü", 1, 5)
    assert bought.order_id.startswith("order-")
    added = await arrived(mesh, lambda e: e.type == reco_pb2.EVENT_TYPE_ADD_TO_CART and e.product_id == "p/1 ü")
    assert (added.placement, added.position) == ("similar", 1)
    await arrived(mesh, lambda e: e.type == reco_pb2.EVENT_TYPE_REMOVE_FROM_CART)


async def test_search_and_categories_lead_to_products(page: Page, shop: RunningEdge, mesh: FakeMesh) -> None:
    await page.goto(shop.url)
    await page.get_by_role("searchbox", name="Search products").fill("espresso")
    await page.keyboard.press("Enter")
    await expect(page.locator("main h1")).to_have_text("“espresso”")
    await expect(page.locator("main .card")).to_have_count(5)
    assert (await arrived(mesh, lambda e: e.type == reco_pb2.EVENT_TYPE_SEARCH)).query == "espresso"
    await page.locator("#categories a").nth(1).click()
    await expect(page.locator("main h1")).to_have_text("Toys")
    await expect(page.locator("#categories a[aria-current]")).to_have_text("Toys 15")


async def test_the_panel_tells_what_is_known_and_forgets(page: Page, shop: RunningEdge, mesh: FakeMesh) -> None:
    await open_first_product(page, shop)
    await page.get_by_role("button", name="About you").click()
    await expect(page.locator("#steps li")).to_contain_text(["Viewed Chef Knife 0", "Clicked Chef Knife 0"])
    visitor = await page.locator("#visitor").inner_text()
    await page.get_by_label("Recommend without looking").check()

    async def opted_out() -> bool:
        return visitor in mesh.profile.held and mesh.profile.held[visitor].opted_out

    await eventually(opted_out, what="the opt-out arrives")
    await page.locator("#forget").click()
    await expect(page.locator("#receipt")).to_contain_text("receipt-1")
    assert mesh.profile.erased == [visitor]
    assert await page.locator("#visitor").inner_text() != visitor
    await expect(page.get_by_label("Recommend without looking")).not_to_be_checked()
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel")).to_be_hidden()
    await expect(page.locator("#panel-button")).to_be_focused()


async def test_the_shop_is_usable_with_the_keyboard_alone(page: Page, shop: RunningEdge) -> None:
    await page.goto(shop.url)
    await expect(page.locator("[data-list=home] .card")).to_have_count(12)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("main h1")).to_have_text("Chef Knife 0")
    await expect(page.locator("main h1")).to_be_focused()
    await page.go_back()
    await expect(page.locator("main h1")).to_contain_text("first click")


async def test_a_phone_needs_no_sideways_scrolling(page: Page, shop: RunningEdge) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/#/product/p%2F0%20%C3%BC", "/#/basket", "/docs"):
        await page.goto(shop.url + path)
        await page.locator("main h1").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_the_shop_goes_on_while_the_recommender_is_away(
    page: Page, shop: RunningEdge, mesh: FakeMesh, troubles: list[str]
) -> None:
    mesh.away("reco")
    async with page.expect_response(lambda answer: answer.url.endswith("/v1/events")) as told:
        await page.goto(shop.url)
    await expect(page.locator("[data-list=home] .card")).to_have_count(12)
    await expect(page.locator("[data-list=home] .row-head")).to_contain_text("from memory")
    assert (await told.value).status == 503  # the page keeps its events and sends them again
    await page.close()
    troubles[:] = [line for line in troubles if "503" not in line]


async def test_the_api_reference_sends_what_it_shows(page: Page, shop: RunningEdge) -> None:
    paths = (await shop.get("/openapi.json")).json()["paths"]
    assert "/v1/pages" in paths
    await page.goto(f"{shop.url}/docs")
    await expect(page.locator(".operation")).to_have_count(sum(map(len, paths.values())))
    recommend = page.locator("#recommend")
    await recommend.locator("> summary").click()
    await recommend.get_by_label("Example").select_option(index=2)
    await recommend.get_by_role("button", name="Send").click()
    await expect(recommend).to_contain_text("200")
    await expect(recommend).to_contain_text('"recommendation_id"')
    await expect(recommend).to_contain_text("curl -X POST")
