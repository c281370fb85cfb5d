"""`recomesh backup` and `restore` between embedded stores and PostgreSQL, as commands of their own processes."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from recomesh_cli.moving import MARKER
from tests.support.processes import private_env

ROOT = Path(__file__).resolve().parents[3]
REVISIONS = "catalog_revision"
FILL = """
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from meshkit.security.open_gate import key_manager, open_security_database
from meshkit.security.roles import Role
from meshkit.settings import MeshSettings, load
from catalog_svc import backup as catalog
from catalog_svc.domain.model import Availability, Product
from profile_svc.adapters.sql_preference_repository import SqlPreferenceRepository
from profile_svc.adapters.sql_segment_repository import SqlSegmentRepository
from profile_svc.adapters.sql_store import open_engine
from profile_svc.domain.model import ErasureReceipt, Preferences, Price, Segment
from reco_svc import backup as reco
import numpy as np
from tests.support.reco_stores import NOON, interaction
from reco_svc.domain.model import EventType, Model, TrainingState

settings = load(MeshSettings)
security = open_security_database(settings)
keys = key_manager(settings, security)
Path("key").write_text(keys.create("shop", Role.SHOP, by="tester").text)
security.close()
with catalog.opened(settings) as store:
    products = store._repository
    products.upsert([Product("gone", "Gone")] + [Product(f"p{n}", f"Mug {n} 💥", categories=("A > B", "C"), price=2.5,
        currency="EUR", availability=Availability.PREORDER, attributes={"colour": "é", "a": "b"}, tags=("x", "y"),
        created_at=NOON, expires_at=NOON + timedelta(days=900), hidden=n % 2 == 0) for n in range(700)], NOON)
    products.delete(["gone"], NOON)
engine = open_engine(settings.database_url or settings.sqlite_url("profile.db"))
profiles = SqlPreferenceRepository(engine)
for name in ("b", "B", "é"):
    profiles.change(name, NOON, lambda p: replace(p, brands=("Acme",), price_max=Price(9.99, "EUR")))
profiles.erase("B", NOON, "r1")
profiles.add_receipt("B", ErasureReceipt("r1", NOON, ()), settled=False)
SqlSegmentRepository(engine).save(Segment("acme", "Acme", "brands:Acme"))
engine.dispose()
with reco.opened(settings):
    from reco_svc.adapters.django_embedding_store import DjangoEmbeddingStore
    from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
    from reco_svc.adapters.django_model_registry import DjangoModelRegistry
    from reco_svc.orm.models import RuleRow
    from reco_svc.orm.rule_history import rule_change
    log = DjangoInteractionLog()
    log.append([interaction(f"e{n}", f"p{n % 9}", minute=n, visitor_id=f"v{n % 5}", price=1.1 if n % 2 else None,
        type=EventType.PURCHASE if n % 3 else EventType.VIEW_ITEM, query="café") for n in range(2500)])
    log.erase("v3", NOON + timedelta(days=30))
    for name in ("one", "two"):
        with rule_change("tester", f"added {name}"):
            RuleRow(name=name, kind="boost", target_kind="brand", target_value="Acme", starts_at=NOON).save()
    registry = DjangoModelRegistry()
    quality = {"auto/ndcg@10": 0.25}
    registry.add_model(Model("20260501T120000Z-aaaaaaaa", NOON, True, {"products": 3.0}, quality, "lsa", ""))
    registry.start_run("note", True)
    DjangoEmbeddingStore().put("lsa", ["h1", "h2"], np.random.default_rng(1).normal(size=(2, 8)).astype(np.float32))
    folder = reco.snapshots(settings).new()
    (folder / "vectors.npy").write_bytes(bytes(range(256)))
    reco.snapshots(settings).activate(reco.snapshots(settings).publish(folder, {"products": 3}))
"""
FIRST_RULE = """
from meshkit.settings import MeshSettings, load
from reco_svc import backup as reco
with reco.opened(load(MeshSettings)):
    from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
    from reco_svc.orm.models import RuleRow
    from reco_svc.orm.rule_history import rule_change
    from tests.support.reco_stores import interaction
    with rule_change("tester", "added") as version:
        row = RuleRow(name="three", kind="boost", target_kind="brand", target_value="Acme")
        row.save()
    report = DjangoInteractionLog().append([interaction("e1"), interaction("new"), interaction("old", visitor_id="v3")])
    print(version, row.pk, sorted(report.inserted))
"""


KEY = """
import sys
from meshkit.security.audit import SqlAuditTrail, AuditEntry
from meshkit.security.key_ring import KeyRing
from meshkit.security.open_gate import key_pepper, open_security_database
from meshkit.security.sql_key_store import SqlKeyStore
from meshkit.settings import MeshSettings, load
from tests.support.reco_stores import NOON
settings = load(MeshSettings)
database = open_security_database(settings)
ring = KeyRing(SqlKeyStore(database), lambda: key_pepper(settings), refresh_s=1)
ring.refresh()
trail = SqlAuditTrail(database)
trail.append(AuditEntry(NOON, "tester", "restored", "key", "done"))
print(ring.caller_of(sys.argv[1]).role, [entry.action for entry in trail.latest(9)])
database.close()
"""


def _python(env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    with_path = {**env, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "gen")])}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=with_path, cwd=env["RECOMESH_HOME"], capture_output=True, text=True, timeout=200)


def _recomesh(env: Mapping[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    return _python(env, "-m", "recomesh_cli", *map(str, words))


def _done(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _manifest(folder: Path) -> dict[str, dict[str, object]]:
    content = json.loads((folder / "manifest.json").read_text())
    for name in ("records", "content"):
        content[name].pop(REVISIONS)
    return {name: content[name] for name in ("records", "content", "facts")}


def _env(folder: Path, **extra: object) -> dict[str, str]:
    folder.mkdir()
    return private_env(folder, **extra)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    """Embedded stores with something of everything, and their backup."""
    folder = tmp_path_factory.mktemp("first")
    env = _env(folder / "home")
    _done(_python(env, "-c", FILL))
    told = json.loads(_done(_recomesh(env, "backup", folder / "backup", "--json")))
    assert told["records"] == {
        "products": 700,
        "catalog_revision": 1,
        "interactions": 2000,
        "erased_visitors": 1,
        "clocks": 3,
        "rules": 2,
        "rule_sets": 2,
        "models": 1,
        "training_runs": 1,
        "embeddings": 2,
        "visitors": 3,
        "segments": 1,
        "erasure_receipts": 1,
        "erasure_orders": 1,
        "profile_feed": 1,
        "keys": 1,
        "audit": 1,
        "hourly_counts": told["records"]["hourly_counts"],
    }
    return env, folder / "backup"


@pytest.mark.parametrize("catalog", ["postgres", "mongo"])
def test_everything_moves_to_servers_and_back(first, postgres, request, catalog: str, tmp_path: Path) -> None:
    source, backup = first
    url, catalog_url = postgres.new_database(), request.getfixturevalue(catalog).new_database()
    server = _env(tmp_path / "server", database_url=url, keys_url=url, catalog_url=catalog_url)
    _done(_recomesh(server, "restore", backup))
    _done(_recomesh(server, "backup", tmp_path / "second"))
    embedded = _env(tmp_path / "embedded")
    _done(_recomesh(embedded, "restore", tmp_path / "second"))
    _done(_recomesh(embedded, "backup", tmp_path / "third"))

    assert _manifest(tmp_path / "second") == _manifest(tmp_path / "third") == _manifest(backup)
    home = Path(source["RECOMESH_HOME"])
    for env in (server, embedded):  # numbers go on where they were, ids stay unique, the erased stay erased
        assert _done(_python(env, "-c", FIRST_RULE)).split(maxsplit=2) == ["3", "3", "['new']\n"]
        (snapshot,) = [p for p in (Path(env["RECOMESH_HOME"]) / "snapshots").iterdir() if p.is_dir()]
        assert (snapshot / "vectors.npy").read_bytes() == bytes(range(256))
        assert not (Path(env["RECOMESH_HOME"]) / MARKER).exists()
        shutil.copy(home / "key_pepper", env["RECOMESH_HOME"])
        told = _done(_python(env, "-c", KEY, (home / "key").read_text()))
        assert told == "shop ['restored', 'key.create']\n"


def test_keys_may_be_left_out_and_then_those_of_the_stores_stay(first, tmp_path: Path) -> None:
    source, backup = first
    told = json.loads(_done(_recomesh(source, "backup", tmp_path / "second", "--without-keys", "--json")))
    assert not {"keys", "audit"} & told["records"].keys()
    env = _env(tmp_path / "home")
    _done(_recomesh(env, "restore", backup))
    _done(_recomesh(env, "restore", tmp_path / "second", "--replace"))
    _done(_recomesh(env, "backup", tmp_path / "third"))
    assert _manifest(tmp_path / "third") == _manifest(backup)


def test_stores_that_hold_something_are_replaced_only_when_told_to(first, tmp_path: Path) -> None:
    _, backup = first
    env = _env(tmp_path / "home")
    _done(_recomesh(env, "restore", backup))

    refused = _recomesh(env, "restore", backup)
    assert refused.returncode == 1
    assert "the stores are not empty: catalog (700 records)" in refused.stderr
    assert "--replace" in refused.stderr
    _done(_recomesh(env, "restore", backup, "--replace"))
    _done(_recomesh(env, "backup", tmp_path / "again"))
    assert _manifest(tmp_path / "again") == _manifest(backup)


def test_a_damaged_backup_is_refused_before_anything_is_touched(first, tmp_path: Path) -> None:
    _, backup = first
    damaged = shutil.copytree(backup, tmp_path / "damaged")
    path = damaged / "interactions.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])
    env = _env(tmp_path / "home")

    refused = _recomesh(env, "restore", damaged)
    assert refused.returncode == 1
    assert "interactions.jsonl.gz does not match its checksum" in refused.stderr
    (damaged / "manifest.json").unlink()
    assert "no finished backup" in _recomesh(env, "restore", damaged).stderr
    assert list((tmp_path / "home").glob("*.db")) == []


def test_a_restore_that_was_cut_off_keeps_the_mesh_from_starting_and_may_be_repeated(first, tmp_path: Path) -> None:
    _, backup = first
    poisoned = shutil.copytree(backup, tmp_path / "poisoned")
    manifest = json.loads((poisoned / "manifest.json").read_text())
    manifest["records"]["interactions"] += 1  # found out only while it is read, like a process killed half way
    (poisoned / "manifest.json").write_text(json.dumps(manifest))
    env = _env(tmp_path / "home")

    assert "interactions has 2000 records, not 2001" in _recomesh(env, "restore", poisoned).stderr
    up = _recomesh(env, "up")
    assert up.returncode == 1
    assert "a restore was cut off" in up.stderr
    _done(_recomesh(env, "restore", backup))
    _done(_recomesh(env, "backup", tmp_path / "again"))
    assert _manifest(tmp_path / "again") == _manifest(backup)


def test_a_backup_never_overwrites(first) -> None:
    env, backup = first
    refused = _recomesh(env, "backup", backup)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr


def test_a_backup_is_lines_of_json_that_anyone_can_read(first) -> None:
    _, backup = first
    with gzip.open(backup / "products.jsonl.gz", "rt") as file:
        product = json.loads(file.readline())
    assert product["title"].startswith("Mug")
    assert product["expires_at"].endswith("+00:00")
