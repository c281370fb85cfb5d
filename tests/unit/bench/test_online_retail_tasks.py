"""Rebuilding the tasks: cleaning, split, both kinds of questions, a folder that the mesh reads."""

from pathlib import Path

from bench import online_retail_tasks as tasks
from reco_svc.service.evaluation_folder import read_task

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path


def _order(number: str, customer: str, day: int, *codes: str) -> list[str]:
    return [f"{number},{code},Thing {code},2,2011-01-{day:02d} 10:00:00,1.5,{customer},UK" for code in codes]


def test_only_sales_of_real_products_are_kept_and_codes_are_in_capitals(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "orders.csv",
        "1,85123a,T,6,2011-01-01 08:26:00,2.5,17.0,UK",
        "1,POST,Postage,1,2011-01-01 08:26:00,2.5,17.0,UK",
        "1,85124,T,-1,2011-01-01 08:26:00,2.5,17.0,UK",
        "1,85125,T,1,2011-01-01 08:26:00,0,17.0,UK",
        "C2,85126,T,1,2011-01-01 08:26:00,1,17.0,UK",
    )
    assert [row["StockCode"] for row in tasks.clean_rows(path)] == ["85123A"]


def test_the_newest_tenth_of_the_orders_is_asked_about(tmp_path: Path) -> None:
    codes = [f"{10000 + at}" for at in range(8)]
    lines = [line for day in range(1, 18) for line in _order(str(day), f"{day % 3}.0", day, *codes[:6])]
    lines += _order("18", "", 18, *codes[:4], "99999") + _order("20", "1.0", 20, codes[0], codes[6], codes[7])
    lines[5:5] = _order("0", "2.0", 1, codes[6], codes[7])
    invoices = tasks.invoices_of(list(tasks.clean_rows(_write(tmp_path / "orders.csv", *lines))))
    split_s = tasks.split_time(invoices)
    train = [invoice for invoice in invoices if invoice.at_s < split_s]
    test = [invoice for invoice in invoices if invoice.at_s >= split_s]
    known = set(codes)
    assert [invoice.number for invoice in test] == ["18", "20"]
    (basket,) = tasks.baskets(test, known)  # the unknown product is left out, the short order is not asked about
    assert (basket.history, basket.relevant, basket.visitor) == (codes[:2], codes[2:4], "")
    (following,) = tasks.next_orders(train, test, known)
    assert (following.relevant, following.visitor, len(following.history)) == (codes[6:8], "1.0", 36)

    products = tasks.product_rows([{"StockCode": c, "Description": "Thing", "UnitPrice": "1.5"} for c in codes], known)
    counts = tasks.write_task(tmp_path / "task", train, products, [basket, following])
    task = read_task(tmp_path / "task")
    assert (task.log.count(), len(task.products), len(task.queries)) == (counts["train_events"], 8, 2)
    assert list(task.log.purchased(["1.0"])) == ["1.0"] == [task.queries[1].visitor_id]
