"""Import jobs in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from pymongo.errors import BulkWriteError

from catalog_svc.adapters.mongo_store import MongoDocument, MongoStore, only_duplicates
from catalog_svc.adapters.product_content import from_micros, to_micros
from catalog_svc.domain.model import ImportJob, ImportState, RejectedInput

_UNFINISHED = [ImportState.QUEUED.value, ImportState.RUNNING.value]
_MOMENTS = ("started_at", "seen_at", "finished_at")


class MongoImportJobRepository:
    """See `domain.ports.ImportJobRepository`. Lines are stored before the job that counts them."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._jobs = store.collection("import_jobs")
        self._rejections = store.collection("import_rejections")

    def save(self, job: ImportJob, rejected: Sequence[RejectedInput] = ()) -> None:
        """See the port."""
        document: MongoDocument = asdict(job)
        document |= {name: None if document[name] is None else to_micros(document[name]) for name in _MOMENTS}
        document["state"] = job.state.value
        document["_id"] = document.pop("job_id")
        lines = {r.line: {"job_id": job.job_id, "line": r.line, "raw": r.raw, "reason": r.reason} for r in rejected}
        with self._store.asking():
            if lines:
                self._insert_new(list(lines.values()))
            self._jobs.replace_one({"_id": job.job_id}, document, upsert=True)

    def get(self, job_id: str) -> ImportJob | None:
        """See the port."""
        with self._store.asking():
            found = self._jobs.find_one({"_id": job_id})
        return None if found is None else _job(found)

    def latest(self, limit: int) -> Sequence[ImportJob]:
        """See the port."""
        with self._store.asking(), self._jobs.find().sort([("started_at", -1), ("_id", -1)]).limit(limit) as found:
            return [_job(document) for document in found]

    def rejected(self, job_id: str, *, after_line: int, limit: int) -> Sequence[RejectedInput]:
        """See the port."""
        query = {"job_id": job_id, "line": {"$gt": after_line}}
        with self._store.asking(), self._rejections.find(query).sort("line").limit(limit) as found:
            return [RejectedInput(d["line"], d["raw"], d["reason"]) for d in found]

    def interrupt(self, owner: str, *, stale_before: datetime, now: datetime) -> int:
        """See the port."""
        mine = [{"owner": owner}, {"seen_at": {"$lt": to_micros(stale_before)}}]
        query = {"state": {"$in": _UNFINISHED}, "$or": mine}
        ended = {"$set": {"state": ImportState.INTERRUPTED.value, "finished_at": to_micros(now)}}
        with self._store.asking():
            return self._jobs.update_many(query, ended).modified_count

    def _insert_new(self, lines: Sequence[MongoDocument]) -> None:
        try:
            self._rejections.insert_many(lines, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise


def _job(document: MongoDocument) -> ImportJob:
    values = dict(document)
    values["job_id"] = values.pop("_id")
    values |= {name: None if values[name] is None else from_micros(values[name]) for name in _MOMENTS}
    values["state"] = ImportState(values["state"])
    return ImportJob(**values)
