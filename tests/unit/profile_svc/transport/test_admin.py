import asyncio
import base64

import pytest

from meshkit.errors import Unavailable
from meshkit.health import Health
from meshkit.web.admin_login import AdminLogin
from profile_svc.domain.model import Preferences, Price, Segment
from profile_svc.transport.admin.app import admin_app
from tests.support.gates import gate
from tests.support.profiles import profile_world

AUTH = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode()}


@pytest.fixture
def world():
    return profile_world()


@pytest.fixture
def browser(world):
    app = admin_app(world.do, AdminLogin(gate(), "admin", "secret"), Health([]))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = AUTH["Authorization"]
    return client


def test_nothing_is_shown_without_the_password(world):
    client = admin_app(world.do, AdminLogin(gate(), "admin", "secret"), Health([])).test_client()
    for path in ("/", "/visitors", "/segments", "/nowhere"):
        answer = client.get(path)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_operations_routes_need_no_login(world):
    health = Health(["store"])
    client = admin_app(world.do, AdminLogin(gate(), "admin", "secret"), health).test_client()
    assert client.get("/livez").json == {"status": "ok"}
    assert (client.get("/readyz").status_code, client.get("/readyz").json) == (503, {"store": "starting"})
    asyncio.run(health.set("store"))
    assert (client.get("/readyz").status_code, client.get("/readyz").json) == (200, {"store": "ok"})
    assert b"python_info" in client.get("/metrics").data


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_sent_by_another_site_changes_nothing(world, browser, headers):
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    assert browser.post("/visitor/erase", data={"visitor_id": "v1"}, headers=headers).status_code == 403
    assert world.do.read("v1").brands == ("Acme",)


def test_visitors_are_listed_searched_and_paged(world, browser):
    for number in range(60):
        world.do.update(Preferences(f"v{number:02}", brands=("Acme",), price_min=Price(5, "EUR")), [])
    page = browser.get("/visitors").text
    assert "60 visitors" in page
    assert "v49" in page
    assert "v50" not in page
    assert "v59" in browser.get("/visitors?after=v49").text
    found = browser.get("/visitors?q=V07").text
    assert "v07" in found
    assert "v08" not in found


def test_markup_in_ids_and_values_is_shown_as_text(world, browser):
    evil = "<script>alert(1)</script>"
    world.do.update(Preferences(evil, brands=(evil,)), [])
    for path in ("/visitors", "/visitors?q=<script>", "/visitor?id=" + evil):
        page = browser.get(path).text
        assert evil not in page
        assert "&lt;script&gt;" in page


def test_preferences_are_edited(world, browser):
    form = {
        "visitor_id": "v/1 ü",
        "categories": "Home > Kitchen\r\n\r\nGifts",
        "brands": "Acme",
        "price_min": "1500000.5",
        "currency": "eur",
        "opted_out": "on",
        "revision": "0",
    }
    answer = browser.post("/visitor", data=form, follow_redirects=True)
    assert "Saved." in answer.text
    assert 'value="1500000.5"' in answer.text
    saved = world.do.read("v/1 ü")
    assert saved.categories == ("Home > Kitchen", "Gifts")
    assert saved.price_min == Price(1500000.5, "EUR")
    assert saved.opted_out


def test_wrong_input_is_shown_beside_what_was_typed(world, browser):
    answer = browser.post("/visitor", data={"visitor_id": "v1", "brands": "x" * 201, "currency": "EURO"})
    assert answer.status_code == 400
    assert "at most 200 characters" in answer.text
    answer = browser.post("/visitor", data={"visitor_id": "v1", "price_min": "cheap"})
    assert answer.status_code == 400
    assert "must be a number" in answer.text
    assert 'value="cheap"' in answer.text
    assert world.do.browse.count() == 0


def test_a_form_read_before_another_change_is_refused(world, browser):
    first = world.do.update(Preferences("v1", brands=("Acme",)), [])
    world.do.update(Preferences("v1", brands=("Bolt",)), [])
    answer = browser.post("/visitor", data={"visitor_id": "v1", "brands": "Cord", "revision": first.revision})
    assert answer.status_code == 409
    assert "Bolt" in answer.text
    assert world.do.read("v1").brands == ("Bolt",)


def test_an_erasure_shows_its_receipt(world, browser):
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    page = browser.post("/visitor/erase", data={"visitor_id": "v1"}).text
    assert world.do.receipts("v1")[0].receipt_id in page
    assert "interactions" in page
    assert "Erased before" in browser.get("/visitor?id=v1").text


def test_segments_are_defined_counted_changed_and_deleted(world, browser):
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    form = {"name": "fans", "title": "Fans", "filter": 'brands:"Acme"'}
    assert "fans" in browser.post("/segment", data={**form, "new": "1"}, follow_redirects=True).text
    assert "<td>1</td>" in browser.get("/segments").text
    again = browser.post("/segment", data={**form, "new": "1"})
    assert (again.status_code, "exists already" in again.text) == (400, True)
    browser.post("/segment", data={**form, "title": "Friends"})
    assert world.do.segments.get("fans").title == "Friends"
    assert browser.post("/segment/delete", data={"name": "fans"}).status_code == 303
    assert browser.get("/segment?name=fans").status_code == 404
    assert "No segment yet" in browser.get("/segments").text


def test_a_wrong_filter_is_told_while_typing_and_on_saving(world, browser):
    told = browser.get("/segment/check", query_string={"filter": "brands:Acme AND"}).json
    assert told["ok"] is False
    assert "column" in told["error"]
    assert browser.get("/segment/check", query_string={"filter": "brands:Acme"}).json == {"ok": True, "matches": 0}
    answer = browser.post("/segment", data={"name": "x", "filter": "brands:"})
    assert answer.status_code == 400
    assert "column" in answer.text


@pytest.mark.parametrize("name", ["new", "check", "delete"])
def test_a_segment_may_have_any_name(world, browser, name):
    world.do.segments.define(Segment(name, "", "brands:x"))
    assert f"Segment {name}" in browser.get(f"/segment?name={name}").text


def test_errors_are_pages_that_tell_nothing_internal(world, browser):
    assert browser.get("/nowhere").status_code == 404
    assert browser.get("/visitor?id=").status_code == 400
    assert browser.post("/visitor", data={"brands": "x" * 300_000}).status_code == 413

    def away():
        raise Unavailable("profile store")

    world.preferences.count = away
    assert browser.get("/visitors").status_code == 503


def test_pages_forbid_other_origins_and_caching(browser):
    headers = browser.get("/visitors").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
