import re

import pytest

from catalog_svc.transport.admin.product_form import form_of
from tests.support.catalog import FULL, NOON, product

HTML = {"accept": "text/html"}


def saved_form(repository, product_id, **changes):
    stored = repository.get([product_id])[product_id]
    return {**form_of(stored), "revision": str(stored.revision), **changes}


async def test_an_empty_catalog_shows_how_to_begin(admin):
    page = await admin.get("/")
    assert page.status_code == 200
    assert "The catalog is empty" in page.text
    assert 'type="file"' in page.text


async def test_the_overview_shows_counts_and_latest_changes(admin, repository):
    repository.upsert([product("a", "Mug"), FULL], NOON)
    repository.delete(["a"], NOON)
    text = (await admin.get("/")).text
    assert "Blue mug" in text
    assert "deleted" in text
    assert re.search(r"<b>1</b> products", text)
    assert "Blue mug" in (await admin.get("/live")).text


async def test_products_are_searched_filtered_and_paged(admin, repository):
    repository.upsert([product(f"p{n:02}", f"Mug {n}") for n in range(60)], NOON)
    first = (await admin.get("/products")).text
    assert "p00" in first
    assert "p50" not in first
    link = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    assert "p50" in (await admin.get(link)).text
    found = (await admin.get("/products", params={"filter": 'product_id = "p07"'})).text
    assert "p07" in found
    assert "p08" not in found
    wrong = await admin.get("/products", params={"filter": "price <"})
    assert wrong.status_code == 400
    assert "column" in wrong.text


async def test_a_product_is_created_with_the_form(admin, repository):
    assert (await admin.get("/product/new")).status_code == 200
    sent = await admin.post("/product", data={**form_of(FULL), "revision": "0"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/product?id=mug-1&saved=1")
    stored = repository.get(["mug-1"])["mug-1"]
    assert (stored.title, stored.attributes, stored.hidden) == ("Blue mug", FULL.attributes, True)
    assert "Saved." in (await admin.get(sent.headers["location"])).text


async def test_a_product_is_changed_and_keeps_its_creation_time(admin, repository):
    repository.upsert([FULL], NOON)
    sent = await admin.post("/product", data=saved_form(repository, "mug-1", title="Red mug", hidden=""))
    assert sent.status_code == 303
    stored = repository.get(["mug-1"])["mug-1"]
    assert (stored.title, stored.hidden, stored.created_at) == ("Red mug", False, FULL.created_at)


async def test_wrong_fields_are_shown_beside_them_and_nothing_is_lost(admin, repository):
    sent = await admin.post(
        "/product", data={"product_id": "x", "title": "Kept <b>", "price": "cheap", "revision": "0"}
    )
    assert sent.status_code == 400
    assert "Not saved" in sent.text
    assert "must be a number" in sent.text
    assert "Kept &lt;b&gt;" in sent.text
    assert repository.revision() == 0


async def test_two_people_do_not_overwrite_each_other(admin, repository):
    repository.upsert([FULL], NOON)
    form = saved_form(repository, "mug-1", title="mine")
    repository.upsert([product("mug-1", "theirs")], NOON)
    assert (await admin.post("/product", data=form)).status_code == 409
    again = await admin.post("/product", data={**form, "revision": "0"})
    assert "exists already" in again.text
    assert repository.get(["mug-1"])["mug-1"].title == "theirs"


async def test_a_product_is_deleted_with_a_button(admin, repository):
    repository.upsert([FULL], NOON)
    assert 'action="/product/delete"' in (await admin.get("/product", params={"id": "mug-1"})).text
    assert (await admin.post("/product/delete", data={"product_id": "mug-1"})).status_code == 303
    assert repository.get(["mug-1"]) == {}


async def test_another_site_can_not_send_the_form(admin, repository):
    repository.upsert([FULL], NOON)
    sent = await admin.post(
        "/product/delete", data={"product_id": "mug-1"}, headers={"sec-fetch-site": "cross-site", **HTML}
    )
    assert sent.status_code == 403
    assert repository.get(["mug-1"])


async def test_what_a_product_holds_is_escaped(admin, repository):
    evil = '"><script>alert(1)</script>'
    repository.upsert([product(evil, evil, brand=evil, categories=(evil,))], NOON)
    for path, params in (("/", {}), ("/products", {}), ("/product", {"id": evil}), ("/products", {"q": evil})):
        page = await admin.get(path, params=params)
        assert "<script>alert" not in page.text
        assert "default-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/product?id=nope", "/imports/nope", "/nothing", "/product"])
async def test_people_see_a_page_where_machines_see_a_problem(admin, path):
    page = await admin.get(path, headers=HTML)
    assert page.status_code in (400, 404)
    assert page.headers["content-type"].startswith("text/html")
    assert (await admin.get(path)).headers["content-type"] == "application/problem+json"


async def test_a_stranger_with_a_browser_is_asked_to_log_in(stranger):
    page = await stranger.get("/", headers=HTML)
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2F")


async def test_a_file_is_imported_with_the_form(admin):
    sent = await admin.post("/imports", files={"file": ("shop.csv", b"product_id,title\na,A\nb,\n")})
    assert sent.status_code == 303
    for _ in range(500):
        page = (await admin.get(sent.headers["location"] + "/live")).text
        if "data-final" in page:
            break
    assert "done" in page
    assert "Download all" in page
    assert "title: is required" in (await admin.get(sent.headers["location"])).text


async def test_a_form_without_a_file_says_so(admin):
    sent = await admin.post("/imports", files={"file": ("", b"")}, headers=HTML)
    assert sent.status_code == 400
    assert "choose a file" in sent.text


async def test_style_and_script_are_served(stranger):
    assert "text/css" in (await stranger.get("/static/admin.css")).headers["content-type"]
    assert (await stranger.get("/static/admin.js")).status_code == 200
