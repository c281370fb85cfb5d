"""Every query of the catalog finds an index on a real mongod (`explain`); FerretDB has no planner to ask."""

from collections.abc import Iterator
from datetime import timedelta

import pymongo
import pytest
from pymongo.monitoring import CommandListener

from catalog_svc.adapters.mongo_import_jobs import MongoImportJobRepository
from catalog_svc.adapters.mongo_product_repository import MongoProductRepository
from catalog_svc.adapters.mongo_relay_cursor import MongoRelayCursor
from catalog_svc.adapters.mongo_store import MongoStore
from catalog_svc.domain.model import ImportJob, ImportState, RejectedInput
from meshkit.filtering import PRODUCT_FIELDS, parse
from tests.support.catalog import LATER, NOON, product

PLANNED = ("find", "aggregate", "update", "delete")
ATTACHED = ("lsid", "$db", "$clusterTime", "txnNumber", "maxTimeMS", "$readPreference", "writeConcern")


class Recorder(CommandListener):
    """Keeps the commands that look for documents."""

    def __init__(self) -> None:
        self.commands: list[dict] = []

    def started(self, event) -> None:
        if event.command_name in PLANNED:
            self.commands.append({key: value for key, value in event.command.items() if key not in ATTACHED})

    def succeeded(self, event) -> None:
        """Not looked at."""

    def failed(self, event) -> None:
        """Not looked at."""


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def store(mongo, recorder) -> Iterator[MongoStore]:
    if mongo.mongod is None:
        pytest.skip("the index check needs a mongod on the PATH: FerretDB has no planner of its own")
    opened = MongoStore(pymongo.MongoClient(mongo.new_database(), event_listeners=[recorder]), timeout_s=30)
    yield opened
    opened.close()


def single(command: dict) -> list[dict]:
    """A command as `explain` takes it: one statement each."""
    for part in ("updates", "deletes"):
        if part in command:
            return [{**command, part: [statement]} for statement in command[part][:3]]
    return [command]


def test_no_query_of_the_api_scans_a_collection(store, recorder):
    products, cursor, jobs = MongoProductRepository(store), MongoRelayCursor(store), MongoImportJobRepository(store)
    products.prepare()
    shop = [product(f"p{n:04}", f"Mug {n}", price=float(n), currency="EUR", brand=f"b{n % 9}") for n in range(1_000)]
    products.upsert(shop, NOON)
    products.upsert([product("p0001", "again"), product("new")], LATER)
    products.delete(["p0002"], LATER)
    products.get(["p0001"])
    products.get([p.product_id for p in shop[:50]])
    for text in ("", "price < 10", "brand = b3", 'categories:"Home"', "tags:new", "title:mug", "NOT in_stock"):
        filter = parse(text, PRODUCT_FIELDS)
        products.page(filter, visible_at=NOON, after_id="p0100", limit=20)
        products.search(["mug", "7"], filter, visible_at=NOON, limit=10)
    products.category_counts(NOON)
    products.counts(NOON)
    products.changes(10, 50)
    products.changed_ids(2_000, 50)
    products.latest_changes(10)
    products.ping()
    cursor.advance(cursor.read(), 5)
    job = ImportJob("j", "f.csv", "csv", ImportState.RUNNING, NOON, NOON, "host", total_bytes=1)
    jobs.save(job, [RejectedInput(1, "x", "why")])
    jobs.get("j")
    jobs.latest(5)
    jobs.rejected("j", after_line=0, limit=5)
    jobs.interrupt("host", stale_before=NOON - timedelta(hours=1), now=LATER)
    seen = list(recorder.commands)
    assert len(seen) > 40
    for command in (each for whole in seen for each in single(whole)):
        plan = store.collection("products").database.command("explain", command, verbosity="queryPlanner")
        assert "COLLSCAN" not in str(plan), command
