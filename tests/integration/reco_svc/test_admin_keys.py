"""The page of API keys, and the access table over Django's routes."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import get_resolver

from meshkit.security.access import PLANES
from meshkit.security.row import OPEN
from tests.support.reco_admin import Browser, FakeShop


def routes(patterns: Iterable[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern)


def example(route: str) -> str:
    if "(" in route:
        return "/reco_store/" if "app_label" in route else "/no/such/page"
    return "/" + re.sub(r"<int:\w+>", "1", re.sub(r"<path:\w+>", "x", route))


def test_every_django_route_has_a_row_and_every_row_a_route(browser: Browser) -> None:
    served = set(routes(get_resolver().url_patterns))
    assert served == {row.partition(" ")[2] for row in PLANES["reco-admin"]}


def test_a_stranger_is_sent_to_the_login_page_by_every_row(stranger: Browser) -> None:
    for row, needed in PLANES["reco-admin"].items():
        method, _, route = row.partition(" ")
        if needed is OPEN:
            continue
        answer = stranger.request(method, example(route))
        if method == "GET":
            assert answer.headers.get("location", "").startswith("/login/"), row
        assert answer.status_code in (302, 403), row


def test_a_method_without_a_row_is_refused_to_the_administrator_too(browser: Browser) -> None:
    assert browser.request("PUT", "/keys/").status_code == 403


def test_a_new_key_is_shown_once_and_works(browser: Browser, shop: FakeShop) -> None:
    answer = browser.submit("/keys/", action="create", name="shop-front", role="shop", days="30")
    (text,) = re.findall(r"rk_[0-9a-z]{12}_[0-9A-Za-z]{42}", answer.text)
    assert "no-store" in answer.headers["cache-control"]
    shop.keys.ring.refresh()
    assert shop.keys.ring.caller_of(text).role == "shop"
    again = browser.get("/keys/")
    assert text[3:15] in again.text
    assert text not in again.text
    assert "key.create" in again.text


def test_a_key_is_rotated_and_revoked_on_the_page(browser: Browser, shop: FakeShop) -> None:
    browser.submit("/keys/", action="create", name="shop-front", role="shop")
    (first,) = shop.keys.store.all()
    answer = browser.submit("/keys/", action="rotate", key_id=first.key_id, hours="0")
    assert "rk_" in answer.text
    second = next(key for key in shop.keys.store.all() if key.key_id != first.key_id)
    assert "is revoked" in browser.submit("/keys/", action="revoke", key_id=second.key_id).text
    assert [entry.action for entry in shop.keys.trail.latest(10) if entry.action.startswith("key.")] == [
        "key.revoke",
        "key.rotate",
        "key.create",
    ]
    assert {entry.actor for entry in shop.keys.trail.latest(10)} == {"admin:admin"}


def test_wrong_forms_change_nothing_and_say_why(browser: Browser, shop: FakeShop) -> None:
    forms = [
        {"action": "create", "name": "Shop One", "role": "shop"},
        {"action": "create", "name": "shop", "role": "boss"},
        {"action": "create", "name": "shop", "role": "shop", "days": "-1"},
        {"action": "rotate", "key_id": "nothing"},
        {"action": "revoke", "key_id": "<script>"},
        {"action": "explode"},
        {},
    ]
    for form in forms:
        answer = browser.submit("/keys/", **form)
        assert answer.status_code == 200
        assert "Nothing was changed" in answer.text, form
        assert "<script>" not in answer.text
    assert shop.keys.store.all() == []


def test_changes_and_failed_logins_are_in_the_audit_trail(stranger: Browser, shop: FakeShop) -> None:
    stranger.log_in("wrong")
    stranger.log_in()
    stranger.submit("/reco_store/trainingrunrow/", to="/reco_store/trainingrunrow/train/", note="n")
    entries = [(e.actor, e.action, e.subject, e.outcome) for e in reversed(shop.keys.trail.latest(10))]
    assert entries == [
        ("anonymous", "reco-admin.post", "/login/", "refused"),
        ("admin:admin", "reco-admin.post", "/login/", "done"),
        ("admin:admin", "reco-admin.post", "/reco_store/trainingrunrow/train/", "done"),
    ]
