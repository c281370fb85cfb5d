"""Changes made in admin planes reach every answer within two seconds."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from bench.mesh import Mesh

WITHIN_S = 2.0


def _similar(shop: httpx.Client, product_id: str) -> list[str]:
    answer = shop.get(f"/v1/products/{product_id}/similar", params={"limit": 20})
    return [i["product_id"] for i in answer.json().get("items", [])]


def test_a_product_made_in_the_admin_plane_is_recommended_and_a_deleted_one_is_gone(
    shop: httpx.Client, catalog_admin: httpx.Client, eventually: Callable[..., Any]
) -> None:
    model = shop.get("/v1/products", params={"page_size": 1, "filter": "in_stock = true"}).json()["products"][0]
    made = {k: v for k, v in model.items() if k in ("title", "description", "categories", "brand", "price", "currency")}
    made["product_id"] = f"made-{uuid.uuid4()}"
    _similar(shop, model["product_id"])  # cached now

    created = catalog_admin.put(f"/v1/products/{made['product_id']}", json=made)
    assert created.status_code in (200, 201), created.text
    eventually(lambda: made["product_id"] in _similar(shop, model["product_id"]), within_s=WITHIN_S, what="recommended")

    deleted = catalog_admin.delete(f"/v1/products/{made['product_id']}")
    assert deleted.status_code in (200, 204), deleted.text
    eventually(lambda: made["product_id"] not in _similar(shop, model["product_id"]), within_s=WITHIN_S, what="gone")
    eventually(
        lambda: shop.get(f"/v1/products/{made['product_id']}").status_code == 404, within_s=WITHIN_S, what="unknown"
    )


def test_a_rule_made_in_the_admin_plane_acts_on_answers(
    shop: httpx.Client, mesh: Mesh, eventually: Callable[..., Any]
) -> None:
    password = (mesh.settings.home / "admin_password").read_text().strip()
    base = f"http://127.0.0.1:{mesh.settings.reco_admin_port}"
    popular = [i["product_id"] for i in shop.get("/v1/popular", params={"limit": 30}).json()["items"]]
    with httpx.Client(base_url=base, follow_redirects=True, timeout=10) as admin:
        login = admin.get("/")
        token = _csrf(login.text)
        entered = admin.post(
            str(login.url), data={"username": "admin", "password": password, "csrfmiddlewaretoken": token, "next": "/"}
        )
        assert entered.url.path == "/", entered.text[:500]
        form = admin.get("/reco_store/rulerow/add/")
        assert form.status_code == 200
        fields = {
            "name": "test pin",
            "kind": "pin",
            "target_kind": "product",
            "target_value": popular[-1],
            "position": "1",
            "factor": "2",
            "placement": "",
            "segment": "",
            "priority": "100",
            "enabled": "on",
            "csrfmiddlewaretoken": _csrf(form.text),
        }
        saved = admin.post("/reco_store/rulerow/add/", data=fields)
        assert saved.status_code == 200
        assert "errornote" not in saved.text

        def first() -> bool:
            body = {"strategy": "popular", "limit": 5, "placement": uuid.uuid4().hex[:8]}
            items = shop.post("/v1/recommendations", json=body).json()["items"]
            return items[0]["product_id"] == popular[-1] and "pinned_by" in items[0]["reasons"][0]

        eventually(first, within_s=WITHIN_S + 1, what="pinned")


def _csrf(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page[:500]
    return found.group(1)
