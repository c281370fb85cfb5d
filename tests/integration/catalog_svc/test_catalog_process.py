"""The catalog as a process: start, stop, crash, store gone and back, uploads."""

import signal
import socket
import threading

import grpc
import httpx
import orjson
import pytest
from recomesh.catalog.v1 import catalog_service_pb2 as pb

from meshkit.errors import Unavailable
from tests.support.processes import wait_until


def log_lines(path):
    return [orjson.loads(line) for line in path.read_bytes().splitlines() if line.startswith(b"{")]


@pytest.mark.parametrize("name", ["CATALOG_PORT", "CATALOG_ADMIN_PORT"])
def test_a_taken_port_is_named_in_one_line(start, name):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", int(start.env[f"RECOMESH_{name}"])))
        holder.listen()
        with start() as process:
            assert process.wait(120) == 2
    lines = [line for line in start.log.read_text().splitlines() if line.startswith("catalog: ")]
    assert len(lines) == 1
    assert start.env[f"RECOMESH_{name}"] in lines[0]


def test_a_store_of_an_unknown_kind_stops_the_start(start):
    start.env["RECOMESH_CATALOG_URL"] = "oracle://db"
    with start() as process:
        assert process.wait(120) == 2
    assert "RECOMESH_CATALOG_URL: oracle" in start.log.read_text()


def test_a_clean_stop_finishes_what_runs_and_keeps_the_data(start, new_product):
    client = start.client()
    entered, finish = threading.Event(), threading.Event()

    def batches():
        yield pb.ImportProductsRequest(products=[new_product("before")])
        entered.set()
        finish.wait(120)
        yield pb.ImportProductsRequest(products=[new_product("after")])

    with start() as process:
        client.wait()
        call = client.stub.ImportProducts.future(batches(), timeout=180)
        assert entered.wait(60)
        wait_until(lambda: client.call("BatchGetProducts", product_ids=["before"]).products)
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not client.ready(), what="the admin plane stops taking calls")
        finish.set()
        assert call.result(60).created == 2
        assert process.wait(60) == 0
    assert log_lines(start.log)[-1]["event"] == "stopped"
    assert not [line for line in log_lines(start.log) if line["level"] in ("error", "critical")]
    again = start.client()
    with start():
        again.wait()
        assert len(again.call("BatchGetProducts", product_ids=["before", "after"]).products) == 2


def test_a_killed_import_is_sent_again_without_duplicates(start, new_product):
    batches = [
        pb.ImportProductsRequest(products=[new_product(f"p{b:02}-{n:03}", f"Mug {n}") for n in range(500)])
        for b in range(40)
    ]
    client, killed = start.client(), threading.Event()

    with start() as process:
        client.wait()

        def feeding():
            yield from batches[:30]
            killed.wait(60)
            yield from batches[30:]

        call = client.stub.ImportProducts.future(feeding(), timeout=180)
        wait_until(lambda: client.call("ListChanges", from_end=True).next_revision >= 2_000)
        process.kill()
        process.wait(10)
        killed.set()
        with pytest.raises(grpc.RpcError):
            call.result(60)
    again = start.client()
    with start():
        again.wait()
        stored = again.call("ListChanges", from_end=True).next_revision
        assert stored >= 2_000
        assert stored % 500 == 0  # no batch is half there
        done = again.stub.ImportProducts(iter(batches), timeout=180)
        assert (done.read, done.created, done.unchanged) == (20_000, 20_000 - stored, stored)
        assert again.call("ListChanges", from_end=True).next_revision == 20_000


def test_what_was_acknowledged_before_a_kill_is_there_after_it(start, new_product):
    client = start.client()
    with start() as process:
        client.wait()
        for n in range(20):
            client.upsert(new_product(f"p{n}"))
        process.kill()
        process.wait(10)
    again = start.client()
    with start():
        again.wait()
        assert not again.call("BatchGetProducts", product_ids=[f"p{n}" for n in range(20)]).unknown_ids
        assert [hit.product.title for hit in again.call("SearchProducts", query="mug", limit=1).hits] == ["Mug"]


def test_health_follows_the_store(start, new_product, tmp_path):
    client, home = start.client(), tmp_path / "home"
    with start():
        client.wait()
        client.upsert(new_product("a"))
        assert client.serving() == "SERVING"
        files = list(home.glob("catalog.db*"))
        for file in files:
            file.rename(file.with_name(f"away-{file.name}"))
        wait_until(lambda: client.serving() == "NOT_SERVING", within_s=30)
        assert httpx.get(f"{client.url}/readyz").status_code == 503
        with pytest.raises(Unavailable) as caught:
            client.call("GetProduct", product_id="a")
        assert caught.value.part == "store"
        with client.http() as http:
            page = http.get("/", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        for file in files:
            file.with_name(f"away-{file.name}").rename(file)
        wait_until(lambda: client.serving() == "SERVING", within_s=30)
        assert client.call("GetProduct", product_id="a").product.title == "Mug"


def test_an_upload_is_imported_listed_after_a_restart_and_interrupted_by_a_kill(start, tmp_path):
    lines = [
        orjson.dumps({"product_id": f"p{n}", "title": f"Mug {n}", "description": "x" * 500}) for n in range(60_000)
    ]
    file = tmp_path / "shop.jsonl"
    file.write_bytes(b"\n".join(lines))
    client = start.client()
    with start() as process:
        client.wait()
        with client.http() as http:
            small = http.post(
                "/v1/imports", params={"filename": "small"}, content=b"\n".join([*lines[:5], b"{}"])
            ).json()
            wait_until(lambda: _job(http, small)["state"] == "done")
            large = http.post("/v1/imports", files={"file": ("shop.jsonl", file.read_bytes())}).json()
            wait_until(lambda: _job(http, large)["read"] >= 5_000)
            progress = _job(http, large)["progress"]
            assert 0 < progress < 1
        process.kill()
        process.wait(10)
    assert list((tmp_path / "home" / "imports").iterdir())
    again = start.client()
    with start():
        again.wait()
        with again.http() as http:
            states = {job["filename"]: job["state"] for job in http.get("/v1/imports").json()["imports"]}
            assert states == {"small": "done", "shop.jsonl": "interrupted"}
            assert "send the file again" in http.get(f"/imports/{large['import_id']}").text
            assert len(http.get(f"/v1/imports/{small['import_id']}/rejected").content.splitlines()) == 1
            assert not list((tmp_path / "home" / "imports").iterdir())
            resent = http.post("/v1/imports", params={"filename": "resent"}, content=file.read_bytes()).json()
            done = wait_until(lambda: _ended(http, resent), within_s=180)
            assert (done["state"], done["read"], done["rejected"]) == ("done", 60_000, 0)
            assert done["unchanged"] >= 5_000
            assert http.get("/v1/overview").json()["products"] == 60_000


def test_a_broken_corpus_never_brings_a_server_error(start):
    client = start.client()
    corpus = [
        ("GET", "/v1/products/%FF", b""),
        ("PUT", "/v1/products/%00", b'{"title":"x"}'),
        ("PUT", "/v1/products/a", b'{"title":"\xff"}'),
        ("PUT", "/v1/products/a", b'{"title":"x","attributes":{"\\u0000":"x"}}'),
        ("PUT", "/v1/products/a", b'{"title":"x","attributes":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}"),
        ("PUT", "/v1/products/a", b"[" * 1_000_000),
        ("POST", "/v1/products", b'{"products":[' + b"1," * 100_000 + b"1]}"),
        ("POST", "/v1/products:delete", b'{"product_ids":["' + b"x" * 1_000_000 + b'"]}'),
        ("GET", "/v1/products?page_size=1e9", b""),
        ("GET", "/v1/products?filter=%FF%FE", b""),
        ("GET", "/v1/products?filter=" + "(" * 2_000, b""),
        ("GET", "/v1/search?q=%00%FF", b""),
        ("GET", "/v1/changes?after_revision=9223372036854775807", b""),
        ("GET", "/v1/changes?after_revision=99999999999999999999", b""),
        ("POST", "/v1/imports?format=%00", b"x"),
        ("POST", "/product", b"product_id=%FF%00&title=%00&revision=" + b"9" * 5_000),
        ("POST", "/product", b"\xff\xfe\x00"),
        ("POST", "/product/delete", b""),
        ("GET", "/product?id=%00", b""),
        ("GET", "/products?page_token=%FF&q=&filter=", b""),
        ("GET", "/imports/%FF", b""),
        ("GET", "/static/../app.py", b""),
        ("GET", "/static/%2e%2e/app.py", b""),
    ]
    with start():
        client.wait()
        with client.http() as http:
            for method, path, body in corpus:
                form = {"content-type": "application/x-www-form-urlencoded"} if path.startswith("/product") else {}
                answer = http.request(method, path, content=body, headers=form)
                assert answer.status_code < 500, (method, path[:60], answer.text[:300])
        with client.http() as http:
            assert http.get("/v1/overview").json()["products"] == 0
    assert not [line for line in log_lines(start.log) if line["level"] == "error"]


def _job(http, sent):
    return http.get(f"/v1/imports/{sent['import_id']}").json()


def _ended(http, sent):
    job = _job(http, sent)
    return job if job["state"] not in ("queued", "running") else None
