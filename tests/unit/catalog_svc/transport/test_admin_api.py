import asyncio

import orjson
import pytest

from tests.support.catalog import FULL, NOON, product

MUG = {"product_id": "mug-1", "title": "Blue mug", "price": 9.5, "currency": "EUR", "categories": ["Home > Kitchen"]}


async def finished(admin, import_id):
    for _ in range(500):
        job = (await admin.get(f"/v1/imports/{import_id}")).json()
        if job["state"] not in ("queued", "running"):
            return job
        await asyncio.sleep(0.01)
    raise AssertionError(job)


def problem(answer, status=400):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail", "errors", "trace_id"} <= set(body)
    return body


def wrong_fields(answer):
    return {e["field"] for e in problem(answer)["errors"]}


# -- who may


@pytest.mark.parametrize("path", ["/", "/v1/products", "/docs", "/openapi.json", "/products", "/live"])
async def test_nothing_is_shown_without_a_login(stranger, path):
    answer = await stranger.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    wrong = await stranger.get(path, auth=("admin", "guess"))
    assert wrong.status_code == 401


async def test_operations_need_no_login(stranger, health):
    assert (await stranger.get("/livez")).status_code == 200
    not_yet = await stranger.get("/readyz")
    assert (not_yet.status_code, not_yet.json()) == (503, {"store": "starting"})
    await health.set("store")
    assert (await stranger.get("/readyz")).json() == {"store": "ok"}
    assert "recomesh_http_total" in (await stranger.get("/metrics")).text


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_another_site_can_not_change_anything(admin, repository, headers):
    answer = await admin.put("/v1/products/mug-1", json=MUG, headers=headers)
    assert problem(answer, 403)["type"].endswith("cross-site")
    assert repository.revision() == 0


# -- products


async def test_a_product_is_created_read_changed_and_deleted(admin, writes):
    created = (await admin.put("/v1/products/mug-1", json=MUG)).json()
    assert (created["created"], created["revision"], created["product"]["title"]) == (1, 1, "Blue mug")
    card = (await admin.get("/v1/products/mug-1")).json()
    assert card == created["product"]
    assert (await admin.put("/v1/products/mug-1", json=card)).json()["unchanged"] == 1
    assert (await admin.put("/v1/products/mug-1", json={**card, "hidden": True})).json()["updated"] == 1
    assert (await admin.delete("/v1/products/mug-1")).json() == {"deleted": 1, "revision": 3}
    assert problem(await admin.get("/v1/products/mug-1"), 404)["type"].endswith("product-not-found")
    problem(await admin.delete("/v1/products/mug-1"), 404)
    assert len(writes) == 4


async def test_an_id_may_hold_slashes_and_anything_printable(admin):
    for product_id in ("a/b/c", "ключ %", "x?y#z", "a:b"):
        path = "/v1/products/" + "".join(f"%{b:02X}" for b in product_id.encode())
        assert (await admin.put(path, json={"title": "T"})).json()["product"]["product_id"] == product_id
        assert (await admin.get(path)).status_code == 200


async def test_a_batch_reports_each_refused_product(admin, repository):
    body = {
        "products": [
            MUG,
            {"product_id": "x", "title": "X", "colour": 1},
            {"title": 5},
            "nonsense",
            {**MUG, "gtin": "1"},
        ]
    }
    answer = (await admin.post("/v1/products", json=body)).json()
    assert answer["created"] == 1
    assert [(r["index"], r["product_id"], r["field"]) for r in answer["rejected"]] == [
        (1, "x", "products[1].colour"),
        (2, "", "products[2].title"),
        (3, "", "products[3].product"),
        (4, "mug-1", "products[4].gtin"),
    ]
    assert list(repository.get(["mug-1", "x"])) == ["mug-1"]


async def test_many_products_are_read_and_deleted_by_id(admin, repository):
    repository.upsert([product("a"), product("b")], NOON)
    found = (await admin.post("/v1/products:batchGet", json={"product_ids": ["b", "x", "a"]})).json()
    assert ([p["product_id"] for p in found["products"]], found["unknown_ids"]) == (["b", "a"], ["x"])
    done = (await admin.post("/v1/products:delete", json={"product_ids": ["a", "x"]})).json()
    assert done == {"deleted": 1, "unknown_ids": ["x"], "revision": 3}


async def test_products_are_listed_searched_and_counted(admin, repository):
    repository.upsert([product(f"p{n}", f"Mug {n}", categories=("Home > Kitchen",)) for n in range(5)], NOON)
    repository.upsert([product("hidden", "Mug", hidden=True)], NOON)
    first = (await admin.get("/v1/products", params={"page_size": 3})).json()
    assert [p["product_id"] for p in first["products"]] == ["p0", "p1", "p2"]
    rest = (await admin.get("/v1/products", params={"page_token": first["next_page_token"]})).json()
    assert ([p["product_id"] for p in rest["products"]], rest["next_page_token"]) == (["p3", "p4"], "")
    every = (await admin.get("/v1/products", params={"include_hidden": True})).json()
    assert len(every["products"]) == 6
    hits = (await admin.get("/v1/search", params={"q": "mugs", "limit": 2})).json()["hits"]
    assert len(hits) == 2
    assert hits[0]["score"] >= hits[1]["score"]
    assert (await admin.get("/v1/categories")).json()["categories"] == [
        {"path": "Home", "product_count": 5},
        {"path": "Home > Kitchen", "product_count": 5},
    ]
    seen = (await admin.get("/v1/overview")).json()
    assert (seen["products"], seen["visible"], seen["hidden"], seen["categories"]) == (6, 5, 1, 2)
    assert seen["latest_changes"][0]["product_id"] == "hidden"


async def test_changes_are_followed_with_a_cursor(admin, repository):
    repository.upsert([product("a"), FULL], NOON)
    repository.delete(["a"], NOON)
    answer = (await admin.get("/v1/changes")).json()
    assert [(c["product_id"], c["kind"]) for c in answer["changes"]] == [("mug-1", "upserted"), ("a", "deleted")]
    assert (answer["next_revision"], answer["has_more"]) == (3, False)
    assert (await admin.get("/v1/changes", params={"after_revision": 3})).json()["changes"] == []
    assert problem(await admin.get("/v1/changes", params={"after_revision": 10**9}), 409)["type"].endswith(
        "cursor-ahead"
    )


# -- bad input

BODIES = [
    b"",
    b"nope",
    b"\xff\xfe",
    b'{"product_ids": ["\xff"]}',
    b'{"product_ids": ["\\ud800"]}',
    b"[" * 100_000,
    b"NaN",
    b"[]",
    b"null",
    b"5",
    b"{}",
    b'{"products": {}, "product_ids": 5}',
    b'{"products": [], "product_ids": []}',
    b'{"product_ids": ["a"], "product_idz": 1, "products": [], "more": 2}',
    b'{"product_ids": [1, null, {}], "products": null}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda b: repr(b[:30]))
@pytest.mark.parametrize("path", ["/v1/products", "/v1/products:delete"])
async def test_a_wrong_body_is_a_clear_problem(admin, repository, path, body):
    answer = await admin.post(path, content=body, headers={"content-type": "application/json"})
    assert wrong_fields(answer)
    assert repository.revision() == 0


@pytest.mark.parametrize(
    ("card", "field"),
    [
        ({"titel": "x"}, "titel"),
        ({"title": ""}, "title"),
        ({"title": "x", "price": "9"}, "price"),
        ({"title": "x", "price": 1e300, "currency": "EUR"}, "price"),
        ({"title": "x", "price": 5}, "currency"),
        ({"title": "x", "price": 5, "currency": "euro"}, "currency"),
        ({"title": "x", "availability": "gone"}, "availability"),
        ({"title": "x", "product_id": "other"}, "product_id"),
        ({"title": "x" * 501}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "x", "tags": ["a", ""]}, "tags[1]"),
        ({"title": "x", "url": "javascript:alert(1)"}, "url"),
    ],
)
async def test_a_wrong_product_is_refused_by_field(admin, repository, card, field):
    assert field in wrong_fields(await admin.put("/v1/products/a", json=card))
    assert repository.revision() == 0


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("/v1/products", {"page_size": "-1"}, "page_size"),
        ("/v1/products", {"page_size": "many"}, "page_size"),
        ("/v1/products", {"filter": "price <"}, "filter"),
        ("/v1/products", {"filter": "colour = red"}, "filter"),
        ("/v1/products", {"page_token": "nonsense"}, "page_token"),
        ("/v1/products", {"page_token": "ä" * 10_000}, "page_token"),
        ("/v1/search", {}, "q"),
        ("/v1/search", {"q": " "}, "query"),
        ("/v1/search", {"q": "x" * 501}, "query"),
        ("/v1/search", {"q": "x", "limit": "-1"}, "limit"),
        ("/v1/categories", {"parent": ">"}, "parent"),
        ("/v1/changes", {"after_revision": "-1"}, "after_revision"),
        ("/v1/changes", {"after_revision": str(10**30)}, "after_revision"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(admin, path, params, field):
    assert any(f == field or f.endswith(f".{field}") for f in wrong_fields(await admin.get(path, params=params)))


@pytest.mark.parametrize("size", ["0", "1000000000"])
async def test_sizes_of_nothing_and_too_much_are_read_with_sense(admin, repository, size):
    repository.upsert([product("a", "Mug")], NOON)
    for path, params in (
        ("/v1/products", {"page_size": size}),
        ("/v1/search", {"q": "mug", "limit": size}),
        ("/v1/changes", {"page_size": size}),
    ):
        assert (await admin.get(path, params=params)).status_code == 200


async def test_a_huge_body_is_cut_off(admin):
    answer = await admin.post("/v1/products", content=b"x" * (17 * 1024 * 1024))
    assert problem(answer, 413)["type"].endswith("body-too-large")


async def test_an_unknown_route_is_a_problem(admin):
    problem(await admin.get("/v1/nothing"), 404)
    problem(await admin.patch("/v1/products"), 405)


# -- imports


async def test_a_file_is_imported_and_its_refused_lines_fetched(admin, repository):
    lines = [MUG, {"product_id": "no-title"}, {**MUG, "product_id": "bad", "gtin": "12"}]
    content = b"\n".join(map(orjson.dumps, lines)) + b"\n\xff\n"
    sent = await admin.post("/v1/imports", params={"filename": "../shop.jsonl"}, content=content)
    assert sent.status_code == 202
    job = await finished(admin, sent.json()["import_id"])
    assert (job["filename"], job["state"], job["progress"]) == ("shop.jsonl", "done", 1.0)
    assert (job["read"], job["created"], job["rejected"]) == (4, 1, 3)
    answer = await admin.get(f"/v1/imports/{job['import_id']}/rejected")
    assert "attachment" in answer.headers["content-disposition"]
    rejected = [orjson.loads(line) for line in answer.content.splitlines()]
    assert [r["line"] for r in rejected] == [2, 3, 4]
    assert "gtin" in rejected[1]["reason"]
    assert orjson.loads(rejected[1]["raw"])["product_id"] == "bad"
    assert list(repository.get(["mug-1"])) == ["mug-1"]


async def test_a_file_comes_as_a_form_too(admin):
    csv = b"product_id,title,price\na,A,5\nb,,6\n"
    sent = await admin.post("/v1/imports", files={"file": ("shop.csv", csv)}, data={"format": "csv", "currency": "EUR"})
    job = await finished(admin, sent.json()["import_id"])
    assert (job["format"], job["created"], job["rejected"]) == ("csv", 1, 1)


@pytest.mark.parametrize(
    ("content", "params", "field"),
    [
        (b"", {}, "file"),
        (b"x", {"format": "pdf"}, "format"),
        (b"x", {"currency": "euro"}, "currency"),
    ],
)
async def test_an_impossible_import_is_refused_at_once(admin, content, params, field):
    assert wrong_fields(await admin.post("/v1/imports", params=params, content=content)) == {field}
    assert (await admin.get("/v1/imports")).json() == {"imports": []}


async def test_a_form_without_a_file_is_refused(admin):
    assert wrong_fields(await admin.post("/v1/imports", data={"format": "csv"}, files={"other": b"x"})) == {"file"}


@pytest.mark.parametrize("content", [b"PK\x03\x04zip", b"\x1f\x8bbroken", b"[1]", b"a,b\n1,2\n", b"\x00\x01\x02"])
async def test_a_file_of_no_known_format_fails_its_job(admin, repository, content):
    sent = await admin.post("/v1/imports", content=content)
    job = await finished(admin, sent.json()["import_id"])
    assert job["state"] == "failed"
    assert job["error"]
    assert repository.revision() == 0


async def test_an_upload_over_the_limit_is_cut_off(admin):
    problem(await admin.post("/v1/imports", content=b"x" * 41_000_000), 413)


async def test_an_unknown_import_is_not_found(admin):
    for path in ("/v1/imports/nope", "/v1/imports/nope/rejected", "/v1/imports/%00"):
        problem(await admin.get(path), 404)


# -- documentation


async def test_every_route_of_the_api_is_documented(admin):
    document = (await admin.get("/openapi.json")).json()
    assert {"/v1/products", "/v1/search", "/v1/imports", "/v1/changes", "/readyz"} <= set(document["paths"])
    page = await admin.get("/docs")
    assert all(path in page.text for path in document["paths"])
    assert "http://" not in page.text
    assert "https://" not in page.text
