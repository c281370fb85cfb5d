import gzip
import json
from pathlib import Path

import pytest
from recomesh.reco.v1 import reco_pb2

from meshkit.errors import Unavailable
from recomesh_cli import sending

RETAIL = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,71053,WHITE LANTERN,6,2010-12-01 08:26:00,3.39,17850,United Kingdom
536366,85123A,WHITE HANGING HEART,1,2010-12-01 08:28:00,2.55,,United Kingdom
C536379,85123A,WHITE HANGING HEART,-1,2010-12-01 09:41:00,2.55,17850,United Kingdom
536370,POST,POSTAGE,3,2010-12-01 08:45:00,18.00,12583,France
"""


def jsonl(name: str, rows: list[object]) -> str:
    Path(name).write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return name


def report(answer) -> dict:
    return json.loads(answer.stdout)


def test_products_are_read_sent_and_reported(recomesh, mesh):
    file = jsonl("p.jsonl", [{"product_id": "a", "title": "A"}, {"product_id": "b", "title": "B"}, "{broken"])
    answer = recomesh("import", "products", file, "--json")
    assert answer.exit_code == 0
    told = report(answer)
    assert told["complete"] is True
    assert {k: told["products"][k] for k in ("read", "written", "unchanged", "rejected")} == {
        "read": 3,
        "written": 2,
        "unchanged": 0,
        "rejected": 1,
    }
    assert set(mesh.products) == {"a", "b"}


def test_running_it_again_writes_nothing(recomesh, mesh):
    file = jsonl("p.jsonl", [{"product_id": "a", "title": "A"}])
    recomesh("import", "products", file)
    assert report(recomesh("import", "products", file, "--json"))["products"]["unchanged"] == 1


def test_rejected_lines_are_kept_with_line_and_reason_whoever_refused_them(recomesh, mesh):
    file = jsonl("p.jsonl", ["{broken", {"product_id": "a", "title": "refuse"}, {"product_id": "b", "title": "B"}])
    answer = recomesh("import", "products", file)
    assert "title: is not liked" in answer.stdout
    kept = [json.loads(line) for line in Path("p.jsonl.rejected.jsonl").read_text().splitlines()]
    assert [(k["line"], k["reason"].split(":")[0]) for k in kept] == [(1, "broken JSON"), (2, "title")]
    assert kept[0]["raw"] == "{broken"
    assert kept[1]["raw"]["product_id"] == "a"


def test_the_file_of_rejected_lines_can_be_chosen_and_is_not_made_for_nothing(recomesh, mesh):
    recomesh("import", "products", jsonl("good.jsonl", [{"product_id": "a", "title": "A"}]))
    recomesh("import", "products", jsonl("bad.jsonl", ["{"]), "--rejected", "bad.txt")
    assert sorted(p.name for p in Path().glob("*.jsonl")) == ["bad.jsonl", "good.jsonl"]
    assert Path("bad.txt").exists()


def test_merchant_feeds_are_known_by_the_name_of_google(recomesh, mesh):
    Path("feed.tsv").write_text("id\ttitle\tprice\tavailability\na\tMug\t9.90 EUR\tin_stock\n")
    assert recomesh("import", "products", "feed.tsv", "--format", "google-tsv").exit_code == 0
    assert mesh.products["a"].price.currency_code == "EUR"


def test_events_are_read_with_a_column_mapping(recomesh, mesh):
    Path("e.csv").write_text("user,item,ts\nu1,a,1700000000\nu1,b,1700000001\n")
    options = ["--map", "visitor_id=user", "--map", "product_id=item", "--map", "at=ts"]
    told = report(recomesh("import", "events", "e.csv", "--json", *options))
    assert told["events"]["written"] == 2
    again = report(recomesh("import", "events", "e.csv", "--json", *options))
    assert (again["events"]["written"], again["events"]["unchanged"]) == (0, 2)


def test_one_map_may_name_several_columns_even_those_with_a_comma(recomesh, mesh):
    Path("e.csv").write_text('user,"item, sold",ts\nu1,a,1700000000\n')
    told = report(
        recomesh("import", "events", "e.csv", "--map", "visitor_id=user,product_id=item, sold, at=ts", "--json")
    )
    assert told["events"]["written"] == 1


def test_a_file_of_orders_needs_no_column_for_the_type(recomesh, mesh):
    Path("e.csv").write_text("visitor_id,product_id,at\nu1,a,1700000000\n")
    assert recomesh("import", "events", "e.csv", "--type", "purchase").exit_code == 0
    assert [e.type for e in mesh.events.values()] == [reco_pb2.EVENT_TYPE_PURCHASE]
    assert "--type: must be one of" in recomesh("import", "events", "e.csv", "--type", "order").stderr


def test_products_are_read_with_a_column_mapping(recomesh, mesh):
    Path("p.csv").write_text("sku,name,price,colour\na,Mug,9.90,red\n")
    mapping = "product_id=sku,title=name,attributes.color=colour"
    assert recomesh("import", "products", "p.csv", "--map", mapping, "--currency", "eur").exit_code == 0
    assert (mesh.products["a"].title, dict(mesh.products["a"].attributes)) == ("Mug", {"color": "red"})


def test_events_of_products_that_the_catalog_has_not_are_kept_and_told(recomesh, mesh):
    mesh.add("a")
    Path("e.csv").write_text("visitor_id,product_id,at\nu1,a,1700000000\nu1,typo,1700000001\n")
    answer = recomesh("import", "events", "e.csv")
    assert (answer.exit_code, len(mesh.events)) == (0, 2)
    assert "1 of 2 products are not in the catalog: typo" in " ".join(answer.stdout.split())


def test_a_file_of_which_nothing_was_taken_is_a_failure_with_the_way_out(recomesh, mesh):
    Path("p.csv").write_text("product_id,title,price\na,Mug,9.90\n")
    answer = recomesh("import", "products", "p.csv")
    assert answer.exit_code == 1
    assert "--currency EUR" in answer.stdout
    assert "none of the products could be taken" in answer.stderr


def test_a_currency_that_is_none_is_refused_before_the_file_is_read(recomesh, mesh):
    answer = recomesh("import", "products", jsonl("p.jsonl", []), "--currency", "pounds")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == "recomesh: --currency: must be three letters such as EUR, not 'pounds'\n"


def test_a_file_that_is_refused_as_a_whole_is_no_import_that_was_cut_off(recomesh, mesh):
    Path("p.csv").write_text("id,name\na,Mug\n")
    answer = recomesh("import", "products", "p.csv")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--map product_id=COLUMN" in answer.stderr


@pytest.mark.parametrize("mapping", ["visitor_id", "=user", "visitor_id=", "nonsense=user", "at=user,at=product_id"])
def test_a_wrong_mapping_is_a_misuse(recomesh, mesh, mapping):
    Path("e.csv").write_text("user,product_id,at\nu1,a,1700000000\n")
    answer = recomesh("import", "events", "e.csv", "--map", mapping)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("recomesh: ")


def test_refused_events_are_named_by_their_line(recomesh, mesh):
    rows = [
        {"event_id": "e1", "type": "view_item", "visitor_id": "v", "product_id": "a", "at": "1960-01-01T00:00:00Z"},
        {"event_id": "e2", "type": "view_item", "visitor_id": "v", "product_id": "a", "at": "2026-01-01T00:00:00Z"},
    ]
    told = report(recomesh("import", "events", jsonl("e.jsonl", rows), "--json"))
    assert told["events"]["rejected"] == 1
    assert json.loads(Path(told["rejected_file"]).read_text())["line"] == 1


def test_online_retail_brings_products_and_events(recomesh, mesh):
    Path("r.csv.gz").write_bytes(gzip.compress(RETAIL.encode()))
    told = report(recomesh("import", "events", "r.csv.gz", "--format", "online-retail", "--json"))
    assert told["products"]["written"] == 2
    assert told["events"]["written"] == 4
    assert told["events"]["reasons"] == {"not a product": 1}
    assert {e.visitor_id for e in mesh.events.values()} == {"17850", "guest-536366"}


def test_a_long_file_goes_out_in_several_streams(recomesh, mesh, monkeypatch):
    monkeypatch.setattr(sending, "STREAM_ITEMS", 10)
    file = jsonl("p.jsonl", [{"product_id": f"p{n}", "title": "P"} for n in range(35)])
    told = report(recomesh("import", "products", file, "--json"))
    assert told["products"]["written"] == 35
    assert mesh.streams == 4


def test_an_import_that_is_cut_off_reports_what_was_written(recomesh, mesh, monkeypatch):
    monkeypatch.setattr(sending, "STREAM_ITEMS", 10)
    stored = mesh.ImportProducts.future

    def away(requests, **how):
        if mesh.streams >= 2:
            raise Unavailable("catalog")
        return stored(requests, **how)

    monkeypatch.setattr(mesh.ImportProducts, "future", away)
    file = jsonl("p.jsonl", [{"product_id": f"p{n}", "title": "P"} for n in range(35)])
    answer = recomesh("import", "products", file, "--json")
    assert answer.exit_code == 1
    assert report(answer)["complete"] is False
    assert report(answer)["products"]["written"] in (10, 20)


def test_ctrl_c_ends_with_a_report_too(recomesh, mesh, monkeypatch):
    def interrupted(requests, **how):
        raise KeyboardInterrupt

    monkeypatch.setattr(mesh.ImportProducts, "future", interrupted)
    answer = recomesh("import", "products", jsonl("p.jsonl", [{"product_id": "a", "title": "A"}]))
    assert answer.exit_code == 130
    assert "Cut off" in answer.stdout


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_an_import_of_nothing(recomesh, mesh, content):
    Path("empty.csv").write_bytes(content)
    for kind in ("products", "events"):
        assert recomesh("import", kind, "empty.csv").exit_code == 0


@pytest.mark.parametrize("content", [b"PK\x03\x04zip", b"\xff\xfea\x00", b"[1, 2]", b"\x1f\x8bbroken"])
def test_a_file_of_another_kind_is_refused_in_one_line(recomesh, mesh, content):
    Path("odd").write_bytes(content)
    answer = recomesh("import", "products", "odd")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("recomesh: file")


def test_a_file_that_is_not_there_is_a_misuse(recomesh, mesh):
    assert recomesh("import", "products", "nowhere.csv").exit_code == 2
